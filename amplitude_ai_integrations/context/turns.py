"""Turn numbers: the order of a session's events."""

from __future__ import annotations

import threading

from .recent import Recent


class _Number:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class MemoryTurnCounter:
    """Numbers that only rise, shared by all of this process.

    The sessions used last are remembered, ten thousand of them; one that comes back later counts from 1.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._lock = threading.RLock()
        self._numbers: Recent[str, _Number] = Recent(limit)

    def take(self, session_id: str, explicit: int | None = None) -> int:
        """Return the session's next number, or the explicit one, which raises the counter to itself."""
        with self._lock:
            number = self._numbers.made(session_id, _Number)
            if explicit is None:
                number.value += 1
                return number.value
            number.value = max(number.value, explicit)
            return explicit


_memory = MemoryTurnCounter()


def take_turn(session_id: str, explicit: int | None) -> int:
    """Return the number of an event, from the memory that all of this process shares."""
    return _memory.take(session_id, explicit)
