"""One event of work as a step, and the steps of an exchange as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .agents import by_agent
from .events import Event, Kind
from .feedback import Feedback
from .figures import is_retrieval
from .model import Step, StepKind
from .properties import Properties

_SLACK_MS = 2  # events are stamped in whole milliseconds
_DEEPEST = 32  # pages and comparisons walk the tree by recursion


def step_tree(work: Iterable[Event], feedback: Feedback, agent: str | None = None) -> tuple[Step, ...]:
    """Nest steps by the span they name as their parent, then each agent's inside a step of its own."""
    events = sorted(work, key=lambda event: event.started_ms)
    parents = _bounded(_parents(events), events)
    children: dict[int | None, list[Event]] = {}
    for event in events:
        children.setdefault(parents.get(event.id), []).append(event)

    def grown(parent: int | None, around: str | None) -> tuple[Step, ...]:
        level = []
        for event in children.get(parent, ()):
            step = _step(event, feedback)
            if event.id in children:
                step = replace(step, children=grown(event.id, step.agent or around))
            level.append(step)
        return by_agent(level, around)

    return grown(None, agent)


def _parents(events: Iterable[Event]) -> dict[int, int]:
    """Return the parent of each event that has one here, by row."""
    spans = {event.key: event.id for event in events if event.kind != Kind.AI_RESPONSE}
    answers = {event.key: event.id for event in events if event.kind == Kind.AI_RESPONSE}
    found: dict[int, int] = {}
    for event in events:
        parent = spans.get(event.parent_span_id or "") or answers.get(event.parent_span_id or "")
        # The message a tool call names is the one that asked for it: they stand side by side.
        parent = parent or spans.get(event.parent_message_id or "")
        if parent is not None and parent != event.id:
            found[event.id] = parent
    return {**_runs_around(events, found), **found}


def _runs_around(events: Iterable[Event], found: Mapping[int, int]) -> dict[int, int]:
    """Return the run of its agent that each event without a parent took place in.

    Model calls and tools name no span; whose they are and when they were tells.
    """
    runs: dict[str | None, list[Event]] = {}
    for event in events:
        if _is_run(event):
            runs.setdefault(event.agent_id, []).append(event)
    around: dict[int, int] = {}
    for event in events:
        if event.id in found or _is_run(event):
            continue
        inside = [run for run in runs.get(event.agent_id, ()) if _is_during(event, run)]
        if inside:
            around[event.id] = inside[-1].id  # the one that began last
    return around


def _is_run(event: Event) -> bool:
    return event.kind == Kind.SPAN and event.span_kind == "agent" and event.agent_id is not None


def _is_during(event: Event, run: Event) -> bool:
    ended = run.started_ms + (run.latency_ms or 0)
    return run.started_ms - _SLACK_MS <= event.started_ms <= ended + _SLACK_MS


def _bounded(parents: Mapping[int, int], events: Iterable[Event]) -> dict[int, int]:
    """Cut circles, and hang what would be too deep beside its parent."""
    depths: dict[int, int] = {}
    bounded: dict[int, int] = {}
    for event in events:
        for child in reversed(_trail(event.id, parents, depths)):
            parent = parents.get(child)
            if parent is None or parent not in depths:
                depths[child] = 0
            elif depths[parent] < _DEEPEST:
                depths[child], bounded[child] = depths[parent] + 1, parent
            else:
                depths[child], bounded[child] = depths[parent], bounded[parent]
    return bounded


def _trail(start: int, parents: Mapping[int, int], known: Mapping[int, int]) -> list[int]:
    """Return the way up from ``start`` as far as it is new."""
    trail: dict[int, None] = {}
    node: int | None = start
    while node is not None and node not in known and node not in trail:
        trail[node] = None
        node = parents.get(node)
    return list(trail)


def _step(event: Event, feedback: Feedback) -> Step:
    given = Properties(event.properties)
    kind = _kind(event)
    return Step(
        event_id=event.id,
        step_id=event.key,
        kind=kind,
        name=event.name or _NAMELESS[kind],
        agent=event.agent_id,
        parent_agent=event.parent_agent_id,
        started_ms=event.started_ms,
        latency_ms=event.latency_ms,
        ttfb_ms=event.ttfb_ms,
        model=event.name if event.kind in (Kind.AI_RESPONSE, Kind.EMBEDDING) else None,
        provider=event.provider,
        input_tokens=event.input_tokens,
        output_tokens=event.output_tokens,
        cache_read_tokens=given.count("cache_read_tokens"),
        reasoning_tokens=given.count("reasoning_tokens"),
        cost_usd=event.cost_usd,
        is_estimated=event.is_estimated,
        is_error=event.is_error,
        is_stopped=event.is_stopped,
        error_type=event.error_type,
        error_message=given.text("error_message"),
        finish_reason=given.name("finish_reason"),
        text=given.message(),
        reasoning=given.text("reasoning_content"),
        system_prompt=given.text("system_prompt"),
        tool_calls=given.text("tool_calls"),
        input=_either(given.text("tool_input"), given.text("input_state")),
        output=_either(given.text("tool_output"), given.text("output_state")),
        was_copied=given.flag("was_copied"),
        scores=feedback.of(event),
    )


_NAMELESS: dict[StepKind, str] = {
    "model": "model",
    "tool": "tool",
    "retrieval": "retrieval",
    "step": "step",
    "agent": "agent",
}


def _kind(event: Event) -> StepKind:
    if event.kind == Kind.AI_RESPONSE:
        return "model"
    if event.kind == Kind.TOOL_CALL:
        return "tool"
    if _is_run(event):
        return "agent"
    if event.kind == Kind.EMBEDDING or is_retrieval(event.name, event.span_kind):
        return "retrieval"
    return "step"


def _either(one: str | None, other: str | None) -> str | None:
    return other if one is None else one
