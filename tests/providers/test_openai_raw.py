"""Raw streams that are read in part: told as left, at the end of their block, with what was read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.providers.openai import AsyncOpenAI

from .conftest import MakeClient
from .expected import of_kind
from .ways import chat, response


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
