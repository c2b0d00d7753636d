from __future__ import annotations

import random
import time
from typing import Any

import pytest

from amplitude_ai_integrations.analytics.exchanges import exchanges
from amplitude_ai_integrations.analytics.model import Message, Score, Step, Turn
from amplitude_ai_integrations.analytics.turns import turns

from .reading import narrow
from .samples import NOW, conversation, event


def turns_of(*sent: dict[str, Any]) -> tuple[Turn, ...]:
    return turns(narrow(sent))


def outline(steps: tuple[Step, ...]) -> list[Any]:
    """Names, nested as the steps are."""
    return [[step.name, *outline(step.children)] if step.children else step.name for step in steps]


def asked(turn: Turn) -> str | None:
    return turn.user.text if turn.user else None


def test_a_turn_carries_its_message_steps_and_figures() -> None:
    turn = turns_of(*conversation())[1]
    assert turn == Turn(
        number=2,
        trace_id="t2",
        user=Message(event_id=3, message_id="m3", text="How many rows?", at_ms=NOW + 60_000, source="user"),
        delegated=(),
        steps=turn.steps,
        started_ms=NOW + 60_000,
        ended_ms=NOW + 63_000,
        reply_ms=3000,
        model_ms=2500,
        tool_ms=500,
        tokens=540,
        cost_usd=0.005,
        errors=0,
        is_failed=False,
        is_stopped=False,
    )
    assert [(step.kind, step.name, step.started_ms - NOW, step.latency_ms) for step in turn.steps] == [
        ("model", "gpt-4o", 60_000, 1000),
        ("tool", "count_rows", 61_000, 500),
        ("model", "gpt-4o", 61_500, 1500),
    ]


def test_a_model_step_is_whole() -> None:
    sent = event(
        "ai", 5_000, text="Hi", message_id="m", agent_id="a", parent_agent_id="b", model_name="gpt-4o",
        provider="openai", latency_ms=4_000, ttfb_ms=40, input_tokens=1, output_tokens=2,
        cache_read_tokens=3, reasoning_tokens=4, cost_usd=0.5, usage_estimated=True, is_error=True,
        stream_abandoned=True, error_type="E", error_message="broke", finish_reason="stop",
        reasoning_content="hm", system_prompt="be", tool_calls="[]", was_copied=True,
    )  # fmt: skip
    assert turns_of(sent)[0].steps == (
        Step(
            event_id=1, step_id="m", kind="model", name="gpt-4o", agent="a", parent_agent="b",
            started_ms=NOW + 1_000, latency_ms=4_000, ttfb_ms=40, model="gpt-4o", provider="openai",
            input_tokens=1, output_tokens=2, cache_read_tokens=3, reasoning_tokens=4, cost_usd=0.5,
            is_estimated=True, is_error=True, is_stopped=True, error_type="E", error_message="broke",
            finish_reason="stop", text="Hi", reasoning="hm", system_prompt="be", tool_calls="[]",
            was_copied=True,
        ),
    )  # fmt: skip


def test_the_older_name_of_the_model_and_the_older_chunks_are_read() -> None:
    sent = event("ai", model="gpt-3.5")
    sent["event_properties"]["$llm_message"] = {"c1": "world", "c0": "Hello ", "c2": "!"}
    step = turns_of(sent)[0].steps[0]
    assert (step.model, step.text) == ("gpt-3.5", "Hello world!")


def test_events_find_their_turn_by_trace_wherever_they_come() -> None:
    late_tool = event("tool", 130_000, trace_id="t1", tool_name="late")
    early_span = event("span", -5, trace_id="t2", span_name="early")
    found = turns_of(*conversation(), late_tool, early_span)
    assert [outline(turn.steps) for turn in found] == [
        ["gpt-4o", "late"],
        ["early", "gpt-4o", "count_rows", "gpt-4o"],
        ["gpt-4o"],
    ]


def test_without_traces_order_decides() -> None:
    found = turns_of(
        event("user", 0, text="one"),
        event("ai", 10, model_name="a"),
        event("user", 20, text="two"),
        event("ai", 30, model_name="b"),
    )
    assert [(asked(turn), outline(turn.steps)) for turn in found] == [("one", ["a"]), ("two", ["b"])]


