"""One file of events, held by a lock for as long as its process lives."""

from __future__ import annotations

import errno
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from weakref import WeakSet
from zlib import crc32

from ...context.forks import in_each_child
from .records import MARK, Record, decode

try:
    import fcntl
except ImportError:  # no such locks on this platform
    fcntl = None  # type: ignore[assignment]

EVENTS: Final = ".events"
LATER: Final = ".later"
UNFINISHED: Final = ".new"

_TITLE: Final = b"amplitude-ai-integrations spool "
_FORMAT: Final = 1
_TITLE_BYTES: Final = 40
HEADER_BYTES: Final = 128
_WINDOW: Final = 131_072  # bytes read at once; more where one event is larger
_LARGEST: Final = 32 * 1024 * 1024  # more than any record is
_OWNER_ONLY: Final = 0o600


class UnknownFormatError(Exception):
    """A segment was written by a newer version of this package."""


class Ledger:
    """Which of a segment's records were taken to be sent, and up to where all of them are settled."""

    def __init__(self, begin: int) -> None:
        self.size = begin  # where the next record will stand
        self.taken = begin
        self._open: OrderedDict[int, Record] = OrderedDict()

    @property
    def settled(self) -> int:
        """The offset before which nothing is left to do."""
        for start in self._open:
            return start
        return self.taken

    @property
    def is_done(self) -> bool:
        """Whether everything in it is settled."""
        return self.taken == self.size and not self._open

    def take(self, record: Record) -> None:
        """Note that a record is being sent."""
        self._open[record.start] = record
        self.taken = record.end

    def take_last(self, start: int, payload: bytes) -> Record:
        """Note that the record that was written last is being sent by its writer."""
        record = Record(start, self.size, 0, 0, False, payload)
        self.take(record)
        return record

    def settle(self, start: int) -> bool:
        """Note that a record needs nothing more, and tell whether it was not settled before."""
        return self._open.pop(start, None) is not None

    def give_back(self) -> None:
        """Forget what was taken, so that it is taken again."""
        self.taken = self.settled
        self._open.clear()


