"""Core concepts and the three integration patterns: one code path, many requests, many agents."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink, OpenAI
from tests.fakes.openai_server import TEXT, OpenAIServer

from .expected import COUNTED, answer, event, score, seen, tool, user


def test_one_code_path_is_one_session(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("support-bot", env="production")
    with agent.session(user_id="user-1") as s:
        trace = s.new_trace()
        s.track_user_message(content="What is retention?")
        answered = s.track_ai_message(
            content="Retention measures...",
            model="gpt-4o",
            provider="openai",
            latency_ms=350.0,
            input_tokens=50,
            output_tokens=200,
        )
        s.score(name="helpful", value=1.0, target_id=answered)
        assert s.trace_id == trace
    bound = {"user_id": "user-1", "agent_id": "support-bot", "env": "production", "session_id": "id-2"}
    within = {**bound, "trace_id": "id-3"}
    assert seen(sink) == [
        user("What is retention?", message_id="id-1", turn_id=1, **within),
        answer(
            "Retention measures...",
            message_id="id-4",
            turn_id=2,
            latency_ms=350.0,
            input_tokens=50,
            output_tokens=200,
            total_tokens=250,
            cost_usd=pytest.approx((50 * 2.5 + 200 * 10) / 1e6),
            **within,
        ),
        score("helpful", 1.0, "id-4", **within),
        event("Session End", **within),
    ]


def test_the_session_ends_on_an_exception_too(ai: AmplitudeAI, sink: MemorySink) -> None:
    with suppress(KeyError), ai.agent("support-bot").session("s-1", user_id="user-1") as s:
        s.track_user_message("Hello")
        raise KeyError
    end = event("Session End", user_id="user-1", agent_id="support-bot", session_id="s-1", trace_id="id-2")
    failure = {"Is Error": True, "Error Type": "KeyError", "Abandonment Turn": 0}
    assert seen(sink)[-1] == {**end, **failure}


def test_a_conversation_of_many_requests_needs_no_block(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("support-bot", user_id="user-1", env="production", session_id="thread-abc")
    agent.track_user_message(content="What is retention?", trace_id="req-1", turn_id=1)
    agent.track_ai_message(
        content="Retention measures...",
        model="gpt-4o",
        provider="openai",
        latency_ms=350.0,
        trace_id="req-1",
        turn_id=2,
    )
    agent.track_user_message(content="Show me an example", trace_id="req-2", turn_id=1)
    agent.track_ai_message(
        content="Here's a retention chart...",
        model="gpt-4o",
        provider="openai",
        latency_ms=200.0,
        trace_id="req-2",
        turn_id=2,
    )
    agent.track_session_end()
    bound = {"user_id": "user-1", "agent_id": "support-bot", "env": "production", "session_id": "thread-abc"}
    first, second = {**bound, "trace_id": "req-1"}, {**bound, "trace_id": "req-2"}
    assert seen(sink) == [
        user("What is retention?", message_id="id-1", turn_id=1, **first),
        answer("Retention measures...", message_id="id-2", turn_id=2, latency_ms=350.0, **first),
        user("Show me an example", message_id="id-3", turn_id=1, **second),
        answer("Here's a retention chart...", message_id="id-4", turn_id=2, latency_ms=200.0, **second),
        event("Session End", **bound),
    ]


def test_turns_of_a_conversation_rise_by_themselves(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("support-bot", user_id="user-1", session_id="thread-turns")
    for text in ("one", "two"):
        agent.track_user_message(text)
        agent.track_ai_message(text, "gpt-4o", "openai", 1.0)
    assert [one["Turn ID"] for one in seen(sink)] == [1, 2, 3, 4]


def test_an_orchestrator_lends_its_session_to_its_children(
    ai: AmplitudeAI, sink: MemorySink, client: OpenAI, fake: OpenAIServer
) -> None:
    orchestrator = ai.agent("orchestrator", env="production")
    researcher = orchestrator.child("researcher")
    writer = orchestrator.child("writer")
    assert researcher.parent_agent_id == "orchestrator"

    def ask(text: str) -> str:
        messages: Any = [{"role": "user", "content": text}]
        return str(
            client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content
        )

    with orchestrator.session(user_id="u1") as s:
        s.track_user_message(content="Compare our pricing to competitors")
        with s.run_as(researcher) as rs:
            found = ask("Research competitor pricing")
            rs.track_tool_call(tool_name="web_search", latency_ms=500, success=True)
        with s.run_as(writer):
            ask(f"Write summary: {found}")
        s.track_ai_message("Based on research...", "gpt-4o", "openai", latency_ms=500)
    assert len(fake.requests) == 2
    own = {"user_id": "u1", "env": "production", "session_id": "id-2", "trace_id": "id-3"}
    by_orchestrator = {**own, "agent_id": "orchestrator"}
    by_researcher = {**own, "agent_id": "researcher", "parent_agent_id": "orchestrator"}
    by_writer = {**own, "agent_id": "writer", "parent_agent_id": "orchestrator"}
    assert seen(sink) == [
        user("Compare our pricing to competitors", message_id="id-1", turn_id=1, **by_orchestrator),
        answer(TEXT, message_id="id-4", turn_id=2, **COUNTED, **by_researcher),
        tool(
            "web_search",
            invocation_id="id-5",
            parent_message_id="id-1",
            turn_id=3,
            latency_ms=500,
            **by_researcher,
        ),
        answer(TEXT, message_id="id-6", turn_id=4, **COUNTED, **by_writer),
        answer("Based on research...", message_id="id-7", turn_id=5, latency_ms=500, **by_orchestrator),
        event("Session End", **by_orchestrator),
    ]


async def test_children_nest_and_what_was_before_comes_back(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("top")
    child = agent.child("child")
    grandchild = child.child("grandchild")
    async with agent.session(user_id="u1") as s:
        async with s.arun_as(child) as cs:
            with suppress(KeyError), cs.run_as(grandchild) as gs:
                gs.track_span("deepest", 1.0)
                raise KeyError
            cs.track_span("deeper", 1.0)
        s.track_span("top", 1.0)
    assert [(one.get("Agent ID"), one.get("Parent Agent ID")) for one in seen(sink)] == [
        ("grandchild", "child"),
        ("child", "top"),
        ("top", None),
        ("top", None),
    ]


def test_the_event_shown_as_an_example_can_be_said(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_ai_message(
        user_id="user-42",
        session_id="sess-abc-123",
        trace_id="trace-7f3a",
        turn_id=2,
        message_id="msg-9e2f-4a1b",
        model="claude-sonnet-4-20250514",
        provider="anthropic",
        latency_ms=1240.5,
        ttfb_ms=89.3,
        input_tokens=4850,
        output_tokens=312,
        cache_read_tokens=4200,
        total_cost_usd=0.0019,
        finish_reason="end_turn",
        is_streaming=True,
        temperature=0.7,
        agent_id="support-bot",
        agent_version="v4.2",
        env="production",
        context={"experiment_variant": "prompt-v2", "surface": "chat"},
        was_copied=True,
    )
    (only,) = sink.events
    assert only["event_properties"]["[Agent] Runtime"] == "python"
    assert seen([only]) == [
        {
            "type": "AI Response",
            "user_id": "user-42",
            "Session ID": "sess-abc-123",
            "Trace ID": "trace-7f3a",
            "Turn ID": 2,
            "Message ID": "msg-9e2f-4a1b",
            "Model Name": "claude-sonnet-4-20250514",
            "Model Tier": "standard",
            "Provider": "anthropic",
            "Latency Ms": 1240.5,
            "TTFB Ms": 89.3,
            "Input Tokens": 4850,
            "Output Tokens": 312,
            "Total Tokens": 5162,
            "Cache Read Tokens": 4200,
            "Cost USD": 0.0019,
            "Finish Reason": "end_turn",
            "Is Streaming": True,
            "Temperature": 0.7,
            "Agent ID": "support-bot",
            "Agent Version": "v4.2",
            "Env": "production",
            "Context": '{"experiment_variant":"prompt-v2","surface":"chat"}',
            "Was Copied": True,
            "Is Error": False,
            "Component Type": "llm",
        }
    ]
