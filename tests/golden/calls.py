"""The calls behind the recorded events, as far as they are made by hand; a function a scenario, named so."""

from __future__ import annotations

from typing import Any

from amplitude_ai_integrations import (
    AmplitudeAI,
    MessageLabel,
    SessionEnrichments,
    track_conversation,
)

USER = "user-1234"
DEVICE = "device-1234"


def user_message_rich(ai: AmplitudeAI) -> None:
    ai.track_user_message(
        USER,
        "How do I set up a funnel? mail bob@example.com",
        "sess-1",
        trace_id="trace-1",
        turn_id=1,
        message_id="msg-1",
        agent_id="support",
        parent_agent_id="orch",
        customer_org_id="acme",
        agent_version="v4.2",
        description="Handles support",
        context={"experiment_variant": "b", "n": 1, "nested": {"k": ["v"]}},
        env="production",
        is_regeneration=True,
        is_edit=True,
        edited_message_id="msg-0",
        idle_timeout_minutes=240,
        event_properties={"plan": "pro"},
        groups={"company": "acme"},
        device_id=DEVICE,
        browser_session_id="1700000000000",
    )


def user_message_attachments(ai: AmplitudeAI) -> None:
    image = {"type": "image", "name": "a.png", "url": "https://cdn.example.com/a.png"}
    attachments = [
        {**image, "mime_type": "image/png", "size_bytes": 1200},
        {"type": "pdf", "name": "b.pdf", "page_count": 23, "size_bytes": "x", "owner": "bob@example.com"},
    ]
    ai.track_user_message(USER, "see files", "sess-1", attachments=attachments)


def user_message_labels_lowlevel(ai: AmplitudeAI) -> None:
    labels = [MessageLabel("intent", "how_to", 0.94), MessageLabel("flow", "onboarding")]
    ai.track_user_message(USER, "labelled", "sess-1", labels=labels)


def ai_message_rich(ai: AmplitudeAI) -> None:
    arguments = '{"email": "bob@example.com", "phone": 4155552671}'
    schema = {"type": "object", "properties": {"q": {"type": "string"}}}
    ai.track_ai_message(
        USER,
        "To create a funnel...",
        "sess-1",
        "gpt-4o",
        "openai",
        450.5,
        input_tokens=120,
        output_tokens=340,
        reasoning_tokens=12,
        total_tokens=460,
        finish_reason="stop",
        tool_calls=[
            {"type": "function", "id": "call_1", "function": {"name": "search", "arguments": arguments}}
        ],
        reasoning_content="think",
        tool_definitions=[
            {"type": "function", "function": {"name": "search", "description": "d", "parameters": schema}}
        ],
        system_prompt="You are helpful",
        temperature=0.7,
        max_output_tokens=100,
        top_p=0.9,
        is_streaming=True,
        prompt_id="p1",
        was_copied=True,
        was_cached=True,
        attachments=[{"type": "image", "name": "c.png"}],
        trace_id="trace-1",
        turn_id=2,
        message_id="msg-2",
        agent_id="support",
        agent_version="v4.2",
        env="production",
        ttfb_ms=85.0,
        context={"surface": "chat"},
        provider_request_id="chatcmpl-9",
        groups={"company": "acme"},
    )


def ai_message_unknown_model(ai: AmplitudeAI) -> None:
    ai.track_ai_message(USER, "x", "sess-1", "my-own-model", "acme", 1.0, input_tokens=10, output_tokens=10)


def ai_message_explicit_cost_tier(ai: AmplitudeAI) -> None:
    ai.track_ai_message(
        USER, "x", "sess-1", "gpt-4o", "openai", 1.0, total_cost_usd=0.0023, model_tier="reasoning"
    )


