"""Tool calls seen from both sides: asked for in an answer, answered in the next request."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any, NamedTuple

_LIMIT = 10_000
_Key = tuple[object, str]


class Asked(NamedTuple):
    """When a model asked for which tool, and in which message."""

    at: float
    message_id: str
    name: str | None = None
    arguments: Any = None


class _Asked:
    """Tool calls that models asked for and that no request has answered yet, and those it has."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._calls: OrderedDict[_Key, Asked | None] = OrderedDict()

    def note(self, key: _Key, asked: Asked) -> None:
        with self._lock:
            self._keep(key, asked)

    def answer(self, key: _Key) -> tuple[bool, Asked | None]:
        with self._lock:
            is_new = self._calls.get(key, _UNSEEN) is not None
            asked = self._calls.get(key)
            self._keep(key, None)
            return is_new, asked

    def _keep(self, key: _Key, asked: Asked | None) -> None:
        self._calls[key] = asked
        self._calls.move_to_end(key)
        while len(self._calls) > _LIMIT:
            self._calls.popitem(last=False)


_UNSEEN = Asked(0.0, "")
_asked = _Asked()


def note_asked(place: object, calls: list[dict[str, Any]], message_id: str) -> None:
    """Remember that an answer asked for these tools just now."""
    for call in calls:
        if call.get("id"):
            function = call.get("function") or {}
            asked = Asked(time.perf_counter(), message_id, function.get("name"), function.get("arguments"))
            _asked.note((place, call["id"]), asked)


def answer(place: object, call_id: str) -> tuple[bool, Asked | None]:
    """Tell of a tool result whether it is new, and how it was asked for if this process saw that.

    A result that was seen before is a request sent again, and not a second run.
    """
    return _asked.answer((place, call_id))
