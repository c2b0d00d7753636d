"""``@tool`` on the tools of MCP servers, called by a real client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, ContentMode, MemorySink, tool
from amplitude_ai_integrations.config import AIConfig
from amplitude_ai_integrations.exceptions import ConfigurationError

from ...events import one, types
from .sdk import Context, MCPServer, connected

WHY = "The user wants to know about Paris."
DESCRIPTION = "Why you call this tool now: what the user asked for and what you want to find out or do."
OFFERED = {
    "anyOf": [{"type": "string"}, {"type": "null"}],
    "default": None,
    "title": "Rationale",
    "description": DESCRIPTION,
}
PROPERTIES = {
    "city": {"title": "City", "type": "string"},
    "days": {"default": 1, "title": "Days", "type": "integer"},
}


def forecast(city: str, ctx: Context, days: int = 1) -> str:
    """Tell the weather."""
    return f"sunny in {city} for {days}"


async def forecast_later(city: str, ctx: Context, days: int = 1) -> str:
    """Tell the weather."""
    return f"sunny in {city} for {days}"


FUNCTIONS = [forecast, forecast_later]


def serving(function: Callable[..., Any], **options: Any) -> Any:
    """Return a server with one tool."""
    server = MCPServer("weather")
    server.tool(name="forecast")(tool(function, name="forecast", **options))
    return server


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_a_call_is_a_tool_call(function: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    async with connected(serving(function, amplitude=ai, user_id="u")) as peer:
        assert await peer.call("forecast", city="Paris", days=2) == ("sunny in Paris for 2", False)
        schema = await peer.schema("forecast")
    assert schema["properties"] == PROPERTIES
    assert types(sink.events) == ["Tool Call"]
    told = one(sink.events, "Tool Call")
    assert told["[Agent] Tool Name"] == "forecast"
    assert told["[Agent] Tool Input"] == '{"city":"Paris","days":2}'
    assert told["[Agent] Tool Output"] == "sunny in Paris for 2"
    assert told["[Agent] Tool Success"] is True


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_a_rationale_is_offered_and_recorded(function: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    async with connected(
        serving(function, amplitude=ai, user_id="u", session_id="s", rationale=True)
    ) as peer:
        schema = await peer.schema("forecast")
        answer = await peer.call("forecast", city="Paris", rationale=WHY)
    assert schema["properties"] == {**PROPERTIES, "rationale": OFFERED}
    assert schema["required"] == ["city"]
    assert answer == ("sunny in Paris for 1", False)
    assert types(sink.events) == ["User Message", "Tool Call"]
    said, call = one(sink.events, "User Message"), one(sink.events, "Tool Call")
    assert said["$llm_message"] == {"text": WHY}
    assert said["[Agent] Message Source"] == "agent"
    assert said["[Agent] Session ID"] == call["[Agent] Session ID"] == "s"
    assert call["[Agent] Parent Message ID"] == said["[Agent] Message ID"]
    assert "rationale" not in call["[Agent] Tool Input"]
    assert {event["user_id"] for event in sink.events} == {"u"}


@pytest.mark.parametrize("given", [{}, {"rationale": None}, {"rationale": "  "}])
async def test_it_may_be_left_out(given: dict[str, Any], ai: AmplitudeAI, sink: MemorySink) -> None:
    async with connected(serving(forecast, amplitude=ai, rationale=True)) as peer:
        assert await peer.call("forecast", city="Paris", **given) == ("sunny in Paris for 1", False)
    assert types(sink.events) == ["Tool Call"]


async def test_a_function_of_that_parameter_gets_it(ai: AmplitudeAI, sink: MemorySink) -> None:
    def why(rationale: str) -> str:
        return rationale.upper()

    async with connected(serving(why, amplitude=ai, rationale=True)) as peer:
        schema = await peer.schema("forecast")
        assert await peer.call("forecast", rationale=WHY) == (WHY.upper(), False)
    assert schema["properties"] == {"rationale": {"title": "Rationale", "type": "string"}}
    assert one(sink.events, "User Message")["$llm_message"] == {"text": WHY}


async def test_words_of_ones_own(ai: AmplitudeAI) -> None:
    async with connected(serving(forecast, amplitude=ai, rationale="Say why.")) as peer:
        schema = await peer.schema("forecast")
    assert schema["properties"]["rationale"]["description"] == "Say why."


async def test_in_a_session_of_the_servers(ai: AmplitudeAI, sink: MemorySink) -> None:
    server = serving(forecast, rationale=True)
    with ai.agent("weather").session(user_id="u", track_session_end=False) as session:
        async with connected(server) as peer:
            await peer.call("forecast", city="Paris", rationale=WHY)
    assert types(sink.events) == ["User Message", "Tool Call"]
    for event in sink.events:
        assert event["event_properties"]["[Agent] Session ID"] == session.session_id
        assert event["event_properties"]["[Agent] Agent ID"] == "weather"
    traces = {event["event_properties"]["[Agent] Trace ID"] for event in sink.events}
    assert len(traces) == 1


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_tool_that_fails(is_async: bool, ai: AmplitudeAI, sink: MemorySink) -> None:
    def fails(city: str) -> str:
        raise LookupError(f"no {city}")

    async def fails_later(city: str) -> str:
        raise LookupError(f"no {city}")

    async with connected(serving(fails_later if is_async else fails, amplitude=ai, rationale=True)) as peer:
        _words, failed = await peer.call("forecast", city="Paris", rationale=WHY)
    assert failed is True
    told = one(sink.events, "Tool Call")
    assert (told["[Agent] Tool Success"], told["[Agent] Error Type"]) == (False, "LookupError")
    assert told["[Agent] Error Message"] == "no Paris"


async def test_above_the_servers_decorator_only_the_programs_own_calls_are_seen(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    server = MCPServer("weather")

    def add(one: int, two: int) -> int:
        return one + two

    above = tool(server.tool()(add), amplitude=ai)
    async with connected(server) as peer:
        assert await peer.call("add", one=1, two=2) == ("3", False)
    assert not sink.events
    assert above(1, 2) == 3
    assert types(sink.events) == ["Tool Call"]


@pytest.mark.parametrize("options", [{"timeout_ms": 5_000}, {"input_schema": True}, {"on_error": print}])
async def test_with_other_options(options: dict[str, Any], ai: AmplitudeAI, sink: MemorySink) -> None:
    async with connected(serving(forecast, amplitude=ai, rationale=True, **options)) as peer:
        assert await peer.call("forecast", city="Paris", rationale=WHY) == ("sunny in Paris for 1", False)
        assert (await peer.schema("forecast"))["properties"]["rationale"] == OFFERED
    assert types(sink.events) == ["User Message", "Tool Call"]


async def test_no_rationale_leaves_in_metadata_only(sink: MemorySink) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=ContentMode.METADATA_ONLY))
    async with connected(serving(forecast, amplitude=ai, rationale=True)) as peer:
        await peer.call("forecast", city="canary4711", rationale="canary4711")
    assert types(sink.events) == ["User Message", "Tool Call"]
    assert "canary4711" not in str(sink.events)


def test_methods_and_rest_keywords(ai: AmplitudeAI, sink: MemorySink) -> None:
    class Tools:
        @tool(amplitude=ai, rationale=True)
        def find(self, city: str, **more: str) -> dict[str, str]:
            return {"city": city, **more}

    assert Tools().find("Paris", rationale=WHY, kind="hotel") == {"city": "Paris", "kind": "hotel"}
    assert types(sink.events) == ["User Message", "Tool Call"]


@pytest.mark.parametrize("wrong", [1, None, "", "  ", ["why"]])
def test_wrong_arguments(wrong: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"rationale= is .*; give True, or the words that tell the model"
    ):
        tool(forecast, rationale=wrong)
