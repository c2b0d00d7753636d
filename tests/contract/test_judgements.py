"""Links between events, scores, labels, and enrichments: what is said about a conversation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplitude_ai_integrations import (
    AmplitudeAI,
    EvidenceQuote,
    MemorySink,
    MessageLabel,
    RubricScore,
    SessionEnrichments,
    TopicClassification,
)

from .expected import answer, event, score, seen, span, tool, user

ANSWERED: dict[str, Any] = {"model": "gpt-4o", "provider": "openai", "latency_ms": 300.0}


def test_returned_ids_link_the_events_of_a_session(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("support-bot", env="prod").session("linked", user_id="u1") as s:
        s.new_trace()
        asked = s.track_user_message(content="Explain funnels")
        ran = s.track_tool_call(
            tool_name="search_docs", latency_ms=85.0, success=True, parent_message_id=asked
        )
        answered = s.track_ai_message(content="A funnel measures conversion...", **ANSWERED)
        nothing: list[object] = [s.score(name="user-feedback", value=1.0, target_id=answered)]
        parent = s.track_span(span_name="rag_pipeline", latency_ms=200.0)
        child = s.track_span(span_name="vector_search", latency_ms=50.0, parent_span_id=parent)
        embedded = s.track_embedding("text-embedding-3-small", "openai", latency_ms=25.0)
    nothing += [
        ai.track_session_end("u1", "linked-2"),
        ai.track_session_enrichment("u1", "linked-2", SessionEnrichments()),
    ]
    assert nothing == [None] * 3
    assert len({asked, ran, answered, parent, child, embedded}) == 6
    own = {"user_id": "u1", "agent_id": "support-bot", "env": "prod", "session_id": "linked"}
    within = {**own, "trace_id": "id-2"}
    embedding = {"model_name": "text-embedding-3-small", "provider": "openai", "latency_ms": 25.0}
    assert seen(sink)[:-2] == [
        user("Explain funnels", message_id="id-1", turn_id=1, **within),
        tool(
            "search_docs",
            invocation_id="id-3",
            parent_message_id="id-1",
            latency_ms=85.0,
            turn_id=2,
            **within,
        ),
        answer("A funnel measures conversion...", message_id="id-4", turn_id=3, latency_ms=300.0, **within),
        score("user-feedback", 1.0, "id-4", **within),
        span("rag_pipeline", span_id="id-5", latency_ms=200.0, **within),
        span("vector_search", span_id="id-6", parent_span_id="id-5", latency_ms=50.0, **within),
        event("Embedding", span_id="id-7", is_error=False, **embedding, **within),
        event("Session End", **within),
    ]


JUDGED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"user_id": "user-1", "name": "user-feedback", "value": 1.0, "target_id": "m-1", "source": "user"},
        score("user-feedback", 1.0, "m-1", user_id="user-1"),
    ),
    (
        {
            "user_id": "user-1",
            "name": "accuracy",
            "value": 0.92,
            "target_id": "m-1",
            "source": "ai",
            "comment": "Matches ground truth",
        },
        score(
            "accuracy", 0.92, "m-1", user_id="user-1", evaluation_source="ai", comment="Matches ground truth"
        ),
    ),
    (
        {
            "user_id": "reviewer-1",
            "name": "groundedness",
            "value": 0.8,
            "target_id": "m-1",
            "source": "reviewer",
            "comment": "Minor hallucination in step 3",
        },
        score(
            "groundedness",
            0.8,
            "m-1",
            user_id="reviewer-1",
            evaluation_source="reviewer",
            comment="Minor hallucination in step 3",
        ),
    ),
    (
        {"user_id": "user-1", "name": "csat", "value": 4.0, "target_id": "judged", "target_type": "session"},
        score("csat", 4.0, "judged", user_id="user-1", target_type="session"),
    ),
]


@pytest.mark.parametrize(("given", "told"), JUDGED)
def test_a_score_finds_the_session_of_what_it_judges(
    given: dict[str, Any], told: dict[str, Any], ai: AmplitudeAI, sink: MemorySink
) -> None:
    ai.track_ai_message("user-1", "Hi", "judged", **ANSWERED, message_id="m-1")
    ai.score(**given)
    assert seen(sink)[1:] == [{**told, "Session ID": "judged"}]


FLOW = [
    MessageLabel(key="flow", value="onboarding"),
    MessageLabel(key="surface", value="chat_widget"),
    MessageLabel(key="experiment", value="new_prompt_v2"),
]
CLASSIFIED = [
    MessageLabel(key="intent", value="how_to", confidence=0.94),
    MessageLabel(key="sentiment", value="neutral", confidence=0.88),
]


def test_labels_are_on_the_message_they_are_given_with(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_user_message(
        user_id="user-1", content="How do I create a funnel?", session_id="labelled", labels=FLOW
    )
    ai.track_ai_message(
        user_id="user-1",
        content="To create a funnel, go to...",
        session_id="labelled",
        **ANSWERED,
        labels=CLASSIFIED,
    )
    own = {"user_id": "user-1", "session_id": "labelled"}
    assert seen(sink) == [
        user(
            "How do I create a funnel?",
            message_id="id-1",
            turn_id=1,
            message_labels='[{"key":"flow","value":"onboarding"},{"key":"surface","value":"chat_widget"},'
            '{"key":"experiment","value":"new_prompt_v2"}]',
            message_label_map='{"flow":"onboarding","surface":"chat_widget","experiment":"new_prompt_v2"}',
            **own,
        ),
        answer(
            "To create a funnel, go to...",
            message_id="id-2",
            turn_id=2,
            latency_ms=300.0,
            message_labels='[{"key":"intent","value":"how_to","confidence":0.94},'
            '{"key":"sentiment","value":"neutral","confidence":0.88}]',
            message_label_map='{"intent":"how_to","sentiment":"neutral"}',
            **own,
        ),
    ]


def test_labels_found_later_name_their_messages(ai: AmplitudeAI, sink: MemorySink) -> None:
    labels = {
        "msg-1": [MessageLabel(key="intent", value="how_to", confidence=0.94)],
        "msg-2": [MessageLabel(key="quality", value="good", confidence=0.91)],
    }
    enrichments = SessionEnrichments(message_labels=labels)
    ai.track_session_enrichment(user_id="user-1", session_id="sess-1", enrichments=enrichments)
    (told,) = seen(sink)
    assert json.loads(told.pop("Enrichments"))["message_labels"] == {
        "msg-1": [{"key": "intent", "value": "how_to", "confidence": 0.94}],
        "msg-2": [{"key": "quality", "value": "good", "confidence": 0.91}],
    }
    assert told == event("Session Enrichment", user_id="user-1", session_id="sess-1")


ENRICHMENTS = SessionEnrichments(
    topic_classifications={
        "query_intent": TopicClassification(l1="quantitative_diagnostic"),
        "product_area": TopicClassification(
            values=["charts", "cohorts"],
            primary="charts",
            topics_covered=["charts", "cohorts", "funnels"],
            outcomes_by_topic={"charts": "response_provided", "funnels": "abandoned"},
        ),
        "error_domain": TopicClassification(l1="TAX", subcategories=["WRONG_EVENT"]),
    },
    rubrics=[
        RubricScore(name="task_completion", score=0.85),
        RubricScore(
            name="response_quality",
            score=0.92,
            rationale="Clear and accurate",
            evidence=[
                EvidenceQuote(quote="Here is how to build a funnel...", turn_index=2, role="assistant")
            ],
            improvement_opportunities="Could include a screenshot link",
        ),
    ],
    overall_outcome="response_provided",
    quality_score=0.88,
    sentiment_score=0.75,
    has_task_failure=False,
    has_negative_feedback=False,
    agent_chain=["router", "analytics-agent"],
    root_agent_name="router",
    request_complexity="moderate",
    error_categories=["timeout"],
    behavioral_patterns=["multi_turn_refinement"],
    custom_metadata={"deployment": "canary-v2"},
    message_labels={"msg-uuid-1": [MessageLabel(key="intent", value="how_to", confidence=0.94)]},
)
ENRICHMENTS_TOLD = {
    "topic_classifications": {
        "query_intent": {"l1": "quantitative_diagnostic"},
        "product_area": {
            "values": ["charts", "cohorts"],
            "primary": "charts",
            "topics_covered": ["charts", "cohorts", "funnels"],
            "outcomes_by_topic": {"charts": "response_provided", "funnels": "abandoned"},
        },
        "error_domain": {"l1": "TAX", "subcategories": ["WRONG_EVENT"]},
    },
    "rubrics": [
        {"name": "task_completion", "score": 0.85},
        {
            "name": "response_quality",
            "score": 0.92,
            "rationale": "Clear and accurate",
            "evidence": [{"quote": "Here is how to build a funnel...", "turn_index": 2, "role": "assistant"}],
            "improvement_opportunities": "Could include a screenshot link",
        },
    ],
    "overall_outcome": "response_provided",
    "quality_score": 0.88,
    "sentiment_score": 0.75,
    "has_task_failure": False,
    "has_negative_feedback": False,
    "has_data_quality_issues": False,
    "has_technical_failure": False,
    "agent_chain": ["router", "analytics-agent"],
    "root_agent_name": "router",
    "request_complexity": "moderate",
    "error_categories": ["timeout"],
    "behavioral_patterns": ["multi_turn_refinement"],
    "custom_metadata": {"deployment": "canary-v2"},
    "schema_version": "2.0",
    "message_labels": {"msg-uuid-1": [{"key": "intent", "value": "how_to", "confidence": 0.94}]},
}


def test_enrichments_go_with_the_end_or_on_their_own_each_time(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_session_end(user_id="user-1", session_id="sess-1", enrichments=ENRICHMENTS)
    for _again in range(2):
        ai.track_session_enrichment(user_id="user-1", session_id="sess-1", enrichments=ENRICHMENTS)
    told = seen(sink)
    assert [json.loads(one.pop("Enrichments")) for one in told] == [ENRICHMENTS_TOLD] * 3
    own = {"user_id": "user-1", "session_id": "sess-1"}
    assert told == [event("Session End", **own), *[event("Session Enrichment", **own)] * 2]
    assert len({one["insert_id"] for one in sink}) == 3
