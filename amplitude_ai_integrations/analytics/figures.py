"""The figures of one exchange, the same for the list and for the page of a session."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from .events import MODEL_CALLS, Event, Kind
from .exchanges import Exchange

Number = TypeVar("Number", int, float)

_TOOLS = (Kind.TOOL_CALL, Kind.EMBEDDING)
_SEARCHING = frozenset(("search", "retrieve", "retrieval", "retriever", "rerank", "reranker", "vector"))
_WORD = re.compile(r"[A-Z]*[a-z]+|[A-Z]+")


@dataclass(frozen=True, slots=True)
class Figures:
    started_ms: float
    ended_ms: float
    reply_ms: float | None
    model_ms: float
    tool_ms: float
    tokens: int | None
    cost_usd: float | None
    errors: int
    is_failed: bool
    is_stopped: bool
    is_estimated: bool


def figures(exchange: Exchange) -> Figures:
    """Measure an exchange; times that overlap count once, a tool's time without its models'."""
    started = min(event.started_ms for event in exchange.events)
    answers = [event for event in exchange.work if event.kind == Kind.AI_RESPONSE]
    calls = [event for event in exchange.work if event.kind in MODEL_CALLS]
    last = max(answers, key=_end, default=None)
    models = [(event.started_ms, event.ts_ms) for event in answers]
    tools = [(event.started_ms, event.ts_ms) for event in exchange.work if is_tool_time(event)]
    model_ms = covered(models)
    return Figures(
        started_ms=started,
        ended_ms=max(event.ts_ms for event in exchange.events),
        reply_ms=last.ts_ms - started if last else None,
        model_ms=model_ms,
        tool_ms=covered(models + tools) - model_ms,
        tokens=total(event.tokens for event in calls),
        cost_usd=total(event.cost_usd for event in calls),
        errors=sum(event.is_error for event in exchange.work),
        is_failed=bool(last and last.is_error),
        is_stopped=bool(last and last.is_stopped),
        is_estimated=any(event.is_estimated for event in calls),
    )


def is_retrieval(name: str | None, span_kind: str | None = None) -> bool:
    """Whether a span looks something up, going by its name or kind."""
    words = _WORD.findall(f"{name or ''} {span_kind or ''}")
    return any(word.lower() in _SEARCHING for word in words)


def is_tool_time(event: Event) -> bool:
    return event.kind in _TOOLS or (event.kind == Kind.SPAN and is_retrieval(event.name, event.span_kind))


def total(values: Iterable[Number | None]) -> Number | None:
    """Add what is known; nothing known is not zero."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def covered(intervals: Iterable[tuple[float, float]]) -> float:
    """Return the time that at least one of the intervals covers."""
    time, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        if end > reached:
            time += end - max(start, reached)
            reached = end
    return time


def _end(event: Event) -> tuple[int, int]:
    return event.ts_ms, event.turn_id or 0
