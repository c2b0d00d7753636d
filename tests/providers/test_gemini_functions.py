"""Functions that Gemini's client calls by itself: one AI Response a request, one Tool Call a run."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from google.genai import chats

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from ..fakes.gemini_server import TEXT, GeminiServer
from .contract.gemini import GEMINI, MODEL, piece
from .expected import fields, kinds, of_kind

# The oldest clients make of Python functions what they warn of themselves.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

EXCHANGE = ["user", "answer", "tool", "answer"]


@pytest.fixture(scope="module")
def _server() -> Iterator[GeminiServer]:
    server = GEMINI.serve()
    yield server
    GEMINI.stop()
    server.stop()


@pytest.fixture
def fake(_server: GeminiServer) -> Iterator[GeminiServer]:
    """Gemini's API; what it received is forgotten after each test."""
    yield _server
    _server.release()


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """An event that only the collector brings about comes too late."""
    gc.disable()
    yield
    gc.enable()


def get_weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


def get_time(city: str) -> str:
    """Tells the time."""
    return f"noon in {city}"


def get_nothing(city: str) -> str:
    """Fails."""
    raise KeyError(city)


for _function in (get_weather, get_time, get_nothing):
    _function.__annotations__ = {"city": str, "return": str}  # older versions read no texts


def _whole(client: Any, words: str, tools: list[Any], **own: Any) -> Any:
    return client.models.generate_content(model=MODEL, contents=words, config={"tools": tools}, **own)


def _streamed(client: Any, words: str, tools: list[Any], **own: Any) -> Any:
    config = {"tools": tools}
    return list(client.models.generate_content_stream(model=MODEL, contents=words, config=config, **own))


def _in_a_chat(client: Any, words: str, tools: list[Any], **own: Any) -> Any:
    return client.chats.create(model=MODEL, config={"tools": tools}).send_message(words, **own)


def _streamed_in_a_chat(client: Any, words: str, tools: list[Any], **own: Any) -> Any:
    chat = client.chats.create(model=MODEL, config={"tools": tools})
    return list(chat.send_message_stream(words, **own))


async def _whole_later(client: Any, words: str, tools: list[Any], **own: Any) -> Any:
    config = {"tools": tools}
    return await client.aio.models.generate_content(model=MODEL, contents=words, config=config, **own)


async def _streamed_later(client: Any, words: str, tools: list[Any], **own: Any) -> Any:
    config = {"tools": tools}
    stream = client.aio.models.generate_content_stream(model=MODEL, contents=words, config=config, **own)
    return [chunk async for chunk in await stream]


async def _in_a_chat_later(client: Any, words: str, tools: list[Any], **own: Any) -> Any:
    return await client.aio.chats.create(model=MODEL, config={"tools": tools}).send_message(words, **own)


async def _streamed_in_a_chat_later(client: Any, words: str, tools: list[Any], **own: Any) -> Any:
    chat = client.aio.chats.create(model=MODEL, config={"tools": tools})
    return [chunk async for chunk in await chat.send_message_stream(words, **own)]


WAYS = {
    "whole": _whole,
    "streamed": _streamed,
    "in a chat": _in_a_chat,
    "streamed in a chat": _streamed_in_a_chat,
    "whole, later": _whole_later,
    "streamed, later": _streamed_later,
    "in a chat, later": _in_a_chat_later,
    "streamed in a chat, later": _streamed_in_a_chat_later,
}
every_way = pytest.mark.parametrize("way", WAYS)


