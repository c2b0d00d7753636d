"""No word leaves that the content mode keeps back, through any argument of any method."""

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
from amplitude_ai_integrations.schema.catalog import fields_of
from amplitude_ai_integrations.schema.events import SDK_EVENTS
from tests.events import one

CANARY = "canary-7f3a"
LABELS = [MessageLabel(CANARY, CANARY, 0.5)]
FOUND = SessionEnrichments(
    topic_classifications={
        CANARY: TopicClassification(l1=CANARY, values=[CANARY], outcomes_by_topic={CANARY: CANARY})
    },
    rubrics=[
        RubricScore(
            "done",
            0.9,
            rationale=CANARY,
            improvement_opportunities=CANARY,
            evidence=[EvidenceQuote(CANARY, 1)],
        )
    ],
    task_failure_reason=CANARY,
    negative_feedback_phrases=[CANARY],
    data_quality_issues=[CANARY],
    error_categories=[CANARY],
    behavioral_patterns=[CANARY],
    custom_metadata={"k": CANARY},
    message_labels={CANARY: LABELS},
    quality_score=0.5,
    overall_outcome="response_provided",
)
CONTENT: dict[str, Any] = {
    "content": CANARY,
    "context": {"variant": CANARY, CANARY: 1},
    "tags": [CANARY],
    "attachments": [{"type": "image", "name": CANARY}],
    "labels": LABELS,
    "reasoning_content": CANARY,
    "system_prompt": CANARY,
    "tool_definitions": [{"name": CANARY, "description": CANARY}],
    "tool_calls": [{"function": {"arguments": CANARY}}],
    "error_message": CANARY,
    "stack_trace": CANARY,
    "input_schema": {"properties": {CANARY: {"description": CANARY}}},
    "input": {CANARY: CANARY},
    "output": CANARY,
    "input_state": CANARY,
    "output_state": [CANARY],
    "comment": CANARY,
    "enrichments": FOUND,
}
METHODS = {
    "User Message": lambda door, **words: door.track_user_message(**words),
    "AI Response": lambda door, **words: door.track_ai_message(model="gpt-4o", provider="openai", **words),
    "Tool Call": lambda door, **words: door.track_tool_call(tool_name="t", **words),
    "Embedding": lambda door, **words: door.track_embedding(model="m", **words),
    "Span": lambda door, **words: door.track_span(span_name="s", **words),
    "Session End": lambda door, **words: door.track_session_end(**words),
    "Session Enrichment": lambda door, **words: door.track_session_enrichment(**words),
    "Score": lambda door, **words: door.score(name="n", value=1, target_id="t", **words),
}
EVENTS = {event.__struct_config__.tag.removeprefix("[Agent] "): event for event in SDK_EVENTS}  # type: ignore[union-attr]


def words_of(kind: str) -> dict[str, Any]:
    """Return every content argument of an event, told by the schema, each with the canary in it."""
    fields = [field for field in fields_of(EVENTS[kind]) if field.about.content and not field.about.derived]
    return {name: CONTENT[name] for field in fields for name in [field.about.argument or field.name]}


def sent(mode: ContentMode, kind: str, door: str, **config: Any) -> dict[str, Any]:
    sink = MemorySink()
    ai = AmplitudeAI(config=AIConfig(content_mode=mode, **config), sink=sink)
    doors = {"client": ai, "agent": ai.agent("bot"), "session": ai.agent("bot").session("s-1")}
    properties = {"words": CANARY, "number": 7, "flag": True, "nested": {"x": CANARY}}
    METHODS[kind](doors[door], **words_of(kind), event_properties=properties)
    return one(sink, kind)


@pytest.mark.parametrize("door", ["client", "agent", "session"])
@pytest.mark.parametrize("kind", METHODS)
def test_metadata_only_sends_no_word(kind: str, door: str) -> None:
    event = sent(ContentMode.METADATA_ONLY, kind, door)
    assert CANARY not in json.dumps(event)
    assert event["number"] == 7
    assert event["flag"] is True


