"""CrewAI's calls and those of the observed clients that carry them out.

CrewAI tells of a call elsewhere than where it makes it, a moment later. Where it makes it, it says in a
ContextVar of its own which call that is; so it does, by a copy of that, where it tells of it.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from crewai.llms import base_llm

from ..calls.covering import stand_by, stand_down
from ..context.recent import Recent

if TYPE_CHECKING:
    from ..calls.observation import Observation

_LONGEST_WAIT: Final = 1.0  # seconds; mostly it is less than one thousandth of that
_call: ContextVar[str | None] | None = getattr(base_llm, "_current_call_id", None)
_is_told: ContextVar[bool] = ContextVar("amplitude_ai_crewai_told", default=False)
_heard: Recent[str, Callable[[], Observation | None]] = Recent()
_news = threading.Condition()
_doors: list[object] = []


def hear(door: object) -> None:
    """Let calls of observed clients be those that CrewAI tells a door of."""
    _doors.append(door)
    stand_by(_call_made_here)


def hear_no_more(door: object) -> None:
    """End what ``hear`` began."""
    if door in _doors:
        _doors.remove(door)
    if not _doors:
        stand_down(_call_made_here)


def calls_are_told_here() -> None:
    """No call is made from here on: CrewAI tells of calls."""
    _is_told.set(True)


def note_heard(call_id: str, observation: Observation | None) -> None:
    """CrewAI told of a call, and it is watched if it is to be told."""
    with _news:
        if observation is not None or _heard.get(call_id) is None:
            _heard.put(call_id, weakref.ref(observation) if observation is not None else _nobody)
        _news.notify_all()


def _nobody() -> None:
    return None


def _call_made_here() -> Observation | None:
    call_id = _call.get() if _call is not None and not _is_told.get() else None
    if call_id is None:
        return None
    with _news:
        _news.wait_for(lambda: _heard.get(call_id) is not None, _LONGEST_WAIT)
    heard = _heard.get(call_id)
    return heard() if heard is not None else None
