"""Which message a tool call follows from, and which step another is part of."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink, OpenAI, Session
from amplitude_ai_integrations.context import SessionContext, get_active_context, push_context, reset_context
from tests.events import told
from tests.fakes.openai_server import OpenAIServer

MODEL = "gpt-4o-mini"
CALLS = [{"id": "call_1", "type": "function", "function": {"name": "t", "arguments": "{}"}}]


@contextmanager
def step(span_id: str | None) -> Iterator[None]:
    """Observe a step: what is tracked inside is part of it."""
    context = get_active_context()
    assert context is not None
    token = push_context(replace(context, span_id=span_id))
    try:
        yield
    finally:
        reset_context(token)


@pytest.fixture
def session(ai: AmplitudeAI) -> Iterator[Session]:
    with ai.agent("bot").session(user_id="ann", track_session_end=False) as session:
        yield session


def _parents(sink: MemorySink, kind: str = "Tool Call", link: str = "Parent Message ID") -> list[Any]:
    events = [event["event_properties"] for event in sink if event["event_type"] == f"[Agent] {kind}"]
    return [event.get(f"[Agent] {link}") for event in events]


def test_a_tool_follows_from_what_was_said_last(session: Session, sink: MemorySink) -> None:
    session.track_tool_call("t")
    said = session.track_user_message("?")
    session.track_tool_call("t")
    asked = session.track_ai_message("", tool_calls=CALLS)
    session.track_tool_call("t")
    session.track_tool_call("t")
    session.track_ai_message("Not yet.")
    session.track_tool_call("t")
    again = session.track_user_message("And?")
    session.track_tool_call("t")
    assert _parents(sink) == [None, said, asked, asked, asked, again]


def test_what_is_said_of_it_wins(session: Session, sink: MemorySink) -> None:
    session.track_user_message("?")
    session.track_tool_call("t", parent_message_id="m-1")
    assert _parents(sink) == ["m-1"]


def test_another_trace_is_another_story(session: Session, sink: MemorySink) -> None:
    session.track_user_message("?")
    session.track_tool_call("t", trace_id="elsewhere")
    session.track_ai_message("", tool_calls=CALLS, trace_id="elsewhere")
    session.new_trace()
    session.track_tool_call("t")
    assert _parents(sink) == [None, None]


def test_the_current_trace_named_is_the_current_trace(session: Session, sink: MemorySink) -> None:
    trace = session.new_trace()
    said = session.track_user_message("?", trace_id=trace)
    session.track_tool_call("t")
    asked = session.track_ai_message("", tool_calls=CALLS, trace_id=trace)
    session.track_tool_call("t", trace_id=trace)
    assert _parents(sink) == [said, asked]
    assert {event["Trace ID"] for event in told(sink)} == {told(sink)[0]["Trace ID"]}


def test_a_message_by_hand_in_a_trace_that_was_named_is_not_repeated(
    session: Session, ai: AmplitudeAI, sink: MemorySink
) -> None:
    server = OpenAIServer()
    with OpenAI(amplitude=ai, api_key="k", base_url=server.url) as model:
        for text in ("one", "two"):
            session.track_user_message(text, trace_id=session.new_trace())
            model.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}])
    server.stop()
    assert [event["type"] for event in told(sink)] == ["User Message", "AI Response"] * 2
    traces = [event["Trace ID"] for event in told(sink)]
    assert traces[0] == traces[1] != traces[2] == traces[3]


def test_a_tool_run_by_hand_follows_from_the_observed_answer(
    session: Session, ai: AmplitudeAI, sink: MemorySink
) -> None:
    server = OpenAIServer()
    with OpenAI(amplitude=ai, api_key="k", base_url=server.url) as model:
        for _ in range(2):
            session.track_user_message("tool")
            model.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "tool"}])
            session.track_tool_call("get_weather", 1.0, True)
    server.stop()
    answers = [event["event_properties"] for event in sink if event["event_type"] == "[Agent] AI Response"]
    assert _parents(sink) == [answer["[Agent] Message ID"] for answer in answers]
    assert len(set(_parents(sink))) == 2


async def test_parallel_traces_do_not_mix(ai: AmplitudeAI, sink: MemorySink) -> None:
    expected: dict[str, str] = {}

    async def work(name: str) -> None:
        ai.track_user_message(content=name)
        await asyncio.sleep(0)
        asked = ai.track_ai_message(content="", tool_calls=CALLS)
        await asyncio.sleep(0)
        expected[ai.track_tool_call(tool_name=name)] = asked

    async with ai.agent("bot").session(user_id="ann", track_session_end=False):
        await asyncio.gather(*(work(f"{number}") for number in range(8)))
    calls = [event["event_properties"] for event in sink if event["event_type"] == "[Agent] Tool Call"]
    assert {call["[Agent] Invocation ID"]: call["[Agent] Parent Message ID"] for call in calls} == expected
    assert len(expected) == 8


def test_a_step_is_part_of_the_one_around_it(session: Session, ai: AmplitudeAI, sink: MemorySink) -> None:
    session.track_span("before")
    with step("outer"):
        session.track_span("a")
        with step("inner"):
            ai.track_span(span_name="b")
            session.track_span("c", parent_span_id="explicit")
        ai.agent("other").track_span("d")
        session.track_span("outer itself", span_id="outer")
        with step(None):
            session.track_span("e")
    session.track_span("after")
    parents = _parents(sink, "Span", "Parent Span ID")
    assert parents == [None, "outer", "inner", "explicit", "outer", None, None, None]


def test_only_steps_are_part_of_steps(session: Session, sink: MemorySink) -> None:
    with step("outer"):
        session.track_user_message("?")
        session.track_ai_message("!")
        session.track_tool_call("t")
        session.track_embedding("e")
        session.score("good", 1, "m-1")
    assert not any("[Agent] Parent Span ID" in event["event_properties"] for event in sink)


def test_a_step_of_another_session_is_not_part_of_this_one(
    session: Session, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with step("outer"):
        ai.track_span(span_name="x", session_id="another")
        with ai.agent("bot").session(user_id="ann", track_session_end=False):
            ai.track_span(span_name="y")
    assert _parents(sink, "Span", "Parent Span ID") == [None, None]


async def test_parallel_steps_do_not_mix(ai: AmplitudeAI, sink: MemorySink) -> None:
    async def work(name: str) -> None:
        with step(name):
            await asyncio.sleep(0.001)
            ai.track_span(span_name=f"in {name}")

    async with ai.agent("bot").session(user_id="ann", track_session_end=False):
        await asyncio.gather(*(work(f"{number}") for number in range(8)))
    spans = [event["event_properties"] for event in sink]
    assert {span["[Agent] Span Name"]: span["[Agent] Parent Span ID"] for span in spans} == {
        f"in {number}": f"{number}" for number in range(8)
    }


def test_what_is_public_of_a_place(ai: AmplitudeAI) -> None:
    assert get_active_context() is None
    with ai.agent("bot").session("of-places", user_id="ann", device_id="d-1") as session:
        context = get_active_context()
        assert isinstance(context, SessionContext)
        assert (context.session_id, context.user_id, context.device_id) == ("of-places", "ann", "d-1")
        assert (context.agent_id, context.span_id) == ("bot", None)
        assert context.trace_id == session.trace_id == str(uuid.UUID(context.trace_id))
        token = push_context(None)
        assert get_active_context() is None
        reset_context(token)
        assert get_active_context() is context


async def test_a_token_of_another_task_restores_nothing(ai: AmplitudeAI) -> None:
    with ai.agent("bot").session("of-tokens", user_id="ann"):
        token = push_context(None)

        async def elsewhere() -> SessionContext | None:
            reset_context(token)
            return get_active_context()

        assert await asyncio.create_task(elsewhere()) is None
        reset_context(token)
        context = get_active_context()
        assert context is not None
        assert context.session_id == "of-tokens"
