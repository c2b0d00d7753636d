"""What lies in a spool, for the people who run it: counted, shown, deleted, freed of a person's events."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ...exceptions import ConfigurationError
from .deadletters import NAME, OLDER, DeadLetter, DeadLetters
from .looking import is_held, opened, waiting
from .people import ids_of
from .segments import EVENTS, LATER, UNFINISHED, UnknownFormatError
from .sifting import sift
from .spool import Spool

_DESTINATION: Final = re.compile("[0-9a-f]{16}")
_SUFFIXES: Final = (EVENTS, LATER, UNFINISHED)


class Summary(NamedTuple):
    """A destination in numbers; files are segments."""

    events: int
    bytes: int
    oldest_seconds: float | None  # since the event that waits longest was made
    held_events: int  # those of the events that living processes hold
    held: int
    left: int  # files of ended processes
    unknown: int  # files of a later version of this package
    dead: Counter[str]  # by reason


class Purged(NamedTuple):
    """How many events were deleted, and what was not."""

    deleted: int
    held: int  # events in files of living processes
    unknown: int  # files of a later version of this package


class Destination:
    """The folder of one key and server in a spool."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spool = Spool(folder)
        self.letters = DeadLetters(folder)

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    def summary(self) -> Summary:
        """Count what is there."""
        files: Counter[str] = Counter()
        events: Counter[str] = Counter()
        size, oldest_ms = 0, None
        for path in self.spool.paths():
            try:
                segment = opened(path)
            except UnknownFormatError:
                files["unknown"] += 1
                continue
            if segment is None:
                continue
            state = "held" if is_held(segment) else "left"
            records = waiting(segment)
            segment.let_go()
            files[state] += 1
            events[state] += len(records)
            size += sum(len(record.payload) for record in records)
            made = [ids_of(record.payload).made_ms for record in records[:1]]
            oldest_ms = min((at for at in (oldest_ms, *made) if at), default=None)
        return Summary(
            events.total(),
            size,
            None if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000),
            events["held"],
            files["held"],
            files["left"],
            files["unknown"],
            Counter(letter.reason for letter in self.letters),
        )

    def waiting(self) -> Iterator[bytes]:
        """Yield the events that wait, as JSON."""
        for path in self.spool.paths():
            try:
                segment = opened(path)
            except UnknownFormatError:
                continue
            if segment is not None:
                yield from (record.payload for record in waiting(segment))
                segment.let_go()

    def dead(self) -> Iterator[DeadLetter]:
        """Yield the dead letters."""
        return iter(self.letters)

    def purge_waiting(self) -> Purged:
        """Delete the events that no living process holds.

        Raises:
            OSError: They cannot be deleted.
        """
        deleted = 0
        for segment in self.spool.orphans():
            events = segment.waiting()
            segment.path.unlink(missing_ok=True)
            segment.let_go()
            deleted += events
        left = self.summary()
        return Purged(deleted, left.held_events, left.unknown)

    def purge_dead(self) -> int:
        """Delete the dead letters, and return how many.

        Raises:
            OSError: They cannot be deleted.
        """
        deleted = 0

        def keep(_line: bytes) -> bool:
            nonlocal deleted
            deleted += 1
            return False

        sift(self.folder, keep)
        return deleted


def destinations(spool: Path) -> list[Destination]:
    """Return the destinations in a spool.

    Raises:
        ConfigurationError: The folder is none.
        OSError: It may not be read.
    """
    try:
        entries = sorted(path for path in spool.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise ConfigurationError(f"{spool} is no folder; name one that a spool is in.") from None
    found = [path for path in entries if _is_destination(path)]
    if entries and not found:
        if any(_is_ours(path) for path in entries):
            raise ConfigurationError(
                f"{spool} is one destination of a spool; "
                f"use --spool {spool.parent} --destination {spool.name}."
            )
        raise ConfigurationError(
            f"{spool} is no spool, it holds {entries[0].name!r}; name the folder that is set as "
            "AMPLITUDE_AI_SPOOL, or as AIConfig(spool=...)."
        )
    return [Destination(path) for path in found]


def _is_destination(path: Path) -> bool:
    if not _DESTINATION.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
        return False
    entries = list(path.iterdir())
    return not entries or any(map(_is_ours, entries))


def _is_ours(path: Path) -> bool:
    return path.suffix in _SUFFIXES or path.name in (NAME, OLDER)
