"""All runs of one door that are under way, and the events they become."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..client.failures import ToldFailure, failure_of, is_failure
from ..client.recording import Scope
from ..context import stamps
from ..context.current import AgentFacts, SessionContext, get_active_context
from ..context.forks import Guarded
from ..schema.events import SessionEnd, Span, ToolCall
from .place import Defaults, place_for
from .root import Root
from .run import Kind, Run

if TYPE_CHECKING:
    from ..client.client import AmplitudeAI

MOST: Final = 10_000
_NEVER_ENDED: Final = "NeverEnded"


class RunTree(Guarded):
    """Knows of each run whose part it is, which agent works in it, how long it takes and what it becomes.

    A framework says when runs start and end, each under an id of its own. Of more than ``limit`` runs at
    once, the one that began first is taken for one that never ends: it is told, as far as it came, with
    the error type ``NeverEnded``.
    """

    def __init__(
        self, client: Callable[[], AmplitudeAI], defaults: Defaults | None = None, limit: int = MOST
    ) -> None:
        super().__init__()
        self._client = client
        self._defaults = defaults or Defaults()
        self._limit = limit
        self._runs: OrderedDict[object, Run] = OrderedDict()

    def __len__(self) -> int:
        return len(self._runs)

    def get(self, run_id: object) -> Run | None:
        """Return a run that is under way."""
        return self._runs.get(run_id)

    def start(
        self,
        run_id: object,
        parent_id: object,
        kind: Kind,
        name: str,
        *,
        delegated_by: object = None,
        identity: Mapping[str, Any] | None = None,
        agent: AgentFacts | None = None,
        **given: Any,
    ) -> Run | None:
        """Begin a run, and return it; ``None`` where tracking is switched off.

        ``parent_id`` is the run it is a part of, if that is under way. ``delegated_by`` is the run of the
        agent that handed over to this one, where that is no part of it: its id, or the run itself if it may
        have ended. ``identity`` is what the framework says of the conversation (``session_id``, ``user_id``,
        ``device_id``, ``trace_id``), for runs outside any session. ``agent`` is what it says of an agent
        beside the name. What else is ``given`` is what the run's event says.
        """
        if not self._client().config.enabled:
            return None
        parent = self._runs.get(parent_id) if parent_id is not None else None
        root = self._root(parent, kind, identity or {})
        if kind is Kind.AGENT:
            before = delegated_by if isinstance(delegated_by, Run) else self._runs.get(delegated_by)
            facts = _agent(name, agent or AgentFacts(), before or parent, root)
        else:
            facts = parent.agent if parent is not None and parent.root is root else root.agent
        run = Run(run_id, kind, name, parent, root, facts, given)
        with self._lock:
            root.open += 1
            self._runs[run_id] = run
            if parent is not None:
                parent.parts[run_id] = run
            lost = next(iter(self._runs.values())) if len(self._runs) > self._limit else None
        if lost is not None:
            self._over(lost.id, {"is_error": False, "error_type": _NEVER_ENDED}, {})
        return run

    def become_agent(self, run_id: object) -> None:
        """Take a run for an agent, which showed only when the first of its parts began."""
        run = self._runs.get(run_id)
        if run is not None and run.kind in (Kind.STEP, Kind.HIDDEN):
            run.agent = _agent(run.name, AgentFacts(), run.parent, run.root)
            run.kind, run.span_id = Kind.AGENT, run.span_id or stamps.new_id()

    def end(self, run_id: object, **given: Any) -> Run | None:
        """End a run that went well, and return it; ``None`` if it is not under way."""
        return self._over(run_id, {}, given)

    def fail(self, run_id: object, error: BaseException | ToldFailure, **given: Any) -> Run | None:
        """End a run that raised, and what is under way of its parts: frameworks do not always speak of them.

        One that was told to stop did not fail.
        """
        run = self._runs.get(run_id)
        if is_failure(error):
            source = "tool" if run is not None and run.kind is Kind.TOOL else "application"
            outcome = failure_of(error, self._client().config, source)
        else:
            outcome = {"is_error": False, "error_type": type(error).__name__}
        return self._over(run_id, outcome, given)

    def pop(self, run_id: object) -> Run | None:
        """End a model call, which whoever watches it tells, or a run that is not to be told."""
        run = self._taken(run_id)
        if run is not None:
            self._leave(run)
        return run

    def _over(self, run_id: object, outcome: dict[str, Any], given: dict[str, Any]) -> Run | None:
        run = self._taken(run_id)
        if run is None:
            return None
        if outcome:
            stopped = {"is_error": False, "error_type": outcome.get("error_type")}
            for part in tuple(run.parts):
                self._over(part, stopped, {})
        run.given.update((name, value) for name, value in given.items() if value is not None)
        self._finish(run, outcome)
        return run

    def _taken(self, run_id: object) -> Run | None:
        with self._lock:
            run = self._runs.pop(run_id, None)
            if run is not None and run.parent is not None:
                run.parent.parts.pop(run_id, None)
        return run

    def _finish(self, run: Run, outcome: dict[str, Any]) -> None:
        if run.kind is Kind.TOOL:
            self._record_tool(run, outcome)
        elif run.span_id is not None:
            self._record_span(run, outcome)
        elif run.call is not None:
            run.call.left(outcome.get("error_type"))
        self._leave(run, outcome)

    def _leave(self, run: Run, outcome: Mapping[str, Any] | None = None) -> None:
        root = run.root
        with self._lock:
            root.open -= 1
            is_over = root.open == 0
        if is_over and root.is_made:
            failure = {name: value for name, value in (outcome or {}).items() if name in _OF_SESSIONS}
            self._record(SessionEnd, failure, root.context(root.agent, None), root)

    def _record_span(self, run: Run, outcome: dict[str, Any]) -> None:
        given = {"span_name": run.name, "span_id": run.span_id, "latency_ms": run.latency_ms}
        if run.kind is Kind.AGENT:
            given["span_kind"] = "agent"
        self._record(Span, {**given, **run.given, **outcome}, run.context(run.outer_span_id), run.root)

    def _record_tool(self, run: Run, outcome: dict[str, Any]) -> None:
        given = {"tool_name": run.name, "latency_ms": run.latency_ms, **run.given, **outcome}
        if outcome:
            given["success"] = False
        self._record(ToolCall, given, run.context(run.outer_span_id), run.root)

    def _record(self, kind: type[Any], given: dict[str, Any], context: SessionContext, root: Root) -> None:
        scope = Scope(context=context)
        self._client().recorder.record(kind, {**root.fields, **given}, scope, by_hand=False)

    def _root(self, parent: Run | None, kind: Kind, identity: Mapping[str, Any]) -> Root:
        active = get_active_context()
        if parent is not None and (active is None or active.conversation is parent.root.conversation):
            return parent.root
        return place_for(active, self._defaults, identity, self._client(), opens=kind in _OPENING)


_OF_SESSIONS = ("is_error", "error_type")
_OPENING = (Kind.AGENT, Kind.STEP, Kind.HIDDEN)


def _agent(name: str, own: AgentFacts, around: Run | None, root: Root) -> AgentFacts:
    """Return who an agent of a framework's is.

    The outermost is the agent that the session or the door names, where one does: under that id the
    program knows it. One inside another is its own, and the other its parent.
    """
    outer = around.agent_around if around is not None and around.root is root else None
    facts = own if own.agent_id else replace(own, agent_id=name)
    facts = facts if facts.agent_name else replace(facts, agent_name=name)
    if outer is None:
        above = root.agent
        return above.over(replace(facts, agent_id=above.agent_id)) if above.agent_id else facts.over(above)
    if outer.agent.agent_id == facts.agent_id:
        return outer.agent
    return replace(facts, parent_agent_id=facts.parent_agent_id or outer.agent.agent_id).over(outer.agent)
