"""What this process remembers of sessions from one request to the next."""

from __future__ import annotations

from collections import OrderedDict
from operator import add
from typing import Any, Final, NamedTuple

from .forks import Guarded
from .recent import Recent

_MOST_TRACES = 64
_MOST_QUESTIONS = 64


class Spent(NamedTuple):
    """What the answers of one trace cost and took, so far, under the names of an event's fields."""

    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0


_NOTHING: Final = Spent()


def _above(whole: float, part: float) -> Any:
    return max(0, whole - part)


class Origin(NamedTuple):
    """Where a message was said, for those who refer to it by its id alone."""

    session_id: str
    trace_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None
    device_id: str | None = None


class SessionMemory(Guarded):
    """One session: its turn and exchange counts, which questions were asked, what its traces cost."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = 0
        self._exchanges = 0
        self._answered = 0
        self._questions: OrderedDict[int, None] = OrderedDict()
        self._spent: OrderedDict[str, Spent] = OrderedDict()

    def take_turn(self, explicit: int | None = None) -> int:
        """Return the next turn number, or the explicit one, which raises the count to itself."""
        with self._lock:
            if explicit is None:
                self._turn += 1
                return self._turn
            self._turn = max(self._turn, explicit)
            return explicit

    @property
    def turn(self) -> int:
        """The highest turn number so far."""
        return self._turn

    def said(self) -> None:
        """The user said something: a new exchange."""
        with self._lock:
            self._exchanges += 1

    def answered(self) -> None:
        """The exchange was answered."""
        self._answered = self._exchanges

    @property
    def abandoned_after(self) -> int | None:
        """The last exchange that was answered, if there is a later one that was not."""
        return self._answered if self._answered < self._exchanges else None

    def asks_again(self, question: object) -> bool:
        """Note a question (its words and all that was said before), and tell whether it was asked before."""
        key = hash(question)
        with self._lock:
            is_known = key in self._questions
            self._questions[key] = None
            if len(self._questions) > _MOST_QUESTIONS:
                self._questions.popitem(last=False)
            return is_known

    def claim(self, trace_id: str, total: Spent, least_usd: float) -> Spent | None:
        """Return what of a trace's total is not spent yet, and count it as spent; ``None`` for nothing."""
        with self._lock:
            so_far = self.spent(trace_id)
            rest = Spent(*map(_above, total, so_far))
            if rest.cost_usd <= least_usd:
                return None
            self.spend(trace_id, rest)
            return rest

    def spend(self, trace_id: str, more: Spent) -> None:
        """Add an answer to what its trace has cost."""
        with self._lock:
            so_far = self._spent.pop(trace_id, _NOTHING)
            self._spent[trace_id] = Spent(*map(add, so_far, more))
            if len(self._spent) > _MOST_TRACES:
                self._spent.popitem(last=False)

    def spent(self, trace_id: str) -> Spent:
        """Return what the answers of a trace have cost."""
        with self._lock:
            return self._spent.get(trace_id, _NOTHING)


_sessions: Recent[str, SessionMemory] = Recent()
_messages: Recent[str, Origin] = Recent()


def memory_of(session_id: str) -> SessionMemory:
    """Return what is remembered of a session; of the ten thousand used last, that is."""
    return _sessions.made(session_id, SessionMemory)


def remember_message(message_id: str, origin: Origin) -> None:
    """Note where a message was said."""
    _messages.put(message_id, origin)


def origin_of(message_id: str) -> Origin | None:
    """Return where a message was said, if this process saw it not too long ago."""
    return _messages.get(message_id)


def forget() -> None:
    """Forget all of it, for tests that begin anew."""
    _sessions.clear()
    _messages.clear()
