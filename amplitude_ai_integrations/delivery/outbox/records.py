"""Events as they lie in a segment: one line each, found again after a torn one."""

from __future__ import annotations

from typing import Final, NamedTuple
from zlib import crc32

# A record separator as in RFC 7464; JSON never contains one, so a torn record cannot hide the next.
MARK: Final = b"\x1e"
_HEAD: Final = 10  # the mark, eight digits of the checksum, a space


class Record(NamedTuple):
    """One event and what is known of its delivery; ``start`` and ``end`` are offsets in its segment."""

    start: int
    end: int
    tries: int
    first_ms: int  # when it was first sent without an answer, in ms since the epoch; 0: never
    is_told: bool  # whether the callback has had it
    payload: bytes  # the event as JSON


_FRESH: Final = b"0 0 0 "
_FRESH_SUM: Final = crc32(_FRESH)


def encode(payload: bytes) -> bytes:
    """Return an event that was never sent as a record."""
    return b"\x1e%08x %b%b\n" % (crc32(payload, _FRESH_SUM), _FRESH, payload)


def encode_again(payload: bytes, tries: int, first_ms: int, is_told: bool) -> bytes:
    """Return an event that was sent before as a record."""
    known = b"%d %d %d " % (tries, first_ms, is_told)
    return b"\x1e%08x %b%b\n" % (crc32(payload, crc32(known)), known, payload)


def decode(piece: bytes, start: int) -> Record | None:
    """Return the record that stands behind a mark at ``start``, or ``None`` where it is torn."""
    line = piece.partition(b"\n")[0]  # what a crash has left behind its end is no part of it
    try:
        if int(line[:8], 16) != crc32(line[9:]):
            return None
        end = start + 1 + len(piece)
        if line.startswith(_FRESH, 9):
            return Record(start, end, 0, 0, False, line[9 + len(_FRESH) :])
        tries, first_ms, is_told, payload = line[9:].split(b" ", 3)
        return Record(start, end, int(tries), int(first_ms), is_told == b"1", payload)
    except ValueError:
        return None