def test_one_trace_for_a_whole_conversation_does_not_make_it_one_turn() -> None:
    found = turns_of(
        event("user", 0, text="one", trace_id="t"),
        event("ai", 10, model_name="a", trace_id="t"),
        event("user", 20, text="two", trace_id="t"),
        event("ai", 30, model_name="b", trace_id="t"),
    )
    assert [(asked(turn), outline(turn.steps)) for turn in found] == [("one", ["a"]), ("two", ["b"])]


def test_turn_ids_order_what_one_moment_holds() -> None:
    found = turns_of(
        event("ai", model_name="b", turn_id=4),
        event("user", text="two", turn_id=3),
        event("ai", model_name="a", turn_id=2),
        event("user", text="one", turn_id=1),
    )
    assert [(asked(turn), outline(turn.steps)) for turn in found] == [("one", ["a"]), ("two", ["b"])]


def test_turn_ids_order_before_clocks_that_disagree() -> None:
    found = turns_of(
        event("user", 0, text="one", turn_id=1),
        event("ai", 500, model_name="a", turn_id=2),
        event("user", 400, text="two", turn_id=3),
        event("ai", 900, model_name="b", turn_id=4),
    )
    assert [(asked(turn), outline(turn.steps)) for turn in found] == [("one", ["a"]), ("two", ["b"])]


def test_turn_ids_that_start_again_in_another_process_order_nothing() -> None:
    found = turns_of(
        event("user", 0, text="one", turn_id=1),
        event("ai", 10, model_name="a", turn_id=2),
        event("user", 20, text="two", turn_id=1),
        event("ai", 30, model_name="b", turn_id=2),
    )
    assert [(asked(turn), outline(turn.steps)) for turn in found] == [("one", ["a"]), ("two", ["b"])]


def test_turn_ids_that_start_again_without_clashing_order_nothing() -> None:
    found = turns_of(
        event("user", 0, text="one", turn_id=3),
        event("ai", 1_000, model_name="a", turn_id=4, latency_ms=900),
        event("user", 60_000, text="two", turn_id=1),
        event("ai", 61_000, model_name="b", turn_id=2, latency_ms=900),
    )
    assert [(asked(turn), outline(turn.steps)) for turn in found] == [("one", ["a"]), ("two", ["b"])]


def test_a_long_answer_that_ends_after_the_next_message_keeps_turn_ids_sound() -> None:
    found = turns_of(
        event("user", 0, text="one", turn_id=1),
        event("ai", 60_000, model_name="a", turn_id=2, latency_ms=59_900),
        event("user", 10_000, text="two", turn_id=3),
        event("ai", 20_000, model_name="b", turn_id=4, latency_ms=9_000),
    )
    assert [(asked(turn), outline(turn.steps)) for turn in found] == [("one", ["a"]), ("two", ["b"])]


def test_one_turn_id_for_all_that_answers_a_message_is_sound() -> None:
    found = turns_of(
        event("ai", 50_000, model_name="a", turn_id=1),
        event("user", 0, text="one", turn_id=1),
        event("user", 49_000, text="two", turn_id=2),
        event("ai", 60_000, model_name="b", turn_id=2),
    )
    assert [(asked(turn), outline(turn.steps)) for turn in found] == [("one", ["a"]), ("two", ["b"])]


def test_a_late_mark_with_a_turn_id_does_not_make_turn_ids_doubtful() -> None:
    found = turns_of(
        event("user", 0, text="one", turn_id=1),
        event("ai", 500, model_name="a", turn_id=2),
        event("user", 400, text="two", turn_id=3),
        event("ai", 900, model_name="b", turn_id=4),
        event("score", 86_400_000, score_value=1, score_name="s", turn_id=2),
    )
    assert [(asked(turn), outline(turn.steps)) for turn in found] == [("one", ["a"]), ("two", ["b"])]


def test_what_precedes_the_first_message_is_a_turn_without_one() -> None:
    found = turns_of(event("ai", 0, model_name="greeting"), event("user", 10, text="hi"))
    assert [(turn.number, asked(turn), outline(turn.steps)) for turn in found] == [
        (1, None, ["greeting"]),
        (2, "hi", []),
    ]


def test_a_message_between_agents_is_delegated_and_opens_no_turn() -> None:
    (turn,) = turns_of(
        event("user", 0, text="plan a trip"),
        event("user", 10, text="find flights", message_source="agent", agent_id="flights"),
    )
    assert [(message.text, message.source) for message in turn.delegated] == [("find flights", "agent")]


