"""Programs on machines where something is missing, full, or wrong."""

from __future__ import annotations

import ctypes
import os
import resource
import select
import shutil
import sys
import time
from pathlib import Path

from .program import Child
from .waiting import until

FILE_BYTES = 40_000
_TEXT = "word " * 60_000  # 300 kB


def _until_told(child: Child) -> None:
    """Track now and then, as long as it is let."""
    child.ready()
    while not select.select([sys.stdin], [], [], 0.2)[0]:
        child.track(1, "meanwhile")
    child.report()


def on_a_full_disk(child: Child) -> None:
    """Track more than files may hold."""
    sys.dont_write_bytecode = True  # a compiled module would be cut, and be kept so
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    child.client()
    child.track(child.options["events"])
    child.wait()
    child.report()


def on_a_disk_that_recovers(child: Child) -> None:
    """Track while files may not grow, and on when they may again."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    sys.dont_write_bytecode = True  # as above
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, limits[1]))
    child.client()
    child.track(child.options["events"])
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    spool = Path(os.environ["AMPLITUDE_AI_SPOOL"])
    until(lambda: child.track(1, "meanwhile") or _largest(spool) > FILE_BYTES)
    child.track(child.options["events"], "afterwards")
    child.report()
    os._exit(0)


def _largest(folder: Path) -> int:
    return max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)


def without_power(child: Child) -> None:
    """Track as somebody whom the modes of files bind, which root is not."""
    if os.geteuid() == 0:
        _let_go_of_power()
    child.client()
    child.track(child.options["events"])
    child.wait()
    child.report()


def _let_go_of_power() -> None:
    """Drop the two capabilities of root's that pass over the modes of files, for this process."""
    version_3, kept = 0x20080522, 0xFFFFFFFF & ~(1 << 1 | 1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    head = (ctypes.c_uint32 * 2)(version_3, 0)
    data = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.capget(head, data) == 0
    for place in (0, 1):  # effective, permitted
        data[place] &= kept
    assert libc.capset(head, data) == 0


def with_its_folder_removed(child: Child) -> None:
    """Track, have the spool removed, and track on."""
    child.client()
    child.track(child.options["events"])
    shutil.rmtree(os.environ["AMPLITUDE_AI_SPOOL"])
    child.track(child.options["events"])
    _until_told(child)


def until_its_folder_is_back(child: Child) -> None:
    """Have the spool removed, track until there is one again, and once more before leaving at once."""
    child.client()
    child.track(1)
    spool = Path(os.environ["AMPLITUDE_AI_SPOOL"])
    shutil.rmtree(spool)
    until(lambda: child.track(1, "meanwhile") or _largest(spool) > 0)
    child.track(child.options["events"], "afterwards")
    os._exit(0)


def with_another_clock(child: Child) -> None:
    """Track, move the clock, and track on."""
    child.client()
    child.track(child.options["events"])
    shift, now, now_ns = child.options["hours"] * 3600, time.time, time.time_ns
    time.time = lambda: now() + shift
    time.time_ns = lambda: now_ns() + shift * 1_000_000_000
    child.track(child.options["events"], "moved")
    child.wait()
    child.report()


def with_a_small_spool(child: Child) -> None:
    """Track far more than the spool may hold."""
    from amplitude_ai_integrations.delivery.outbox import outbox

    outbox.SEGMENT_BYTES = child.options["segment"]  # type: ignore[misc]
    ai = child.client()
    (sink,) = ai.recorder.pipeline.sinks
    sink.outbox.spool.most_bytes = child.options["spool"]  # type: ignore[attr-defined]
    child.track(child.options["events"])
    child.wait()
    child.report()


def with_long_texts(child: Child) -> None:
    """Track texts, far more of them than memory is used for."""
    ai = child.client()
    for number in range(child.options["events"]):
        ai.track_user_message("ada", f"{number} {_TEXT}", "conversation", message_id=f"long-{number}")
        child.ledger.note(f"long-{number}")
    until(lambda: not ai.status()["delivery"]["waiting_for_redaction"])
    child.wait()
    child.report()


def without_locks_and_forks(child: Child) -> None:
    """Track on a platform that has neither."""
    assert "amplitude_ai_integrations.delivery.outbox.segments" not in sys.modules
    sys.modules["fcntl"] = None  # type: ignore[assignment]  # an import of it fails
    del os.fork, os.register_at_fork
    child.client()
    child.track(child.options["events"])
    child.wait()
    child.report()
