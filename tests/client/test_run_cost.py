"""A run's total becomes one answer with what is not told yet of its trace, or nothing."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from tests.client.test_hostile import HOSTILE
from tests.events import told, types


def _figures(sink: MemorySink) -> list[tuple[Any, ...]]:
    names = ("Cost USD", "Input Tokens", "Output Tokens", "Total Tokens")
    return [
        tuple(event.get(name) for name in names) for event in told(sink) if event["type"] == "AI Response"
    ]


def test_the_rest_is_one_whole_event(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    with ai.agent("bot").session(session_id, user_id="ann", track_session_end=False) as session:
        session.track_ai_message("x", "gpt-4o", "openai", 9.0, total_cost_usd=0.25, input_tokens=10, output_tokens=5,
                                 reasoning_tokens=2, cache_read_tokens=8, cache_creation_tokens=1)  # fmt: skip
        given = session.track_run_cost(0.75, 30, 25, "gpt-4o", "openai", reasoning_tokens=5, cache_read_tokens=10,
                                       cache_creation_tokens=1, latency_ms=12.0, agent_version="v2")  # fmt: skip
    assert sink.events[1]["event_properties"]["[Agent] Message ID"] == given
    assert told(sink)[1] == {
        "type": "AI Response",
        "user_id": "ann",
        "Session ID": session_id,
        "Trace ID": "id-2",
        "Turn ID": 2,
        "Agent ID": "bot",
        "Agent Version": "v2",
        "Message ID": "id-3",
        "Component Type": "llm",
        "Model Name": "gpt-4o",
        "Model Tier": "standard",
        "Provider": "openai",
        "Latency Ms": 12.0,
        "Is Error": False,
        "Finish Reason": "tool_use",
        "Input Tokens": 20,
        "Output Tokens": 20,
        "Total Tokens": 40,
        "Reasoning Tokens": 3,
        "Has Reasoning": True,
        "Cache Read Tokens": 2,
        "Cache Creation Tokens": 0,
        "Cost USD": 0.5,
    }


def test_a_total_told_again_adds_nothing(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    agent = ai.agent("bot", session_id=session_id, user_id="ann")
    assert agent.track_run_cost(0.5, 10, 10, "m", "p")
    assert agent.track_run_cost(0.5, 10, 10, "m", "p") == ""
    assert agent.track_run_cost(0.75, 15, 10, "m", "p")
    assert agent.track_run_cost(0.1, 15, 10, "m", "p") == ""
    assert _figures(sink) == [(0.5, 10, 10, 20), (0.25, 5, 0, 5)]
    assert [event["Turn ID"] for event in told(sink)] == [1, 2]


@pytest.mark.parametrize(("gap", "is_told"), [(1e-6, False), (9e-7, False), (-1.0, False), (1.1e-6, True)])
def test_a_gap_of_rounding_is_no_cost(
    ai: AmplitudeAI, sink: MemorySink, session_id: str, gap: float, is_told: bool
) -> None:
    with ai.agent("bot").session(session_id, user_id="ann", track_session_end=False) as session:
        session.track_ai_message("x", "m", "p", total_cost_usd=0.0)
        assert bool(session.track_run_cost(gap, 5, 5, "m", "p")) is is_told
        assert session.track_ai_message("y", "m", "p")
    assert types(sink) == ["AI Response"] * (3 if is_told else 2)
    assert [event["Turn ID"] for event in told(sink)] == list(range(1, len(sink.events) + 1))


def test_nothing_left_is_no_event_that_a_session_would_end_for(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    with ai.agent("bot").session(session_id, user_id="ann") as session:
        session.track_session_end()
        assert session.track_run_cost(0.0) == ""
    assert types(sink) == ["Session End"]


def test_failed_and_streamed_answers_cost_too(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    with ai.agent("bot").session(session_id, user_id="ann", track_session_end=False) as session:
        session.track_ai_message("x", "m", "p", total_cost_usd=0.25, is_error=True)
        session.track_ai_message("x", "gpt-4o", "openai", input_tokens=100_000, output_tokens=0)
        session.track_run_cost(1.0, model="m", provider="p")
    costs = [event["Cost USD"] for event in told(sink)]
    assert costs == [0.25, 0.25, 0.5]


def test_each_trace_has_its_own_account(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    with ai.agent("bot").session(session_id, user_id="ann", track_session_end=False) as session:
        for text in ("one", "two"):
            session.track_user_message(text)
            session.track_ai_message(text, "m", "p", total_cost_usd=0.25)
            session.track_run_cost(0.5, 1, 1, "m", "p")
    ai.track_run_cost(0.5, 1, 1, "m", "p", user_id="ann", session_id=session_id, trace_id="elsewhere")
    ai.track_run_cost(0.5, 1, 1, "m", "p", user_id="ann", session_id=session_id + "x", trace_id="elsewhere")
    costs = [event["Cost USD"] for event in told(sink) if event["type"] == "AI Response"]
    assert costs == [0.25, 0.25, 0.25, 0.25, 0.5, 0.5]


async def test_parallel_traces_do_not_mix(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    async with ai.agent("boss").session(session_id, user_id="ann", track_session_end=False) as session:

        async def run(cost: float) -> None:
            async with session.arun_as(ai.agent(f"worker {cost}")) as inside:
                inside.new_trace()
                for _ in range(3):
                    inside.track_ai_message("x", "m", "p", total_cost_usd=cost)
                    await asyncio.sleep(0.001)
                assert inside.track_run_cost(cost * 4, model="m", provider="p")
                assert inside.track_run_cost(cost * 4, model="m", provider="p") == ""

        await asyncio.gather(*(run(cost) for cost in (0.25, 1.0, 16.0)))
    spent: dict[str, float] = {}
    for event in told(sink):
        spent[event["Agent ID"]] = spent.get(event["Agent ID"], 0) + event["Cost USD"]
    assert spent == {"worker 0.25": 1.0, "worker 1.0": 4.0, "worker 16.0": 64.0}


def test_outside_any_session_the_total_is_the_event(ai: AmplitudeAI, sink: MemorySink) -> None:
    for _ in range(2):
        assert ai.track_run_cost(0.5, 10, 20, "m", "p", user_id="ann")
    assert _figures(sink) == [(0.5, 10, 20, 30)] * 2


def test_a_total_is_not_an_answer(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    with ai.agent("bot").session(session_id, user_id="ann") as session:
        session.track_user_message("Anyone there?")
        session.track_run_cost(0.5, 10, 20, "m", "p")
    assert told(sink)[-1]["Abandonment Turn"] == 0


def test_a_known_total_is_no_unknown_price(session_id: str) -> None:
    sink = MemorySink()
    strict = AmplitudeAI(sink=sink, config=AIConfig(strict_cost=True))
    assert strict.track_run_cost(0.5, 10, 20, "acme-7b", "acme", user_id="ann", session_id=session_id)


@pytest.mark.parametrize("cost", [*HOSTILE, "nan"])
def test_a_total_that_is_no_number_is_nothing(
    ai: AmplitudeAI, sink: MemorySink, session_id: str, cost: str
) -> None:
    made: Any = math.nan if cost == "nan" else HOSTILE[cost]()
    assert ai.track_run_cost(made, made, made, "m", "p", user_id="ann", session_id=session_id) == ""
    assert sink.events == []
