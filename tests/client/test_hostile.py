"""Whatever a value is, the application goes on and the event is bounded and valid JSON."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink, SessionEnrichments


class Raising:
    """An object none of whose own methods works."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __str__(self) -> str:
        raise RuntimeError("no str")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class LyingMapping(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no items")


class Colour(enum.Enum):
    RED = "red"


def circular() -> Any:
    value: dict[str, Any] = {"list": []}
    value["list"].append(value)
    return value


def deep() -> Any:
    value: list[Any] = []
    for _ in range(5_000):
        value = [value]
    return value


HOSTILE: dict[str, Callable[[], Any]] = {
    "circular": circular,
    "deep": deep,
    "huge text": lambda: "x" * 2_000_000,
    "huge list": lambda: list(range(200_000)),
    "quotes": lambda: ['"\n\\' * 30_000],
    "nan": lambda: math.nan,
    "infinity": lambda: {"a": -math.inf},
    "huge number": lambda: 10**5_000,
    "bytes": lambda: b"\x00\xff" * 10,
    "surrogate": lambda: "a\ud800b",
    "surrogate key": lambda: {"\udfff": "\ud800"},
    "raising": Raising,
    "raising inside": lambda: [Raising(), {Raising(): Raising()}],
    "lying mapping": lambda: LyingMapping(a=1),
    "generator": lambda: (number for number in range(3)),
    "function": lambda: print,
    "class": lambda: Raising,
    "set": lambda: {3, "a", None},
    "tuple": lambda: (1, (2, [3])),
    "dates": lambda: [dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc), dt.date(2026, 1, 1)],
    "decimal": lambda: [decimal.Decimal("19.99"), decimal.Decimal("NaN")],
    "enum": lambda: Colour.RED,
    "key kinds": lambda: {1: "a", None: "b", (1, 2): "c"},
    "exception": lambda: ValueError("no"),
    "none": lambda: None,
    "false": lambda: False,
}

Call = Callable[[Any, Any], object]
CALLS: dict[str, Call] = {
    "user message": lambda door, value: door.track_user_message(content=value),
    "attachments": lambda door, value: door.track_user_message(content="x", attachments=value),
    "labels": lambda door, value: door.track_user_message(content="x", labels=value),
    "label list": lambda door, value: door.track_user_message(content="x", labels=[value]),
    "context": lambda door, value: door.track_user_message(content="x", context=value),
    "properties": lambda door, value: door.track_user_message(content="x", event_properties={"p": value}),
    "all properties": lambda door, value: door.track_user_message(content="x", event_properties=value),
    "groups": lambda door, value: door.track_user_message(content="x", groups={"g": value}),
    "ids": lambda door, value: door.track_user_message(
        content="x", session_id=value, trace_id=value, message_id=value, agent_id=value, turn_id=value,
        browser_session_id=value, device_id=value, user_id=value,
    ),
    "ai message": lambda door, value: door.track_ai_message(content=value, model=value, provider=value),
    "ai numbers": lambda door, value: door.track_ai_message(
        content="x", model="gpt-4o", latency_ms=value, input_tokens=value, output_tokens=value, usage=value,
        total_cost_usd=value, temperature=value,
    ),
    "ai content": lambda door, value: door.track_ai_message(
        content="x", system_prompt=value, tool_definitions=value, tool_calls=value, reasoning_content=value,
        error_message=value, is_error=value,
    ),
    "tool call": lambda door, value: door.track_tool_call(tool_name=value, success=value, input=value, output=value),
    "embedding": lambda door, value: door.track_embedding(model=value, dimensions=value, input_tokens=value),
    "span": lambda door, value: door.track_span(span_name=value, input_state=value, output_state=value),
    "session end": lambda door, value: door.track_session_end(enrichments=value, abandonment_turn=value),
    "enrichment": lambda door, value: door.track_session_enrichment(
        enrichments=SessionEnrichments(custom_metadata={"x": value}, overall_outcome=value)
    ),
    "bare enrichment": lambda door, value: door.track_session_enrichment(enrichments=value),
    "score": lambda door, value: door.score(name=value, value=value, target_id=value, comment=value),
}  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("call", CALLS)
def test_hostile_values(ai: AmplitudeAI, sink: MemorySink, call: str, value: str) -> None:
    session = ai.agent("bot").session(user_id="user-1")
    for door in (ai, ai.agent("bot"), session):
        CALLS[call](door, HOSTILE[value]())
    assert len(sink.events) == 3, "an event was lost"
    for event in sink:
        text = json.dumps(event, allow_nan=False)
        text.encode()
        bounded = {key: inner for key, inner in event["event_properties"].items() if key != "$llm_message"}
        assert all(len(json.dumps(inner)) <= 700_000 for inner in bounded.values())
        for inner in bounded.values():
            if isinstance(inner, str) and inner[:1] in "[{" and inner[-1:] in "]}" and len(inner) > 1000:
                json.loads(inner)
        assert event["event_type"].startswith("[Agent] ")
        assert event.get("user_id") or event.get("device_id")


def test_hostile_context_on_an_agent(ai: AmplitudeAI, sink: MemorySink) -> None:
    for make in HOSTILE.values():
        ai.agent("bot", context={"v": make()}).track_span("x")
    assert len(sink.events) == len(HOSTILE)
