"""The usage examples: messages, tool calls, cost, implicit feedback, attachments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink, calculate_cost

from .expected import answer, event, seen, tool, user

ANSWERED: dict[str, Any] = {"model": "gpt-4o", "provider": "openai", "latency_ms": 300.0}


def test_messages_say_all_by_hand(ai: AmplitudeAI, sink: MemorySink) -> None:
    asked = ai.track_user_message(
        user_id="user-1",
        content="Check my billing status",
        session_id="usage-1",
        trace_id="trace-1",
        turn_id=1,
        agent_id="billing-agent",
        parent_agent_id="orchestrator",
        customer_org_id="cust-acme-123",
        env="production",
    )
    answered = ai.track_ai_message(
        user_id="user-1",
        content="Your balance is...",
        session_id="usage-1",
        trace_id="trace-1",
        model="gpt-4o",
        provider="openai",
        latency_ms=450.0,
        input_tokens=120,
        output_tokens=340,
        total_tokens=460,
        total_cost_usd=0.0023,
        turn_id=2,
        agent_id="support-agent",
        env="production",
        ttfb_ms=85.0,
    )
    ran = ai.track_tool_call(
        user_id="user-1",
        tool_name="search_docs",
        latency_ms=85.0,
        success=True,
        session_id="usage-1",
        trace_id="trace-1",
        turn_id=3,
        input={"query": "funnel setup"},
        output="Found 3 matching docs...",
        parent_message_id=answered,
        agent_id="support-agent",
        env="production",
    )
    assert [asked, answered, ran] == [
        sink.events[0]["event_properties"]["[Agent] Message ID"],
        sink.events[1]["event_properties"]["[Agent] Message ID"],
        sink.events[2]["event_properties"]["[Agent] Invocation ID"],
    ]
    within = {"user_id": "user-1", "session_id": "usage-1", "trace_id": "trace-1", "env": "production"}
    assert seen(sink) == [
        user(
            "Check my billing status",
            message_id="id-1",
            turn_id=1,
            message_source="agent",
            agent_id="billing-agent",
            parent_agent_id="orchestrator",
            customer_org_id="cust-acme-123",
            **within,
        ),
        answer(
            "Your balance is...",
            message_id="id-2",
            turn_id=2,
            latency_ms=450.0,
            ttfb_ms=85.0,
            input_tokens=120,
            output_tokens=340,
            total_tokens=460,
            cost_usd=0.0023,
            agent_id="support-agent",
            **within,
        ),
        tool(
            "search_docs",
            invocation_id="id-3",
            parent_message_id="id-2",
            turn_id=3,
            latency_ms=85.0,
            tool_input='{"query":"funnel setup"}',
            tool_output="Found 3 matching docs...",
            agent_id="support-agent",
            **within,
        ),
    ]


# Dollars a million tokens: input 3, read from the cache 0.3, written to it 3.75, output 15.
CACHED = (4500 * 0.3 + 500 * 3.75 + 200 * 15) / 1e6
WHOLE = (5000 * 3 + 200 * 15) / 1e6


@pytest.mark.parametrize(
    ("cache", "cost"),
    [({"cache_read_tokens": 4500, "cache_creation_tokens": 500}, CACHED), ({}, WHOLE)],
)
def test_cost_knows_what_came_from_the_providers_cache(
    cache: dict[str, Any], cost: float, ai: AmplitudeAI, sink: MemorySink
) -> None:
    ai.track_ai_message(
        user_id="user-1",
        content="Here's how to configure...",
        session_id="usage-2",
        model="claude-sonnet-4-20250514",
        provider="anthropic",
        latency_ms=800.0,
        input_tokens=5000,
        output_tokens=200,
        **cache,
    )
    (told,) = seen(sink)
    assert told["Cost USD"] == pytest.approx(cost, rel=1e-12)
    assert [told.get("Cache Read Tokens"), told.get("Cache Creation Tokens")] == [
        cache.get("cache_read_tokens"),
        cache.get("cache_creation_tokens"),
    ]


def test_a_cost_can_be_worked_out_beforehand(ai: AmplitudeAI, sink: MemorySink) -> None:
    cost = calculate_cost(
        model_name="claude-sonnet-4-20250514",
        input_tokens=5000,
        output_tokens=200,
        cache_read_input_tokens=4500,
        cache_creation_input_tokens=500,
    )
    assert cost == pytest.approx(CACHED, rel=1e-12)
    ai.track_ai_message("user-1", "Hi", "usage-2", "our-gateway/sonnet", "acme", 1.0, total_cost_usd=cost)
    assert seen(sink)[0]["Cost USD"] == cost


def test_what_users_do_with_an_answer_is_told(ai: AmplitudeAI, sink: MemorySink) -> None:
    question = "How do I create a funnel?"
    first = ai.track_user_message(user_id="u1", content=question, session_id="usage-3")
    ai.track_ai_message("u1", "To create a funnel, go to...", "usage-3", **ANSWERED, was_copied=True)
    ai.track_user_message(user_id="u1", content=question, session_id="usage-3", is_regeneration=True)
    ai.track_user_message(
        user_id="u1",
        content="How do I create a conversion funnel for signups?",
        session_id="usage-3",
        is_edit=True,
        edited_message_id=first,
    )
    ai.track_session_end(user_id="u1", session_id="usage-3", abandonment_turn=1)
    own = {"user_id": "u1", "session_id": "usage-3"}
    assert seen(sink) == [
        user(question, message_id="id-1", turn_id=1, **own),
        answer(
            "To create a funnel, go to...",
            message_id="id-2",
            turn_id=2,
            latency_ms=300.0,
            was_copied=True,
            **own,
        ),
        user(question, message_id="id-3", turn_id=3, is_regeneration=True, **own),
        user(
            "How do I create a conversion funnel for signups?",
            message_id="id-4",
            turn_id=4,
            is_edit=True,
            edited_message_id="id-1",
            **own,
        ),
        event("Session End", abandonment_turn=1, **own),
    ]


IMAGE = {
    "type": "image",
    "name": "error_screenshot.png",
    "url": "https://cdn.example.com/uploads/error_screenshot.png",
    "mime_type": "image/png",
}
PDF = {
    "type": "pdf",
    "name": "vendor_agreement_v3.pdf",
    "url": "https://docs.internal.example.com/contracts/vendor_agreement_v3.pdf",
    "mime_type": "application/pdf",
    "page_count": 23,
    "department": "legal",
}
CSV = {"type": "csv", "name": "sales_2025.csv", "url": "https://s3.example.com/data/sales_2025.csv"}
ATTACHED: list[tuple[list[dict[str, Any]], list[str]]] = [
    ([IMAGE], ["image"]),
    ([PDF], ["pdf"]),
    ([CSV, {**CSV, "name": "sales_2024.csv"}, IMAGE], ["csv", "image"]),
]


@pytest.mark.parametrize(("attachments", "kinds"), ATTACHED)
def test_attachments_are_told_on_both_sides(
    attachments: list[dict[str, Any]], kinds: list[str], ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("bot").session(user_id="u1", track_session_end=False) as s:
        s.track_user_message(content="See these", attachments=attachments)
        s.track_ai_message(content="See those", **ANSWERED, attachments=attachments)
    for told in seen(sink):
        assert (told["Has Attachments"], told["Attachment Count"]) == (True, len(attachments))
        assert told["Attachment Types"] == kinds
        assert json.loads(told["Attachments"]) == attachments
