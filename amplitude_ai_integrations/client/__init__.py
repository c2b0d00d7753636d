"""The primitives people call."""

from __future__ import annotations

from .agent import BoundAgent
from .attach import client_of
from .client import AmplitudeAI
from .session import Session

__all__ = ["AmplitudeAI", "BoundAgent", "Session", "client_of"]