def test_a_message_says_how_it_came() -> None:
    files = '[{"type": "pdf", "name": "a.pdf"}, {"type": "image"}, 3]'
    (turn,) = turns_of(event("user", text="x", is_edit=True, is_regeneration=True, attachments=files))
    assert turn.user is not None
    assert (turn.user.is_edit, turn.user.is_regeneration, turn.user.attachments) == (
        True, True, ("a.pdf", "image"),
    )  # fmt: skip


def test_spans_nest_by_the_parent_they_name() -> None:
    (turn,) = turns_of(
        event("span", 100, span_id="s1", span_name="rag", latency_ms=100),
        event("embedding", 20, span_id="e1", parent_span_id="s1", model_name="small", latency_ms=10),
        event("span", 60, span_id="s2", parent_span_id="s1", span_name="vector_search", latency_ms=30),
        event("tool", 50, invocation_id="i1", parent_span_id="s2", tool_name="read", latency_ms=5),
        event("ai", 90, message_id="m1", parent_span_id="s1", model_name="gpt", latency_ms=20),
    )
    assert outline(turn.steps) == [["rag", "small", ["vector_search", "read"], "gpt"]]
    (rag,) = turn.steps
    assert [rag.kind, *(step.kind for step in rag.children)] == ["step", "retrieval", "retrieval", "model"]


def test_a_tool_stands_beside_the_message_that_asked_for_it() -> None:
    (turn,) = turns_of(
        event("ai", 10, message_id="m1", model_name="gpt"),
        event("tool", 20, parent_message_id="m1", tool_name="read"),
    )
    assert outline(turn.steps) == ["gpt", "read"]


def test_a_span_is_retrieval_by_its_kind_too() -> None:
    (turn,) = turns_of(event("span", span_name="docs", span_kind="RETRIEVER", span_id="s"))
    assert turn.steps[0].kind == "retrieval"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("research", "step"), ("vectorize", "step"), ("researcher_agent", "step"),
        ("vector search", "retrieval"), ("vector_search", "retrieval"), ("VectorStoreRetriever", "retrieval"),
        ("searchDocs", "retrieval"), ("KNOWLEDGE-RETRIEVAL", "retrieval"), ("rerank2", "retrieval"),
    ],
)  # fmt: skip
def test_a_span_is_retrieval_by_whole_words_of_its_name(name: str, kind: str) -> None:
    (turn,) = turns_of(event("span", span_name=name))
    assert turn.steps[0].kind == kind


def test_a_turn_says_whether_it_holds_estimates() -> None:
    assert [turn.is_estimated for turn in turns_of(*conversation())] == [False, False, True]


def test_other_agents_work_is_wrapped_inside_who_delegated() -> None:
    (turn,) = turns_of(
        event("user", 0, text="go", agent_id="lead"),
        event("ai", 10, agent_id="lead", model_name="plan", latency_ms=10),
        event("ai", 30, agent_id="research", parent_agent_id="lead", model_name="look", latency_ms=20),
        event("tool", 35, agent_id="reader", parent_agent_id="research", tool_name="read", latency_ms=5),
        event("ai", 60, agent_id="lead", model_name="answer", latency_ms=10),
    )
    assert outline(turn.steps) == ["plan", ["research", "look", ["reader", "read"]], "answer"]
    research = turn.steps[1]
    assert (research.kind, research.agent, research.parent_agent) == ("agent", "research", "lead")
    assert (research.started_ms - NOW, research.latency_ms) == (10, 25)


def test_agents_that_delegate_in_a_circle_stand_side_by_side() -> None:
    (turn,) = turns_of(
        event("user", 0, agent_id="lead"),
        event("tool", 10, agent_id="a", parent_agent_id="b", tool_name="x"),
        event("tool", 20, agent_id="b", parent_agent_id="a", tool_name="y"),
    )
    assert outline(turn.steps) == [["a", "x"], ["b", "y"]]


def test_time_that_overlaps_counts_once_and_a_tools_time_is_without_its_models() -> None:
    (turn,) = turns_of(
        event("user", 0),
        event("tool", 100, tool_name="a", latency_ms=100),
        event("tool", 150, tool_name="b", latency_ms=100),
        event("ai", 140, model_name="inside", latency_ms=40),
    )
    assert (turn.reply_ms, turn.model_ms, turn.tool_ms) == (140, 40, 110)


