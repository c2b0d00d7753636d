"""What an event says of those before it in its session, and leaves for those after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..context.memory import Origin, SessionMemory, Spent, origin_of, remember_message
from ..schema.base import AgentEvent
from ..schema.events import AIResponse, SessionEnd, UserMessage

Values = dict[str, Any]

_ASKING: Final = ("tool_use", "tool_calls")  # finish reasons of answers that ask for tools
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
    *,
    is_claimed: bool,
) -> None:
    """Add to ``values`` what follows from the session's earlier events, and note what this one says.

    ``is_claimed`` tells that the memory knows already what the event cost.
    """
    if kind is UserMessage:
        remember_message(own_id, origin)
        if values.get("message_source") == "user":
            memory.said()
            if question is not None and memory.asks_again(question):
                values.setdefault("is_regeneration", True)
    elif kind is AIResponse:
        remember_message(own_id, origin)
        if not is_claimed:
            memory.spend(origin.trace_id or "", _spent(values))
        if not values.get("is_error") and not _only_asks(values):
            memory.answered()
    elif kind is SessionEnd:
        values.setdefault("abandonment_turn", memory.abandoned_after)


def claim_the_rest(values: Values, memory: SessionMemory) -> bool:
    """Take from a trace's totals what is recorded of it already, and tell whether anything is left."""
    rest = memory.claim(values.get("trace_id") or "", _spent(values), _LEAST_GAP_USD)
    if rest is None:
        return False
    values.update((name, value) for name, value in rest._asdict().items() if name in values)
    values["total_tokens"] = values.get("input_tokens", 0) + values.get("output_tokens", 0)
    return True


def _spent(values: Mapping[str, Any]) -> Spent:
    return Spent(*(values.get(name) or 0 for name in Spent._fields))


def _only_asks(values: Mapping[str, Any]) -> bool:
    """Tell whether an answer is none yet for the user, but asks for tools."""
    return not values.get("llm_message") and (
        bool(values.get("tool_calls")) or values.get("finish_reason") in _ASKING
    )
