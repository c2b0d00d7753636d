"""Which agent did what: the steps of another agent than the one around them get a step of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .model import Step

_DEEPEST = 8


def by_agent(steps: Sequence[Step], around: str | None) -> tuple[Step, ...]:
    """Wrap each other agent's steps, an agent inside the one that delegated to it."""
    own = [step for step in steps if step.agent in (None, around) or step.kind == "agent"]
    others: dict[str, list[Step]] = {}
    for step in steps:
        if step.agent not in (None, around) and step.kind != "agent":
            others.setdefault(step.agent, []).append(step)
    if not others:
        return tuple(steps)
    above = {agent: _above(agent, others) for agent in others}
    inside: dict[str | None, list[str]] = {}
    for agent in others:
        inside.setdefault(above[agent] if _is_inside(agent, above) else None, []).append(agent)

    def wrapped(agent: str) -> Step:
        return _agent_step(agent, _in_time(others[agent] + [wrapped(each) for each in inside.get(agent, ())]))

    return _in_time(own + [wrapped(agent) for agent in inside[None]])


def _above(agent: str, others: dict[str, list[Step]]) -> str | None:
    delegated = (step.parent_agent for step in others[agent])
    return next((parent for parent in delegated if parent in others and parent != agent), None)


def _is_inside(agent: str, above: dict[str, str | None]) -> bool:
    """Agents that delegate in a circle, or without end, stand beside each other."""
    if above[agent] is None:
        return False
    node: str | None = agent
    for _ in range(_DEEPEST):
        node = above[node] if node else None
    return node is None


def _agent_step(agent: str, children: tuple[Step, ...]) -> Step:
    first = children[0]
    started = min(child.started_ms for child in children)
    ended = max(child.started_ms + (child.latency_ms or 0) for child in children)
    return Step(
        event_id=first.event_id,
        step_id=f"agent-{first.step_id}",
        kind="agent",
        name=agent,
        agent=agent,
        parent_agent=next((child.parent_agent for child in children if child.parent_agent), None),
        started_ms=started,
        latency_ms=ended - started,
        children=children,
    )


def _in_time(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=lambda step: step.started_ms))
