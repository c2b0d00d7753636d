"""Bound agents, their children and tenants, their sessions, and the context they carry."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from amplitude_ai_integrations import (
    AmplitudeAI,
    MemorySink,
    OpenAI,
    SessionEnrichments,
)

from .expected import answer, event, score, seen, span, user

ANSWERED: dict[str, Any] = {"model": "gpt-4o", "provider": "openai", "latency_ms": 200.0}


def test_a_bound_agent_fills_in_what_it_was_given(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent(
        "support-bot",
        description="Handles customer support queries via OpenAI GPT-4o",
        user_id="user-1",
        agent_version="v4.2",
        env="production",
        context={"experiment_variant": "prompt-v2-treatment", "prompt_revision": "abc123"},
    )
    agent.track_user_message(content="How do I set up a funnel?", session_id="bound-1")
    answered = agent.track_ai_message(
        content="To create a funnel...",
        session_id="bound-1",
        model="gpt-4o",
        provider="openai",
        latency_ms=450.0,
        input_tokens=120,
        output_tokens=340,
    )
    agent.score(name="user-feedback", value=1.0, target_id=answered)
    agent.track_ai_message("Elsewhere", **ANSWERED, session_id="bound-2", agent_id="override-agent")
    own = {
        "user_id": "user-1",
        "agent_description": "Handles customer support queries via OpenAI GPT-4o",
        "agent_version": "v4.2",
        "env": "production",
        "context": '{"experiment_variant":"prompt-v2-treatment","prompt_revision":"abc123"}',
    }
    within = {**own, "agent_id": "support-bot", "session_id": "bound-1"}
    *told, elsewhere = seen(sink)
    assert told == [
        user("How do I set up a funnel?", message_id="id-1", turn_id=1, **within),
        answer(
            "To create a funnel...",
            message_id="id-2",
            turn_id=2,
            latency_ms=450.0,
            input_tokens=120,
            output_tokens=340,
            total_tokens=460,
            cost_usd=0.0037,
            **within,
        ),
        score("user-feedback", 1.0, "id-2", **within),
    ]
    assert (elsewhere["Agent ID"], elsewhere["Env"]) == ("override-agent", "production")


def test_children_inherit_and_name_their_parent(ai: AmplitudeAI, sink: MemorySink) -> None:
    orchestrator = ai.agent(
        "orchestrator",
        env="production",
        session_id="s-1",
        trace_id="t-1",
        groups={"company": "acme"},
        context={"experiment_variant": "treatment", "surface": "chat"},
    )
    researcher = orchestrator.child("researcher", context={"agent_type": "retriever"})
    executor = researcher.child("executor", context={"surface": "search"})
    assert (researcher.agent_id, researcher.parent_agent_id) == ("researcher", "orchestrator")
    assert (researcher.env, executor.parent_agent_id) == ("production", "researcher")
    assert researcher.context == {
        "experiment_variant": "treatment",
        "surface": "chat",
        "agent_type": "retriever",
    }
    executor.track_span("lookup", 1.0, user_id="u1")
    (told,) = seen(sink)
    assert json.loads(told.pop("Context")) == {
        "experiment_variant": "treatment",
        "surface": "search",
        "agent_type": "retriever",
    }
    assert told == span(
        "lookup",
        latency_ms=1.0,
        span_id="id-1",
        user_id="u1",
        groups={"company": "acme"},
        agent_id="executor",
        parent_agent_id="researcher",
        env="production",
        session_id="s-1",
        trace_id="t-1",
    )


def test_a_session_makes_its_id_and_ends_with_enrichments(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("support-bot", user_id="u1").session() as s:
        first = s.new_trace()
        s.track_user_message(content="First question")
        s.track_ai_message(content="Answer 1", **ANSWERED)
        second = s.new_trace()
        s.track_user_message(content="Follow-up question")
        s.track_ai_message(content="Answer 2", **ANSWERED)
        s.set_enrichments(SessionEnrichments(overall_outcome="response_provided"))
    properties = [one["event_properties"] for one in sink]
    assert {one["[Agent] Session ID"] for one in properties} == {s.session_id}
    assert [one["[Agent] Trace ID"] for one in properties] == [first, first, second, second, second]
    assert json.loads(properties[-1]["[Agent] Enrichments"])["overall_outcome"] == "response_provided"
    assert sink.events[-1]["event_type"] == "[Agent] Session End"


async def test_an_asynchronous_session_takes_an_id(ai: AmplitudeAI, sink: MemorySink) -> None:
    async with ai.agent("support-bot", env="prod").session("sess-1", user_id="u1") as s:
        s.new_trace()
        await asyncio.sleep(0)
        s.track_span("step", 1.0)
    assert [(one["type"], one["Session ID"]) for one in seen(sink)] == [
        ("Span", "sess-1"),
        ("Session End", "sess-1"),
    ]


def test_context_is_on_every_event_of_the_agent(ai: AmplitudeAI, sink: MemorySink, client: OpenAI) -> None:
    context = {
        "experiment_variant": "treatment",
        "feature_flags": {"rag_v2": True},
        "prompt_revision": "abc123",
    }
    agent = ai.agent("support-bot", user_id="u1", env="production", context=context)
    with agent.session() as s:
        s.track_user_message(content="How do I set up billing?")
        messages: Any = [{"role": "user", "content": "How do I set up billing?"}]
        client.chat.completions.create(model="gpt-4o", messages=messages)
        s.track_tool_call("lookup", 1.0, True)
    told = [one["event_properties"]["[Agent] Context"] for one in sink]
    assert [json.loads(text) for text in told] == [context] * 4


def test_a_child_works_in_a_session_of_its_own(ai: AmplitudeAI, sink: MemorySink) -> None:
    orchestrator = ai.agent("orchestrator", agent_version="v4.2", env="prod", customer_org_id="acme-123")
    with orchestrator.child("billing-agent").session(user_id="u1") as s:
        s.new_trace()
        s.track_user_message(content="Check my billing status")
        s.track_ai_message(content="Your balance is...", **ANSWERED)
    within = {
        "user_id": "u1",
        "agent_id": "billing-agent",
        "parent_agent_id": "orchestrator",
        "agent_version": "v4.2",
        "env": "prod",
        "customer_org_id": "acme-123",
        "session_id": "id-2",
        "trace_id": "id-3",
    }
    assert seen(sink) == [
        user("Check my billing status", message_id="id-1", turn_id=1, message_source="agent", **within),
        answer("Your balance is...", message_id="id-4", turn_id=2, latency_ms=200.0, **within),
        event("Session End", **within),
    ]


def test_a_tenants_agents_carry_its_organization(ai: AmplitudeAI, sink: MemorySink) -> None:
    tenant = ai.tenant("acme-corp", groups={"company": "acme-corp"}, env="production")
    tenant.agent("support-bot", user_id="u1").track_user_message("Hi", session_id="tenant-1")
    tenant.agent("billing-bot", user_id="u1", env="staging").track_user_message("Hi", session_id="tenant-2")
    own = {"user_id": "u1", "groups": {"company": "acme-corp"}, "customer_org_id": "acme-corp", "turn_id": 1}
    support = {"agent_id": "support-bot", "env": "production", "session_id": "tenant-1"}
    billing = {"agent_id": "billing-bot", "env": "staging", "session_id": "tenant-2"}
    assert seen(sink) == [
        user("Hi", message_id="id-1", **own, **support),
        user("Hi", message_id="id-2", **own, **billing),
    ]
