"""Whole events as the examples promise them: what each kind always says is filled in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from amplitude_ai_integrations.schema.names import wire_name
from tests.events import told

Event = dict[str, Any]

_AROUND = ("user_id", "device_id", "groups")
_COMPONENTS = {
    "User Message": "user_input",
    "AI Response": "llm",
    "Tool Call": "tool",
    "Embedding": "embedding",
}

# What the fake's answers took; the prices of gpt-4o are 2.50, 1.25 (cached) and 10 dollars a million.
COUNTED: dict[str, Any] = {
    "input_tokens": 20,
    "output_tokens": 7,
    "total_tokens": 27,
    "cache_read_tokens": 8,
    "reasoning_tokens": 3,
    "has_reasoning": True,
    "cost_usd": pytest.approx((12 * 2.5 + 8 * 1.25 + 7 * 10) / 1e6),
    "finish_reason": "stop",
    "is_streaming": False,
    "provider_request_id": "chatcmpl-1",
    "latency_ms": pytest.approx(5_000, abs=5_000),
}


def seen(events: Iterable[Event]) -> list[Event]:
    """Return events as `told` does; ids are numbered in the order of the properties' names."""
    return told({**one, "event_properties": dict(sorted(one["event_properties"].items()))} for one in events)


def event(kind: str, **fields: Any) -> Event:
    """Return an event of a kind from its fields by their names in Python; `None` leaves out."""
    flat: Event = {"type": kind}
    if kind in _COMPONENTS:
        flat["Component Type"] = _COMPONENTS[kind]
    for name, value in fields.items():
        flat[name if name in _AROUND else wire_name(name).removeprefix("[Agent] ")] = value
    return {name: value for name, value in flat.items() if value is not None}


def user(text: str, **fields: Any) -> Event:
    """Return a User Message."""
    return event("User Message", **{"llm_message": {"text": text}, "message_source": "user", **fields})


def answer(text: str, **fields: Any) -> Event:
    """Return an AI Response of gpt-4o without tokens."""
    call = {"model_name": "gpt-4o", "model_tier": "standard", "provider": "openai", "is_error": False}
    return event("AI Response", **{"llm_message": {"text": text}, **call, **fields})


def tool(name: str, **fields: Any) -> Event:
    """Return a Tool Call that succeeded."""
    return event("Tool Call", **{"tool_name": name, "tool_success": True, "is_error": False, **fields})


def span(name: str, **fields: Any) -> Event:
    """Return a Span that did not fail."""
    return event("Span", **{"span_name": name, "is_error": False, **fields})


def score(name: str, value: float, target_id: str, **fields: Any) -> Event:
    """Return a user's Score of a message."""
    judged = {"score_name": name, "score_value": value, "target_id": target_id}
    return event("Score", **{**judged, "target_type": "message", "evaluation_source": "user", **fields})
