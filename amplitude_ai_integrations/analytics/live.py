"""Tells open pages which sessions changed, as soon as it is on disk."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

_MOST_CHANGES = 1_000
_MOST_IDS = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """Sessions that changed up to ``seq``; ``is_gap`` where more changed than is remembered."""

    seq: int
    session_ids: tuple[str, ...]
    new_session_ids: tuple[str, ...]
    is_gap: bool = False


class Live:
    """Publishes from any thread to any number of event loops, in bounded memory.

    Numbers begin at the time of the start, so that they rise across restarts too.
    """

    def __init__(self, *, remembers: int = _MOST_CHANGES) -> None:
        self._lock = threading.Lock()
        self._history: deque[Change] = deque()
        self._remembers = remembers
        self._ids = 0
        self._seq = self._forgotten = time.time_ns() // 1_000_000
        self._waiting: set[_Waiter] = set()
        self._is_closed = False

    @property
    def seq(self) -> int:
        """The number of the latest change."""
        return self._seq

    def publish(self, session_ids: Sequence[str], new_session_ids: Sequence[str] = ()) -> None:
        """Remember a change and wake whoever waits; a commit without sessions counts as well."""
        with self._lock:
            self._seq += 1
            self._remember(Change(self._seq, tuple(session_ids), tuple(new_session_ids)))
            self._wake()

    def close(self) -> None:
        """End every subscription."""
        with self._lock:
            self._is_closed = True
            self._wake()

    def subscribe(self, last_id: int | None = None) -> AsyncGenerator[Change, None]:
        """Yield what changes after ``last_id``, or from now on; a slow reader gets changes together."""
        seen = self._seq if last_id is None or last_id > self._seq else last_id
        return self._follow(seen)

    async def _follow(self, seen: int) -> AsyncGenerator[Change, None]:
        waiter = _Waiter()
        with self._lock:
            self._waiting.add(waiter)
        try:
            while not self._is_closed:
                change = self._since(seen)
                if change is None:
                    await waiter.wait()
                    continue
                seen = change.seq
                yield change
        finally:
            with self._lock:
                self._waiting.discard(waiter)

    def _since(self, seen: int) -> Change | None:
        with self._lock:
            if seen >= self._seq:
                return None
            missed = [change for change in self._history if change.seq > seen]
            return Change(
                seq=self._seq,
                session_ids=_merged(change.session_ids for change in missed),
                new_session_ids=_merged(change.new_session_ids for change in missed),
                is_gap=seen < self._forgotten,
            )

    def _remember(self, change: Change) -> None:
        self._history.append(change)
        self._ids += len(change.session_ids)
        while len(self._history) > self._remembers or (self._ids > _MOST_IDS and len(self._history) > 1):
            oldest = self._history.popleft()
            self._ids -= len(oldest.session_ids)
            self._forgotten = oldest.seq

    def _wake(self) -> None:
        for waiter in self._waiting:
            waiter.wake()


class _Waiter:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        await self._event.wait()
        self._event.clear()

    def wake(self) -> None:
        with suppress(RuntimeError):  # its loop has just closed: nobody waits there
            self._loop.call_soon_threadsafe(self._event.set)


def _merged(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))
