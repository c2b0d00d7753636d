"""Who is speaking: the session, agent and trace that everything inside a block shares."""

from __future__ import annotations

from .current import SessionContext, get_active_context, push_context, reset_context

__all__ = ["SessionContext", "get_active_context", "push_context", "reset_context"]
