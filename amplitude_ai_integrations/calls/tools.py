"""Tool calls seen from both sides: asked for in an answer, answered in the next request."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import NamedTuple

_LIMIT = 10_000
_Key = tuple["str | None", str]


class Asked(NamedTuple):
    """When a model asked for a tool, and in which message."""

    at: float
    message_id: str


class _Asked:
    """Tool calls that models asked for and that no request has answered yet, and those it has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: OrderedDict[_Key, Asked | None] = OrderedDict()

    def note(self, key: _Key, asked: Asked) -> None:
        with self._lock:
            self._calls[key] = asked
            self._calls.move_to_end(key)
            while len(self._calls) > _LIMIT:
                self._calls.popitem(last=False)

    def answer(self, key: _Key) -> tuple[bool, Asked | None]:
        with self._lock:
            is_new = self._calls.get(key, _UNSEEN) is not None
            asked = self._calls.get(key)
            self._calls[key] = None
            self._calls.move_to_end(key)
            return is_new, asked


_UNSEEN = Asked(0.0, "")
_asked = _Asked()


def note_asked(session_id: str | None, call_ids: list[str], message_id: str) -> None:
    """Remember that an answer asked for these tools just now."""
    for call_id in call_ids:
        _asked.note((session_id, call_id), Asked(time.perf_counter(), message_id))


def answer(session_id: str | None, call_id: str, now: float) -> tuple[bool, float, str | None]:
    """Tell of a tool result whether it is new, how long the tool took in ms, and which message asked.

    The time is 0 where this process did not see the question. A result that was seen before is a request
    sent again, and not a second run.
    """
    is_new, asked = _asked.answer((session_id, call_id))
    if asked is None:
        return is_new, 0.0, None
    return is_new, (now - asked.at) * 1000, asked.message_id
