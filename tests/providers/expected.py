"""Whole events as these tests write them: field names for wire names, one word for what varies."""

from __future__ import annotations

import re
from typing import Any

from amplitude_ai_integrations.pricing.cost import Tokens, cost_usd
from amplitude_ai_integrations.pricing.tokens import estimate_tokens
from amplitude_ai_integrations.schema.catalog import event_type, fields_of
from amplitude_ai_integrations.schema.events import (
    SDK_EVENTS,
    AIResponse,
    Embedding,
    SessionEnd,
    ToolCall,
    UserMessage,
)
from amplitude_ai_integrations.version import __version__

from ..fakes.openai_server import TEXT

MODEL = "gpt-4o-mini"
SYSTEM = "Be brief."

_FIELDS = {field.wire: field.name for kind in SDK_EVENTS for field in fields_of(kind)}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMES = {
    event_type(UserMessage): "user",
    event_type(AIResponse): "answer",
    event_type(ToolCall): "tool",
    event_type(Embedding): "embedding",
    event_type(SessionEnd): "end",
}

Event = dict[str, Any]


def fields(event: Event) -> Event:
    """Return an event's properties under the names of its fields."""
    return {_FIELDS.get(name, name): value for name, value in event["event_properties"].items()}


def seen(events: Any) -> list[Event]:
    """Return whole events with ids and times as words."""
    return [_seen(event) for event in events]


def kinds(events: Any) -> list[str]:
    """Return what the events are, in order."""
    return [_NAMES[event["event_type"]] for event in events]


def of_kind(kind: str, events: Any) -> list[Event]:
    """Return the fields of the events of one kind."""
    return [fields(event) for event in events if _NAMES[event["event_type"]] == kind]


def answer(**changes: Any) -> Event:
    """Return the whole AI Response to a plain call inside the session of these tests; `None` leaves out."""
    counts = {"input_tokens": 20, "output_tokens": 7, "total_tokens": 27}
    event = {
        "kind": "answer",
        "user_id": "u",
        "session_id": "s",
        "trace_id": "<id>",
        "turn_id": 2,
        "content_mode": "full",
        "sdk_version": __version__,
        "runtime": "python",
        "component_type": "llm",
        "message_id": "<id>",
        "llm_message": {"text": TEXT},
        "model_name": MODEL,
        "model_tier": "fast",
        "provider": "openai",
        "latency_ms": "<ms>",
        "is_error": False,
        **counts,
        "reasoning_tokens": 3,
        "cache_read_tokens": 8,
        "has_reasoning": True,
        "cost_usd": cost_usd(MODEL, "openai", Tokens(20, 7, 8)),
        "finish_reason": "stop",
        "system_prompt": SYSTEM,
        "system_prompt_length": len(SYSTEM),
        "is_streaming": False,
        "provider_request_id": "chatcmpl-1",
    }
    return with_changes(event, changes)


def counted(model: str, provider: str, tokens: Tokens, reasoning: int | None = None) -> Event:
    """Return what an AI Response says of tokens that the vendor counted."""
    return {
        **UNCOUNTED,
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "reasoning_tokens": reasoning,
        "has_reasoning": True if reasoning else None,
        "cache_read_tokens": tokens.cache_read or None,
        "cache_creation_tokens": tokens.cache_creation or None,
        "cost_usd": cost_usd(model, provider, tokens),
    }


def estimated(sent: str, written: str, model: str = MODEL, provider: str = "openai") -> Event:
    """Return what an AI Response says of tokens that nobody counted."""
    tokens = Tokens(estimate_tokens(sent, model), estimate_tokens(written, model))
    return {**counted(model, provider, tokens), "usage_estimated": True}


UNCOUNTED: Event = {
    "input_tokens": None,
    "output_tokens": None,
    "total_tokens": None,
    "reasoning_tokens": None,
    "cache_read_tokens": None,
    "cache_creation_tokens": None,
    "has_reasoning": None,
    "cost_usd": None,
}


def user(content: str, **changes: Any) -> Event:
    """Return the whole User Message of a call inside the session of these tests."""
    event = {
        "kind": "user",
        "user_id": "u",
        "session_id": "s",
        "trace_id": "<id>",
        "turn_id": 1,
        "content_mode": "full",
        "sdk_version": __version__,
        "runtime": "python",
        "component_type": "user_input",
        "message_id": "<id>",
        "llm_message": {"text": content},
        "message_source": "user",
    }
    return with_changes(event, changes)


def tool(**changes: Any) -> Event:
    """Return the whole Tool Call of `get_weather`."""
    event = {
        "kind": "tool",
        "user_id": "u",
        "session_id": "s",
        "trace_id": "<id>",
        "content_mode": "full",
        "sdk_version": __version__,
        "runtime": "python",
        "component_type": "tool",
        "invocation_id": "<id>",
        "tool_name": "get_weather",
        "tool_success": True,
        "is_error": False,
        "latency_ms": "<ms>",
        "tool_input": '{"city":"Paris"}',
        "tool_output": "sunny",
        "parent_message_id": "<id>",
    }
    return with_changes(event, changes)


def with_changes(event: Event, changes: Event) -> Event:
    """Return an event with other values; `None` leaves a field out."""
    return {name: value for name, value in {**event, **changes}.items() if value is not None}


def _seen(event: Event) -> Event:
    around = {name: value for name, value in event.items() if name != "event_properties"}
    assert _UUID.fullmatch(around.pop("insert_id"))
    assert type(around.pop("time")) is int
    around["kind"] = _NAMES[around.pop("event_type")]
    return {**around, **{name: _word(name, value) for name, value in fields(event).items()}}


def _word(name: str, value: Any) -> Any:
    if name in ("latency_ms", "ttfb_ms"):
        return "<ms>" if value > 0 else value
    if name == "session_id" and str(value).startswith("s-"):
        return "s"
    return "<id>" if isinstance(value, str) and _UUID.fullmatch(value) else value
