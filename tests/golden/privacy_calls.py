"""The calls behind the recorded events that show what may leave."""

from __future__ import annotations

from amplitude_ai_integrations import (
    AmplitudeAI,
    EvidenceQuote,
    MessageLabel,
    RubricScore,
    SessionEnrichments,
    TopicClassification,
)

from .calls import USER


def metadata_only_all(ai: AmplitudeAI) -> None:
    attachment = {"type": "pdf", "name": "secret.pdf", "size_bytes": 3}
    ai.track_user_message(
        USER,
        "secret",
        "s",
        context={"secret": "ctx"},
        attachments=[attachment],
        description="secret desc",
    )
    ai.track_ai_message(
        USER,
        "secret",
        "s",
        "gpt-4o",
        "openai",
        1.0,
        input_tokens=1,
        output_tokens=1,
        tool_calls=[{"id": "1", "function": {"name": "secret_fn", "arguments": "secret"}}],
        tool_definitions=[{"type": "function", "function": {"name": "secret_fn"}}],
        system_prompt="secret",
        reasoning_content="secret",
        is_error=True,
        error_message="secret err",
        error_type="SecretError",
    )
    ai.track_tool_call(
        USER,
        "secret_tool",
        1.0,
        False,
        session_id="s",
        input={"a": "secret"},
        output="secret",
        error_message="secret",
    )
    ai.track_span(
        USER,
        "secret_span",
        "t",
        1.0,
        session_id="s",
        input_state={"q": "secret"},
        output_state="secret",
        is_error=True,
        error_message="secret",
    )
    ai.score(USER, "n", 1, "m", session_id="s", comment="secret")
    ai.track_session_end(USER, "s", enrichments=_enrichments())
    ai.track_session_enrichment(USER, "s", _enrichments())


def _enrichments() -> SessionEnrichments:
    product_area = TopicClassification(
        values=["charts", "cohorts"],
        primary="charts",
        subcategories=["A"],
        topics_covered=["charts"],
        outcomes_by_topic={"charts": "ok"},
    )
    rubric = RubricScore(
        "task_completion",
        0.85,
        rationale="clear, mail bob@example.com",
        evidence=[EvidenceQuote("Here", 2, "assistant")],
        improvement_opportunities="none",
    )
    return SessionEnrichments(
        topic_classifications={
            "query_intent": TopicClassification(l1="how_to"),
            "product_area": product_area,
        },
        rubrics=[rubric],
        overall_outcome="response_provided",
        has_task_failure=True,
        error_categories=["timeout"],
        user_friction=["slow"],
        custom_metadata={"d": "c"},
        quality_score=0.88,
        sentiment_score=0.75,
        task_failure_type="t",
        task_failure_reason="r",
        negative_feedback_phrases=["bad"],
        data_quality_issues=["x"],
        technical_error_count=2,
        agent_chain=["a", "b"],
        root_agent_name="a",
        request_complexity="moderate",
        message_labels={"m1": [MessageLabel("intent", "how_to", 0.9)]},
    )


PERSONAL = "bob@example.com 415-555-2671 4111 1111 1111 1111 123-45-6789{} 10.0.0.1{} +442071234567"


def redaction_off(ai: AmplitudeAI) -> None:
    ai.track_user_message(USER, PERSONAL.format("", ""), "s")


def redaction_on(ai: AmplitudeAI) -> None:
    ai.track_user_message(USER, PERSONAL.format(" 123 45 6789", " 2001:db8::1"), "s")
