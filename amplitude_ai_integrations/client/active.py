"""The session that is active where this is called, as a handle."""

from __future__ import annotations

from functools import cache

from ..config import AIConfig
from ..context.current import get_active_context
from ..exceptions import logger, shielded
from .agent import BoundAgent
from .client import AmplitudeAI
from .default import client_that_fills, forget_client, is_anyone_tracking
from .recording import Scope
from .session import Session


def current_session() -> Session:
    """Return the session of the request, task or block that this is called in.

    For handlers that say or score something themselves, open a trace, or want the session's id. There is
    always one to call: outside any session, and where tracking is off, one that records nothing.
    """
    with shielded("current_session"):
        active = get_active_context()
        if active is not None:
            active.conversation.identify()
            ai = client_that_fills(active.conversation.pipeline)
            if ai is not None:
                return Session(BoundAgent(ai, Scope()), within=active)
    return _nobodys()


@cache
def silent_client() -> AmplitudeAI:
    """Return a client that records nothing, for places that need one where there is none."""
    ai = AmplitudeAI(config=AIConfig(enabled=False))
    forget_client(ai)  # it is nobody's choice
    return ai


def _nobodys() -> Session:
    if is_anyone_tracking():
        _say_once()
    return Session(BoundAgent(silent_client(), Scope()))


@cache
def _say_once() -> None:
    logger.warning("current_session() was called outside any session; what is tracked through it is lost.")
