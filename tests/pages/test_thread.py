"""A conversation becomes a document."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amplitude_ai_integrations.analytics.model import Score, SessionDetail, Step
from amplitude_ai_integrations.analytics.pages.actions import result_in_words
from amplitude_ai_integrations.analytics.pages.margins import Margin, score_in_words
from amplitude_ai_integrations.analytics.pages.thread import ReplyView, thread

from .sample import Script, calm, funnel, session_row


def outline(detail: SessionDetail) -> list[list[object]]:
    """Every turn as the order of what it shows."""
    return [
        [part.step.text or part.missing if isinstance(part, ReplyView) else [(a.name, a.result) for a in part] for part in turn.parts]
        for turn in thread(detail)
    ]  # fmt: skip


def one_turn(*steps: Step, **values: object) -> SessionDetail:
    script = Script(0.0, "bot")
    row = session_row("s", agent="bot", **values)
    script.turn("Hi", list(steps), 1000)
    return replace(calm("s"), row=row, turns=tuple(script.turns))


def test_work_stands_between_the_question_and_the_reply() -> None:
    shown = outline(funnel())
    assert shown[1] == [
        [("list_projects", "3 projects"), ("search_docs", "5 passages"), ("query_events", "14 rows")],
        funnel().turns[1].steps[-1].text,
    ]
    assert shown[3][0] == [
        ("read_ingestion_log", "failed"),
        ("read_ingestion_log", "0 rows"),
        ("search_docs", "1 passage"),
    ]


def test_equal_calls_in_a_row_are_one_row() -> None:
    folded = thread(funnel())[1].parts[0][-1]
    assert (folded.name, len(folded.steps), folded.time) == ("query_events", 2, "940\u202fms")


def test_an_error_is_said_without_a_click() -> None:
    assert (
        thread(funnel())[3].parts[0][0].error
        == "TimeoutError: no answer from log-store after 10 s (attempt 1 of 2)"
    )


def test_a_sub_agents_answer_is_work() -> None:
    assert thread(funnel())[4].parts[0][-1].name == "log-reader answered"


def test_a_sub_agent_that_took_over_speaks_to_the_user() -> None:
    script = Script(0.0)
    answer = script.model(0.0, 10, agent="expert", parent_agent="bot", text="I take over.")
    [reply] = thread(one_turn(answer))[0].parts
    assert (reply.agent, reply.asked_by, reply.step.text) == ("expert", "bot", "I take over.")


def test_the_last_reply_carries_the_figures_of_its_turn() -> None:
    assert thread(funnel())[0].parts[-1].margin == Margin(
        time="3.1\u202fs",
        first_token="2.6\u202fs",
        tokens="4,850 in · 312 out",
        cost="$0.0119",
        made_by="gpt-4o",
    )


def test_a_system_prompt_is_shown_where_it_changes() -> None:
    first = funnel().turns[0]
    detail = replace(
        funnel(),
        turns=(first, first, replace(first, steps=(replace(first.steps[-1], system_prompt="New."),))),
    )
    shown = [turn.parts[-1].prompt for turn in thread(detail)]
    assert shown == [first.steps[0].system_prompt, None, "New."]


def test_a_complaint_stands_in_the_margin() -> None:
    assert thread(funnel())[3].parts[-1].margin.complaints == ("thumbs down: “that log was empty”",)


def test_a_stopped_stream_says_how_far_it_came() -> None:
    assert thread(funnel())[5].parts[-1].stopped == (
        "The stream stopped here. The client stopped reading after 2.1\u202fs; 61 tokens had arrived. Tokens and cost are estimated."
    )


def test_a_pause_between_turns_is_said() -> None:
    assert [turn.pause for turn in thread(funnel())] == [
        "",
        "",
        "",
        "",
        "1\u202fmin 20\u202fs without activity",
        "",
    ]


def test_content_that_was_not_recorded_is_said_with_its_size() -> None:
    script = Script(0.0, "bot")
    plan = script.model(0.0, 10, finish_reason="tool_calls")
    reply = script.model(20.0, 10, output_tokens=212, finish_reason="stop")
    detail = one_turn(plan, script.call("look", 10.0, 5), reply, content_mode="metadata_only")
    assert outline(detail) == [
        [[("look", "")], "Agent reply, 212 tokens. Content not recorded (metadata only)."]
    ]


def test_a_failed_turn_says_so() -> None:
    script = Script(0.0, "bot")
    failed = script.model(0.0, 10, is_error=True, error_type="RateLimitError", error_message="slow down")
    detail = one_turn(failed)
    view = thread(replace(detail, turns=(replace(detail.turns[0], is_failed=True, errors=1),)))[0]
    assert (view.failure, view.parts[0][0].error) == (
        "The turn ended without a reply.",
        "RateLimitError: slow down",
    )


@pytest.mark.parametrize("blank", [" ", "\n \t\n", "\u3000"])
def test_a_blank_message_is_said_to_be_blank(blank: str) -> None:
    script = Script(0.0, "bot")
    detail = one_turn(script.model(0.0, 10, text=blank, output_tokens=1))
    asked = replace(detail.turns[0].user, text=blank)
    [view] = thread(replace(detail, turns=(replace(detail.turns[0], user=asked),)))
    assert (view.user_missing, view.parts[0].missing) == (
        "User message. Its text is blank.",
        "Agent reply, 1 token. Its text is blank.",
    )


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ('{"rows": [1, 2]}', "2 rows"), ('{"charts": [1]}', "1 chart"), ('{"rows": []}', "0 rows"), ("[1]", "1 item"), ('{"a": 1, "b": 2}', "2 fields"),
        ("sunny", "sunny"), ("x" * 212, "212 characters"), ("null", "nothing"), ("", "nothing"), ("42", "42"), (None, ""), ("{broken", "{broken"),
    ],
)  # fmt: skip
def test_results_in_words(output: str | None, words: str) -> None:
    assert result_in_words(output) == words


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (Score("thumbs", 1, "user", None, None, 0), "thumbs up"),
        (Score("thumbs", 0, "user", "no\u202e", None, 0), "thumbs down: “no”"),
        (Score("accuracy", 0.83, "ai", None, None, 0), "accuracy 0.83"),
    ],
)
def test_scores_in_words(score: Score, words: str) -> None:
    assert score_in_words(score) == words
