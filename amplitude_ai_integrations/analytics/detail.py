"""Everything the page of one session shows, from its events."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from statistics import median

from .events import MODEL_CALLS, Event, Kind
from .exchanges import ordered
from .feedback import feedback
from .figures import total
from .model import ModelUse, SessionDetail, ToolUse
from .properties import Properties
from .summary import summarise
from .turns import turns

_PLACEHOLDER = re.compile(r"\[(?:email|phone|credit_card|ssn|ip_address|iban|api_key|private_key|REDACTED)\]")


def detail(session_id: str, events: Sequence[Event], now_ms: int) -> SessionDetail:
    """Put the events of one session together; ``events`` come with their properties."""
    line = ordered(events)
    summary = summarise(line)
    last = _Latest(line)
    return SessionDetail(
        row=summary.row(session_id, now_ms),
        turns=turns(line),
        models=_models(line),
        tools=_tools(line),
        scores=tuple(feedback(line).on_session),
        agents=tuple(dict.fromkeys(event.agent_id for event in line if event.agent_id)),
        closed_by=summary.closed_by(now_ms),
        idle_minutes=summary.idle_minutes,
        agent_version=last.name("agent_version"),
        agent_description=last.text("agent_description"),
        customer_org_id=last.name("customer_org_id"),
        env=last.name("env"),
        locale=last.name("locale"),
        context=last.text("context"),
        runtime=last.name("runtime"),
        sdk_version=last.name("sdk_version"),
        replay_id=last.name("session_replay_id"),
        tool_definitions_count=last.count("tool_definitions_count"),
        tool_definitions_hash=last.name("tool_definitions_hash"),
        redactions=_redactions(line),
    )


class _Latest:
    """What the most recent event that says anything says."""

    def __init__(self, line: Sequence[Event]) -> None:
        self.known = [Properties(event.properties) for event in reversed(line)]

    def name(self, field: str) -> str | None:
        return next((value for each in self.known if (value := each.name(field)) is not None), None)

    def text(self, field: str) -> str | None:
        return next((value for each in self.known if (value := each.text(field)) is not None), None)

    def count(self, field: str) -> int | None:
        return next((value for each in self.known if (value := each.count(field)) is not None), None)


def _models(line: Iterable[Event]) -> tuple[ModelUse, ...]:
    return tuple(
        ModelUse(
            model=name,
            calls=len(calls),
            input_tokens=total(event.input_tokens for event in calls),
            cache_read_tokens=total(_count(event, "cache_read_tokens") for event in calls),
            output_tokens=total(event.output_tokens for event in calls),
            reasoning_tokens=total(_count(event, "reasoning_tokens") for event in calls),
            ttfb_p50_ms=_middle(event.ttfb_ms for event in calls),
            latency_p50_ms=_middle(event.latency_ms for event in calls),
            cost_usd=total(event.cost_usd for event in calls),
            is_estimated=any(event.is_estimated for event in calls),
            is_embedding=calls[0].kind == Kind.EMBEDDING,
        )
        for name, calls in _by_name(line, MODEL_CALLS, "model")
    )


def _tools(line: Iterable[Event]) -> tuple[ToolUse, ...]:
    return tuple(
        ToolUse(
            tool=name,
            calls=len(calls),
            failed=sum(event.is_error for event in calls),
            latency_p50_ms=_middle(event.latency_ms for event in calls),
        )
        for name, calls in _by_name(line, (Kind.TOOL_CALL,), "tool")
    )


def _by_name(line: Iterable[Event], kinds: Container[int], nameless: str) -> list[tuple[str, list[Event]]]:
    """Group by name and kind, the most used first."""
    groups: dict[tuple[str, int], list[Event]] = {}
    for event in line:
        if event.kind in kinds:
            groups.setdefault((event.name or nameless, event.kind), []).append(event)
    by_use = sorted(groups.items(), key=lambda group: -len(group[1]))
    return [(name, calls) for (name, _kind), calls in by_use]


def _count(event: Event, field: str) -> int | None:
    return Properties(event.properties).count(field)


def _middle(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _redactions(line: Iterable[Event]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for event in line:
        for text in _texts(event.properties):
            found.update(_PLACEHOLDER.findall(text))
    return dict(found)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
