"""Traces and turn numbers: the two orders inside a session."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict

from .identity import new_id


class Trace:
    """One exchange: a user's message and all that answers it."""

    __slots__ = ("_id", "has_user_message", "tools_by_hand", "user_by_hand", "user_key")

    def __init__(self, trace_id: str | None = None) -> None:
        self._id = trace_id
        self.has_user_message = False
        self.user_by_hand = False
        self.user_key: object = None  # which user message an observer found in it
        self.tools_by_hand: Counter[str] = Counter()

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


class Place:
    """Where in the program a trace is current.

    Tasks and threads see a copy of the context they were started from, so what they set there is lost to
    their parent. A place that is left says where to: that is how word of a new trace reaches the parent,
    while siblings, who stand in places of their own, do not hear of it.
    """

    __slots__ = ("next", "trace")

    def __init__(self, trace: Trace | None = None) -> None:
        self.trace = trace if trace is not None else Trace()
        self.next: Place | None = None

    def latest(self) -> Trace:
        """Return the trace that is current here now."""
        place = self
        while place.next is not None:
            place = place.next
        return place.trace


class TurnCounter:
    """Numbers that only rise, from any thread and from inside a signal handler."""

    __slots__ = ("_lock", "_value")

    def __init__(self) -> None:
        self._lock = threading.RLock()
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
        self._lock = threading.RLock()
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
    """Return the turn counter that all of this process shares for a session.

    The sessions used last are remembered, ten thousand of them; one that comes back later counts from 1.
    """
    return _counters.of(session_id)
