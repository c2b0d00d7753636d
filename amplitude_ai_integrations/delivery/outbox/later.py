"""What is put off: files, and a ring in memory, each with the time from which it may be sent."""

from __future__ import annotations

from .memory import MemorySegment
from .segments import Segment

AnySegment = Segment | MemorySegment


class Later:
    """Segments by when they may be sent, on the monotonic clock, of which 0 is at once.

    A file takes more up to ``file_bytes``, the ring holds ``memory_bytes``. The lock is the outbox's.
    """

    def __init__(self, file_bytes: int, memory_bytes: int) -> None:
        self._file_bytes = file_bytes
        self._memory_bytes = memory_bytes
        self._waiting: list[tuple[float, AnySegment]] = []

    @property
    def segments(self) -> list[AnySegment]:
        """All of them, in the order in which they were put off."""
        return [segment for _, segment in tuple(self._waiting)]

    @property
    def brought_forward(self) -> list[AnySegment]:
        """Those that were to wait longer, and are to go at once."""
        return [segment for at, segment in tuple(self._waiting) if not at]

    def add(self, at: float, segment: AnySegment) -> None:
        """Put off a segment."""
        self._waiting.append((at, segment))

    def forget(self, segment: AnySegment) -> None:
        """Put off a segment no longer."""
        self._waiting = [(at, it) for at, it in self._waiting if it is not segment]

    def forget_files(self) -> None:
        """Keep only what is in memory."""
        self._waiting = [(at, it) for at, it in self._waiting if isinstance(it, MemorySegment)]

    def take_due(self, now: float) -> list[AnySegment]:
        """Return what may be sent now, and put it off no longer."""
        if not self._waiting:
            return []
        due = [segment for at, segment in self._waiting if at <= now]
        self._waiting = [(at, segment) for at, segment in self._waiting if at > now]
        return due

    def bring_forward(self) -> None:
        """Let all of it be sent at once."""
        self._waiting = [(0.0, segment) for _, segment in self._waiting]

    def next_due(self) -> float | None:
        """Return when the next may be sent."""
        return min((at for at, _ in tuple(self._waiting)), default=None)

    def near(self, at: float, within: float, *, is_own: bool) -> AnySegment | None:
        """Return a segment with room that may be sent at about a time."""
        for due, segment in self._waiting:
            has_room = isinstance(segment, MemorySegment) or segment.size < self._file_bytes
            if abs(due - at) < within and segment.is_own == is_own and has_room:
                return segment
        return None

    def ring(self, at: float, *, is_own: bool) -> MemorySegment:
        """Return what holds all that is put off where there is no disk: one ring, so that it is bounded."""
        for _, segment in self._waiting:
            if isinstance(segment, MemorySegment) and segment.is_own == is_own:
                return segment
        ring = MemorySegment(self._memory_bytes)
        ring.is_own = is_own
        self.add(at, ring)
        return ring
