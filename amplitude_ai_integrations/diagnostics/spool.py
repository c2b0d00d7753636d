"""Whether events outlive the process that made them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..config import AIConfig
from ..delivery.outbox.place import spool_of
from .finding import Finding

TOPIC: Final = "spool"
_NAME: Final = "doctor"  # a destination that nothing is sent to
_FIX: Final = "export AMPLITUDE_AI_SPOOL=/a/folder/that/can/be/written"


def spool_there_is(config: AIConfig) -> Iterator[Finding]:
    """Say if events cannot wait on disk, and why; nothing where they can."""
    spool, why = spool_of(config, _NAME)
    if spool is None:
        words = f"Events wait in memory, and end with the process: {why}."
        yield Finding(TOPIC, "hint", words, _FIX)
        return
    try:
        probe = spool.create()
    except OSError as error:
        words = f"Events wait in memory, and end with the process: {spool.folder.parent}: {error.strerror}."
        yield Finding(TOPIC, "warning", words, _FIX)
    else:
        probe.remove()
        probe.let_go()
        spool.folder.rmdir()
