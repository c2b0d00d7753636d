"""A mapping that forgets what was used longest ago."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from .forks import Guarded

K = TypeVar("K")
V = TypeVar("V")


class Recent(Guarded, Generic[K, V]):
    """The ``limit`` entries used last; safe from any thread and from inside a signal handler."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        super().__init__()
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return what is remembered under ``key``."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key]

    def put(self, key: K, value: V) -> None:
        """Remember ``value``, and forget the oldest where there are too many."""
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self._limit:
                self._entries.popitem(last=False)

    def pop(self, key: K) -> V | None:
        """Return what is remembered under ``key``, and forget it."""
        if key not in self._entries:
            return None
        with self._lock:
            return self._entries.pop(key, None)

    def made(self, key: K, make: Callable[[], V]) -> V:
        """Return what is remembered under ``key``, made now if it is new."""
        with self._lock:
            value = self._entries.get(key)
            if value is None:
                value = make()
                self.put(key, value)
            else:
                self._entries.move_to_end(key)
            return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
