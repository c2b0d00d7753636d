"""What a program has tracked, told by itself and kept whatever ends it."""

from __future__ import annotations

import os
from pathlib import Path


class Ledger:
    """A file of names, one a line, each written at once: any number of processes may hold it open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, name: str) -> None:
        """Say that the call which tracks an event has returned."""
        os.write(self._file, f"{name}\n".encode())

    def names(self) -> list[str]:
        """Return every event tracked so far."""
        return self._path.read_text().splitlines()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
