"""Who hears of what CrewAI does, and where it is asked for in the program's own place.

CrewAI tells everybody of everything in the process, with the context of where it happens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any, Final

from crewai import events, hooks
from crewai.events import event_bus
from crewai.events.base_events import BaseEvent
from crewai.events.event_context import SCOPE_ENDING_EVENTS, SCOPE_STARTING_EVENTS

from .crewai_beneath import hear, hear_no_more

STARTS: Final = SCOPE_STARTING_EVENTS
PIECES: Final = frozenset({"llm_stream_chunk", "llm_thinking_chunk"})
_POINTS: Any = getattr(hooks, "InterceptionPoint", None)
_KICKOFF: Final = getattr(_POINTS, "EXECUTION_START", None)

if "call_id" not in events.LLMCallStartedEvent.model_fields:
    raise ImportError("this CrewAI does not tell one model call from another")

Handler = Callable[[Any, Any], Any]
Hook = Callable[[Any], None]
_lock = threading.RLock()
_blocks: ContextVar[tuple[object, ...]] = ContextVar("amplitude_ai_crewai_blocks", default=())
_open: list[object] = []  # doors that hear
_wide: list[object] = []  # those that hear of the whole process


def enter(door: object) -> None:
    """Let a door alone hear of what is begun from here on."""
    _blocks.set((*_blocks.get(), door))


def leave(door: object) -> None:
    """End what ``enter`` began."""
    blocks = list(_blocks.get())
    if door in blocks:
        blocks.reverse()
        blocks.remove(door)
        _blocks.set(tuple(reversed(blocks)))


def is_heard_by(door: object) -> bool:
    """Tell whether a door hears of what begins here.

    A block does of what is begun inside it. In a thread that knows nothing of the blocks around, whoever
    hears of the whole process does, and else the only one that hears at all.
    """
    block = next((block for block in reversed(_blocks.get()) if block in _open), None)
    if block is not None:
        return block is door
    return door in _wide if _wide else _open == [door]


def listen(door: object, hears: Handler, kicked_off: Hook, *, is_wide: bool) -> None:
    """Let a door hear; CrewAI knows each once, however often it is told."""
    with _lock:
        if is_wide and door not in _wide:
            _wide.append(door)
        if door in _open:
            return
        _open.append(door)
        hear(door)
    for event in _heard():
        events.crewai_event_bus.on(event)(hears)
    if _KICKOFF is not None:
        hooks.register_hook(_KICKOFF, kicked_off)


def fall_silent(door: object, hears: Handler, kicked_off: Hook) -> None:
    """Take the same away."""
    if _KICKOFF is not None:
        hooks.unregister_hook(_KICKOFF, kicked_off)
    for event in _heard():
        events.crewai_event_bus.off(event, hears)
    with _lock:
        for doors in (_open, _wide):
            if door in doors:
                doors.remove(door)
        hear_no_more(door)


def is_replayed() -> bool:
    """Tell whether an event is one of a run before, that CrewAI goes on with."""
    told = getattr(event_bus, "is_replaying", None)
    return bool(told and told())


@cache
def _heard() -> tuple[type[Any], ...]:
    """Return CrewAI's events that begin or end something, and pieces of answers."""
    known = (getattr(events, name, None) for name in events.__all__)
    classes = (event for event in known if isinstance(event, type) and issubclass(event, BaseEvent))
    heard = STARTS | SCOPE_ENDING_EVENTS | PIECES
    return tuple(event for event in classes if _type_of(event) in heard)


def _type_of(event: type[Any]) -> object:
    field = event.model_fields.get("type")
    return field.default if field is not None else None
