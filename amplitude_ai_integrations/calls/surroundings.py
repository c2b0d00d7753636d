"""Who else sees the calls that are observed: OpenTelemetry, where its spans are told too.

Such a watcher is asked where a call takes place, and can ask whether something begins inside a call that is
observed, or was one. While nobody watches, none of it is looked at.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from ..context.current import SessionContext, push_context, reset_context
from ..context.recent import Recent

if TYPE_CHECKING:
    from .observation import Observation


class Watcher(Protocol):
    """Sees that a call begins."""

    def call_begins(self) -> SessionContext | None:
        """Return where the call takes place, if that is known better than the program says."""


_watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()
_here: ContextVar[weakref.ref[Observation] | None] = ContextVar("amplitude_ai_call_here", default=None)
_told: Recent[str, int] = Recent()


def watch(watcher: Watcher) -> None:
    """Let somebody see the calls, for as long as it lives."""
    _watchers.add(watcher)


def unwatch(watcher: Watcher) -> None:
    """End what ``watch`` began."""
    _watchers.discard(watcher)


def begun(make: Callable[[], Observation], *, is_placed: bool) -> Observation:
    """Make an observation where it takes place; one that ``is_placed`` knows where that is."""
    if not _watchers:
        return make()
    places = [place for watcher in tuple(_watchers) if (place := watcher.call_begins()) is not None]
    if not places or is_placed:
        observation = make()
    else:
        token = push_context(places[0])
        try:
            observation = make()
        finally:
            reset_context(token)
    _here.set(weakref.ref(observation))
    return observation


def observed_here() -> Observation | None:
    """Return the call that is observed around this place, if one is."""
    known = _here.get()
    observation = known() if known is not None else None
    return None if observation is None or observation.is_over else observation


def note_told(response_id: object) -> None:
    """Remember that the answer which a vendor gave this id was told."""
    if _watchers and isinstance(response_id, str):
        _told.put(response_id, (_told.get(response_id) or 0) + 1)


def take_told(response_id: str | None) -> bool:
    """Tell whether the answer with this id was told; each telling is good for one question."""
    times = (_told.get(response_id) or 0) if response_id is not None else 0
    if response_id is not None and times:
        _told.put(response_id, times - 1)
    return times > 0


def forget() -> None:
    """Forget all of it, for tests that begin anew."""
    _told.clear()
