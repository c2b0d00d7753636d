"""Raw streams that are read in part: told as left, at the end of their block, with what was read."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from .conftest import MakeClient
from .expected import kinds, of_kind
from .ways import chat, response


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"choices": [NaN]}', b'"\\ud800"', b"\xff", b"[" * 5_000])
def test_a_body_that_is_no_json_is_an_answer_all_the_same(
    body: bytes, ai: AmplitudeAI, sink: MemorySink
) -> None:
    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=body)

    with openai.DefaultHttpxClient(transport=httpx2.MockTransport(answer)) as connections:
        client = OpenAI(amplitude=ai, api_key="k", http_client=connections)
        raw = client.chat.completions.with_raw_response.create(**chat("Hi"))
    assert raw.content == body
    assert kinds(sink) == ["user", "answer"]


def _left(sink: MemorySink) -> dict[str, Any]:
    (answer,) = of_kind("answer", sink)
    assert answer["stream_abandoned"] is True
    assert answer["is_error"] is False
    return answer


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_raw_stream_that_is_left(client: Any, ai: AmplitudeAI, sink: MemorySink, api: str) -> None:
    ways = {
        "chat": (client.chat.completions.with_streaming_response.create, chat("stall", stream=True)),
        "responses": (client.responses.with_streaming_response.create, response("stall", stream=True)),
    }
    create, given = ways[api]
    with ai.agent(user_id="u").session(track_session_end=False):
        with create(**given) as answer:
            for line in answer.iter_lines():
                if "two" in line:
                    break
        assert _left(sink)["llm_message"]["text"].startswith("One")


async def test_an_asynchronous_raw_stream_that_is_left(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with connect(AsyncOpenAI, amplitude=ai) as client, ai.agent(user_id="u").session():
        create = client.chat.completions.with_streaming_response.create
        async with create(**chat("stall", stream=True)) as answer:
            async for line in answer.iter_lines():
                if "two" in line:
                    break
        assert _left(sink)["llm_message"]["text"].startswith("One")


async def test_a_cancelled_raw_stream_says_so(connect: MakeClient, ai: AmplitudeAI, sink: MemorySink) -> None:
    async with connect(AsyncOpenAI, amplitude=ai) as client:
        begun = asyncio.Event()

        async def read() -> None:
            create = client.chat.completions.with_streaming_response.create
            async with create(**chat("stall", stream=True)) as answer:
                async for _line in answer.iter_lines():
                    begun.set()

        task = asyncio.create_task(read())
        await asyncio.wait_for(begun.wait(), 5)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert _left(sink)["error_type"] == "CancelledError"
