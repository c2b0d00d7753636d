"""Segments as somebody sees them who takes nothing: also those that a living process holds."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from .records import Record
from .segments import HEADER_BYTES, Segment

try:
    import fcntl
except ImportError:  # no such locks on this platform
    fcntl = None  # type: ignore[assignment]


def opened(path: Path) -> Segment | None:
    """Open a segment to read in it, whoever holds it; ``None`` where it is gone.

    Raises:
        UnknownFormatError: It is of a later format.
        OSError: It may not be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    segment = Segment(fd, path, is_own=False)
    segment._read_header()
    return segment


def is_held(segment: Segment) -> bool:
    """Tell whether a living process holds the file."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(segment.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            # At once: whoever wants to take it over meanwhile takes it for one that is held.
            fcntl.flock(segment.fd, fcntl.LOCK_UN)
            return False
    return True


def waiting(segment: Segment) -> list[Record]:
    """Return the records that are still to be delivered."""
    return segment.take_next(sys.maxsize, sys.maxsize, at_least_one=True)


def everything(segment: Segment) -> tuple[list[Record], list[Record]]:
    """Return the records that are delivered and not given back yet, and those that are still to be."""
    begin = segment.settled
    segment.taken = HEADER_BYTES
    records = waiting(segment)
    return [it for it in records if it.start < begin], [it for it in records if it.start >= begin]
