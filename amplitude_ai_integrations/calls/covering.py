"""Calls that are watched from above, and so are not told again where an observed client carries them out.

Whoever watches from above covers the call before it goes out. Where the call is made in the same context, a
ContextVar says so, and what is seen below is added to what is seen above. Where it is not, the first call of
the same content that is seen below takes the cover, and is left alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .facts import peek

if TYPE_CHECKING:
    from .observation import Observation

Finder = Callable[[], "Observation | None"]
_finders: list[Finder] = []
_above: ContextVar[tuple[Observation, ...]] = ContextVar("amplitude_ai_calls_above", default=())


def stand_above(observation: Observation) -> None:
    """Let a call that is made from here be the one that ``observation`` watches from above."""
    _above.set((*_open_above(), observation))


def stand_aside(observation: object) -> None:
    """End what ``stand_above`` began; elsewhere than there, nothing is left to be ended."""
    above = _above.get()
    if any(other is observation for other in above):
        _above.set(tuple(other for other in above if other is not observation))


def stand_by(find: Finder) -> None:
    """Let ``find`` be asked who watches the call that is made now: for who learns of it elsewhere."""
    if find not in _finders:
        _finders.append(find)


def stand_down(find: Finder) -> None:
    """End what ``stand_by`` began."""
    if find in _finders:
        _finders.remove(find)


def observations_above() -> list[Observation]:
    """Return who may watch from above the call that is made now, the latest first."""
    return [*reversed(_open_above())]


def observation_known() -> Observation | None:
    """Return who is known to watch the call that is made now, whatever it asks."""
    if not _finders:
        return None
    found = (find() for find in tuple(_finders))
    return next((other for other in found if other is not None and not other.is_over), None)


def _open_above() -> tuple[Observation, ...]:
    above = _above.get()
    return tuple(other for other in above if not other.is_over) if above else above


_lock = threading.RLock()
_open: list[tuple[object, object]] = []  # who covers, and what
_MOST = 1_000  # calls under way at once; of more, the oldest is no longer covered


def begin_anew() -> None:
    """Forget who watches in this place, and what is covered, for tests that begin anew."""
    _above.set(())
    with _lock:
        _open.clear()


def cover(by: object, payload: Any) -> None:
    """Cover one call with this content, until it is taken or ``uncover`` is called."""
    with _lock:
        _open.append((by, _content(payload)))
        del _open[:-_MOST]


def uncover(by: object) -> None:
    """Take back what ``by`` covers."""
    with _lock:
        _open[:] = [entry for entry in _open if entry[0] is not by]


def takes_cover(payload: Any) -> bool:
    """Tell whether a call is covered; each cover is good for one."""
    if not _open:
        return False
    content = _content(payload)
    with _lock:
        for place, (_by, covered) in enumerate(_open):
            if covered == content:
                del _open[place]
                return True
    return False


def _content(payload: Any) -> object:
    """Return what two tellings of one call agree in: the model, and how much was said, and what last."""
    said = payload.get("messages") or payload.get("input")
    if isinstance(said, list) and said and isinstance(said[-1], dict):
        said = len(said), said[-1].get("role"), peek(said[-1], "content")
    return payload.get("model"), said