@pytest.mark.parametrize("kind", METHODS)
def test_full_sends_every_word(kind: str) -> None:
    event = sent(ContentMode.FULL, kind, "client")
    held = {field.wire for field in fields_of(EVENTS[kind]) if field.about.content}
    assert held <= set(event)
    assert all(CANARY in json.dumps(event[name]) for name in held)


@pytest.mark.parametrize("kind", METHODS)
def test_customer_enriched_sends_judgements_alone(kind: str) -> None:
    event = sent(ContentMode.CUSTOMER_ENRICHED, kind, "client")
    judged = {"[Agent] Tags", "[Agent] Message Labels", "[Agent] Message Label Map", "[Agent] Enrichments"}
    assert {name for name, value in event.items() if CANARY in json.dumps(value)} <= judged
    if "[Agent] Enrichments" in event:
        found = json.loads(event["[Agent] Enrichments"])
        assert found["rubrics"][0]["rationale"] == CANARY
        assert found["rubrics"][0]["evidence"] == [{"turn_index": 1}]


def test_metadata_only_keeps_the_figures_of_enrichments() -> None:
    event = sent(ContentMode.METADATA_ONLY, "Session End", "client")
    found = json.loads(event["[Agent] Enrichments"])
    assert found["quality_score"] == 0.5
    assert found["overall_outcome"] == "response_provided"
    assert found["rubrics"] == [{"name": "done", "score": 0.9, "evidence": [{"turn_index": 1}]}]


def test_metadata_only_keeps_counts_and_lengths() -> None:
    event = sent(ContentMode.METADATA_ONLY, "AI Response", "client")
    assert event["[Agent] System Prompt Length"] == len(CANARY)
    assert event["[Agent] Tool Definitions Count"] == 1
    assert event["[Agent] Attachment Count"] == 1
    assert event["[Agent] Model Name"] == "gpt-4o"


def test_chosen_context_keys_leave() -> None:
    sink = MemorySink()
    config = AIConfig(content_mode=ContentMode.METADATA_ONLY, context_keys=["variant"])
    AmplitudeAI(config=config, sink=sink).track_span(
        "user-1", "s", context={"variant": "b", "secret": CANARY}
    )
    assert one(sink, "Span")["[Agent] Context"] == '{"variant":"b"}'


def test_before_send_sees_the_event_last_and_may_change_it() -> None:
    sink = MemorySink()

    def shorten(event: dict[str, Any]) -> dict[str, Any]:
        assert event["event_properties"]["$llm_message"] == {"text": "[email]"}
        event["event_properties"]["$llm_message"] = {"text": "gone"}
        return event

    AmplitudeAI(config=AIConfig(before_send=shorten), sink=sink).track_user_message("user-1", "a@b.io")
    assert one(sink, "User Message")["$llm_message"] == {"text": "gone"}


def test_before_send_may_drop_an_event() -> None:
    sink = MemorySink()
    ai = AmplitudeAI(config=AIConfig(before_send=lambda event: None), sink=sink)
    assert ai.track_user_message("user-1", "hi")
    assert sink.events == []
    assert ai.status()["dropped"] == {"before_send": 1}


@pytest.mark.usefixtures("swallowing")
@pytest.mark.parametrize("answer", [1 / 1, "junk", {}, {"event_type": "x"}, []])
def test_before_send_that_answers_no_event_changes_nothing(answer: Any) -> None:
    sink = MemorySink()

    def spoil(event: dict[str, Any]) -> Any:
        event["event_properties"].clear()
        return answer

    AmplitudeAI(config=AIConfig(before_send=spoil), sink=sink).track_user_message("user-1", "hi")
    assert one(sink, "User Message")["$llm_message"] == {"text": "hi"}


@pytest.mark.usefixtures("swallowing")
def test_before_send_that_raises_changes_nothing() -> None:
    sink = MemorySink()

    def fail(event: dict[str, Any]) -> Any:
        event.clear()
        raise RuntimeError

    ai = AmplitudeAI(config=AIConfig(before_send=fail), sink=sink)
    ai.track_user_message("user-1", "hi")
    assert one(sink, "User Message")["$llm_message"] == {"text": "hi"}
    assert ai.status()["dropped"] == {"before_send failed": 1}
