"""Embeddings and spans, and the recipes made of them: actions, guardrails, retrieval."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink, Session

from .expected import event, seen, span


def test_embeddings_and_spans_are_told_whole(ai: AmplitudeAI, sink: MemorySink) -> None:
    embedded = ai.track_embedding(
        user_id="user-1",
        model="text-embedding-3-small",
        provider="openai",
        latency_ms=25.0,
        input_tokens=45,
        dimensions=1536,
        total_cost_usd=0.00001,
        session_id="usage-4",
    )
    searched = ai.track_span(
        user_id="user-1",
        span_name="vector_search",
        trace_id="trace-1",
        latency_ms=120.0,
        input_state={"query": "funnel setup", "top_k": 10},
        output_state={"results_count": 3},
        session_id="usage-4",
    )
    ids = [one["event_properties"]["[Agent] Span ID"] for one in sink]
    assert ids == [embedded, searched]
    own = {"user_id": "user-1", "session_id": "usage-4"}
    assert seen(sink) == [
        event(
            "Embedding",
            span_id="id-1",
            model_name="text-embedding-3-small",
            provider="openai",
            latency_ms=25.0,
            input_tokens=45,
            embedding_dimensions=1536,
            cost_usd=0.00001,
            is_error=False,
            **own,
        ),
        span(
            "vector_search",
            span_id="id-2",
            trace_id="trace-1",
            latency_ms=120.0,
            input_state='{"query":"funnel setup","top_k":10}',
            output_state='{"results_count":3}',
            **own,
        ),
    ]


RECIPES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {
            "span_name": "subscription_check",
            "latency_ms": 45.0,
            "output_state": "active",
            "event_properties": {"plan": "enterprise", "seats": 50},
        },
        {
            **span("subscription_check", latency_ms=45.0, output_state="active"),
            "plan": "enterprise",
            "seats": 50,
        },
    ),
    (
        {
            "span_name": "issue_refund",
            "latency_ms": 340.0,
            "input_state": {"order_id": "ord-789", "amount": 49.99},
            "output_state": {"transaction_id": "txn_abc", "success": True},
        },
        span(
            "issue_refund",
            latency_ms=340.0,
            input_state='{"order_id":"ord-789","amount":49.99}',
            output_state='{"transaction_id":"txn_abc","success":true}',
        ),
    ),
    (
        {
            "span_name": "send_email",
            "latency_ms": 120.0,
            "input_state": {"template": "refund_confirmation", "recipient": "user@example.com"},
            "output_state": {"message_id": "sg-456", "success": True},
        },
        span(
            "send_email",
            latency_ms=120.0,
            input_state='{"template":"refund_confirmation","recipient":"[email]"}',
            output_state='{"message_id":"sg-456","success":true}',
        ),
    ),
    (
        {
            "span_name": "create_ticket",
            "latency_ms": 2100.0,
            "is_error": True,
            "error_message": "Zendesk API rate limited",
            "input_state": {"subject": "Refund follow-up"},
        },
        span(
            "create_ticket",
            latency_ms=2100.0,
            is_error=True,
            error_message="Zendesk API rate limited",
            input_state='{"subject":"Refund follow-up"}',
        ),
    ),
    (
        {
            "span_name": "content_filter",
            "latency_ms": 15.0,
            "input_state": {"check": "prompt_injection"},
            "output_state": {"blocked": True, "reason": "injection_detected"},
            "is_error": True,
            "error_message": "Prompt injection detected -- blocked",
        },
        span(
            "content_filter",
            latency_ms=15.0,
            input_state='{"check":"prompt_injection"}',
            output_state='{"blocked":true,"reason":"injection_detected"}',
            is_error=True,
            error_message="Prompt injection detected -- blocked",
        ),
    ),
    (
        {
            "span_name": "sub-agent-execution",
            "latency_ms": 12.0,
            "is_error": True,
            "error_type": "TimeoutError",
            "error_message": "too late",
        },
        span(
            "sub-agent-execution",
            latency_ms=12.0,
            is_error=True,
            error_type="TimeoutError",
            error_message="too late",
        ),
    ),
]


@pytest.fixture
def session(ai: AmplitudeAI) -> Session:
    return ai.agent("bot").session(user_id="u1")


@pytest.mark.parametrize(("given", "told"), RECIPES, ids=lambda value: value.get("span_name"))
def test_actions_of_any_kind_are_spans(
    given: dict[str, Any], told: dict[str, Any], session: Session, sink: MemorySink
) -> None:
    session.track_span(**given)
    within = event("Span", user_id="u1", agent_id="bot", session_id="id-1", span_id="id-2", trace_id="id-3")
    assert seen(sink) == [{**within, **told}]


def test_a_retrieval_is_one_tree(session: Session, sink: MemorySink) -> None:
    rag = session.track_span(span_name="rag_pipeline", latency_ms=280.0)
    session.track_embedding(
        model="text-embedding-3-small", provider="openai", input_tokens=8, latency_ms=45.0
    )
    session.track_span(
        span_name="vector_search",
        latency_ms=90.0,
        parent_span_id=rag,
        input_state={"query": "billing setup", "top_k": 10},
        output_state={"results_count": 5, "best_score": 0.94},
    )
    session.track_span(
        span_name="rerank",
        latency_ms=60.0,
        parent_span_id=rag,
        input_state={"candidates": 5},
        output_state={"kept": 3},
    )
    pipeline, embedded, searched, reranked = seen(sink)
    assert [pipeline.get("Parent Span ID"), searched["Parent Span ID"], reranked["Parent Span ID"]] == [
        None,
        pipeline["Span ID"],
        pipeline["Span ID"],
    ]
    assert embedded["Cost USD"] == pytest.approx(8 * 0.02 / 1e6)
    assert {one["Trace ID"] for one in (embedded, searched, reranked)} == {pipeline["Trace ID"]}
