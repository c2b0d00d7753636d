"""Runs that do not come to their end, sessions side by side, and what is kept back."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from uuid import uuid4

import anthropic
import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.frameworks.anthropic_tools import AmplitudeToolLoop
from amplitude_ai_integrations.frameworks.watching import Watching
from amplitude_ai_integrations.runs.tree import RunTree

from ...events import one, types
from ...fakes.anthropic_server import AnthropicServer
from ..contract.graph import ids
from .conftest import Connect
from .running import LATER, MODEL, STREAMED, WAYS, asked, go, later

DOORS = ["bare", "wrapped"]


def _loop(ai: AmplitudeAI) -> Any:
    return lambda client: AmplitudeToolLoop(ai, client, "u", {"get_weather": lambda **given: "Sunny."})


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_fails(way: str, door: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    with pytest.raises(anthropic.InternalServerError):
        go(way, connect, _loop(ai), asked("error500"), door)
    assert types(sink.events) == ["User Message", "AI Response", "Span", "Session End"]
    answer = one(sink.events, "AI Response")
    assert (answer["[Agent] Is Error"], answer["[Agent] Error Type"]) == (True, "InternalServerError")
    assert answer["[Agent] Provider Request ID"] == "req_1"
    assert one(sink.events, "Span")["[Agent] Error Type"] == "InternalServerError"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("way", STREAMED)
def test_a_stream_that_fails(
    way: str, door: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with pytest.raises(anthropic.APIStatusError):
        go(way, connect, _loop(ai), asked("fail"), door)
    answer = one(sink.events, "AI Response")
    assert answer["$llm_message"]["text"] == "One two "
    assert answer["[Agent] Is Error"] is True
    assert answer["[Agent] Input Tokens"] == 20
    assert types(sink.events) == ["User Message", "AI Response", "Span", "Session End"]


@pytest.mark.parametrize("door", DOORS)
def test_a_stream_that_is_left(door: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    for event in _loop(ai)(connect(door)).stream(**asked("echo:One two three four.")):
        if event.type == "text" and event.text == "two ":
            break
    del event
    _is_left(sink)


@pytest.mark.parametrize("door", DOORS)
async def test_an_asynchronous_stream_that_is_left(
    door: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with connect(door, is_async=True) as client:
        async with contextlib.aclosing(
            _loop(ai)(client).astream(**asked("echo:One two three four."))
        ) as events:
            async for event in events:
                if event.type == "text" and event.text == "two ":
                    break
        _is_left(sink)


def _is_left(sink: MemorySink) -> None:
    assert types(sink.events) == ["User Message", "AI Response", "Span", "Session End"]
    answer = one(sink.events, "AI Response")
    assert answer["[Agent] Stream Abandoned"] is True
    assert answer["[Agent] Is Error"] is False
    assert answer["$llm_message"]["text"] == "One two "
    assert answer["[Agent] Input Tokens"] == 20
    assert answer["[Agent] Usage Estimated"] is True
    assert one(sink.events, "Span")["[Agent] Is Error"] is False


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("way", LATER)
async def test_a_run_that_is_cancelled(
    way: str, door: str, connect: Connect, fake: AnthropicServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    run = asyncio.create_task(later(way, connect(door, is_async=True), _loop(ai), asked("stall")))
    while not fake.requests:
        await asyncio.sleep(0.01)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    answer = one(sink.events, "AI Response")
    assert (answer["[Agent] Is Error"], answer["[Agent] Error Type"]) == (False, "CancelledError")
    assert one(sink.events, "Span")["[Agent] Error Type"] == "CancelledError"


@pytest.mark.parametrize("door", DOORS)
def test_what_the_reader_calls_meanwhile_is_its_own(
    door: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink
) -> None:
    other = connect("swapped")
    with ai.agent("reader").session(user_id="u", track_session_end=False):
        for event in AmplitudeToolLoop(ai, connect(door), agent_id="helper").stream(**asked("echo:One.")):
            if event.type == "text":
                other.messages.create(model=MODEL, max_tokens=9, messages=asked("echo:Other.")["messages"])
    answers = [
        event["event_properties"] for event in sink.events if event["event_type"] == "[Agent] AI Response"
    ]
    said = {(told["$llm_message"]["text"], told["[Agent] Agent ID"]) for told in answers}
    assert said == {("One.", "helper"), ("Other.", "reader")}
    assert len(answers) == 2


@pytest.mark.parametrize("way", LATER)
async def test_sessions_side_by_side_do_not_mix(
    way: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with connect(is_async=True) as client:
        loop = _loop(ai)(client)

        async def run(name: str) -> Any:
            given = asked(f"call:get_weather{{}} echo:{name}.")
            async with ai.agent().session(name, user_id=name, track_session_end=False):
                if way == "arun":
                    return await loop.arun(**given)
                return [event async for event in loop.astream(**given)][-1].message

        names = [f"session-{uuid4()}" for _ in range(8)]
        answers = await asyncio.gather(*map(run, names))
    assert [answer.content[0].text for answer in answers] == [f"{name}." for name in names]
    for name in names:
        own = [event for event in sink.events if event["event_properties"]["[Agent] Session ID"] == name]
        assert sorted(types(own)) == ["AI Response", "AI Response", "Span", "Tool Call", "User Message"]
        assert {event["user_id"] for event in own} == {name}
        assert len(ids(own, "Trace ID")) == 1


def test_nothing_is_told_where_tracking_is_off(connect: Connect) -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(enabled=False))
    answer = _loop(ai)(connect()).run(**asked("call:get_weather{} echo:Done."))
    assert answer.content[0].text == "Done."
    assert not sink.events


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("door", DOORS)
def test_no_content_leaves_in_metadata_only(
    door: str, way: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink
) -> None:
    canary = "canary4711"

    def get_weather(city: str) -> str:
        raise LookupError(canary)

    def make(client: Any) -> AmplitudeToolLoop:
        handlers = {"get_weather": get_weather}
        return AmplitudeToolLoop(ai, client, "u", handlers, content_mode="metadata_only")

    words = f'call:get_weather{{"city":"{canary}"}} echo:{canary}'
    with ai.agent().session(track_session_end=False):
        answer = go(way, connect, make, asked(words, system=canary), door)
    assert answer.content[0].text == canary
    assert len(sink.events) == 5
    assert canary not in str(sink.events)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "broken",
    [(Watching, name) for name in ("agent", "call", "tool", "piece", "answered", "ended", "failed")]
    + [(RunTree, name) for name in ("start", "end", "get", "pop", "_record")],
    ids=lambda broken: broken[1],
)
@pytest.mark.usefixtures("swallowing")
def test_our_faults_are_not_felt(
    broken: Any,
    way: str,
    connect: Connect,
    fake: AnthropicServer,
    ai: AmplitudeAI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fault(*_given: Any, **_named: Any) -> Any:
        raise RuntimeError("ours")

    owner, name = broken
    monkeypatch.setattr(owner, name, fault)
    answer = go(way, connect, _loop(ai), asked("call:get_weather{} call:unknown{} echo:Done."))
    assert answer.content[0].text == "Done."
    assert len(fake.requests) == 3
