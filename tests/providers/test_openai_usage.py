"""Usage of a chat stream is asked for where the server is the vendor's, and the caller does not see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import MemorySink
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from ..fakes.openai_server import OpenAIServer
from .conftest import VENDOR, MakeClient
from .expected import MODEL, of_kind
from .ways import chat

COUNTED = {"input_tokens": 20, "output_tokens": 7, "total_tokens": 27, "cache_read_tokens": 8}


def _counts(sink: MemorySink) -> dict[str, Any]:
    (answer,) = of_kind("answer", sink)
    assert "usage_estimated" not in answer
    return {name: answer.get(name) for name in COUNTED}


def _chunks(client: Any, **more: Any) -> list[Any]:
    return [chunk.to_dict() for chunk in client.chat.completions.create(**chat("Hi", stream=True, **more))]


def test_no_chunk_of_usage_reaches_the_caller(dial: MakeClient, sink: MemorySink) -> None:
    chunks = _chunks(dial(OpenAI))
    assert [len(chunk["choices"]) for chunk in chunks] == [1] * len(_chunks(dial(openai.OpenAI)))
    assert _counts(sink) == COUNTED


def test_usage_is_known_and_the_caller_sees_the_chunks_of_a_bare_client(
    dial: MakeClient, sink: MemorySink, fake: OpenAIServer
) -> None:
    assert _chunks(dial(OpenAI)) == _chunks(dial(openai.OpenAI))
    assert _counts(sink) == COUNTED
    ours, theirs = fake.requests
    assert ours["body"] == {**theirs["body"], "stream_options": {"include_usage": True}}
    assert ours["path"] == f"{VENDOR}/chat/completions"


async def test_usage_is_known_of_an_asynchronous_stream(dial: MakeClient, sink: MemorySink) -> None:
    async def read(kind: Any) -> list[Any]:
        async with dial(kind) as client:
            stream = await client.chat.completions.create(**chat("Hi", stream=True))
            return [chunk.to_dict() async for chunk in stream]

    assert await read(AsyncOpenAI) == await read(openai.AsyncOpenAI)
    assert _counts(sink) == COUNTED


def _raw(client: Any) -> list[Any]:
    raw = client.chat.completions.with_raw_response.create(**chat("Hi", stream=True))
    return [chunk.to_dict() for chunk in raw.parse()]


def _streaming(client: Any) -> list[Any]:
    streaming = client.chat.completions.with_streaming_response
    with streaming.create(**chat("Hi", stream=True)) as response:
        return [chunk.to_dict() for chunk in response.parse()]


def _lines(client: Any) -> list[Any]:
    streaming = client.chat.completions.with_streaming_response
    with streaming.create(**chat("Hi", stream=True)) as response:
        return [*response.iter_lines()]


def _helper(client: Any) -> list[Any]:
    begin = getattr(client.chat.completions, "stream", None) or client.beta.chat.completions.stream
    with begin(**chat("Hi")) as stream:
        return [event.type for event in stream] + [stream.get_final_completion().usage]


@pytest.mark.parametrize("read", [_raw, _streaming, _lines, _helper])
def test_no_way_shows_more_than_a_bare_client(read: Callable[[Any], list[Any]], dial: MakeClient) -> None:
    assert read(dial(OpenAI)) == read(dial(openai.OpenAI))


def test_usage_that_the_caller_asked_for_is_shown(dial: MakeClient, sink: MemorySink) -> None:
    chunks = _chunks(dial(OpenAI), stream_options={"include_usage": True})
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]) == ([], 27)
    assert _counts(sink) == COUNTED


def test_usage_that_the_caller_refused_is_not_asked_for(dial: MakeClient, fake: OpenAIServer) -> None:
    _chunks(dial(OpenAI), stream_options={"include_usage": False})
    assert [request["body"]["stream_options"] for request in fake.requests] == [{"include_usage": False}]


def test_other_hosts_are_asked_nothing_new(client: OpenAI, fake: OpenAIServer) -> None:
    _chunks(client)
    assert [sorted(request["body"]) for request in fake.requests] == [["messages", "model", "stream"]]


def test_a_whole_answer_is_asked_nothing_new(dial: MakeClient, fake: OpenAIServer) -> None:
    dial(OpenAI).chat.completions.create(**chat("Hi"))
    dial(OpenAI).responses.create(model=MODEL, input="Hi", stream=True).close()
    assert ["stream_options" in request["body"] for request in fake.requests] == [False, False]


def test_a_stream_that_is_left_is_estimated(dial: MakeClient, sink: MemorySink) -> None:
    for chunk in dial(OpenAI).chat.completions.create(**chat("Hi", stream=True)):
        if chunk.choices[0].delta.content == "two ":
            break
    (answer,) = of_kind("answer", sink)
    assert (answer["usage_estimated"], answer["output_tokens"]) == (True, 2)


def test_the_shared_arguments_of_a_call_are_not_changed(dial: MakeClient) -> None:
    options: dict[str, Any] = {"amplitude_user_id": "u"}
    given = chat("Hi", stream=True, extra_headers={"x-mine": "1"}, **options)
    dial(OpenAI).chat.completions.create(**given).close()
    assert given == chat("Hi", stream=True, extra_headers={"x-mine": "1"}, **options)


def test_a_chunk_of_usage_that_the_caller_asked_for_in_its_own_way_stays(dial: MakeClient) -> None:
    own = {"extra_body": {"stream_options": {"include_usage": True}}}
    chunks = _chunks(dial(OpenAI), **own)
    assert chunks == _chunks(dial(openai.OpenAI), **own)
    assert chunks[-1]["usage"]
