"""A handle that speaks for one agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..delivery.flush import FlushResult
from .bound import BoundTracking
from .recording import Scope
from .session import Session

if TYPE_CHECKING:
    from .client import AmplitudeAI


class BoundAgent(BoundTracking):
    """Tracks events for one agent, with everything filled in that was bound when it was made.

    Use ``session()`` for a conversation inside one block of code; for one that outlives it, bind
    ``session_id`` and ``user_id`` and call the ``track_*`` methods directly.
    """

    def __init__(self, ai: AmplitudeAI, scope: Scope) -> None:
        self.ai = ai
        self.scope = scope
        self._recorder = ai.recorder

    @property
    def agent_id(self) -> str | None:
        """The agent's id."""
        return self.scope.agent.agent_id

    @property
    def parent_agent_id(self) -> str | None:
        """The agent that delegates to this one, where there is one."""
        return self.scope.agent.parent_agent_id

    def session(self, session_id: str | None = None, **options: Any) -> Session:
        """Open a session: ``user_id=``, ``device_id=``, ``browser_session_id=``, ``idle_timeout_minutes=``,
        ``tags=``, ``track_session_end=``.

        Without a ``session_id``, bound or given, it gets a new UUID. The idle timeout is in minutes; -1
        means that only an explicit end closes the session.

        Raises:
            ConfigurationError: The idle timeout is below -1.
        """
        return Session(self, session_id, **options)

    def flush(self) -> FlushResult:
        """Begin to deliver everything tracked so far."""
        return self.ai.flush()

    def shutdown(self) -> None:
        """Deliver what is pending and stop."""
        self.ai.shutdown()

    def _scope(self) -> Scope:
        return self.scope
