"""Out as spans and in again as events: the same graph."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from amplitude_ai_integrations import AmplitudeAI, MemorySink, observe
from amplitude_ai_integrations.frameworks.opentelemetry import AmplitudeAgentExporter, AmplitudeSpanProcessor
from amplitude_ai_integrations.frameworks.otel_sink import AmplitudeSpanSink

_SAME = (
    "Agent ID",
    "Cache Read Tokens",
    "Cost USD",
    "Finish Reason",
    "Input Tokens",
    "Is Error",
    "Error Type",
    "Latency Ms",
    "Model Name",
    "Output Tokens",
    "Provider",
    "Reasoning Tokens",
    "Session ID",
    "Span Name",
    "System Prompt",
    "TTFB Ms",
    "Tool Input",
    "Tool Name",
    "Tool Output",
    "Tool Success",
)


def _run(ai: AmplitudeAI) -> None:
    @observe(type="agent", name="helper")
    def helper(question: str) -> str:
        session.track_ai_message(
            "Inner.",
            "claude-sonnet-4",
            "anthropic",
            40.0,
            input_tokens=9,
            output_tokens=3,
            cache_read_tokens=4,
        )
        session.track_tool_call("lookup", 7.0, True, input={"a": 1}, output={"b": 2})
        return "Done."

    with ai.agent("bot").session("s-1", user_id="user-1") as session:
        session.track_user_message("Weather?")
        session.track_ai_message(
            "Sunny.",
            "gpt-4o",
            "openai",
            300.0,
            input_tokens=100,
            output_tokens=20,
            reasoning_tokens=5,
            finish_reason="stop",
            system_prompt="Be brief.",
            is_streaming=True,
            ttfb_ms=100.0,
        )
        session.track_tool_call("book", 20.0, False, error_message="Full.", error_type="FullError")
        helper("Which?")


def test_the_graph_is_the_same(sink: MemorySink) -> None:
    exporter = InMemorySpanExporter()
    out = AmplitudeAI(sink=sink, also=AmplitudeSpanSink(exporter))
    _run(out)
    out.flush(5)
    again = MemorySink()
    spans = exporter.get_finished_spans()
    AmplitudeAgentExporter(AmplitudeAI(sink=again), allowed_scopes={"amplitude_ai_integrations"}).export(
        spans
    )
    assert _told(again) == _told(sink)
    assert {event["user_id"] for event in again} == {"user-1"}


@pytest.mark.parametrize("door", ["exporter", "batched", "processor"])
def test_what_came_from_events_does_not_become_events_again(door: str, sink: MemorySink) -> None:
    finished = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    ai = AmplitudeAI(sink=sink, also=AmplitudeSpanSink(provider))
    inbound = {
        "exporter": lambda: SimpleSpanProcessor(AmplitudeAgentExporter(ai)),
        "batched": lambda: BatchSpanProcessor(AmplitudeAgentExporter(ai)),
        "processor": lambda: AmplitudeSpanProcessor(ai),
    }[door]()
    provider.add_span_processor(inbound)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    ai.track_ai_message("user-1", "Hi", "s-1", "gpt-4o", "openai")
    provider.force_flush()
    assert [event["event_type"] for event in sink] == ["[Agent] AI Response"]
    assert [span.name for span in finished.get_finished_spans()] == ["chat gpt-4o"]
    provider.shutdown()


def _told(sink: MemorySink) -> list[dict[str, Any]]:
    """Return what both ways are to agree on, in no order: parents come after their parts."""
    told = []
    for event in sink:
        properties = event["event_properties"]
        kind = event["event_type"].removeprefix("[Agent] ")
        if kind == "Session End" or properties.get("[Agent] Span Name") == "bot":
            continue
        facts = {name: properties.get(f"[Agent] {name}") for name in _SAME}
        if facts["Latency Ms"] is not None:
            facts["Latency Ms"] = round(facts["Latency Ms"])
        told.append({"kind": kind, "text": properties.get("$llm_message"), **facts})
    return sorted(told, key=repr)
