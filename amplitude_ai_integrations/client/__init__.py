"""The primitives people call."""

from __future__ import annotations

from .active import current_session
from .agent import BoundAgent
from .attach import client_of, track_conversation
from .client import AmplitudeAI
from .serverless import is_serverless
from .session import Session
from .tenant import TenantHandle

__all__ = [
    "AmplitudeAI",
    "BoundAgent",
    "Session",
    "TenantHandle",
    "client_of",
    "current_session",
    "is_serverless",
    "track_conversation",
]
