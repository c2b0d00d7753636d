"""Traces and turn numbers: the two orders inside a session."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, OrderedDict

from .identity import new_id


class Trace:
    """One exchange: a user's message and all that answers it.

    ``next`` points to the trace that took this one's place. Threads that a request hands work to see a
    copy of its context, so what they change there is lost; the pointer is how word reaches the rest.
    """

    __slots__ = ("_id", "has_user_message", "next", "tools_by_hand", "user_by_hand")

    def __init__(self, trace_id: str | None = None) -> None:
        self._id = trace_id
        self.has_user_message = False
        self.user_by_hand = False
        self.tools_by_hand: Counter[str] = Counter()
        self.next: Trace | None = None

    @property
    def id(self) -> str:
        """The trace's id, made when it is first needed."""
        if self._id is None:
            self._id = new_id()
        return self._id

    @property
    def is_begun(self) -> bool:
        """Whether anything has been said in this trace."""
        return self._id is not None

    def latest(self) -> Trace:
        """Return the trace that is current where this one was when the context was copied."""
        trace = self
        while trace.next is not None:
            trace = trace.next
        return trace

    def leave_word(self, successor: Trace) -> None:
        """Point to the successor when we run in a worker thread, whose own context will be lost."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self.next = successor


class TurnCounter:
    """Numbers that only rise, from any thread."""

    __slots__ = ("_lock", "_value")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value = 0

    def take(self, explicit: int | None = None) -> int:
        """Return the next number, or the explicit one, which raises the counter to itself."""
        with self._lock:
            if explicit is None:
                self._value += 1
                return self._value
            self._value = max(self._value, explicit)
            return explicit


class _Counters:
    """The counters of the sessions this process saw last, so that a conversation's requests share one."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._counters: OrderedDict[str, TurnCounter] = OrderedDict()

    def of(self, session_id: str) -> TurnCounter:
        with self._lock:
            counter = self._counters.get(session_id)
            if counter is None:
                counter = self._counters[session_id] = TurnCounter()
                if len(self._counters) > self._limit:
                    self._counters.popitem(last=False)
            else:
                self._counters.move_to_end(session_id)
            return counter


_counters = _Counters()


def turns_of(session_id: str) -> TurnCounter:
    """Return the turn counter that all of this process shares for a session."""
    return _counters.of(session_id)