@pytest.mark.parametrize("way", ["whole", "streamed", "whole, later"])
def test_outside_a_session_a_call_is_one_trace(
    way: str, fake: GeminiServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async def ask_later() -> None:
        client = GEMINI.swap(fake, "async", ai)
        await _whole_later(client, "tool", [get_weather])
        await GEMINI.aclose(client)

    if way.endswith("later"):
        asyncio.run(ask_later())
    else:
        WAYS[way](GEMINI.swap(fake, "sync", ai), "tool", [get_weather])
    assert kinds(sink) == EXCHANGE
    assert len({fields(event)["trace_id"] for event in sink}) == 1


@pytest.fixture
def ask(fake: GeminiServer, ai: AmplitudeAI, session_id: str) -> Any:
    """Ask in a session, in any of the ways."""

    def run(way: str, words: str, tools: list[Any], **own: Any) -> Any:
        session = ai.agent(user_id="u").session(session_id=session_id, track_session_end=False)

        async def run_later() -> Any:
            client = GEMINI.swap(fake, "async", ai)
            async with session:
                result = await WAYS[way](client, words, tools, **own)
            await GEMINI.aclose(client)
            return result

        if way.endswith("later"):
            return asyncio.run(run_later())
        client = GEMINI.swap(fake, "sync", ai)
        with session:
            return WAYS[way](client, words, tools, **own)

    return run


@every_way
@pytest.mark.parametrize("words", ["tool", "tool unnamed"])
def test_each_request_and_each_run_is_told(way: str, words: str, ask: Any, sink: MemorySink) -> None:
    ask(way, words, [get_weather])
    assert kinds(sink) == EXCHANGE
    (asked, answered), (ran,) = of_kind("answer", sink), of_kind("tool", sink)
    assert "get_weather" in asked["tool_calls"]
    assert answered["llm_message"] == {"text": TEXT}
    assert (ran["tool_name"], ran["tool_input"]) == ("get_weather", '{"city":"Paris"}')
    assert ran["tool_output"] == "sunny in Paris"
    assert ran["latency_ms"] > 0
    assert ran["parent_message_id"] == asked["message_id"]
    assert len({event["trace_id"] for event in (asked, answered, ran)}) == 1
    assert [event["turn_id"] for event in (asked, ran, answered)] == [2, 3, 4]


@every_way
def test_functions_that_are_called_at_once_are_a_run_each(way: str, ask: Any, sink: MemorySink) -> None:
    ask(way, "tool all unnamed", [get_weather, get_time])
    ran = [(event["tool_name"], event["tool_output"]) for event in of_kind("tool", sink)]
    assert ran == [("get_weather", "sunny in Paris"), ("get_time", "noon in Paris")]


@every_way
def test_a_function_that_fails_is_a_run_too(way: str, ask: Any, sink: MemorySink) -> None:
    ask(way, "tool", [get_nothing])
    assert kinds(sink) == EXCHANGE
    (ran,) = of_kind("tool", sink)
    assert (ran["tool_success"], ran["is_error"]) == (False, True)
    assert "Paris" in str(ran)


@every_way
def test_keywords_hold_for_all_requests_but_an_id_for_the_first(way: str, ask: Any, sink: MemorySink) -> None:
    ask(way, "tool", [get_weather], amplitude_user_id="mary", amplitude_message_id="m1")
    assert {event["user_id"] for event in sink} == {"mary"}
    first, second = (event["message_id"] for event in of_kind("answer", sink))
    assert first == "m1" != second


@every_way
def test_the_same_question_again_is_told_again(way: str, ask: Any, sink: MemorySink) -> None:
    ask(way, "tool unnamed", [get_weather])
    ask(way, "tool unnamed", [get_weather])
    assert kinds(sink).count("tool") == 2


@pytest.mark.parametrize("is_later", [False, True])
def test_a_chat_goes_on_where_it_was(
    is_later: bool, fake: GeminiServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async def talk_later() -> Any:
        client = GEMINI.swap(fake, "async", ai)
        chat = client.aio.chats.create(model=MODEL)
        await chat.send_message("Hi", amplitude_user_id="mary")
        async for _chunk in await chat.send_message_stream("you", amplitude_user_id="mary"):
            pass
        await chat.send_message("there")
        await GEMINI.aclose(client)
        return chat

    def talk() -> Any:
        chat = GEMINI.swap(fake, "sync", ai).chats.create(model=MODEL)
        chat.send_message("Hi", amplitude_user_id="mary")
        for _chunk in chat.send_message_stream("you", amplitude_user_id="mary"):
            pass
        chat.send_message("there")
        return chat

    chat = asyncio.run(talk_later()) if is_later else talk()
    assert isinstance(chat, chats.AsyncChat if is_later else chats.Chat)
    said = [event["llm_message"]["text"] for event in of_kind("user", sink)]
    assert said == ["Hi", "you", "there"]
    sent = fake.requests[-1]["body"]["contents"]
    assert [part["text"] for content in sent for part in content["parts"]] == [
        "Hi",
        TEXT,
        "you",
        *["One ", "two ", "three ", "four."],
        "there",
    ]


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("is_read", [True, False])
def test_a_stream_of_a_chat_that_is_left_is_one_answer(
    is_read: bool, fake: GeminiServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    chat = GEMINI.swap(fake, "sync", ai).chats.create(model=MODEL)
    stream = chat.send_message_stream("Hi")
    if is_read:
        next(stream)
    del stream
    assert kinds(sink) == ["user", "answer"]
    (told,) = of_kind("answer", sink)
    assert told["stream_abandoned"] is True
    assert len(fake.requests) == (1 if is_read else 0)


@pytest.mark.usefixtures("no_garbage_collection")
def test_a_stream_that_is_left_after_a_function_was_called_is_told_so_far(
    fake: GeminiServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = GEMINI.swap(fake, "sync", ai)
    config = {"tools": [get_weather]}
    for chunk in client.models.generate_content_stream(model=MODEL, contents="tool", config=config):
        if piece(chunk):
            break
    assert kinds(sink) == EXCHANGE
    asked, answered = of_kind("answer", sink)
    assert "stream_abandoned" not in asked
    assert answered["stream_abandoned"] is True
