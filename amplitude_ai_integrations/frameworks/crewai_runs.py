"""CrewAI's crews, tasks, agents and flows: what each of them becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..calls.facts import peek
from ..client.failures import ToldFailure
from ..context.current import get_active_context
from ..runs.run import Run
from .crewai_messages import last_words
from .crewai_notes import Notes, notes_of
from .watching import Watching

# Steps beside those that have a method here, with what each is given.
_STEPS: Final = {
    "memory_query": ("query", "limit", "score_threshold"),
    "memory_save": ("value", "metadata"),
    "knowledge_query": ("task_prompt",),
    "llm_guardrail": ("guardrail_name", "guardrail", "retry_count"),
}
_MADE: Final = ("output", "result", "results", "retrieved_knowledge", "memory_content", "plan")


class Runs:
    """Crews, tasks, agents, flows and their methods, and what goes on within them beside models and tools.

    Where nobody names an agent, a crew is a step and each role an agent of its own. Where the door or the
    session does, the crew is that agent, and the roles work for it.
    """

    def __init__(self, watching: Watching, *, names_agent: bool) -> None:
        self._watching = watching
        self._names_agent = names_agent
        self._begin: dict[str, Callable[[object, Any, Any], Run | None]] = {
            "crew_kickoff_started": self._crew,
            "task_started": self._task,
            "agent_execution_started": self._agent,
            "lite_agent_execution_started": self._agent_alone,
            "flow_started": self._flow,
            "method_execution_started": self._method,
        }

    def begin(self, parent: object, source: Any, event: Any) -> Run | None:
        """Something begins, as a part of ``parent``."""
        run = self._begin.get(event.type, self._other)(parent, source, event)
        if run is not None:
            run.kept = run.kept or Notes()
            run.kept.began_with = event.type
            run.kept.is_users = run.agent.parent_agent_id is None
        return run

    def ended(self, run: Run, event: Any) -> None:
        """Something is done, or failed, or waits for a person."""
        error = peek(event, "error")
        is_failure = event.type.endswith(("_failed", "_error"))
        if is_failure or (error and peek(event, "success") is False):
            self.failed(run, event, error)
        else:
            self._watching.ended(run.id, _made(event))

    def failed(self, run: Run, event: Any, error: object) -> None:
        """Something failed; CrewAI mostly says so in words, of which the exception is known from inside."""
        notes, above = notes_of(run), notes_of(run.parent)
        raised = error if isinstance(error, BaseException) else notes.failure(error) if notes else None
        if above is not None:
            above.raised = raised
        if raised is not None:
            self._watching.failed(run.id, raised)
            return
        kind = peek(event, "error_type")
        name = kind.__name__ if isinstance(kind, type) else type(event).__name__.removesuffix("Event")
        self._watching.failed(run.id, ToldFailure(name, str(error or "")))

    def _crew(self, parent: object, _source: Any, event: Any) -> Run | None:
        name, run_id = str(event.crew_name or "crew"), event.event_id
        around, active = self._watching.tree.get(parent), get_active_context()
        is_named = self._names_agent or bool(active is not None and active.agent.agent_id)
        if is_named and (around is None or around.agent_around is None):
            return self._watching.agent(run_id, parent, name, asked=event.inputs)
        return self._watching.step(run_id, parent, name, asked=event.inputs)

    def _task(self, parent: object, source: Any, event: Any) -> Run | None:
        given = {name: peek(source, name) for name in ("description", "expected_output")}
        given["context"] = event.context
        asked = {name: value for name, value in given.items() if value}
        name = str(peek(source, "name") or "task")
        return self._watching.step(event.event_id, parent, name, asked=asked)

    def _agent(self, parent: object, source: Any, event: Any) -> Run | None:
        words = str(peek(event, "task", "description") or event.task_prompt)
        role = peek(event, "agent", "role") or peek(source, "role")
        return self._is_asked(parent, event, role, words, str(event.task_prompt))

    def _agent_alone(self, parent: object, _source: Any, event: Any) -> Run | None:
        words = last_words(event.messages)
        return self._is_asked(parent, event, event.agent_info.get("role"), words, words)

    def _is_asked(self, parent: object, event: Any, role: object, words: str, framed: str) -> Run | None:
        name = str(role or "agent").strip()
        run = self._watching.agent(event.event_id, parent, name, asked=words)
        if run is not None:
            run.kept = Notes(words, framed)
        return run

    def _flow(self, parent: object, source: Any, event: Any) -> Run | None:
        if is_internal(source):
            return self._other(parent, source, event)
        return self._watching.step(event.event_id, parent, str(event.flow_name), asked=event.inputs)

    def _method(self, parent: object, source: Any, event: Any) -> Run | None:
        if is_internal(source):
            return self._other(parent, source, event)
        return self._watching.step(event.event_id, parent, str(event.method_name), asked=event.params)

    def _other(self, parent: object, _source: Any, event: Any) -> Run | None:
        what = event.type.removesuffix("_started")
        run_id, fields = event.event_id, _STEPS.get(what)
        if self._watching.tree.get(parent) is None and get_active_context() is None:
            return None  # nothing is under way that it would be a part of
        if fields is None:
            return self._watching.hidden(run_id, parent, what)
        given = {name: value for name in fields if (value := peek(event, name)) is not None}
        return self._watching.step(run_id, parent, what.replace("_", " "), asked=given)


def is_internal(flow: Any) -> bool:
    """Tell whether a flow is CrewAI's own, as the one that each agent's work is."""
    kind = type(flow)
    return bool(getattr(kind, "is_crewai_internal", kind.__module__.startswith("crewai.")))


def _made(event: Any) -> Any:
    made = next((found for name in _MADE if (found := peek(event, name)) is not None), None)
    raw = peek(made, "raw")
    return raw if isinstance(raw, str) else made
