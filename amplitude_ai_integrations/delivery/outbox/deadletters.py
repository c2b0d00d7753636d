"""Events that will never be delivered, kept for people to look at and to send again."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from .segments import opening

try:
    import fcntl
except ImportError:  # no such locks on this platform
    fcntl = None  # type: ignore[assignment]

NAME: Final = "dead.jsonl"
OLDER: Final = "dead.older.jsonl"
_MOST_BYTES: Final = 8 * 1024 * 1024  # of each of the two files
_OWNER_ONLY: Final = 0o600
_PATIENCE: Final = 40  # looks whether another process is done with the file
_A_MOMENT: Final = 0.05  # seconds between them


class DeadLetter(NamedTuple):
    """An event, why it is dead, and when it was given up, in ms since the epoch."""

    at: int
    reason: str
    status: int
    attempts: int
    event: Any


class DeadLetters:
    """Two files of JSON lines in a destination's folder; the older one makes room."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._older = folder / OLDER

    def add(self, payload: bytes, reason: str, status: int, attempts: int) -> None:
        """Keep one event.

        Raises:
            OSError: It cannot be written.
        """
        about = {"at": time.time_ns() // 1_000_000, "reason": reason, "status": status, "attempts": attempts}
        line = json.dumps(about).encode()[:-1] + b', "event": ' + payload + b"}\n"
        with suppress(FileExistsError):
            self._path.parent.mkdir(mode=0o700, parents=True)
        for patience in range(_PATIENCE, -1, -1):
            with opening():  # a child that is forked meanwhile would hold the file, and its lock
                fd = self._open(must=not patience)
                if fd is not None:
                    try:
                        if self._write(fd, line):
                            return
                    finally:
                        os.close(fd)
                    continue
            time.sleep(_A_MOMENT)

    def _write(self, fd: int, line: bytes) -> bool:
        """Append a line, or turn the file over where it is full; tell whether it was appended."""
        size = os.fstat(fd).st_size
        if size and size + len(line) > _MOST_BYTES:
            self._path.replace(self._older)
            return False
        if os.write(fd, line) != len(line):
            os.ftruncate(fd, size)  # else the next letter would be part of this one
            raise OSError(errno.ENOSPC, "No space left on device")
        return True

    def __iter__(self) -> Iterator[DeadLetter]:
        for path in (self._older, self._path):
            with suppress(FileNotFoundError, IsADirectoryError), path.open("rb") as lines:
                for line in lines:
                    letter = _read(line)
                    if letter is not None:
                        yield letter

    def _open(self, *, must: bool) -> int | None:
        """Return the newer file, held against those who turn it over or take letters out; ``None`` while
        they do, unless it must be.
        """
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
        try:
            if fcntl is not None:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._path.stat().st_ino == os.fstat(fd).st_ino:
                return fd
        except OSError:
            if must:
                return fd
        os.close(fd)
        return None


def _read(line: bytes) -> DeadLetter | None:
    try:
        return DeadLetter(**json.loads(line))
    except (ValueError, TypeError, RecursionError):  # torn by a full disk, or of another hand
        return None
