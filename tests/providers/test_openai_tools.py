"""Results of tools found in messages: each once, with the time since it was asked for where that is known."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.calls.tools import note_asked
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from .conftest import MakeClient
from .expected import MODEL, kinds, of_kind


def _calls(*names: str) -> list[dict[str, Any]]:
    return [
        {"id": f"call_{uuid.uuid4()}", "type": "function", "function": {"name": name, "arguments": "{}"}}
        for name in names
    ]


def _turn(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"done {call['function']['name']}"}
        for call in calls
    ]
    return [{"role": "assistant", "content": None, "tool_calls": calls}, *reversed(results)]


def _ask(client: Any, messages: list[Any]) -> None:
    client.chat.completions.create(model=MODEL, messages=messages)


def _told(sink: MemorySink) -> list[tuple[str, str, bool]]:
    return [
        (event["tool_name"], event["tool_output"], event["latency_ms"] > 0) for event in of_kind("tool", sink)
    ]


BOTH = [("two", "done two", True), ("one", "done one", True)]


def test_parallel_calls_are_each_told_once(client: OpenAI, ai: AmplitudeAI, sink: MemorySink) -> None:
    calls, more = _calls("one", "two"), _calls("three")
    messages = [{"role": "user", "content": "Hi"}, *_turn(calls)]
    with ai.agent(user_id="u").session(track_session_end=False) as session:
        note_asked(session.session_id, calls, "m-1")
        _ask(client, messages)
        _ask(client, messages)
        assert _told(sink) == BOTH
        note_asked(session.session_id, more, "m-2")
        _ask(client, [*messages, *_turn(more)])
    assert _told(sink) == [*BOTH, ("three", "done three", True)]
    assert [event["parent_message_id"] for event in of_kind("tool", sink)] == ["m-1", "m-1", "m-2"]
    assert "user" not in kinds(sink)


def test_what_this_process_did_not_ask_for_took_no_known_time(
    client: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    calls = _calls("one", "two")
    with ai.agent(user_id="u").session(track_session_end=False):
        note_asked("another session", calls, "m-1")
        _ask(client, [{"role": "user", "content": "Hi"}, *_turn(calls)])
    assert _told(sink) == [("two", "done two", False), ("one", "done one", False)]
    assert {event["latency_ms"] for event in of_kind("tool", sink)} == {0}


def test_results_before_the_last_answer_are_old(client: OpenAI, ai: AmplitudeAI, sink: MemorySink) -> None:
    history = [
        {"role": "user", "content": "Hi"},
        *_turn(_calls("old")),
        {"role": "assistant", "content": "So."},
    ]
    with ai.agent(user_id="u").session(track_session_end=False):
        _ask(client, [*history, {"role": "user", "content": "And?"}])
    assert kinds(sink) == ["user", "answer"]


def test_functions_of_the_older_kind_are_told_once_each(
    client: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    def turn(number: int) -> list[Any]:
        call = {"name": "get_time", "arguments": f'{{"n":{number}}}'}
        answer = {"role": "assistant", "content": None, "function_call": call}
        return [answer, {"role": "function", "name": "get_time", "content": f"noon {number}"}]

    messages: list[Any] = [{"role": "user", "content": "Hi"}]
    with ai.agent(user_id="u").session(track_session_end=False):
        for number in range(2):
            messages += turn(number)
            _ask(client, messages)
            _ask(client, messages)
    told = [(event["tool_input"], event["tool_output"]) for event in of_kind("tool", sink)]
    assert told == [('{"n":0}', "noon 0"), ('{"n":1}', "noon 1")]


@pytest.mark.parametrize("is_streaming", [True, False])
async def test_concurrent_sessions_do_not_mix_their_tools(
    is_streaming: bool, connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async def loop(client: Any, number: int) -> None:
        messages: list[Any] = [{"role": "user", "content": f'tool:{{"n":{number}}} tool'}]
        with ai.agent(user_id=f"u-{number}").session(track_session_end=False):
            answer = await client.chat.completions.create(model=MODEL, messages=messages, stream=is_streaming)
            if is_streaming:
                async for _chunk in answer:
                    pass
            call = _calls("get_weather")[0]
            asked = {**call, "id": "call_1"}
            messages += [
                {"role": "assistant", "content": None, "tool_calls": [asked]},
                {"role": "tool", "tool_call_id": "call_1", "content": f"result {number}"},
            ]
            await client.chat.completions.create(model=MODEL, messages=messages)

    async with connect(AsyncOpenAI, amplitude=ai) as client:
        await asyncio.gather(*(loop(client, number) for number in range(8)))
    told = [event for event in sink if kinds([event]) == ["tool"]]
    assert sorted((event["user_id"], event["event_properties"]["[Agent] Tool Output"]) for event in told) == [
        (f"u-{number}", f"result {number}") for number in range(8)
    ]
    assert all(event["event_properties"]["[Agent] Latency Ms"] > 0 for event in told)
