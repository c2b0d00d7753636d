"""`@tool` and `@observe`: functions that are tracked by being called."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ContentMode, MemorySink, observe, tool

from .expected import event, seen, span
from .expected import tool as tool_call

TOOK = pytest.approx(5_000, abs=5_000)


def test_a_tool_is_tracked_by_being_called(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool(amplitude=ai)
    def search_knowledge_base(query: str) -> str:
        """Search the knowledge base for relevant articles."""
        return "Found 3 results..."

    whose: Any = {"amplitude_user_id": "user-1"}
    assert search_knowledge_base(query="retention", **whose) == "Found 3 results..."
    assert seen(sink) == [
        tool_call(
            "search_knowledge_base",
            user_id="user-1",
            invocation_id="id-1",
            latency_ms=TOOK,
            tool_input='{"query":"retention"}',
            tool_output="Found 3 results...",
        )
    ]


async def test_an_asynchronous_tool_is_tracked_likewise(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool(amplitude=ai)
    async def fetch_user_profile(user_id: str) -> dict[str, str]:
        return {"id": user_id, "plan": "pro"}

    whose: Any = {"amplitude_user_id": "user-1"}
    assert await fetch_user_profile(user_id="u-123", **whose) == {"id": "u-123", "plan": "pro"}
    assert seen(sink) == [
        tool_call(
            "fetch_user_profile",
            user_id="user-1",
            invocation_id="id-1",
            latency_ms=TOOK,
            tool_input='{"user_id":"u-123"}',
            tool_output='{"id":"u-123","plan":"pro"}',
        )
    ]


def test_a_tool_joins_the_session_around(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    def search(query: str) -> int:
        return len(query)

    with ai.agent("bot").session("tool-1", user_id="u1") as s:
        s.track_user_message("Count this")
        assert search("this") == 4
    told = seen(sink)[1]
    assert told == tool_call(
        "search",
        user_id="u1",
        agent_id="bot",
        session_id="tool-1",
        trace_id="id-2",
        turn_id=2,
        invocation_id="id-3",
        parent_message_id="id-1",
        latency_ms=TOOK,
        tool_input='{"query":"this"}',
        tool_output="4",
    )


def test_an_observed_function_has_a_session_of_its_own(ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe(amplitude=ai)
    def summarize_document(text: str) -> str:
        return text.upper()

    assert summarize_document("long text") == "LONG TEXT"
    told, end = seen(sink)
    assert told == span(
        "summarize_document",
        device_id=told["device_id"],
        agent_id="summarize_document",
        session_id="id-1",
        span_id="id-2",
        trace_id="id-3",
        latency_ms=TOOK,
        input_state='{"text":"long text"}',
        output_state='{"value":"LONG TEXT"}',
    )
    assert end == event(
        "Session End",
        device_id=told["device_id"],
        agent_id="summarize_document",
        session_id="id-1",
        trace_id="id-3",
    )


async def test_observed_calls_inside_are_steps_of_one_session(ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe
    def step1(query: str) -> int:
        return len(query)

    @observe(name="custom-span-name")
    async def step2(query: str) -> int:
        return len(query)

    @observe(amplitude=ai, user_id="u1")
    async def pipeline(query: str) -> int:
        return step1(query) + await step2(query)

    assert await pipeline("abc") == 6
    first, second, whole, end = seen(sink)
    names = [one.get("Span Name") for one in (first, second, whole)]
    assert names == ["step1", "custom-span-name", "pipeline"]
    assert first["Parent Span ID"] == second["Parent Span ID"] == whole["Span ID"]
    assert (
        len({(one["Session ID"], one["Trace ID"], one["user_id"]) for one in (first, second, whole, end)})
        == 1
    )
    assert end["type"] == "Session End"


def test_a_failure_passes_through_and_is_told(ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe(amplitude=ai, user_id="u1")
    def fails() -> None:
        raise KeyError("missing")

    with pytest.raises(KeyError, match="missing"):
        fails()
    told = seen(sink)[0]
    assert [told["Is Error"], told["Error Type"], told["Error Message"]] == [True, "KeyError", "'missing'"]


def test_without_words_only_name_duration_and_error_are_told(sink: MemorySink) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=ContentMode.METADATA_ONLY))

    @observe(amplitude=ai, user_id="u1")
    def secret(text: str) -> str:
        return text

    secret("words")
    assert seen(sink)[0] == span(
        "secret",
        user_id="u1",
        agent_id="secret",
        session_id="id-1",
        span_id="id-2",
        trace_id="id-3",
        latency_ms=TOOK,
    )
