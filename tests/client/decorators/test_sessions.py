"""Sessions, traces, steps and agents around decorated functions."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.decorators import observe, tool
from amplitude_ai_integrations.context.current import get_active_context
from amplitude_ai_integrations.context.threads import keep_session
from amplitude_ai_integrations.delivery.flush import FlushResult
from amplitude_ai_integrations.providers.openai import OpenAI

from ...events import one, told, types
from ...fakes.openai_server import OpenAIServer
from .ways import facts


def test_nested_steps_share_the_outermosts_session_and_trace(ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe
    def step1(query: str) -> str:
        return query.upper()

    @observe
    def step2(query: str) -> str:
        return step1(query)

    @observe(amplitude=ai, user_id="user-1")
    def pipeline(query: str) -> str:
        return step1(query) + step2(query)

    assert pipeline("a") == "AA"
    names = ("Span Name", "Agent ID", "Session ID", "Trace ID", "Span ID", "Parent Span ID")
    assert facts(sink, *names) == [
        ("Span", "step1", "pipeline", "id-4", "id-2", "id-1", "id-3"),
        ("Span", "step1", "pipeline", "id-4", "id-2", "id-5", "id-6"),
        ("Span", "step2", "pipeline", "id-4", "id-2", "id-6", "id-3"),
        ("Span", "pipeline", "pipeline", "id-4", "id-2", "id-3", None),
        ("Session End", None, "pipeline", "id-4", "id-2", None, None),
    ]
    assert {event["user_id"] for event in sink.events} == {"user-1"}
    assert get_active_context() is None


def test_each_outermost_call_is_a_session(ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe(amplitude=ai)
    def answer() -> None:
        return None

    answer()
    answer()
    assert types(sink.events) == ["Span", "Session End"] * 2
    assert len({event["event_properties"]["[Agent] Session ID"] for event in sink.events}) == 2


def test_an_active_session_is_joined_and_goes_on(ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe(session_id="of-its-own", env="test")
    def answer() -> None:
        return None

    with ai.agent("bot").session("s-around") as session:
        answer()
        answer(amplitude_conversation_id="another")
        session.track_user_message("still here")
    assert facts(sink, "Session ID", "Agent ID", "Env") == [
        ("Span", "s-around", "bot", "test"),
        ("Span", "s-around", "bot", "test"),
        ("User Message", "s-around", "bot", None),
        ("Session End", "s-around", "bot", None),
    ]


def test_a_session_can_be_given_its_id_and_all_that_is_known(ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe(amplitude=ai, user_id="user-1", device_id="device-1", env="test", session_id="s-nightly")
    def nightly() -> None:
        return None

    nightly(amplitude_agent_id="janitor", amplitude_groups={"org": "acme"}, amplitude_trace_id="t-1")
    shared = {"user_id": "user-1", "device_id": "device-1", "groups": {"org": "acme"}}
    agent = {"Agent ID": "janitor", "Env": "test", "Session ID": "s-nightly"}
    span, end = told(sink.events)
    assert {**shared, **agent, "Trace ID": "t-1"}.items() <= span.items()
    assert end == {"type": "Session End", **shared, **agent}


def test_a_given_trace_holds_for_everything_inside(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    def search() -> None:
        return None

    @observe
    def answer() -> None:
        search()

    with ai.agent("bot").session() as session:
        answer(amplitude_trace_id="t-1")
        search()
        trace_id = session.trace_id
    traces = [event["event_properties"].get("[Agent] Trace ID") for event in sink.events]
    assert traces == ["t-1", "t-1", trace_id, trace_id]


def test_a_user_message_inside_moves_the_trace_of_what_follows(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(track_session_end=False) as session:

        @observe
        def turn(words: str) -> None:
            session.track_user_message(words)

        turn("one")
        turn("two")
        session.track_ai_message("answer", "gpt-4o", "openai", 1.0)
    first, second = "id-2", "id-6"
    assert [trace for _, trace in facts(sink, "Trace ID")] == [first, first, second, second, second]


def test_a_tool_names_the_message_it_follows_from_and_takes_a_turn(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    def search() -> None:
        return None

    with ai.agent("bot").session(track_session_end=False) as session:
        message_id = session.track_user_message("find it")
        search()
    call = one(sink.events, "Tool Call")
    assert (call["[Agent] Parent Message ID"], call["[Agent] Turn ID"]) == (message_id, 2)


@pytest.mark.parametrize(("said", "is_reported"), [({}, False), ({"amplitude_session_id": "another"}, True)])
def test_a_model_call_that_brings_the_result_back_does_not_report_it_again(
    said: Any, is_reported: bool, ai: AmplitudeAI, sink: MemorySink
) -> None:
    @tool(name="get_weather")
    def weather() -> str:
        return "sunny"

    server = OpenAIServer()
    asked = {"id": "call_9", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages: Any = [
        {"role": "user", "content": "How is the weather?"},
        {"role": "assistant", "tool_calls": [asked]},
        {"role": "tool", "tool_call_id": "call_9", "content": "sunny"},
    ]
    with OpenAI(amplitude=ai, api_key="k", base_url=server.url) as client, ai.agent("bot").session():
        weather(**said)
        client.chat.completions.create(model="gpt-4o", messages=messages)
    server.stop()
    assert types(sink.events).count("Tool Call") == 1 + is_reported


def test_a_tool_outside_any_session_is_one_event_with_its_ids(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool(amplitude=ai, user_id="user-1", trace_id="t-1", turn_id=7)
    def search(q: str) -> str:
        return q

    search("a", amplitude_session_id="s-by-call")
    (call,) = told(sink.events)
    ids = {"user_id": "user-1", "Session ID": "s-by-call", "Trace ID": "t-1", "Turn ID": 7}
    assert ids.items() <= call.items()


async def test_parallel_tasks_keep_their_own_steps(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    async def search(n: int) -> None:
        await asyncio.sleep(0.001 * (5 - n))

    @observe
    async def step(n: int) -> None:
        await search(n)
        await leaf(n)

    @observe
    async def leaf(n: int) -> None:
        await asyncio.sleep(0)

    @observe(amplitude=ai)
    async def pipeline() -> None:
        await asyncio.gather(*(step(n) for n in range(5)))

    await pipeline()
    spans = [event["event_properties"] for event in sink.events]
    span_of = {span["[Agent] Input State"]: span for span in spans if span.get("[Agent] Span Name") == "step"}
    leaves = [span for span in spans if span.get("[Agent] Span Name") == "leaf"]
    root = next(span for span in spans if span.get("[Agent] Span Name") == "pipeline")
    assert len(leaves) == len(span_of) == 5
    for leaf_span in leaves:
        parent = span_of[leaf_span["[Agent] Input State"]]
        assert leaf_span["[Agent] Parent Span ID"] == parent["[Agent] Span ID"]
        assert parent["[Agent] Parent Span ID"] == root["[Agent] Span ID"]
    assert len({span["[Agent] Session ID"] for span in spans}) == 1
    assert types(sink.events)[-1] == "Session End"


async def test_parallel_outermost_calls_are_parallel_sessions(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    async def search(n: int) -> None:
        await asyncio.sleep(0)

    @observe(amplitude=ai)
    async def answer(n: int) -> None:
        await search(n)

    await asyncio.gather(*(answer(n) for n in range(100)))
    by_session: dict[str, list[dict[str, Any]]] = {}
    for event in told(sink.events):
        by_session.setdefault(event["Session ID"], []).append(event)
    assert len(by_session) == 100
    for events in by_session.values():
        assert [event["type"] for event in events] == ["Tool Call", "Span", "Session End"]
        assert events[0]["Tool Input"] == events[1]["Input State"]


WAYS_INTO_A_POOL: dict[str, Callable[[Any], Any]] = {
    "copied context": lambda work: [contextvars.copy_context().run, work],
    "keep_session": lambda work: [keep_session(work)],
}


@pytest.mark.parametrize("way", WAYS_INTO_A_POOL)
def test_a_thread_pool_keeps_the_session_it_was_handed(way: str, ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    def search(n: int) -> int:
        return threading.get_ident()

    @observe(amplitude=ai)
    def answer() -> None:
        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(*WAYS_INTO_A_POOL[way](search), n) for n in range(20)]
            assert threading.get_ident() not in {future.result() for future in futures}

    answer()
    assert types(sink.events) == ["Tool Call"] * 20 + ["Span", "Session End"]
    assert len({event["event_properties"]["[Agent] Session ID"] for event in sink.events}) == 1


async def test_on_a_serverless_platform_the_last_event_is_awaited(
    monkeypatch: pytest.MonkeyPatch, sink: MemorySink
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "handler")
    flushed: Future[Any] = Future()
    sink.flush = lambda: FlushResult([flushed], sink.counts)  # type: ignore[method-assign]
    ai = AmplitudeAI(sink=sink)

    @observe(amplitude=ai)
    async def handler() -> str:
        return "answer"

    handling = asyncio.create_task(handler())
    await asyncio.sleep(0.01)
    assert types(sink.events) == ["Span", "Session End"]
    assert not handling.done()
    flushed.set_result(None)
    assert await handling == "answer"
