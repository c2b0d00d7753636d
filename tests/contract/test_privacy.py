"""What may leave: the three content modes, redaction, and classifying sessions without sending a word."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplitude_ai_integrations import (
    AIConfig,
    AmplitudeAI,
    ContentMode,
    EvidenceQuote,
    MemorySink,
    MessageLabel,
    RubricScore,
    SessionEnrichments,
    TopicClassification,
)
from tests.events import one

from .expected import answer, event, seen, user

QUESTION = "How do I create a funnel?"
ANSWER = "To create a funnel..."


def make(sink: MemorySink, **config: Any) -> AmplitudeAI:
    return AmplitudeAI(sink=sink, config=AIConfig(**config))


@pytest.mark.parametrize("mode", ContentMode)
def test_only_the_full_mode_sends_words(mode: ContentMode, sink: MemorySink) -> None:
    ai = make(sink, content_mode=mode)
    ai.track_user_message("user-1", QUESTION, "s-1")
    ai.track_ai_message("user-1", ANSWER, "s-1", "gpt-4o", "openai", 450.0, input_tokens=5, output_tokens=4)
    asked, answered = sink.events
    is_full = mode is ContentMode.FULL
    assert [one["event_properties"]["[Agent] Content Mode"] for one in sink] == [mode.value] * 2
    assert asked["event_properties"].get("$llm_message") == ({"text": QUESTION} if is_full else None)
    assert answered["event_properties"].get("$llm_message") == ({"text": ANSWER} if is_full else None)
    assert ("funnel" in json.dumps(sink.events)) is is_full
    assert answered["event_properties"]["[Agent] Cost USD"] == pytest.approx((5 * 2.5 + 4 * 10) / 1e6)


TEXT = "Mail ACCT-123456 to bob@example.com, ACME-42 and ORD-A1, from 10.20.30.40, to Ada"
EMAIL_AND_ADDRESS = "Mail ACCT-123456 to [email], ACME-42 and ORD-A1, from [ip_address], to Ada"


def names_hidden(text: str) -> str:
    assert "bob@example.com" not in text
    return text.replace("Ada", "[name]")


REDACTIONS: list[tuple[dict[str, Any], str]] = [
    ({}, EMAIL_AND_ADDRESS),
    ({"redact_pii": True}, EMAIL_AND_ADDRESS),
    ({"redact_pii": False}, TEXT),
    (
        {"redact_pii": True, "custom_redaction_patterns": [r"\bACCT-\d{6,}\b"]},
        EMAIL_AND_ADDRESS.replace("ACCT-123456", "[REDACTED]"),
    ),
    (
        {
            "redact_pii": True,
            "custom_redaction_patterns": [
                (r"\bACME-\d+\b", "[ticket_id]"),
                (r"\bORD-[A-Z0-9]+\b", "[order_id]"),
            ],
        },
        EMAIL_AND_ADDRESS.replace("ACME-42", "[ticket_id]").replace("ORD-A1", "[order_id]"),
    ),
    (
        {"redact_pii": True, "custom_redaction_fn": names_hidden},
        EMAIL_AND_ADDRESS.replace("Ada", "[name]"),
    ),
]


@pytest.mark.parametrize(("config", "left"), REDACTIONS)
def test_each_redaction_option_replaces_what_it_says(
    config: dict[str, Any], left: str, sink: MemorySink
) -> None:
    make(sink, **config).track_user_message("user-1", TEXT, "s-1")
    assert one(sink, "User Message")["$llm_message"] == {"text": left}


def test_a_redaction_that_fails_keeps_what_was_redacted_before_it(
    sink: MemorySink, swallowing: None, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_text: str) -> str:
        raise RuntimeError("no model")

    make(sink, custom_redaction_fn=fail).track_user_message("user-1", TEXT, "s-1")
    assert one(sink, "User Message")["$llm_message"] == {"text": EMAIL_AND_ADDRESS}
    assert "custom_redaction_fn: RuntimeError" in caplog.text


def test_a_session_is_classified_without_a_word_of_it(sink: MemorySink) -> None:
    ai = make(sink, content_mode=ContentMode.CUSTOMER_ENRICHED)
    agent = ai.agent(agent_id="support-agent")
    with agent.session(user_id="user-1") as s:
        asked = s.track_user_message(content=QUESTION)
        answered = s.track_ai_message(content=ANSWER, model="gpt-4o", provider="openai", latency_ms=450.0)
    enrichments = SessionEnrichments(
        topic_classifications={"query_intent": TopicClassification(l1="how_to")},
        rubrics=[
            RubricScore(
                name="task_completion",
                score=0.85,
                evidence=[EvidenceQuote(quote=ANSWER, turn_index=1, role="assistant")],
            ),
        ],
        overall_outcome="response_provided",
        quality_score=0.85,
        request_complexity="simple",
        message_labels={
            asked: [MessageLabel(key="intent", value="how_to", confidence=0.94)],
            answered: [MessageLabel(key="quality", value="good", confidence=0.91)],
        },
    )
    ai.track_session_enrichment(user_id="user-1", session_id=s.session_id, enrichments=enrichments)
    assert "funnel" not in json.dumps(sink.events)
    within = {"user_id": "user-1", "agent_id": "support-agent", "session_id": "id-2", "trace_id": "id-3"}
    *conversation, sent = seen(sink)
    assert conversation == [
        user(QUESTION, llm_message=None, message_id="id-1", turn_id=1, **within),
        answer(ANSWER, llm_message=None, message_id="id-4", turn_id=2, latency_ms=450.0, **within),
        event("Session End", **within),
    ]
    told = json.loads(sent.pop("Enrichments"))
    assert sent == event("Session Enrichment", user_id="user-1", session_id="id-2")
    assert told == {
        "topic_classifications": {"query_intent": {"l1": "how_to"}},
        "rubrics": [
            {"name": "task_completion", "score": 0.85, "evidence": [{"turn_index": 1, "role": "assistant"}]}
        ],
        "overall_outcome": "response_provided",
        "quality_score": 0.85,
        "request_complexity": "simple",
        "has_task_failure": False,
        "has_negative_feedback": False,
        "has_data_quality_issues": False,
        "has_technical_failure": False,
        "schema_version": "2.0",
        "message_labels": {
            asked: [{"key": "intent", "value": "how_to", "confidence": 0.94}],
            answered: [{"key": "quality", "value": "good", "confidence": 0.91}],
        },
    }
