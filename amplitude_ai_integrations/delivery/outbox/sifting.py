"""Takes lines out of the files of dead letters while other processes add to them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from .deadletters import NAME, OLDER
from .segments import UNFINISHED

try:
    import fcntl
except ImportError:  # no such locks on this platform
    fcntl = None  # type: ignore[assignment]

_OWNER_ONLY: Final = 0o600
_GRACE: Final = 0.1  # seconds in which a process that has opened the file before may still write to it


def sift(folder: Path, keep: Callable[[bytes], bool], secure: Callable[[], None] = lambda: None) -> None:
    """Keep only some lines of a destination's dead letters.

    ``secure`` is called before those that are not kept are gone.

    Raises:
        OSError: The files cannot be read or written; they are as they were.
    """
    path, older = folder / NAME, folder / OLDER
    if not path.exists() and not older.exists():
        return
    with _locked(path) as lines:
        sources = [(path, _kept(path, lines, keep))]
        if older.exists():
            with older.open("rb") as old_lines:
                sources.append((older, _kept(older, old_lines, keep)))
        secure()
        for file, kept in sources:
            if kept is None:
                file.unlink()
            else:
                kept.replace(file)
        _keep_late(path, lines, keep)
    secure()


def _kept(path: Path, lines: BinaryIO, keep: Callable[[bytes], bool]) -> Path | None:
    """Write what is kept of a file beside it; ``None`` where that is nothing."""
    new = path.with_suffix(UNFINISHED)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(fd, "wb") as file:
        for line in lines:
            if keep(line):
                file.write(_ended(line))
        file.flush()
        os.fsync(fd)
        is_empty = not file.tell()
    if is_empty:
        new.unlink()
    return None if is_empty else new


def _keep_late(path: Path, lines: BinaryIO, keep: Callable[[bytes], bool]) -> None:
    """Keep what was written to the file that is no more by somebody who had opened it before."""
    time.sleep(_GRACE)
    for line in lines:
        if keep(line):
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
            with os.fdopen(fd, "wb") as file:
                file.write(_ended(line))


def _ended(line: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + b"\n"


def _locked(path: Path) -> BinaryIO:
    """Open the newer file so that nobody else sifts it or makes it the older one."""
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY), "rb")
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        except FileNotFoundError:
            pass
        file.close()
