"""When a loop goes on, when it ends, and what it leaves behind."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.frameworks.anthropic_tools import AmplitudeToolLoop
from amplitude_ai_integrations.providers.anthropic_content import text_of

from ...events import one, types
from ...fakes.anthropic_server import AnthropicServer
from .conftest import Connect
from .running import WAYS, asked, go


def _handlers(seen: list[str]) -> dict[str, Any]:
    def get_weather(**given: Any) -> str:
        seen.append("get_weather")
        return "Sunny."

    def book_table(**given: Any) -> str:
        seen.append("book_table")
        return "Booked."

    return {"get_weather": get_weather, "book_table": book_table}


@pytest.mark.parametrize("way", WAYS)
def test_the_conversation_is_left_alone_and_the_history_told(
    way: str, connect: Connect, fake: AnthropicServer, ai: AmplitudeAI
) -> None:
    given = asked("call:get_weather{} echo:Go.")
    before, history = copy.deepcopy(given), []  # type: ignore[var-annotated]
    answer = go(
        way, connect, lambda c: AmplitudeToolLoop(ai, c, "u", _handlers([])), {**given, "history": history}
    )
    assert given == before
    assert [message["role"] for message in history] == ["assistant", "user", "assistant"]
    assert history[-1]["content"] == answer.content
    result = {"type": "tool_result", "tool_use_id": "call_get_weather", "content": "Sunny."}
    assert history[1]["content"] == [result]
    sent = fake.requests[-1]["body"]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert sent[2]["content"] == [result]


def test_a_conversation_may_be_its_own_history(connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    loop = AmplitudeToolLoop(ai, connect(), "u", _handlers([]))
    conversation: list[Any] = []
    with ai.agent().session(track_session_end=False):
        for words in ("call:get_weather{} echo:One.", "echo:Two."):
            conversation.append({"role": "user", "content": words})
            loop.run(**{**asked(words), "messages": conversation, "history": conversation})
    assert [message["role"] for message in conversation] == ["user", "assistant"] * 3
    assert types(sink.events).count("Tool Call") == 1
    assert types(sink.events).count("User Message") == 2


@pytest.mark.parametrize("way", WAYS)
def test_the_most_calls(way: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    seen: list[str] = []
    answer = go(
        way,
        connect,
        lambda client: AmplitudeToolLoop(ai, client, "u", _handlers(seen), max_iterations=2),
        asked("call:get_weather{} call:book_table{} call:get_weather{} echo:Never."),
    )
    assert answer.stop_reason == "tool_use"
    assert seen == ["get_weather"]
    span = one(sink.events, "Span")
    assert span["[Agent] Is Error"] is True
    assert span["[Agent] Error Type"] == "MaxIterations"
    assert span["[Agent] Error Message"] == "stopped after 2 model calls"
    assert types(sink.events) == [
        "User Message",
        "AI Response",
        "Tool Call",
        "AI Response",
        "Span",
        "Session End",
    ]


@pytest.mark.parametrize(
    ("limit", "error"), [({"max_seconds": 1e-6}, "MaxSeconds"), ({"max_total_tokens": 27}, "MaxTotalTokens")]
)
def test_the_longest_and_the_dearest(
    limit: dict[str, Any], error: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink
) -> None:
    seen: list[str] = []
    loop = AmplitudeToolLoop(ai, connect(), "u", _handlers(seen), **limit)
    assert loop.run(**asked("call:get_weather{}")).stop_reason == "tool_use"
    assert not seen
    assert one(sink.events, "Span")["[Agent] Error Type"] == error


def test_within_its_limits(connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    limits: dict[str, Any] = {"max_iterations": 2, "max_seconds": 60, "max_total_tokens": 28}
    loop = AmplitudeToolLoop(ai, connect(), "u", _handlers([]), **limits)
    assert loop.run(**asked("call:get_weather{} echo:Done.")).stop_reason == "end_turn"
    assert one(sink.events, "Span")["[Agent] Is Error"] is False


@pytest.mark.parametrize("way", WAYS)
def test_a_pause_goes_on(
    way: str, connect: Connect, fake: AnthropicServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    answer = go(
        way, connect, lambda client: AmplitudeToolLoop(ai, client, "u"), asked("pause echo:Searched.")
    )
    assert answer.stop_reason == "end_turn"
    assert [message["role"] for message in fake.requests[-1]["body"]["messages"]] == ["user", "assistant"]
    assert types(sink.events) == ["User Message", "AI Response", "AI Response", "Span", "Session End"]


@pytest.mark.parametrize(("words", "reason"), [("maxtokens", "max_tokens"), ("refuse", "refusal")])
def test_any_other_reason_ends_it(
    words: str, reason: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink
) -> None:
    seen: list[str] = []
    loop = AmplitudeToolLoop(ai, connect(), "u", _handlers(seen))
    assert loop.run(**asked(f"{words} call:get_weather{{}}")).stop_reason == reason
    assert not seen
    assert types(sink.events) == ["User Message", "AI Response", "Span", "Session End"]


def test_the_beta_is_asked_with_betas(connect: Connect, fake: AnthropicServer, ai: AmplitudeAI) -> None:
    loop = AmplitudeToolLoop(ai, connect(), "u", _handlers([]))
    answer = loop.run(**asked("call:get_weather{} echo:Beta.", betas=["x-1"]))
    assert text_of(answer.content) == "Beta."
    assert fake.requests[-1]["headers"]["anthropic-beta"] == "x-1"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"client": object()}, "client= is object; pass a client of the package anthropic."),
        ({"tool_handlers": [print]}, "tool_handlers= must be a dict of functions"),
        ({"tool_handlers": {"a": 1}}, "tool_handlers= must be a dict of functions"),
        ({"max_iterations": 0}, "max_iterations is 0; give a number of calls, 1 or more."),
        ({"max_iterations": True}, "max_iterations is True"),
        ({"max_seconds": -1}, "max_seconds is -1; give a number above 0, or None."),
        ({"max_total_tokens": True}, "max_total_tokens is True"),
        ({"agent": "x"}, "AmplitudeToolLoop"),
    ],
)
def test_wrong_arguments(wrong: dict[str, Any], words: str, connect: Connect, ai: AmplitudeAI) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        AmplitudeToolLoop(**{"amplitude": ai, "client": connect(), **wrong})


async def test_the_wrong_client(connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    async with connect(is_async=True) as client:
        with pytest.raises(
            ConfigurationError,
            match=r"run\(\) and stream\(\) cannot use a client of AsyncAnthropic; use arun",
        ):
            AmplitudeToolLoop(ai, client).run(**asked("Hi"))
        with pytest.raises(ConfigurationError, match=r"run\(\) and stream\(\) cannot use"):
            AmplitudeToolLoop(ai, client).stream(**asked("Hi"))
    with pytest.raises(
        ConfigurationError, match=r"arun\(\) and astream\(\) cannot use a client of Anthropic; use run"
    ):
        await AmplitudeToolLoop(ai, connect()).arun(**asked("Hi"))
    with pytest.raises(ConfigurationError, match=r"arun\(\) and astream\(\) cannot use"):
        AmplitudeToolLoop(ai, connect()).astream(**asked("Hi"))
    assert not sink.events


def test_an_asynchronous_handler_wants_arun(connect: Connect, ai: AmplitudeAI) -> None:
    async def get_weather() -> None: ...

    with pytest.raises(
        ConfigurationError, match="The handler of 'get_weather' is a coroutine function: use arun"
    ):
        AmplitudeToolLoop(ai, connect(), tool_handlers={"get_weather": get_weather}).run(**asked("Hi"))
