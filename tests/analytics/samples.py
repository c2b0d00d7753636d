"""Events as clients send them, with names made by the schema's one rule."""

from __future__ import annotations

from typing import Any

from amplitude_ai_integrations.schema.names import wire_name

NOW = 1_795_219_519_000
TYPES = {
    "user": "[Agent] User Message",
    "ai": "[Agent] AI Response",
    "tool": "[Agent] Tool Call",
    "embedding": "[Agent] Embedding",
    "span": "[Agent] Span",
    "end": "[Agent] Session End",
    "score": "[Agent] Score",
    "enrichment": "[Agent] Session Enrichment",
    "record": "[Agent] Session Record",
    "result": "[Agent] Evaluator Result",
}


def event(kind: str, at: int = 0, /, **fields: Any) -> dict[str, Any]:
    """An event ``at`` milliseconds into the conversation; ``text`` is what the message says."""
    text = fields.pop("text", None)
    insert_id = fields.pop("insert_id", None)
    fields.setdefault("session_id", "sess-1")
    properties = {wire_name(name): value for name, value in fields.items() if value is not None}
    if text is not None:
        properties[wire_name("llm_message")] = {"text": text}
    made: dict[str, Any] = {
        "event_type": TYPES[kind],
        "user_id": "user-1234",
        "time": NOW + at,
        "event_properties": properties,
    }
    return {**made, "insert_id": insert_id} if insert_id else made


def conversation(session_id: str = "sess-1", start: int = 0) -> list[dict[str, Any]]:
    """Three turns, the second with a tool, the third stopped by the reader."""

    def one(kind: str, at: int, **fields: Any) -> dict[str, Any]:
        return event(
            kind,
            start + at,
            session_id=session_id,
            agent_id="support",
            insert_id=f"{session_id}-{start}-{kind}-{at}",
            content_mode="full",
            **fields,
        )

    model = {"model_name": "gpt-4o", "provider": "openai"}
    return [
        one("user", 0, text="How do I export?\nThanks", trace_id="t1", turn_id=1, message_id="m1"),
        one("ai", 1000, text="Press Export.", trace_id="t1", turn_id=2, message_id="m2", latency_ms=900,
            ttfb_ms=100, input_tokens=100, output_tokens=20, cost_usd=0.001, is_error=False, **model),
        one("user", 60_000, text="How many rows?", trace_id="t2", turn_id=3, message_id="m3"),
        one("ai", 61_000, trace_id="t2", turn_id=4, message_id="m4", latency_ms=1000, input_tokens=200,
            output_tokens=10, cost_usd=0.002, finish_reason="tool_calls", **model),
        one("tool", 61_500, trace_id="t2", turn_id=5, invocation_id="i1", tool_name="count_rows",
            latency_ms=500, tool_success=True, is_error=False, tool_input='{"table": "a"}',
            tool_output="14", parent_message_id="m4"),
        one("ai", 63_000, text="14 rows.", trace_id="t2", turn_id=6, message_id="m5", latency_ms=1500,
            input_tokens=300, output_tokens=30, cost_usd=0.003, **model),
        one("user", 120_000, text="Tell me more", trace_id="t3", turn_id=7, message_id="m6"),
        one("ai", 122_000, text="Well,", trace_id="t3", turn_id=8, message_id="m7", latency_ms=2000,
            input_tokens=400, output_tokens=2, cost_usd=0.004, stream_abandoned=True, usage_estimated=True,
            **model),
    ]  # fmt: skip
