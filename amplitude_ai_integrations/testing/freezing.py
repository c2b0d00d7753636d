"""The same ids and times in every run, so that whole events can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final
from unittest.mock import patch

from ..calls import tools
from ..context import identity, memory, stamps

START_MS: Final = 1_735_689_600_000  # the first moment of 2025, UTC


@contextmanager
def frozen(at_ms: int = START_MS) -> Iterator[None]:
    """Let the same program make the same events, byte for byte, each time it runs inside this block.

    Ids count up from ``00000000-0000-4000-8000-000000000001``. The clock starts at ``at_ms`` (ms since the
    epoch) and each reading of it, or of the stopwatch that measures latencies, is 1 ms after the one
    before: order stays visible, and no latency is 0. Nothing is remembered of earlier sessions. Threads
    that run side by side still take their ids in any order.
    """
    ids, times, readings = count(1), count(at_ms), count()

    def new_id() -> str:
        return f"00000000-0000-4000-8000-{next(ids):012d}"

    forget_sessions()
    with (
        patch.multiple(
            stamps,
            new_id=new_id,
            insert_id=new_id,
            now_ms=lambda: next(times),
            seconds=lambda: next(readings) / 1000,
        ),
        patch.object(identity, "_process_device", "00000000-0000-4000-8000-000000000000"),
    ):
        yield


def forget_sessions() -> None:
    """Forget what this process remembers of sessions: turn numbers, questions and tools asked for, costs."""
    memory.forget()
    tools.forget()
