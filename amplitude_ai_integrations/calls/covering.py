"""Calls that are watched from above, and so are not told again where an observed client carries them out.

Whoever watches from above covers the call before it goes out; the first call of the same content that is then
seen below takes the cover, and is left alone.
"""

from __future__ import annotations

import threading
from typing import Any

from .facts import peek

_lock = threading.RLock()
_open: list[tuple[object, object]] = []  # who covers, and what
_MOST = 1_000  # calls under way at once; of more, the oldest is no longer covered


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
