"""For the tests of programs that use this package: a client that keeps its events, and what checks them.

pytest finds the fixtures ``amplitude_ai``, ``amplitude_ai_frozen`` and ``amplitude_ai_config`` by itself;
elsewhere ``MockAmplitudeAI()`` and ``frozen()`` do the same. Names are imported when they are first used,
since pytest loads this package in every run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .freezing import frozen
    from .mock import MockAmplitudeAI
    from .schema import problems_of

__all__ = ["MockAmplitudeAI", "frozen", "problems_of"]

_HOMES = {"MockAmplitudeAI": ".mock", "frozen": ".freezing", "problems_of": ".schema"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
