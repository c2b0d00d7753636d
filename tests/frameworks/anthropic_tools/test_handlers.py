"""What handlers get, return and raise, and how they run."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from pydantic import BaseModel

from amplitude_ai_integrations import AmplitudeAI, MemorySink, tool
from amplitude_ai_integrations.context import get_active_context
from amplitude_ai_integrations.frameworks.anthropic_tools import AmplitudeToolLoop
from amplitude_ai_integrations.providers.anthropic_content import text_of

from ...events import one, types
from ...fakes.anthropic_server import AnthropicServer
from ..contract.graph import ids
from .conftest import Connect
from .running import WAYS, asked, go

ONE = 'call:get_weather{"city":"Paris"} echo:Done.'
TWICE = "twice call:get_weather{} echo:Done."  # both calls are answered at once


class Weather(BaseModel):
    city: str
    degrees: float


def _results(fake: AnthropicServer) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = fake.requests[-1]["body"]["messages"][-1]["content"]
    return content


BLOCKS = [{"type": "text", "text": "Sunny."}]


@pytest.mark.parametrize(
    ("output", "content"),
    [
        ("Sunny.", "Sunny."),
        (None, ""),
        (BLOCKS, BLOCKS),
        ([], "[]"),
        ({"degrees": 20, "word": "schön"}, '{"degrees": 20, "word": "schön"}'),
        (Weather(city="Paris", degrees=20), '{"city": "Paris", "degrees": 20.0}'),
        (
            {
                1,
            },
            '"{1}"',
        ),
    ],
)
def test_what_the_model_gets(
    output: Any, content: Any, connect: Connect, fake: AnthropicServer, ai: AmplitudeAI
) -> None:
    AmplitudeToolLoop(ai, connect(), "u", {"get_weather": lambda city: output}).run(**asked(ONE))
    assert _results(fake) == [{"type": "tool_result", "tool_use_id": "call_get_weather", "content": content}]


def _raises(city: str) -> str:
    raise LookupError(f"no weather in {city}")


def _circular(city: str) -> Any:
    circle: list[Any] = []
    circle.append(circle)
    return circle


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("handlers", "error", "words"),
    [
        ({"get_weather": _raises}, "LookupError", "LookupError: no weather in Paris"),
        ({"get_weather": lambda: "x"}, "TypeError", "unexpected keyword argument 'city'"),
        ({"get_weather": _circular}, "ValueError", "Circular reference"),
        ({"get_weather": lambda city: next(iter(()))}, "StopIteration", "StopIteration"),
        ({"other": _raises}, "UnknownTool", "there is no tool 'get_weather'; there are: other"),
        ({}, "UnknownTool", "there are: none"),
    ],
)
def test_what_fails_is_told_to_the_model(
    handlers: Any,
    error: str,
    words: str,
    way: str,
    connect: Connect,
    fake: AnthropicServer,
    ai: AmplitudeAI,
    sink: MemorySink,
) -> None:
    answer = go(way, connect, lambda client: AmplitudeToolLoop(ai, client, "u", handlers), asked(ONE))
    assert answer.content[0].text == "Done."
    (result,) = _results(fake)
    assert result["is_error"] is True
    assert words in result["content"]
    told = one(sink.events, "Tool Call")
    assert told["[Agent] Tool Success"] is False
    assert told["[Agent] Is Error"] is True
    assert told["[Agent] Error Type"] == error
    assert told["[Agent] Error Source"] == "tool"
    assert told["[Agent] Tool Input"] == '{"city":"Paris"}'
    assert one(sink.events, "Span")["[Agent] Is Error"] is False


def test_two_tools_in_turn(connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    threads = []
    handlers = {"get_weather": lambda: threads.append(threading.current_thread())}
    answer = AmplitudeToolLoop(ai, connect(), "u", handlers).run(**asked(TWICE))
    assert text_of(answer.content) == "Done."
    assert threads == [threading.main_thread()] * 2
    assert types(sink.events).count("Tool Call") == 2
    assert len(ids(sink.events, "Trace ID")) == 1


async def test_two_tools_at_once(
    connect: Connect, fake: AnthropicServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    here: list[Any] = []
    both = asyncio.Event()

    async def get_weather() -> int:
        here.append(get_active_context())
        if len(here) == 2:
            both.set()
        await asyncio.wait_for(both.wait(), 5)
        return len(here)

    async with connect(is_async=True) as client:
        await AmplitudeToolLoop(ai, client, "u", {"get_weather": get_weather}).arun(**asked(TWICE))
    assert [result["tool_use_id"] for result in _results(fake)] == ["call_get_weather", "call_2"]
    assert types(sink.events) == [
        "User Message",
        "AI Response",
        "Tool Call",
        "Tool Call",
        "AI Response",
        "Span",
        "Session End",
    ]
    assert {context.session_id for context in here} == ids(sink.events, "Session ID")


async def test_plain_functions_run_in_threads_with_their_session(
    connect: Connect, ai: AmplitudeAI, sink: MemorySink
) -> None:
    both = threading.Barrier(2, timeout=5)
    here = []

    def get_weather() -> str:
        here.append((threading.current_thread(), get_active_context()))
        both.wait()
        return "Sunny."

    async with connect(is_async=True) as client:
        with ai.agent("planner").session("s-threads", track_session_end=False):
            await AmplitudeToolLoop(ai, client, "u", {"get_weather": get_weather}).arun(**asked(TWICE))
    assert threading.main_thread() not in {thread for thread, _context in here}
    contexts = [context for _thread, context in here if context is not None]
    assert {(context.session_id, context.agent_id) for context in contexts} == {("s-threads", "planner")}
    (span_id,) = ids(sink.events, "Span ID") - {None}
    assert {context.span_id for context in contexts} == {span_id}


async def test_a_function_that_returns_a_coroutine(
    connect: Connect, fake: AnthropicServer, ai: AmplitudeAI
) -> None:
    async def later() -> str:
        return "Sunny."

    handlers = {"get_weather": lambda city: later()}
    async with connect(is_async=True) as client:
        await AmplitudeToolLoop(ai, client, "u", handlers).arun(**asked(ONE))
    assert _results(fake)[0]["content"] == "Sunny."
    AmplitudeToolLoop(ai, connect(), "u", handlers).run(**asked(ONE))
    assert _results(fake)[0]["is_error"] is True
    assert "returned a coroutine" in _results(fake)[0]["content"]


@pytest.mark.parametrize("way", WAYS)
def test_a_decorated_handler_is_told_once(
    way: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink
) -> None:
    @tool(tool_type="api")
    def get_weather(city: str) -> str:
        return "Sunny."

    go(
        way,
        connect,
        lambda client: AmplitudeToolLoop(ai, client, "u", {"get_weather": get_weather}),
        asked(ONE),
    )
    assert one(sink.events, "Tool Call")["[Agent] Tool Type"] == "api"


def test_what_stops_the_program_passes(connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    def get_weather(city: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        AmplitudeToolLoop(ai, connect(), "u", {"get_weather": get_weather}).run(**asked(ONE))
    told = one(sink.events, "Tool Call")
    assert (told["[Agent] Tool Success"], told["[Agent] Error Type"]) == (False, "KeyboardInterrupt")
    assert one(sink.events, "Span")["[Agent] Error Type"] == "KeyboardInterrupt"


async def test_a_cancelled_run_stops_its_tools(connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    begun = asyncio.Event()
    stopped = []

    async def get_weather() -> None:
        begun.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            stopped.append(True)
            raise

    async with connect(is_async=True) as client:
        loop = AmplitudeToolLoop(ai, client, "u", {"get_weather": get_weather})
        run = asyncio.create_task(loop.arun(**asked(TWICE)))
        await begun.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert stopped == [True, True]
    tools = [event["event_properties"] for event in sink.events if event["event_type"] == "[Agent] Tool Call"]
    assert [(told["[Agent] Tool Success"], told["[Agent] Is Error"]) for told in tools] == [
        (False, False)
    ] * 2
    assert one(sink.events, "Span")["[Agent] Error Type"] == "CancelledError"


async def test_a_tool_that_stops_the_loop_stops_the_others(
    connect: Connect, ai: AmplitudeAI, sink: MemorySink
) -> None:
    class Stop(BaseException):
        pass

    calls = []
    stopped = []

    async def get_weather() -> None:
        calls.append(True)
        if len(calls) == 2:
            raise Stop
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            stopped.append(True)
            raise

    async with connect(is_async=True) as client:
        with pytest.raises(Stop):
            await AmplitudeToolLoop(ai, client, "u", {"get_weather": get_weather}).arun(**asked(TWICE))
    assert stopped == [True]
    assert types(sink.events).count("Tool Call") == 2
