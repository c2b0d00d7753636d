"""A handle that speaks for one agent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..delivery.flush import FLUSH_SECONDS, SHUTDOWN_SECONDS, FlushResult
from .bound import BoundTracking
from .options import scope_of
from .recording import Scope
from .session import Session

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .client import AmplitudeAI
    from .options import AgentOptions, SessionOptions


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

    @property
    def context(self) -> dict[str, Any] | None:
        """The agent's own dimensions, those of the agents above it included."""
        context = self.scope.agent.context
        return dict(context) if context is not None else None

    @property
    def env(self) -> str | None:
        """Where the agent runs."""
        return self.scope.agent.env

    def child(self, agent_id: str | None = None, **overrides: Unpack[AgentOptions]) -> BoundAgent:
        """Return the handle of an agent that this one delegates to.

        It has this agent as its parent and inherits everything but the name and the description; ``context``
        is merged, key by key.

        Raises:
            ConfigurationError: An option does not exist.
        """
        above, own = self.scope, scope_of(agent_id, overrides)
        inherited = replace(
            above.agent, agent_id=None, agent_name=None, agent_description=None, parent_agent_id=self.agent_id
        )
        facts = own.agent.over(inherited)
        if above.agent.context and own.agent.context:
            facts = replace(facts, context={**above.agent.context, **own.agent.context})
        return BoundAgent(
            self.ai,
            Scope(
                facts,
                own.session_id or above.session_id,
                own.trace_id or above.trace_id,
                own.user_id or above.user_id,
                own.device_id or above.device_id,
                own.browser_session_id or above.browser_session_id,
            ),
        )

    def session(self, session_id: str | None = None, **options: Unpack[SessionOptions]) -> Session:
        """Open a session; see ``SessionOptions``. Without an id, bound or given, it gets a new UUID.

        Raises:
            ConfigurationError: An option does not exist, or the idle timeout is below -1.
        """
        return Session(self, session_id, **options)

    def flush(self, timeout: float | None = None) -> FlushResult:
        """Begin to deliver everything tracked so far; see ``AmplitudeAI.flush``."""
        return self.ai.flush(timeout)

    async def aflush(self, timeout: float = FLUSH_SECONDS) -> FlushResult:
        """Deliver everything tracked so far; see ``AmplitudeAI.aflush``."""
        return await self.ai.aflush(timeout)

    def shutdown(self, timeout: float = SHUTDOWN_SECONDS) -> None:
        """Deliver what is pending and stop; see ``AmplitudeAI.shutdown``."""
        self.ai.shutdown(timeout)

    def _scope(self) -> Scope:
        return self.scope
