"""Whichever way a call is made, it is one answer with the same words."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, wrap
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from ..fakes.openai_server import TEXT, OpenAIServer
from .conftest import MakeClient
from .expected import MODEL, fields, kinds, of_kind, seen
from .ways import WAYS, chat, response

every_way = pytest.mark.parametrize("way", WAYS)


@pytest.mark.parametrize("make", ["class", "wrap"])
@every_way
def test_every_way_is_one_whole_exchange(
    way: str, make: str, ai: AmplitudeAI, sink: MemorySink, connect: MakeClient
) -> None:
    given = connect(OpenAI, amplitude=ai) if make == "class" else wrap(connect(openai.OpenAI), ai)
    with ai.agent(user_id="u").session(track_session_end=False):
        WAYS[way](given, "Hi")
    assert kinds(sink) == ["user", "answer"]
    (answer,) = of_kind("answer", sink)
    assert (answer["llm_message"], answer["model_name"], answer["is_error"], answer["output_tokens"] > 0) == (
        {"text": TEXT},
        MODEL,
        False,
        True,
    )
    assert "stream_abandoned" not in answer


@every_way
def test_every_way_takes_keywords(way: str, client: Any, sink: MemorySink, fake: OpenAIServer) -> None:
    WAYS[way](client, "Hi", amplitude_user_id="mary", amplitude_conversation_id="c")
    assert [(event.get("user_id"), fields(event)["session_id"]) for event in sink] == [
        ("mary", "c"),
        ("mary", "c"),
    ]
    assert "amplitude" not in str(fake.requests).lower()


async def test_every_asynchronous_way_is_one_answer(
    ai: AmplitudeAI, sink: MemorySink, connect: MakeClient
) -> None:
    async with connect(AsyncOpenAI, amplitude=ai) as client, ai.agent(user_id="u").session():
        await client.chat.completions.parse(**chat("a"))
        async with client.chat.completions.stream(**chat("b")) as stream:
            await stream.get_final_completion()
        async with client.responses.stream(**response("c")) as events:
            async for _event in events:
                pass
        raw = await client.responses.with_raw_response.create(**response("d"))
        raw.parse()
        streaming = client.chat.completions.with_streaming_response
        async with streaming.create(**chat("e", stream=True)) as given:
            async for _chunk in await given.parse():
                pass
        async with streaming.create(**chat("f")) as given:
            await given.json()
        await client.with_options(timeout=9).responses.create(**response("g"))
    assert [event["llm_message"]["text"] for event in of_kind("user", sink)] == [*"abcdefg"]
    assert [event["llm_message"]["text"] for event in of_kind("answer", sink)] == [TEXT] * 7


@pytest.mark.parametrize("way", ["chat create", "chat stream()", "responses create", "chat raw"])
def test_several_attempts_are_one_call(
    way: str, ai: AmplitudeAI, sink: MemorySink, connect: MakeClient, fake: OpenAIServer
) -> None:
    WAYS[way](connect(OpenAI, amplitude=ai, max_retries=2), "error500x2", amplitude_user_id="u")
    assert len(fake.requests) == 3
    assert [(event["is_error"], event["llm_message"]["text"]) for event in of_kind("answer", sink)] == [
        (False, TEXT)
    ]


def test_an_embedding_is_one_event(ai: AmplitudeAI, sink: MemorySink, client: Any) -> None:
    with ai.agent("bot", user_id="u").session(session_id="s", track_session_end=False):
        client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    (event,) = seen(sink)
    assert event == {
        "user_id": "u",
        "kind": "embedding",
        "session_id": "s",
        "trace_id": "<id>",
        "agent_id": "bot",
        "content_mode": "full",
        "sdk_version": event["sdk_version"],
        "runtime": "python",
        "component_type": "embedding",
        "span_id": "<id>",
        "model_name": "text-embedding-3-small",
        "provider": "openai",
        "latency_ms": "<ms>",
        "is_error": False,
        "input_tokens": 5,
        "embedding_dimensions": 3,
        "cost_usd": 1e-07,
    }


def test_an_embedding_taken_raw_knows_its_dimensions(client: Any, sink: MemorySink) -> None:
    raw = client.embeddings.with_raw_response
    raw.create(model="text-embedding-3-small", input="a", amplitude_user_id="u").parse()
    assert [event["embedding_dimensions"] for event in of_kind("embedding", sink)] == [3]


def test_a_failed_embedding_is_one_failed_event(client: Any, sink: MemorySink) -> None:
    with pytest.raises(openai.RateLimitError):
        client.embeddings.create(model="m", input="error429")
    (event,) = of_kind("embedding", sink)
    assert (event["is_error"], event["error_type"]) == (True, "RateLimitError")


def test_other_requests_of_the_client_are_no_answers(client: Any, sink: MemorySink) -> None:
    with pytest.raises(openai.APIStatusError):
        client.models.list()
    assert kinds(sink) == []


@every_way
def test_a_disabled_client_tracks_nothing_and_sends_no_keyword(
    way: str, connect: MakeClient, sink: MemorySink, fake: OpenAIServer
) -> None:
    off = AmplitudeAI(sink=sink, config=AIConfig(enabled=False))
    WAYS[way](connect(OpenAI, amplitude=off), "Hi", amplitude_user_id="mary")
    assert kinds(sink) == []
    assert "mary" not in str(fake.requests)


@every_way
def test_every_way_passes_validation(way: str, connect: MakeClient, sink: MemorySink) -> None:
    strict = AmplitudeAI(sink=sink, config=AIConfig(validate=True))
    keywords: dict[str, Any] = {"amplitude_user_id": "u", "amplitude_message_id": "m"}
    WAYS[way](connect(OpenAI, amplitude=strict), "think tool", **keywords)
    assert [event["message_id"] for event in of_kind("answer", sink)] == ["m"]
