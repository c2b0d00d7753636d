"""The primitives people call."""

from __future__ import annotations

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
    "is_serverless",
    "track_conversation",
]
