"""One agent lets another work in its session: who speaks, in whose trace, and what is restored."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from amplitude_ai_integrations import AmplitudeAI, AsyncOpenAI, MemorySink, OpenAI
from amplitude_ai_integrations.context import get_active_context, keep_session
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from tests.conftest import Serve
from tests.events import told, types

MODEL = "gpt-4o-mini"


def _ask(words: str) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": words}]}


def _who(sink: MemorySink) -> list[tuple[str, str | None, str | None]]:
    return [(event["type"], event.get("Agent ID"), event.get("Parent Agent ID")) for event in told(sink)]


def test_an_orchestrator_its_researcher_and_its_writer(
    model: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    orchestrator = ai.agent("orchestrator", env="production", agent_version="v2", description="Directs")
    researcher = orchestrator.child("researcher", description="Looks things up")
    with orchestrator.session(user_id="user-1") as session:
        session.track_user_message("Compare our prices")
        with session.run_as(researcher) as research:
            model.chat.completions.create(**_ask("Research the prices of others"))
            research.track_tool_call("web_search", 500.0, True)
        with session.run_as(orchestrator.child("writer")):
            model.chat.completions.create(**_ask("Write it down"))
        session.track_ai_message("We are cheap.", "gpt-4o", "openai", 500.0)
    assert _who(sink) == [
        ("User Message", "orchestrator", None),
        ("AI Response", "researcher", "orchestrator"),
        ("Tool Call", "researcher", "orchestrator"),
        ("AI Response", "writer", "orchestrator"),
        ("AI Response", "orchestrator", None),
        ("Session End", "orchestrator", None),
    ]
    events = told(sink)
    assert {event["Session ID"] for event in events} == {events[0]["Session ID"]}
    assert {event["Trace ID"] for event in events} == {events[0]["Trace ID"]}
    assert {event["user_id"] for event in events} == {"user-1"}
    assert {event["Env"] for event in events} == {"production"}
    assert [event.get("Turn ID") for event in events] == [1, 2, 3, 4, 5, None]
    assert {event.get("Agent Version") for event in events} == {"v2"}
    descriptions = [event.get("Agent Description") for event in events]
    assert descriptions == ["Directs", "Looks things up", "Looks things up", None, "Directs", "Directs"]


def test_blocks_nest_and_each_restores_what_was_around_it(ai: AmplitudeAI, sink: MemorySink) -> None:
    child = ai.agent("a").child("b")
    with ai.agent("a").session(user_id="user-1") as session:
        with session.run_as(child) as inside, inside.run_as(child.child("c")) as deepest:
            ai.track_span(span_name="1")
            deepest.track_span("2")
            inside.track_span("3")
            session.track_span("4")
        ai.track_span(span_name="5")
    assert _who(sink)[:-1] == [
        ("Span", "c", "b"),
        ("Span", "c", "b"),
        ("Span", "b", "a"),
        ("Span", "a", None),
        ("Span", "a", None),
    ]
    assert types(sink)[-1] == "Session End"
    assert get_active_context() is None


def test_an_exception_restores_and_passes(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("a")
    with agent.session(user_id="user-1") as session:
        with pytest.raises(KeyError), session.run_as(agent.child("b")):
            raise KeyError("x")
        ai.track_span(span_name="after")
    assert _who(sink) == [("Span", "a", None), ("Session End", "a", None)]
    assert "Is Error" not in told(sink)[-1]


def test_an_agent_that_is_no_child_gets_the_one_around_as_its_parent(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("a", agent_version="v1").session(user_id="user-1") as session:
        with session.run_as(ai.agent("b")):
            ai.track_span(span_name="x")
        with session.run_as(ai.agent("b", parent_agent_id="z")):
            ai.track_span(span_name="x")
        with session.run_as(ai.agent("a")):
            ai.track_span(span_name="x")
    assert _who(sink)[:-1] == [("Span", "b", "a"), ("Span", "b", "z"), ("Span", "a", None)]
    assert [event.get("Agent Version") for event in told(sink)] == [None, None, "v1", "v1"]


def test_an_agent_without_a_name_is_the_one_around_and_not_its_own_parent(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("a").session(user_id="user-1") as session, session.run_as(ai.agent(env="staging")):
        ai.track_span(span_name="x")
    assert _who(sink)[0] == ("Span", "a", None)
    assert told(sink)[0]["Env"] == "staging"


def test_a_session_without_a_block_delegates_too(model: OpenAI, ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("a", user_id="user-1")
    session = agent.session()
    session.track_user_message("Hi")
    with session.run_as(agent.child("b")):
        model.chat.completions.create(**_ask("Look it up"))
    session.track_ai_message("Hello", "m", "p", 1.0)
    assert _who(sink) == [("User Message", "a", None), ("AI Response", "b", "a"), ("AI Response", "a", None)]
    events = told(sink)
    assert [event["Turn ID"] for event in events] == [1, 2, 3]
    assert len({event["Trace ID"] for event in events}) == 1
    assert get_active_context() is None


async def test_agents_in_gather_keep_their_names_and_traces(
    async_model: AsyncOpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    agent = ai.agent("boss")
    async with agent.session(user_id="user-1") as session:

        async def work(number: int) -> tuple[str, str]:
            async with session.arun_as(agent.child(f"worker-{number}")) as inside:
                trace = inside.new_trace()
                await asyncio.sleep(0.001 * (number % 3))
                await async_model.chat.completions.create(**_ask(f"echo:{number}"))
                inside.track_span(f"step of {number}")
                return trace, inside.trace_id

        before = session.trace_id
        results = await asyncio.gather(*(work(number) for number in range(6)))
        assert session.trace_id == before
        session.track_span("after")
    assert all(begun == kept for begun, kept in results)
    events = [event["event_properties"] for event in sink]
    for number, (trace, _kept) in enumerate(results):
        own = [event for event in events if event.get("[Agent] Agent ID") == f"worker-{number}"]
        assert {event["[Agent] Trace ID"] for event in own} == {trace}
        assert {event["[Agent] Parent Agent ID"] for event in own} == {"boss"}
        texts = {event["$llm_message"]["text"] for event in own if "$llm_message" in event}
        assert texts == {f"echo:{number}", str(number)}
    assert types(sink).count("Session End") == 1
    assert _who(sink)[-2:] == [("Span", "boss", None), ("Session End", "boss", None)]


async def test_parallel_tasks_of_a_session_without_a_block_keep_their_own_traces(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    session = ai.agent("boss", user_id="user-1").session()

    async def work() -> tuple[str, str]:
        async with session.arun_as(ai.agent("worker")) as inside:
            trace = inside.new_trace()
            await asyncio.sleep(0.001)
            inside.track_span("x")
            return trace, inside.trace_id

    results = await asyncio.gather(*(work() for _ in range(4)))
    assert all(begun == kept for begun, kept in results)
    assert len({begun for begun, _kept in results}) == 4
    assert {event["event_properties"]["[Agent] Trace ID"] for event in sink} == {
        begun for begun, _ in results
    }


async def test_parallel_tasks_share_a_session_without_a_block_and_no_trace(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    session = ai.agent("boss", user_id="user-1").session()
    first = session.new_trace()

    async def begin(name: str) -> bool:
        trace = session.new_trace()
        await asyncio.sleep(0.001)
        session.track_span(name)
        return trace == session.trace_id == sink.events[-1]["event_properties"]["[Agent] Trace ID"]

    async def say(name: str) -> bool:
        session.track_user_message(name)
        trace = session.trace_id
        await asyncio.sleep(0.001)
        session.track_tool_call(name)
        return trace == session.trace_id == sink.events[-1]["event_properties"]["[Agent] Trace ID"]

    assert all(await asyncio.gather(*(work(f"{number}") for number in range(4) for work in (begin, say))))
    traces = [event["Trace ID"] for event in told(sink)]
    assert len(traces) == 12
    assert len(set(traces)) == 8
    with session:
        assert session.new_trace() == session.trace_id != first
    assert session.new_trace() == session.trace_id
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: session.trace_id).result(5) == session.trace_id


def test_delegation_in_threads_that_keep_the_session(
    model: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    agent = ai.agent("boss")
    with agent.session(user_id="user-1") as session, ThreadPoolExecutor(4) as pool:
        session.track_user_message("All of you")

        def work(number: int) -> str | None:
            with session.run_as(agent.child(f"worker-{number}")):
                model.chat.completions.create(**_ask(f"echo:{number}"))
            context = get_active_context()
            return context.agent_id if context else None

        restored = list(pool.map(keep_session(work), range(8)))
        assert [pool.submit(get_active_context).result() for _ in range(4)] == [None] * 4
    assert restored == ["boss"] * 8
    answers = [event for event in told(sink) if event["type"] == "AI Response"]
    found = {
        (event["Agent ID"], event["$llm_message"]["text"], event["Parent Agent ID"]) for event in answers
    }
    assert found == {(f"worker-{number}", str(number), "boss") for number in range(8)}
    assert {event["Trace ID"] for event in told(sink)} == {told(sink)[0]["Trace ID"]}
    assert sorted(event["Turn ID"] for event in told(sink)[:-1]) == list(range(1, 10))


def test_inside_a_web_request(model: OpenAI, ai: AmplitudeAI, sink: MemorySink, serve: Serve) -> None:
    agent = ai.agent("front")

    def handle(_request: Request) -> PlainTextResponse:
        session = agent.session()
        session.track_user_message("Hi")
        with session.run_as(agent.child("back")):
            model.chat.completions.create(**_ask("Look it up"))
        ai.track_span(span_name="after")
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", handle)])
    serving = AmplitudeAIMiddleware(
        app, amplitude_ai=ai, agent_id="site", user_id_resolver=lambda _request: "ann"
    )
    assert httpx.get(serve(serving)).text == "ok"
    assert _who(sink)[:3] == [
        ("User Message", "front", None),
        ("AI Response", "back", "front"),
        ("Span", "site", None),
    ]
    assert {event["user_id"] for event in told(sink)} == {"ann"}
    said, answered = told(sink)[:2]
    assert (said["Session ID"], said["Trace ID"]) == (answered["Session ID"], answered["Trace ID"])


def test_a_delegated_message_is_the_agents_and_rolls_nothing(
    model: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    agent = ai.agent("boss")
    with agent.session(user_id="user-1") as session:
        model.chat.completions.create(**_ask("Which one?"))
        with session.run_as(agent.child("helper")) as inside:
            inside.track_user_message("Look at both")
            inside.track_ai_message("Both are fine", "m", "p", 1.0)
    said = [
        (event["$llm_message"]["text"], event["Message Source"])
        for event in told(sink)
        if "Message Source" in event
    ]
    assert said == [("Which one?", "user"), ("Look at both", "agent")]
    assert len({event["Trace ID"] for event in told(sink)}) == 1


def test_tags_locale_and_context_of_the_session_hold_inside(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("a", context={"variant": "b"}, locale="de", groups={"company": "acme"})
    with agent.session(user_id="user-1", tags=["vip"], track_session_end=False) as session:
        with session.run_as(ai.agent("b")):
            ai.track_span(span_name="x")
        with session.run_as(agent.child("c", context={"kind": "retriever"})):
            ai.track_span(span_name="x")
    first, second = told(sink)
    assert (first["Tags"], first["Locale"], first["groups"]) == ('["vip"]', "de", {"company": "acme"})
    assert first["Context"] == '{"variant":"b"}'
    assert second["Context"] == '{"variant":"b","kind":"retriever"}'
    assert second["Tags"] == '["vip"]'
