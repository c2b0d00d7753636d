"""The roll-up of a session: what the list says of it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec import structs

from amplitude_ai_integrations.analytics.model import SessionRow, TurnShape
from amplitude_ai_integrations.analytics.summary import Summary, summarise

from .reading import narrow
from .samples import NOW, conversation, event

MINUTE = 60_000


def summary_of(*sent: dict[str, Any]) -> Summary:
    return summarise(narrow(sent))


def test_a_conversation_becomes_one_row() -> None:
    assert summary_of(*conversation()).row("sess-1", NOW) == SessionRow(
        session_id="sess-1",
        title="How do I export?",
        agent="support",
        agents=1,
        user_id="user-1234",
        device_id=None,
        state="live",
        first_ms=NOW,
        last_ms=NOW + 122_000,
        turns=3,
        tools=1,
        model_calls=4,
        tokens=1062,
        cost_usd=0.01,
        is_price_known=True,
        slowest_ms=3000,
        errors=0,
        last_turn_failed=False,
        abandoned_turn=None,
        negative_feedback=0,
        content_mode="full",
        shape=(
            TurnShape(reply_ms=1000, model_ms=900, tool_ms=0),
            TurnShape(reply_ms=3000, model_ms=2500, tool_ms=500),
            TurnShape(reply_ms=2000, model_ms=2000, tool_ms=0, is_stopped=True),
        ),
        is_estimated=True,
    )


@pytest.mark.parametrize("seed", range(25))
def test_events_in_any_order_make_the_same_row(seed: int) -> None:
    sent = [
        *conversation(),
        event("user", 200_000, text="Bye", trace_id="t4", agent_id="other", turn_id=9, user_id="late"),
        event("tool", 201_000, trace_id="t4", tool_name="x", is_error=True),
        event("score", 202_000, score_name="s", score_value=0, evaluation_source="user", target_id="m2"),
        event("score", 203_000, score_name="s", score_value=1, evaluation_source="user", target_id="m2"),
        event("score", 204_000, score_name="t", score_value=-1, evaluation_source="user", target_id="m5"),
        event("end", 205_000, abandonment_turn=2, session_idle_timeout_minutes=5),
    ]
    expected = summary_of(*sent)
    random.Random(seed).shuffle(sent)
    assert summary_of(*sent) == expected
    assert (expected.agents, expected.errors, expected.negative_feedback, expected.abandoned_turn) == (
        2,
        1,
        1,
        2,
    )


def test_the_title_is_the_first_line_the_user_wrote() -> None:
    row = summary_of(
        event("user", 0, text="delegated", message_source="agent"),
        event("user", 1),
        event("user", 2, text="\n\n  " + "x" * 300 + "\nmore"),
        event("user", 3, text="later"),
    )
    assert row.title == "x" * 199 + "…"
    assert summary_of(event("user", text="x" * 200)).title == "x" * 200


def test_what_nobody_recorded_is_unknown_and_not_zero() -> None:
    row = summary_of(event("ai", input_tokens=None, latency_ms=None))
    assert (row.tokens, row.cost_usd, row.title, row.content_mode) == (None, None, None, None)


def test_a_price_is_unknown_only_where_tokens_came_without_cost() -> None:
    assert summary_of(event("ai", input_tokens=5)).is_price_known is False
    assert summary_of(event("ai", input_tokens=5, cost_usd=0)).is_price_known is True
    assert summary_of(event("ai")).is_price_known is True
    assert summary_of(event("embedding", input_tokens=5)).is_price_known is False


def test_an_embeddings_tokens_and_cost_count() -> None:
    row = summary_of(event("embedding", input_tokens=40, cost_usd=0.5), event("ai", total_tokens=2))
    assert (row.tokens, row.cost_usd, row.model_calls) == (42, 0.5, 1)


@pytest.mark.parametrize("kind", ["score", "enrichment", "record", "result"])
def test_what_is_said_about_a_session_later_moves_none_of_its_times(kind: str) -> None:
    said = event(kind, 86_400_000, score_name="s", score_value=1, evaluation_source="ai", turn_id=1)
    earlier = event(kind, -86_400_000)
    before = summary_of(*conversation(), event("end", 130_000))
    after = summary_of(*conversation(), event("end", 130_000), said, earlier)
    assert (before.first_ms, before.last_ms) == (NOW, NOW + 130_000)
    assert structs.replace(after, events=before.events) == before


def test_a_session_of_which_only_a_mark_is_known_has_the_marks_time() -> None:
    row = summary_of(event("score", 7, score_value=1))
    assert (row.first_ms, row.last_ms) == (NOW + 7, NOW + 7)


def test_only_estimates_make_a_session_estimated() -> None:
    assert summary_of(event("user"), event("ai", 5, input_tokens=3)).is_estimated is False
    assert summary_of(event("user"), event("ai", 5, usage_estimated=True)).is_estimated is True


def test_tokens_and_cost_come_from_model_calls_alone() -> None:
    span = event("span", total_tokens=500, cost_usd=9, span_name="around the call")
    row = summary_of(span, event("ai", 1, total_tokens=5, cost_usd=0.5))
    assert (row.tokens, row.cost_usd) == (5, 0.5)


def test_a_session_closes_when_it_says_so() -> None:
    row = summary_of(event("user", 0), event("end", 10))
    assert (row.closed_by(NOW), row.row("s", NOW).state) == ("explicit", "closed")


def test_what_happened_before_the_end_but_came_after_it_opens_nothing() -> None:
    assert summary_of(event("end", 10), event("ai", 5)).closed_by(NOW) == "explicit"


def test_marks_and_enrichments_after_the_end_open_nothing() -> None:
    score = event("score", 20, score_value=1, evaluation_source="user")
    assert (
        summary_of(event("user"), event("end", 10), score, event("enrichment", 30)).closed_by(NOW)
        == "explicit"
    )


def test_going_on_after_the_end_opens_it_again() -> None:
    row = summary_of(event("user", 0), event("end", 10), event("user", 20))
    assert row.closed_by(NOW) is None
    assert summary_of(event("end", 10), event("user", 20), event("end", 30)).closed_by(NOW) == "explicit"


@pytest.mark.parametrize(
    ("given", "minutes"), [(None, 30), (5, 5), (-1, 129_600), (0, 30), (-7, 30), (10**9, 129_600)]
)
def test_a_silent_session_closes_after_its_idle_time(given: int | None, minutes: int) -> None:
    row = summary_of(event("user", session_idle_timeout_minutes=given))
    due = NOW + minutes * MINUTE
    assert (row.closed_by(due - 1), row.closed_by(due)) == (None, "idle")


def test_marks_and_enrichments_do_not_keep_a_session_open() -> None:
    later = NOW + 10 * MINUTE
    sent = narrow([event("user")]) + narrow([event("score", 1), event("enrichment", 2)], server_ms=later)
    assert summarise(sent).last_active_ms == NOW
    assert summarise(sent + narrow([event("ai", 3)], server_ms=later)).last_active_ms == later


def test_idleness_counts_from_receipt_so_that_old_events_stay_open_while_they_come() -> None:
    row = summarise(narrow([event("user", -90 * 86_400_000)], server_ms=NOW))
    assert (row.closed_by(NOW), row.last_ms) == (None, NOW - 90 * 86_400_000)


def test_a_clock_far_ahead_is_not_believed() -> None:
    assert summary_of(event("user", 25 * 3_600_000)).last_ms == NOW
    assert summary_of(event("user", 23 * 3_600_000)).last_ms == NOW + 23 * 3_600_000


def test_a_handler_that_failed_shows_even_where_no_step_did() -> None:
    row = summary_of(event("user"), event("ai", 5), event("end", 10, is_error=True, error_type="KeyError"))
    assert (row.errors, row.last_turn_failed) == (1, True)


def test_a_mark_without_a_value_says_nothing() -> None:
    assert summary_of(event("score", score_name="s", evaluation_source="user")).negative_feedback == 0


def test_only_users_bad_marks_that_stand_are_negative_feedback() -> None:
    def mark(at: int, value: float, source: str = "user", target: str = "m") -> dict[str, Any]:
        return event(
            "score", at, score_name="s", score_value=value, evaluation_source=source, target_id=target
        )

    assert summary_of(mark(0, 0)).negative_feedback == 1
    assert summary_of(mark(0, 0), mark(1, 1)).negative_feedback == 0
    assert summary_of(mark(0, 0), mark(1, 0, target="n")).negative_feedback == 2
    assert summary_of(mark(0, 0, source="ai"), mark(1, 0.5), mark(2, 3, target="n")).negative_feedback == 0