class Segment(Ledger):
    """A file of this process's, or one that a dead process has left and this one has taken over."""

    def __init__(self, fd: int, path: Path, *, is_own: bool) -> None:
        super().__init__(HEADER_BYTES)
        self.fd = fd
        self.path = path
        self.is_own = is_own
        self.told = HEADER_BYTES  # the callback has had what stands before it
        self.tried = HEADER_BYTES  # what stands before it may have arrived
        self.tried_ms = 0
        self.bad = 0  # records that could not be read
        self.began = time.monotonic()
        self.round = 0  # how often its space was given back
        self._saved = b""
        _held.add(self)

    @classmethod
    def create(cls, folder: Path, suffix: str = EVENTS) -> Segment:
        """Make a new file in ``folder`` and hold it.

        Raises:
            OSError: The folder cannot be written, or files on it cannot be locked.
        """
        name = f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}"
        path = folder / (name + suffix)
        unfinished = folder / (name + UNFINISHED)
        with _opening:
            fd = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
            segment = cls(fd, path, is_own=True)
        try:
            # Under its final name it would be taken for one that a dead process has left.
            _hold(fd)
            segment.save()
            unfinished.rename(path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            segment.let_go()
            raise
        return segment

    @classmethod
    def adopt(cls, path: Path) -> Segment | None:
        """Take over a file that no living process holds; ``None`` where one does, or it is gone.

        Raises:
            UnknownFormatError: It is of a later format; it is left as it is.
        """
        try:
            with _opening:
                segment = cls(os.open(path, os.O_RDWR), path, is_own=False)
        except OSError:
            return None
        try:
            _hold(segment.fd)
            if path.stat().st_ino != os.fstat(segment.fd).st_ino:
                return None
            segment._read_header()
        except OSError:
            return None
        return segment

    def settle(self, start: int) -> bool:
        """Note that a record needs nothing more; not where the file was let go of, and is sent by others."""
        return self.fd >= 0 and super().settle(start)

    def append(self, record: bytes) -> int:
        """Write a record and return its offset; what was written only in part is taken back.

        Raises:
            OSError: It cannot be written.
        """
        start = self.size
        written = os.pwrite(self.fd, record, start)
        if written != len(record):
            with suppress(OSError):
                os.ftruncate(self.fd, start)
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.is_done:
            self.began = time.monotonic()
        self.size = start + written
        return start

    def take_next(self, most: int, most_bytes: int, *, at_least_one: bool) -> list[Record]:
        """Take up to ``most`` records of ``most_bytes`` in all; ``at_least_one`` however large it is."""
        found, end = self.read_next(most, most_bytes, at_least_one=at_least_one)
        self.take_all(found, end)
        return found

    def read_next(self, most: int, most_bytes: int, *, at_least_one: bool) -> tuple[list[Record], int]:
        """Read what ``take_next`` takes, and up to where that is."""
        found: list[Record] = []
        taken = self.taken
        room = most_bytes
        end = self.size  # what another thread, or this one in a `__del__`, appends meanwhile is not read yet
        for record in self._records(taken, end):
            room -= len(record.payload)
            if room < 0 and (found or not at_least_one):
                break
            if record.end <= self.tried and not record.first_ms:
                record = record._replace(first_ms=self.tried_ms)  # noqa: PLW2901 - the same one
            if record.start < self.told:
                record = record._replace(is_told=True)  # noqa: PLW2901
            taken = record.end
            found.append(record)
            if len(found) == most:
                break
        else:
            taken = end
        return found, taken

    def take_all(self, records: list[Record], end: int) -> None:
        """Note that records are being sent, and that nothing else stands before ``end``."""
        for record in records:
            self.take(record)
        self.taken = max(self.taken, end)

    def waiting(self) -> int:
        """Count the records that were not taken."""
        return sum(1 for _ in self._records(self.taken, self.size, is_counting=True))

    def left(self) -> list[Record]:
        """Return the records that were not taken."""
        every = self._records(self.taken, self.size, is_counting=True)
        return [it._replace(is_told=True) if it.start < self.told else it for it in every]

    def untold(self) -> list[Record]:
        """Return the records that the callback has not had, and count them as told."""
        begin, end = max(self.told, self.settled), self.size
        left = [it for it in self._records(begin, end, is_counting=True) if self._is_left(it)]
        self.told = end
        return [record for record in left if not record.is_told]

    def note_tried(self, end: int, at_ms: int) -> None:
        """Note that what stands before ``end`` was sent, and may have arrived, at a time."""
        if end > self.tried:
            self.tried, self.tried_ms = end, at_ms

    def save(self) -> None:
        """Write how far it is settled, so that whoever takes it over goes on from there.

        Raises:
            OSError: It cannot be written.
        """
        known = b"%016x %016x %016x %016x" % (self.settled, self.told, self.tried, self.tried_ms)
        if known == self._saved:
            return
        head = (_TITLE + b"%d" % _FORMAT).ljust(_TITLE_BYTES) + known + b" %08x" % crc32(known)
        os.pwrite(self.fd, head.ljust(HEADER_BYTES - 1) + b"\n", 0)
        self._saved = known

    def empty(self) -> None:
        """Give the space of settled records back.

        Raises:
            OSError: It cannot be written.
        """
        os.ftruncate(self.fd, HEADER_BYTES)  # first: who takes it over between the two finds nothing twice
        self.round += 1
        self.size = self.taken = self.told = self.tried = HEADER_BYTES
        self.save()

    def remove(self) -> None:
        """Delete the file; what is still being sent of it can be read until then."""
        with suppress(OSError):
            self.path.unlink()

    def is_in_place(self) -> bool:
        """Tell whether the file is where others would look for it."""
        try:
            return self.path.stat().st_ino == os.fstat(self.fd).st_ino
        except OSError:
            return False

    def let_go(self) -> None:
        """Close the file; others may take it over."""
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)

    def __del__(self) -> None:
        # Not closed before nobody uses it: its number would be another file's by then.
        if self.fd >= 0:
            if self.is_own and self.is_done:
                self.remove()
            self.let_go()

    def _is_left(self, record: Record) -> bool:
        return record.start >= self.taken or record.start in self._open

    def _records(self, begin: int, end: int, *, is_counting: bool = False) -> Iterator[Record]:
        window = _WINDOW
        while begin < end:
            asked = min(window, end - begin)
            data = os.pread(self.fd, asked, begin)
            is_last = begin + len(data) >= end or len(data) < asked  # somebody may have cut it
            pieces = data.split(MARK)
            start = begin + len(pieces[0])
            if pieces[0] and not is_counting:
                self.bad += 1
            if len(pieces) == 1 and not is_last:  # all of it is the rest of something torn
                begin += len(data)
                continue
            whole = pieces[1:] if is_last else pieces[1:-1]
            if not whole and not is_last:
                if window < _LARGEST:  # one record is larger than the window
                    window *= 2
                else:  # than any is
                    begin += len(data)
                continue
            for piece in whole:
                record = decode(piece, start)
                start += 1 + len(piece)
                if record is not None:
                    yield record
                elif not is_counting:
                    self.bad += 1
            if is_last:
                return
            begin, window = start, _WINDOW

    def _read_header(self) -> None:
        self.size = max(HEADER_BYTES, os.fstat(self.fd).st_size)
        head = os.pread(self.fd, HEADER_BYTES, 0)
        version = head[len(_TITLE) : _TITLE_BYTES].strip()
        if head.startswith(_TITLE) and version.isdigit() and int(version) != _FORMAT:
            raise UnknownFormatError(version.decode())
        try:
            *known, total = head[_TITLE_BYTES:].split()
            if int(total, 16) != crc32(b" ".join(known)):
                return  # what is settled is sent again, and known there by its insert id
            settled, self.told, self.tried, self.tried_ms = (int(digits, 16) for digits in known)
        except ValueError:
            return
        self.taken = min(max(settled, HEADER_BYTES), self.size)


_held: WeakSet[Segment] = WeakSet()
# Held while a file is open and not in `_held` yet: a child forked then would hold it, and its parent's lock.
_opening = threading.RLock()


def opening() -> threading.RLock:
    """Return what keeps this process from being forked while it is held."""
    return _opening


def _let_go_of_all() -> None:
    # A child would hold its parent's locks for as long as it lives.
    global _opening  # noqa: PLW0603 - another process's thread may hold it
    _opening = threading.RLock()
    for segment in tuple(_held):
        segment.let_go()
    _held.clear()


def _wait_until_known() -> None:
    _opening.acquire()


def _may_open_again() -> None:
    _opening.release()


in_each_child(_let_go_of_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_wait_until_known, after_in_parent=_may_open_again)


def _hold(fd: int) -> None:
    if fcntl is None:
        raise OSError(errno.ENOLCK, "This platform has no file locks")
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
