"""One call of an observed function: the session and the step its own code runs in."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ...context import stamps
from ...context.current import AgentFacts, SessionContext, get_active_context
from ...context.trace import Place, Trace
from ..session import Session
from .about import SPAN
from .run import Inside, Run
from .target import Target

if TYPE_CHECKING:
    from ..client import AmplitudeAI

_OF_AN_AGENT: Final = (
    "agent_id", "parent_agent_id", "customer_org_id", "agent_version", "context", "env", "groups",
    "user_id", "device_id",
)  # fmt: skip


class ObservedRun(Run):
    """Joins the active session, or opens one for as long as the call takes."""

    __slots__ = ()

    def _place(self, target: Target) -> None:
        session_id = self._given.pop("session_id", None)
        if self._context is None and target.ai is not None:
            # A session that the whole process was given goes on after the call.
            is_ended = session_id is None or session_id != target.fields.get("session_id")
            self._context = self._open(target.ai, session_id, is_ended)
        if self._context is not None:
            self.inside = Inside(replace(self._context, **self._step(self._context)))

    def _open(self, ai: AmplitudeAI, session_id: str | None, is_ended: bool) -> SessionContext | None:
        bound = {name: self._given[name] for name in _OF_AN_AGENT if name in self._given}
        agent = ai.agent(**{"agent_id": self.about.name, **bound})
        self._session = agent.session(session_id, track_session_end=is_ended)
        # Entered in a copy of the context: between its items, a generator's session is not its reader's.
        return copy_context().run(_entered, self._session)

    def _step(self, around: SessionContext) -> dict[str, Any]:
        """Return what is different inside: the step, the agent, the trace."""
        about, given = self.about, self._given
        changes: dict[str, Any] = {}
        if about.terms is SPAN:
            given["span_id"] = changes["span_id"] = stamps.new_id()
        if about.kind in ("agent", "llm"):
            given["span_kind"] = about.kind
        if about.kind == "agent":
            changes["agent"] = self._agent(around)
        if "trace_id" in given:
            changes["place"] = Place(Trace(given["trace_id"]))
        return changes

    def _agent(self, around: SessionContext) -> AgentFacts:
        given = self._given
        agent_id = given.setdefault("agent_id", self.about.name)
        if around.agent_id not in (None, agent_id):
            given.setdefault("parent_agent_id", around.agent_id)
        own = AgentFacts.of(agent_id=agent_id, parent_agent_id=given.get("parent_agent_id"))
        return own.over(around.agent)


def _entered(session: Session) -> SessionContext | None:
    session.__enter__()
    return get_active_context()
