"""The client to take where nobody said which: the only one there is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from ..delivery.pipeline import Pipeline
    from .client import AmplitudeAI

_lock = threading.RLock()
_clients: WeakSet[AmplitudeAI] = WeakSet()


def note_client(ai: AmplitudeAI) -> None:
    """Remember a client for as long as somebody else holds it."""
    with _lock:
        _clients.add(ai)


def forget_client(ai: AmplitudeAI) -> None:
    """Let a client not count."""
    with _lock:
        _clients.discard(ai)


def is_anyone_tracking() -> bool:
    """Tell whether there is a client that is not switched off."""
    with _lock:
        return any(ai.config.enabled for ai in _clients)


def client_that_fills(pipeline: Pipeline | None) -> AmplitudeAI | None:
    """Return the client whose events go down ``pipeline``."""
    with _lock:
        return next((ai for ai in _clients if ai.recorder.pipeline is pipeline), None)


def default_client() -> AmplitudeAI | None:
    """Return the only client of this process; ``None`` where there is none, or several."""
    if len(_clients) != 1:
        return None
    with _lock:
        return next(iter(_clients), None)