def tool_call_rich(ai: AmplitudeAI) -> None:
    ai.track_tool_call(
        USER,
        "search_docs",
        85.0,
        True,
        tool_type="mcp",
        tool_owner="customer",
        session_id="sess-1",
        trace_id="trace-1",
        turn_id=3,
        invocation_id="inv-1",
        input={"query": "funnel", "contact": {"emails": ["bob@example.com"]}},
        output={"hits": 3, "text": "call 415-555-2671"},
        parent_message_id="msg-2",
        agent_id="support",
        env="production",
    )


def embedding(ai: AmplitudeAI) -> None:
    ai.track_embedding(
        USER,
        "text-embedding-3-small",
        "openai",
        25.0,
        input_tokens=45,
        dimensions=1536,
        total_cost_usd=0.00001,
        session_id="sess-1",
        trace_id="trace-1",
    )


def span_rich(ai: AmplitudeAI) -> None:
    ai.track_span(
        USER,
        "vector_search",
        "trace-1",
        120.0,
        input_state={"query": "funnel setup", "top_k": 10},
        output_state={"results_count": 3},
        session_id="sess-1",
        parent_span_id="sp-0",
        event_properties={"plan": "enterprise"},
    )


def span_replay_id(ai: AmplitudeAI) -> None:
    failure: Any = {"is_error": True, "error_message": "x", "error_type": "E"}
    ai.track_span(
        USER,
        "op",
        "t",
        1.0,
        session_id="sess-1",
        span_id="fixed-span",
        timestamp_ms=1700000000123,
        **failure,
    )


def session_end_plain(ai: AmplitudeAI) -> None:
    ai.track_session_end(USER, "sess-1")


def score_message(ai: AmplitudeAI) -> None:
    ai.score(
        USER,
        "user-feedback",
        1.0,
        "msg-2",
        target_type="message",
        source="user",
        comment="great, bob@example.com",
        session_id="sess-1",
        provider_request_id="chatcmpl-9",
    )


def agent_session_full(ai: AmplitudeAI) -> None:
    agent = ai.agent(
        "support-bot",
        description="desc",
        agent_version="v4.2",
        env="production",
        context={"surface": "chat"},
        customer_org_id="acme",
        groups={"company": "acme"},
    )
    with agent.session(
        "sess-9",
        user_id=USER,
        device_id=DEVICE,
        browser_session_id="1700000000000",
        idle_timeout_minutes=-1,
        tags=["a", "b"],
    ) as session:
        session.new_trace()
        message = session.track_user_message("hello")
        session.track_tool_call("search", 5.0, True, parent_message_id=message)
        answer = session.track_ai_message("hi", "gpt-4o", "openai", 5.0, input_tokens=5, output_tokens=5)
        session.track_embedding("text-embedding-3-small", "openai", 1.0, input_tokens=5)
        session.track_span("rag", 1.0)
        session.score("ok", 1.0, answer)
        session.set_enrichments(SessionEnrichments(overall_outcome="response_provided"))


def session_no_end_event(ai: AmplitudeAI) -> None:
    with ai.agent("b").session("x", user_id=USER, track_session_end=False) as session:
        session.track_user_message("hello")


def tenant(ai: AmplitudeAI) -> None:
    acme = ai.tenant("acme-corp", groups={"company": "acme-corp"}, env="production")
    acme.agent("bot", user_id=USER).track_user_message("hi", session_id="s")


def conversation_lowlevel(ai: AmplitudeAI) -> None:
    answer = {"role": "assistant", "content": "yo", "model": "gpt-4o", "provider": "openai", "latency_ms": 3}
    messages: list[Any] = [
        {"role": "system", "content": "x"},
        {"role": "user", "content": "hi"},
        answer,
        {"role": "tool", "name": "t", "content": "out"},
    ]
    track_conversation(ai.amplitude, user_id=USER, session_id="s", messages=messages)


def run_cost(ai: AmplitudeAI) -> None:
    with ai.agent("bot").session("s", user_id=USER) as session:
        session.track_ai_message("x", "gpt-4o", "openai", 1.0, input_tokens=100, output_tokens=10)
        session.track_run_cost(0.5, 1000, 100, "gpt-4o", "openai")