def test_a_tool_read_from_history_was_not_measured() -> None:
    (turn,) = turns_of(event("tool", tool_name="a", latency_ms=0), event("span", 1, latency_ms=0))
    assert [step.latency_ms for step in turn.steps] == [None, 0]


def test_a_turn_fails_with_its_last_model_step() -> None:
    failed = event("ai", 10, is_error=True, error_type="Timeout")
    (lost,) = turns_of(event("user", 0), failed)
    (saved,) = turns_of(event("user", 0), failed, event("ai", 20, is_error=False))
    assert [(turn.is_failed, turn.errors) for turn in (lost, saved)] == [(True, 1), (False, 1)]


def test_scores_go_to_the_message_they_name() -> None:
    score = {"score_name": "user-feedback", "score_value": 1, "evaluation_source": "user"}
    user, answer = event("user", 0, message_id="m1"), event("ai", 5, message_id="m2", provider_request_id="r")
    (turn,) = turns_of(
        user,
        answer,
        event("score", 10, target_id="m2", target_type="message", comment="great", **score),
        event("score", 20, provider_request_id="r", **score),
        event("score", 30, target_id="m1", **score),
        event("score", 40, target_id="m1", **{**score, "score_value": "high"}),
    )
    assert turn.steps[0].scores == (
        Score("user-feedback", 1, "user", "great", "m2", NOW + 10),
        Score("user-feedback", 1, "user", None, "m2", NOW + 20),
    )
    assert turn.user is not None
    assert turn.user.scores == (Score("user-feedback", 1, "user", None, "m1", NOW + 30),)


def test_parents_in_a_circle_lose_nobody() -> None:
    (turn,) = turns_of(
        event("span", 1, span_id="a", parent_span_id="c", span_name="a"),
        event("span", 2, span_id="b", parent_span_id="a", span_name="b"),
        event("span", 3, span_id="c", parent_span_id="b", span_name="c"),
        event("span", 4, span_id="own", parent_span_id="own", span_name="own"),
    )
    assert outline(turn.steps) == [["b", ["c", "a"]], "own"]


def count(steps: tuple[Step, ...]) -> int:
    return sum(1 + count(step.children) for step in steps)


def deepest(steps: tuple[Step, ...]) -> int:
    return 1 + max((deepest(step.children) for step in steps), default=0)


def test_three_thousand_spans_inside_each_other_stay_readable() -> None:
    chain = [
        event("span", n, span_id=f"s{n}", parent_span_id=f"s{n - 1}", span_name=f"s{n}") for n in range(3_000)
    ]
    random.Random(1).shuffle(chain)
    started = time.perf_counter()
    (turn,) = turns_of(*chain)
    assert count(turn.steps) == 3_000
    assert deepest(turn.steps) < 50
    assert time.perf_counter() - started < 2


def test_events_with_nothing_in_them_still_make_turns() -> None:
    bare = [
        {**event(kind, session_id=None), "event_properties": {}} for kind in ("user", "ai", "tool", "span")
    ]
    found = turns_of(*bare, event("score", session_id=None), event("end"), event("enrichment"))
    assert [outline(turn.steps) for turn in found] == [["model", "tool", "step"]]


def test_strange_values_are_as_good_as_absent() -> None:
    (turn,) = turns_of(
        event(
            "ai", text=None, model_name={"a": 1}, latency_ms="fast", input_tokens=-3, output_tokens=1e300,
            cost_usd=True, turn_id="x", trace_id=[1], error_message={"code": 7}, is_error="yes",
        )
    )  # fmt: skip
    (step,) = turn.steps
    assert (step.name, step.latency_ms, step.input_tokens, step.output_tokens, step.cost_usd) == (
        "model", None, None, None, None,
    )  # fmt: skip
    assert (step.error_message, step.is_error, turn.trace_id) == ('{"code": 7}', False, None)


@pytest.mark.parametrize("latency", [-1, 1e12, 10**300, True])
def test_a_time_that_cannot_be_was_not_measured(latency: float) -> None:
    assert turns_of(event("ai", latency_ms=latency))[0].steps[0].latency_ms is None


def test_order_of_arrival_changes_no_exchange() -> None:
    expected = [[event.ts_ms for event in each.events] for each in exchanges(narrow(conversation()))]
    for seed in range(20):
        sent = conversation()
        random.Random(seed).shuffle(sent)
        assert [[event.ts_ms for event in each.events] for each in exchanges(narrow(sent))] == expected
