"""Calls inside sessions: nothing is told twice, and every event knows where it belongs."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import suppress
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.recording import _warn_nobody
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from .conftest import MakeClient
from .expected import MODEL, fields, kinds, of_kind, seen, tool
from .ways import TOOL, chat, response


def _call_id() -> str:
    return f"call_{uuid.uuid4()}"


def _asked(call_id: str) -> list[Any]:
    function = {"name": "get_weather", "arguments": '{"city":"Paris"}'}
    asked = [{"id": call_id, "type": "function", "function": function}]
    return [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": asked}]


def _answered(call_id: str, output: Any = "sunny") -> list[Any]:
    return [*_asked(call_id), {"role": "tool", "tool_call_id": call_id, "content": output}]


def test_a_user_message_tracked_by_hand_is_not_repeated(
    client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent(user_id="u").session(track_session_end=False) as session:
        for words in ("one", "two"):
            session.track_user_message(words)
            client.chat.completions.create(**chat(words))
    assert kinds(sink) == ["user", "answer"] * 2
    assert [event["llm_message"]["text"] for event in of_kind("user", sink)] == ["one", "two"]
    traces = [fields(event)["trace_id"] for event in sink]
    assert traces[0] == traces[1] != traces[2] == traces[3]


def test_an_agent_in_its_session_tells_a_loop_of_tools_once(
    client: Any, ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    messages: list[Any] = [{"role": "user", "content": "tool"}]
    with ai.agent(user_id="u").session(session_id, track_session_end=False):
        first = client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
        message = first.choices[0].message
        messages += [message, {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}]
        client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
    assert kinds(sink) == ["user", "answer", "tool", "answer"]
    _said, asked, ran, answered = seen(sink)
    assert asked["tool_calls"] == (
        '[{"type":"function","id":"call_1","function":{"name":"get_weather","arguments":"{\\"city\\":\\"Paris\\"}"}}]'
    )
    assert ran == tool(turn_id=3)
    assert answered["finish_reason"] == "stop"
    events = [fields(event) for event in sink]
    assert events[2]["parent_message_id"] == events[1]["message_id"]
    assert len({event["trace_id"] for event in events}) == 1


def test_a_loop_of_tools_through_responses(
    client: Any, ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    items: list[Any] = [{"role": "user", "content": "think tool"}]
    with ai.agent(user_id="u").session(session_id, track_session_end=False):
        first = client.responses.create(model=MODEL, input=items)
        items += [*first.output, {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}]
        client.responses.create(model=MODEL, input=items)
    assert kinds(sink) == ["user", "answer", "tool", "answer"]
    assert seen(sink)[2] == tool(turn_id=3)


def test_a_tool_whose_request_was_made_elsewhere_has_no_latency(
    client: Any, ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    with ai.agent(user_id="u").session(session_id, track_session_end=False):
        client.chat.completions.create(model=MODEL, messages=_answered(_call_id()))
    assert seen(sink)[0] == tool(turn_id=1, latency_ms=0.0, parent_message_id=None)
    assert kinds(sink) == ["tool", "answer"]


def test_a_response_that_refers_to_the_last_one_names_its_tool(
    client: Any, ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    with ai.agent(user_id="u").session(session_id, track_session_end=False):
        first = client.responses.create(model=MODEL, input="tool")
        output = [{"type": "function_call_output", "call_id": "call_1", "output": "sunny"}]
        client.responses.create(model=MODEL, input=output, previous_response_id=first.id)
    assert seen(sink)[2] == tool(turn_id=3)


def test_a_request_sent_again_is_no_second_run_of_its_tool(
    client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    messages = _answered(_call_id())
    with ai.agent(user_id="u").session(track_session_end=False):
        for _attempt in range(2):
            client.chat.completions.create(model=MODEL, messages=messages)
    assert kinds(sink) == ["tool", "answer", "answer"]


def test_a_resent_history_tells_only_what_is_new(client: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    history = [*_answered(_call_id()), {"role": "assistant", "content": "Sunny."}]
    with ai.agent(user_id="u").session(track_session_end=False):
        client.chat.completions.create(
            model=MODEL, messages=[*history, {"role": "user", "content": "Thanks"}]
        )
    assert [event["llm_message"]["text"] for event in of_kind("user", sink)] == ["Thanks"]
    assert kinds(sink) == ["user", "answer"]


def test_a_tool_tracked_by_hand_is_not_repeated(client: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent(user_id="u").session(track_session_end=False) as session:
        session.track_tool_call("get_weather", latency_ms=3.0, success=True)
        client.chat.completions.create(model=MODEL, messages=_answered(_call_id()))
    assert kinds(sink) == ["tool", "answer"]


def test_conversations_named_by_keyword_do_not_share_tool_calls(client: Any, sink: MemorySink) -> None:
    messages = _answered(_call_id())  # servers other than the vendor's number their calls from zero
    for conversation in (str(uuid.uuid4()), str(uuid.uuid4())):
        client.chat.completions.create(
            model=MODEL, messages=messages, amplitude_user_id="u", amplitude_conversation_id=conversation
        )
    assert kinds(sink) == ["tool", "answer"] * 2


def test_each_user_message_begins_a_trace(client: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent(user_id="u").session(track_session_end=False):
        client.chat.completions.create(**chat("one"))
        client.chat.completions.create(**chat("two"))
    traces = [fields(event)["trace_id"] for event in sink]
    assert traces[0] == traces[1] != traces[2] == traces[3]


def test_a_stream_keeps_the_ids_of_the_session_it_began_in(
    client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    session_id = str(uuid.uuid4())
    with ai.agent("bot", user_id="u").session(session_id=session_id):
        stream = client.responses.create(**response("Hi", stream=True))
    for _event in stream:
        pass
    assert kinds(sink) == ["user", "end", "answer"]
    said, _ended, answered = (fields(event) for event in sink)
    for name in ("session_id", "trace_id", "agent_id"):
        assert answered[name] == said[name]
    assert answered["session_id"] == session_id


def test_a_stream_read_inside_another_session_stays_with_its_own(
    client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent(user_id="ann").session(session_id="a", track_session_end=False):
        stream = client.responses.create(**response("Hi", stream=True))
    with ai.agent(user_id="bob").session(session_id="b", track_session_end=False):
        for _event in stream:
            pass
    assert [(event["user_id"], event["session_id"]) for event in seen(sink)] == [("ann", "a")] * 2


async def test_parallel_calls_never_mix_their_sessions(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with connect(AsyncOpenAI, amplitude=ai) as client:

        async def talk(name: str) -> None:
            async with ai.agent(user_id=name).session(session_id=f"of {name}", track_session_end=False):
                stream = await client.responses.create(**response(f"echo:{name}", stream=True))
                async for _event in stream:
                    await asyncio.sleep(0)

        await asyncio.gather(*(talk(f"user{number}") for number in range(8)))
    found = {(event["user_id"], event["session_id"], event["llm_message"]["text"]) for event in seen(sink)}
    names = [f"user{number}" for number in range(8)]
    said = {(name, f"of {name}", f"echo:{name}") for name in names}
    assert found == said | {(name, f"of {name}", name) for name in names}
    assert len(sink.events) == 16


def test_a_call_of_nobody_is_reported_once(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    _warn_nobody.cache_clear()
    with caplog.at_level(logging.WARNING, logger="amplitude_ai_integrations"):
        client.responses.create(**response("one"))
        client.responses.create(**response("two"))
    assert len(caplog.records) == 1


def test_a_call_with_a_user_is_not_reported(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    _warn_nobody.cache_clear()
    with caplog.at_level(logging.WARNING, logger="amplitude_ai_integrations"):
        client.responses.create(**response("one", amplitude_user_id="u"))
    assert caplog.records == []


def test_a_call_tried_again_by_the_application_tells_the_message_once(
    client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent(user_id="u").session(track_session_end=False):
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(**chat("error429x1 again"))
        client.chat.completions.create(**chat("error429x1 again"))
    assert kinds(sink) == ["user", "answer", "answer"]
    assert len({fields(event)["trace_id"] for event in sink}) == 1


def test_two_calls_over_one_message_are_one_turn(client: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    question = {"role": "user", "content": "Which way?"}
    with ai.agent(user_id="u").session(track_session_end=False):
        for system in ("Route it.", "Answer it."):
            messages: list[Any] = [{"role": "system", "content": system}, question]
            client.chat.completions.create(model=MODEL, messages=messages)
        messages = [question, {"role": "assistant", "content": "That one."}, question]
        client.chat.completions.create(model=MODEL, messages=messages)
    assert kinds(sink) == ["user", "answer", "answer", "user", "answer"]
    traces = [fields(event)["trace_id"] for event in sink]
    assert traces[0] == traces[1] == traces[2] != traces[3] == traces[4]


async def test_a_call_in_a_task_of_its_own_begins_the_trace_of_what_follows(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with connect(AsyncOpenAI, amplitude=ai) as client, ai.agent(user_id="u").session() as session:
        for words in ("one", "two"):
            await asyncio.wait_for(asyncio.ensure_future(client.chat.completions.create(**chat(words))), 5)
            session.track_span("after")
    traces = [fields(event)["trace_id"] for event in sink]
    assert traces[0] == traces[1] == traces[2] != traces[3] == traces[4] == traces[5]


def test_what_a_server_says_is_never_refused(connect: MakeClient) -> None:
    strict = AmplitudeAI(config=AIConfig(validate=True), sink=MemorySink())
    client = connect(OpenAI, amplitude=strict)
    answer = client.chat.completions.create(**chat("Hi"), temperature=-1)
    assert answer.choices[0].message.content


async def test_a_loop_left_after_a_cancellation_that_is_over_was_not_cancelled(
    ai: AmplitudeAI, sink: MemorySink, connect: MakeClient
) -> None:
    async def ask() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10)
        async with connect(AsyncOpenAI, amplitude=ai) as client:
            stream = await client.chat.completions.create(**chat("Hi", stream=True))
            async for _chunk in stream:
                break

    task = asyncio.create_task(ask())
    await asyncio.sleep(0)
    task.cancel()
    await task
    assert "error_type" not in of_kind("answer", sink)[0]
