"""The segments of one destination on disk: this process's, and those that dead ones have left."""

from __future__ import annotations

import stat
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...exceptions import logger
from .segments import EVENTS, LATER, UNFINISHED, Segment, UnknownFormatError

MOST_BYTES: Final = 256 * 1024 * 1024
_ABANDONED: Final = 60.0  # seconds after which a file that never got its name is nobody's
_OWNER_ONLY: Final = 0o700


class Spool:
    """A folder of segments, their names in the order of their age."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self._strangers: set[Path] = set()

    def create(self, suffix: str = EVENTS) -> Segment:
        """Begin a segment of this process.

        Raises:
            OSError: The folder cannot be made or written, or knows no locks.
        """
        try:
            return Segment.create(self.folder, suffix)
        except FileNotFoundError:
            self.folder.parent.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
            self.folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)
            return Segment.create(self.folder, suffix)

    def orphans(self, held: Collection[Path] = ()) -> Iterator[Segment]:
        """Take over the segments whose processes have ended, oldest first."""
        for path in self.paths():
            if path in held or path in self._strangers:
                continue
            try:
                segment = Segment.adopt(path)
            except UnknownFormatError as error:
                self._strangers.add(path)
                words = "%s has the format %s of a later version; it is left as it is."
                logger.warning(words, path, str(error))  # who keeps the error keeps the file open
                continue
            if segment is not None:
                yield segment

    def has_any(self) -> bool:
        """Tell whether there are segments at all, held or not."""
        return any(True for _ in self.paths())

    def paths(self) -> list[Path]:
        """Return the files of segments, oldest first."""
        try:
            found = list(self.folder.iterdir())
        except OSError:
            return []
        for path in found:
            if path.suffix == UNFINISHED:
                _remove_abandoned(path)
        return sorted(path for path in found if path.suffix in (EVENTS, LATER) and _is_file(path))

    def used(self) -> int:
        """Return the bytes that all segments take."""
        return sum(map(_size, self.paths()))


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _remove_abandoned(path: Path) -> None:
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > _ABANDONED:
            path.unlink()
