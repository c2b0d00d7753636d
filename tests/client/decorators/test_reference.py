"""What the specification shows, and what the commercial SDK sends, with the imports of this package."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.decorators import observe, tool

from ...events import told

U = "user-1234"


def test_a_tool_is_tracked_with_the_user_of_the_call(ai: AmplitudeAI, sink: MemorySink) -> None:
    amplitude = ai.amplitude

    @tool(amplitude=amplitude)
    def search_knowledge_base(query: str) -> str:
        """Search the knowledge base for relevant articles."""
        return "Found 3 results..."

    @tool(amplitude=amplitude)
    async def fetch_user_profile(user_id: str) -> dict[str, str]:
        """Fetch user profile from the API."""
        return {"id": user_id}

    result = search_knowledge_base(query="retention", amplitude_user_id="user-1")
    profile = asyncio.run(fetch_user_profile(user_id="u-123", amplitude_user_id="user-1"))
    assert (result, profile) == ("Found 3 results...", {"id": "u-123"})
    common = {"type": "Tool Call", "user_id": "user-1", "Component Type": "tool", "Tool Success": True}
    assert [{**event, "Latency Ms": 0} for event in told(sink.events)] == [
        {
            **common,
            "Is Error": False,
            "Latency Ms": 0,
            "Invocation ID": "id-1",
            "Tool Name": "search_knowledge_base",
            "Tool Input": '{"query":"retention"}',
            "Tool Output": "Found 3 results...",
        },
        {
            **common,
            "Is Error": False,
            "Latency Ms": 0,
            "Invocation ID": "id-2",
            "Tool Name": "fetch_user_profile",
            "Tool Input": '{"user_id":"u-123"}',
            "Tool Output": '{"id":"u-123"}',
        },
    ]


def test_a_step_is_tracked_where_there_is_one_client(ai: AmplitudeAI, sink: MemorySink) -> None:
    def chunk_text(text: str) -> list[str]:
        return text.split()

    @observe
    def summarize_document(text: str) -> str:
        """Summarize a document using an LLM pipeline."""
        return " ".join(chunk[0] for chunk in chunk_text(text))

    assert summarize_document("long text") == "l t"
    span, end = told(sink.events)
    assert (span["Span Name"], span["Input State"]) == ("summarize_document", '{"text":"long text"}')
    assert (span["Output State"], end["Session ID"]) == ('{"value":"l t"}', span["Session ID"])


def test_the_reference_scenario_differs_only_where_we_know_more(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    def search(q: str, n: int = 3) -> dict[str, list[str]]:
        return {"hits": [q] * n}

    @tool(name="bad", input_schema=True)
    def bad(x: int) -> None:
        raise ValueError("bad bob@example.com")

    @observe(name="pipeline")
    def pipe(q: str) -> dict[str, bool]:
        search(q, n=2)
        with pytest.raises(ValueError, match="bad"):
            bad(1)
        return {"done": True}

    with ai.agent("bot").session(user_id=U):
        pipe("hello")
    shared = {"user_id": U, "Agent ID": "bot", "Session ID": "id-3", "Trace ID": "id-2"}
    call: dict[str, Any] = {"type": "Tool Call", "Component Type": "tool", "Latency Ms": 0, **shared}
    events = [
        {**event, **({"Latency Ms": 0} if "Latency Ms" in event else {})} for event in told(sink.events)
    ]
    assert events == [
        {
            **call,
            "Invocation ID": "id-1",
            "Tool Name": "search",
            "Tool Input": '{"q":"hello","n":2}',
            "Tool Output": '{"hits":["hello","hello"]}',
            "Tool Success": True,
            "Is Error": False,
            "Turn ID": 1,
        },
        {
            **call,
            "Invocation ID": "id-4",
            "Tool Name": "bad",
            "Tool Input": '{"x":1}',
            "Tool Input Schema": '{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}',
            "Tool Success": False,
            "Is Error": True,
            "Error Message": "bad [email]",
            "Turn ID": 2,
            "Error Type": "ValueError",  # theirs leaves out what kind of error, and whose it was
            "Error Source": "tool",
        },
        {
            "type": "Span",
            **shared,
            "Span ID": "id-5",
            "Span Name": "pipeline",
            "Input State": '{"q":"hello"}',
            "Output State": '{"done":true}',
            "Is Error": False,
            "Latency Ms": 0,
        },
        {"type": "Session End", **shared},
    ]
