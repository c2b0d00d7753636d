"""What an event says of those before it in its session, and leaves for those after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..context.memory import Origin, SessionMemory, Spent, origin_of, remember_message
from ..schema.base import AgentEvent
from ..schema.events import AIResponse, SessionEnd, UserMessage

Values = dict[str, Any]

_LEAST_GAP_USD: Final = 1e-6  # below this, a run's total and its parts differ by rounding alone


def message_judged(values: Mapping[str, Any]) -> Origin | None:
    """Return where the message that a score judges was said; for a session's score, that session."""
    target = values.get("target_id")
    if not isinstance(target, str):
        return None
    return Origin(target) if values.get("target_type") == "session" else origin_of(target)


def link(
    kind: type[AgentEvent],
    values: Values,
    memory: SessionMemory,
    own_id: str,
    origin: Origin,
    question: object,
) -> None:
    """Add to ``values`` what follows from the session's earlier events, and note what this one says."""
    if kind is UserMessage:
        remember_message(own_id, origin)
        if values.get("message_source") == "user":
            memory.said()
        if question is not None and memory.asks_again(question):
            values.setdefault("is_regeneration", True)
    elif kind is AIResponse:
        remember_message(own_id, origin)
        memory.spend(origin.trace_id or "", _spent(values))
        if not values.get("is_error"):
            memory.answered()
    elif kind is SessionEnd:
        values.setdefault("abandonment_turn", memory.abandoned_after)


def leave_the_rest(values: Values, memory: SessionMemory) -> bool:
    """Take from a trace's totals what is recorded of it already, and tell whether anything is left."""
    total, so_far = _spent(values), memory.spent(values.get("trace_id") or "")
    values["cost_usd"] = total.cost_usd - so_far.cost_usd
    values["input_tokens"] = max(0, total.input_tokens - so_far.input_tokens)
    values["output_tokens"] = max(0, total.output_tokens - so_far.output_tokens)
    values["total_tokens"] = values["input_tokens"] + values["output_tokens"]
    return bool(values["cost_usd"] > _LEAST_GAP_USD)


def _spent(values: Mapping[str, Any]) -> Spent:
    get = values.get
    return Spent(get("cost_usd") or 0.0, get("input_tokens") or 0, get("output_tokens") or 0)
