"""Who is speaking: the session, agent and trace that everything inside a block shares."""

from __future__ import annotations

from .current import SessionContext, get_active_context, push_context, reset_context
from .threads import follow_threads, keep_session, unfollow_threads

__all__ = [
    "SessionContext",
    "follow_threads",
    "get_active_context",
    "keep_session",
    "push_context",
    "reset_context",
    "unfollow_threads",
]
