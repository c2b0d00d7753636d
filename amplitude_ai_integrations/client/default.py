"""The client to take where nobody said which: the only one there is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from .client import AmplitudeAI

_lock = threading.RLock()
_clients: WeakSet[AmplitudeAI] = WeakSet()


def note_client(ai: AmplitudeAI) -> None:
    """Remember a client for as long as somebody else holds it."""
    with _lock:
        _clients.add(ai)


def default_client() -> AmplitudeAI | None:
    """Return the only client of this process; ``None`` where there is none, or several."""
    if len(_clients) != 1:
        return None
    with _lock:
        return next(iter(_clients), None)
