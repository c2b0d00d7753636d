"""Whether the file that is open is still the one at its path."""

from __future__ import annotations

from pathlib import Path


class StoreGoneError(Exception):
    """The file was removed or replaced: what is written to it now, nobody finds again."""

    def __init__(self) -> None:
        super().__init__("The database file was removed or replaced: restart Agent Analytics.")


class Presence:
    """Remembers which file was opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = _identity(path)

    def check(self) -> None:
        """Raise if the path leads elsewhere by now."""
        if _identity(self._path) != self._opened:
            raise StoreGoneError


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise StoreGoneError from None
    return found.st_dev, found.st_ino
