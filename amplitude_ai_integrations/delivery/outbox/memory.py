"""Events in memory, where there is no disk to write to."""

from __future__ import annotations

import time
from collections import deque

from .records import Record, decode
from .segments import Ledger


class MemorySegment(Ledger):
    """Holds the newest events up to ``most_bytes``."""

    is_own = True

    def __init__(self, most_bytes: int) -> None:
        super().__init__(0)
        self.most_bytes = most_bytes
        self.bytes = 0
        self.began = time.monotonic()
        self.bad = 0
        self.round = 0
        self._waiting: deque[Record] = deque()

    def append(self, record: bytes) -> list[Record]:
        """Add a record, and return those that had to make room for it."""
        if self.is_done:
            self.began = time.monotonic()
        kept = decode(record[1:], self.size)
        assert kept is not None  # noqa: S101 - it was made a moment ago
        self.size = kept.end
        self._waiting.append(kept)
        self.bytes += len(kept.payload)
        dropped = []
        while self.bytes > self.most_bytes and len(self._waiting) > 1:
            oldest = self._waiting.popleft()
            self.bytes -= len(oldest.payload)
            self.taken = max(self.taken, oldest.end)
            dropped.append(oldest)
        return dropped

    def take_last(self, start: int, payload: bytes) -> Record:
        """Note that the record that was written last is being sent by its writer."""
        record = self._waiting.pop()
        self.take(record)
        return record

    def take_next(self, most: int, most_bytes: int, *, at_least_one: bool) -> list[Record]:
        """Take up to ``most`` records of ``most_bytes`` in all; ``at_least_one`` however large it is."""
        found: list[Record] = []
        while self._waiting and len(found) < most:
            most_bytes -= len(self._waiting[0].payload)
            if most_bytes < 0 and (found or not at_least_one):
                break
            record = self._waiting.popleft()
            self.take(record)
            found.append(record)
        return found

    def settle(self, start: int) -> bool:
        """Note that a record needs nothing more, and tell whether it was not settled before."""
        record = self._open.pop(start, None)
        if record is None:
            return False
        self.bytes -= len(record.payload)
        return True

    def give_back(self) -> None:
        """Forget what was taken, so that it is taken again."""
        self._waiting.extendleft(reversed(self._open.values()))
        self._open.clear()

    @property
    def is_done(self) -> bool:
        """Whether everything in it is settled."""
        return not self._waiting and not self._open

    @property
    def settled(self) -> int:
        """The offset before which nothing is left to do."""
        for start in self._open:
            return start
        return self._waiting[0].start if self._waiting else self.size

    def untold(self) -> list[Record]:
        """Return the records that the callback has not had, and count them as told."""
        found = [record for record in (*self._open.values(), *self._waiting) if not record.is_told]
        self._waiting = deque(record._replace(is_told=True) for record in self._waiting)
        for start, record in self._open.items():
            self._open[start] = record._replace(is_told=True)
        return found

    def note_tried(self, end: int, at_ms: int) -> None:
        """Nothing of it outlives this process."""

    def save(self) -> None:
        """Nothing of it outlives this process."""
