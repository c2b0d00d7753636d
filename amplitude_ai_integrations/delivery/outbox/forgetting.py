"""Removes every event of a person from a spool."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .keeping import Destination
from .looking import everything, opened
from .people import Person
from .records import Record, encode_again
from .segments import Segment, UnknownFormatError
from .sifting import sift
from .spool import Spool

_AGAIN: Final = 0.2  # seconds between two looks at files that living processes hold


@dataclass
class Forgotten:
    """How many events were removed, and how many could not be."""

    waiting: int = 0
    dead: int = 0
    held: int = 0  # in files of living processes
    unknown: int = 0  # files of a later version of this package
    _done: set[Path] = field(default_factory=set, repr=False, compare=False)


def forget(places: Sequence[Destination], person: Person, seconds: float) -> Forgotten:
    """Remove a person's events, and wait for so long for living processes to deliver those they hold.

    Raises:
        OSError: A file cannot be read or written; those that were not rewritten yet are as they were.
    """
    told = Forgotten()
    deadline = time.monotonic() + seconds
    while True:
        told.held = told.unknown = 0
        for place in places:
            for path in place.spool.paths():
                _forget_in(place.spool, path, person, told)
        if not told.held or time.monotonic() >= deadline:
            break
        time.sleep(_AGAIN)
    for place in places:  # last, since a living process may have given up some meanwhile
        told.dead += _forget_dead(place, person)
    return told


def _forget_in(spool: Spool, path: Path, person: Person, told: Forgotten) -> None:
    if path in told._done:
        return
    try:
        segment = Segment.adopt(path)
        if segment is not None:
            told.waiting += _rewrite(spool, segment, person)
            told._done.add(path)
        else:
            told.held += _count(path, person)
    except UnknownFormatError:
        told.unknown += 1


def _count(path: Path, person: Person) -> int:
    """Count a person's events in a file that another holds, delivered ones too, which still lie there."""
    segment = opened(path)
    if segment is None:
        return 0
    delivered, waiting = everything(segment)
    segment.let_go()
    return sum(person.has(record.payload) for record in (*delivered, *waiting))


def _rewrite(spool: Spool, segment: Segment, person: Person) -> int:
    """Let a file of others' events take the place of one that a person's events are in; count the latter."""
    try:
        delivered, waiting = everything(segment)
        others = [record for record in waiting if not person.has(record.payload)]
        is_in_it = len(others) < len(waiting) or any(person.has(record.payload) for record in delivered)
        if is_in_it or segment.bad:  # nobody can tell whose a torn record is, and nobody can send it
            if others:
                _write(spool, others, segment.path.suffix)
            segment.path.unlink(missing_ok=True)
        return len(waiting) - len(others)
    finally:
        segment.let_go()


def _write(spool: Spool, records: Sequence[Record], suffix: str) -> None:
    new = spool.create(suffix)
    try:
        for it in records:
            new.append(encode_again(it.payload, it.tries, it.first_ms, it.is_told))
        os.fsync(new.fd)
    except OSError:
        new.remove()
        raise
    finally:
        new.let_go()


def _forget_dead(place: Destination, person: Person) -> int:
    removed = 0

    def keep(line: bytes) -> bool:
        nonlocal removed
        is_theirs = person.has_letter(line)
        removed += is_theirs
        return not is_theirs

    sift(place.folder, keep)
    return removed
