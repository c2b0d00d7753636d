"""The same scenario in every framework gives the same graph."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from . import FRAMEWORKS
from .framework import REFUSAL, TOOLS, WEATHER, Framework, Place
from .graph import graph, ids

COST = 0.00011  # of the fake's usage, at the model's price


async def in_session(ai: AmplitudeAI, run: Any, session_id: str | None = None) -> Any:
    async with ai.agent().session(session_id, user_id="user-1", track_session_end=False):
        return await run


async def test_tools_and_agents(
    framework: Framework, place: Place, ai: AmplitudeAI, sink: MemorySink
) -> None:
    assert await in_session(ai, framework.ask(place, TOOLS)) == "All done."
    assert graph(sink.events, framework.layers) == [
        "concierge",
        f"  user: {TOOLS}",
        f"  answer 20+7 ${COST}: get_weather",
        f'  tool get_weather {{"city":"Paris"}} -> {WEATHER}',
        f"  answer 20+7 ${COST}: book_table",
        '  tool book_table {"restaurant":"Chez Nous"} failed',
        f"  answer 20+7 ${COST}: ask_researcher",
        '  tool ask_researcher {"question":"echo:Museums."} -> Museums.',
        f"  answer 20+7 ${COST}: All done.",
        "researcher of concierge",
        "  agent: echo:Museums.",
        f"  answer 20+7 ${COST}: Museums.",
        "span concierge by concierge",
        "span researcher by researcher of concierge in concierge",
    ]
    (failed,) = [
        event for event in sink.events if event["event_properties"].get("[Agent] Tool Success") is False
    ]
    assert REFUSAL in failed["event_properties"]["[Agent] Error Message"]
    assert failed["event_properties"]["[Agent] Error Type"]
    assert len(ids(sink.events, "Trace ID")) == 1
    assert {event["user_id"] for event in sink.events} == {"user-1"}


async def test_streamed(
    framework: Framework, place: Place, ai: AmplitudeAI, sink: MemorySink, observed: bool
) -> None:
    first_token = " first token" if framework.shows_first_token or observed else ""
    assert await in_session(ai, framework.stream(place, "echo:One two three.")) == "One two three."
    assert graph(sink.events, framework.layers) == [
        "concierge",
        "  user: echo:One two three.",
        f"  answer 20+7 ${COST} streamed{first_token}: One two three.",
        "span concierge by concierge",
    ]


async def test_cancelled(framework: Framework, place: Place, ai: AmplitudeAI, sink: MemorySink) -> None:
    run = asyncio.create_task(in_session(ai, framework.ask(place, "stall")))
    while not place.fake.requests:
        await asyncio.sleep(0.01)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert graph(sink.events, framework.layers) == [
        "concierge",
        "  user: stall",
        "  answer None+None $None:  CancelledError",
        "span concierge by concierge CancelledError",
    ]


async def test_failed(framework: Framework, place: Place, ai: AmplitudeAI, sink: MemorySink) -> None:
    with pytest.raises(Exception, match="refused"):
        await in_session(ai, framework.ask(place, "error500"))
    assert graph(sink.events, framework.layers) == [
        "concierge",
        "  user: error500",
        "  answer None+None $None:  failed",
        "span concierge by concierge failed",
    ]


CACHING = sorted(name for name, framework in FRAMEWORKS.items() if framework.has_cache)


@pytest.mark.parametrize("framework", CACHING, indirect=True)
async def test_answered_from_the_frameworks_cache(
    framework: Framework, place: Place, ai: AmplitudeAI, sink: MemorySink
) -> None:
    await in_session(ai, framework.ask_cached(place, "echo:Yes."))
    sink.events.clear()
    await in_session(ai, framework.ask_cached(place, "echo:Yes."))
    assert len(place.fake.requests) == 1
    (answer,) = [line for line in graph(sink.events) if "answer" in line]
    assert answer == "  answer 20+7 $0.0 cached: Yes."


async def test_another_question_is_another_trace(
    framework: Framework, place: Place, ai: AmplitudeAI, sink: MemorySink
) -> None:
    session_id = str(uuid4())
    await in_session(ai, framework.ask(place, "echo:One."), session_id)
    await in_session(ai, framework.ask(place, "echo:Two."), session_id)
    assert ids(sink.events, "Session ID") == {session_id}
    assert len(ids(sink.events, "Trace ID")) == 2
    turns = [event["event_properties"].get("[Agent] Turn ID") for event in sink.events]
    assert [turn for turn in turns if turn] == [1, 2, 3, 4]


async def test_in_a_session_of_its_own(framework: Framework, place: Place, sink: MemorySink) -> None:
    assert await framework.ask(place, "echo:Alone.") == "Alone."
    assert graph(sink.events[:-1], framework.layers) == [
        "concierge",
        "  user: echo:Alone.",
        f"  answer 20+7 ${COST}: Alone.",
        "span concierge by concierge",
    ]
    assert sink.events[-1]["event_type"] == "[Agent] Session End"
    (session_id,) = ids(sink.events, "Session ID")
    assert session_id
    assert {event["user_id"] for event in sink.events} == {"door-user"}


async def test_sessions_side_by_side_do_not_mix(
    framework: Framework, place: Place, ai: AmplitudeAI, sink: MemorySink
) -> None:
    names = [f"session-{uuid4()}" for _ in range(8)]
    runs = [
        in_session(ai, framework.ask(place, f"call:get_weather{{}} echo:{name}."), name) for name in names
    ]
    assert await asyncio.gather(*runs) == [f"{name}." for name in names]
    for name in names:
        own = [event for event in sink.events if event["event_properties"]["[Agent] Session ID"] == name]
        assert len(ids(own, "Trace ID")) == 1
        texts = [event["event_properties"].get("$llm_message", {}).get("text", "") for event in own]
        assert all(name in text for text in texts if text)
        assert len(own) == 5 + sum(
            event["event_properties"].get("[Agent] Span Name") in framework.layers for event in own
        )


async def test_the_agent_is_the_sessions(
    framework: Framework, place: Place, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with ai.agent("planner").session(user_id="user-1", track_session_end=False):
        await framework.ask(place, TOOLS)
    agents = {
        (properties.get("[Agent] Agent ID"), properties.get("[Agent] Parent Agent ID"))
        for properties in (event["event_properties"] for event in sink.events)
    }
    assert agents == {("planner", None), ("researcher", "planner")}
