"""Tool calls seen from both sides: asked for in an answer, answered in the next request."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from ..context import stamps
from ..context.current import SessionContext
from ..context.recent import Recent

_Key = tuple[object, str]


class Asked(NamedTuple):
    """When a model asked for which tool, and in which message."""

    at: float
    message_id: str
    name: str | None = None
    arguments: Any = None


_lock = threading.RLock()
_asked: Recent[_Key, Asked] = Recent()
_ANSWERED = Asked(0.0, "")


def place_of(context: SessionContext | None, session_id: str | None) -> object:
    """Return where tool calls are looked for: the session; a request's own, while that is not known."""
    if session_id is not None or context is None:
        return session_id
    return id(context.conversation)


def note_asked(place: object, calls: list[dict[str, Any]], message_id: str) -> None:
    """Remember that an answer asked for these tools just now."""
    for call in calls:
        if call.get("id"):
            function = call.get("function") or {}
            asked = Asked(stamps.seconds(), message_id, function.get("name"), function.get("arguments"))
            _asked.put((place, call["id"]), asked)


def answer(place: object, call_id: str) -> tuple[bool, Asked | None]:
    """Tell of a tool result whether it is new, and how it was asked for if this process saw that.

    A result that was seen before is a request sent again, and not a second run.
    """
    key = (place, call_id)
    with _lock:
        asked = _asked.get(key)
        _asked.put(key, _ANSWERED)
    return asked is not _ANSWERED, None if asked is _ANSWERED else asked


def forget() -> None:
    """Forget all of it, for tests that begin anew."""
    _asked.clear()
