"""A mock is accepted at every door, and sees what comes through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from amplitude_ai_integrations import OpenAI, wrap
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from amplitude_ai_integrations.testing import MockAmplitudeAI, frozen
from tests.conftest import Serve
from tests.events import types
from tests.fakes.openai_server import OpenAIServer

Door = Callable[[MockAmplitudeAI, dict[str, Any]], Any]

DOORS: dict[str, Door] = {
    "class": lambda mock, given: OpenAI(amplitude=mock, **given),
    "wrap": lambda mock, given: wrap(openai.OpenAI(**given), amplitude=mock),
    "its client": lambda mock, given: OpenAI(amplitude=mock.amplitude, **given),
}


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()


@pytest.mark.parametrize("door", DOORS)
def test_an_observed_openai_client_reports_to_the_mock(
    door: str, server: OpenAIServer, amplitude_ai: MockAmplitudeAI
) -> None:
    given = {"api_key": "k", "base_url": server.url, "max_retries": 0}
    with (
        DOORS[door](amplitude_ai, given) as client,
        amplitude_ai.agent("bot", user_id="u1").session("s1"),
    ):
        message = {"role": "user", "content": "Hi"}
        answer = client.chat.completions.create(model="gpt-4o", messages=[message])
    amplitude_ai.assert_verification_fields()
    amplitude_ai.assert_session_closed("s1")
    amplitude_ai.assert_event_tracked("User Message", content="Hi", user_id="u1")
    amplitude_ai.assert_event_tracked(
        "AI Response", content=answer.choices[0].message.content, agent_id="bot"
    )
    assert types(amplitude_ai.events) == ["User Message", "AI Response", "Session End"]


def test_a_tool_result_is_new_to_each_mock(server: OpenAIServer) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    history: list[Any] = [
        {"role": "user", "content": "tool"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    given = {"api_key": "k", "base_url": server.url, "max_retries": 0}
    for _ in range(2):
        mock = MockAmplitudeAI()
        with OpenAI(amplitude=mock, **given) as client, mock.agent("bot").session("s1"):
            client.chat.completions.create(model="gpt-4o", messages=history)
        assert "Tool Call" in types(mock.events)


def test_the_middleware_reports_to_the_mock(serve: Serve, amplitude_ai: MockAmplitudeAI) -> None:
    async def chat(request: Request) -> PlainTextResponse:
        amplitude_ai.agent().track_user_message("Hi")
        amplitude_ai.agent().track_ai_message("Hello", "gpt-4o", "openai", 5.0)
        return PlainTextResponse("Hello")

    app = Starlette(routes=[Route("/chat", chat)])
    app.add_middleware(
        AmplitudeAIMiddleware,
        amplitude_ai=amplitude_ai,
        agent_id="bot",
        user_id_resolver=lambda request: request.headers["x-user"],
        session_id_resolver=lambda request: request.headers["x-thread"],
    )
    headers = {"x-user": "u1", "x-thread": "thread-1"}
    assert httpx.get(f"{serve(app)}/chat", headers=headers).text == "Hello"
    assert types(amplitude_ai.events_for_session("thread-1")) == ["User Message", "AI Response"]
    assert amplitude_ai.events_for_agent("bot") == amplitude_ai.events
    amplitude_ai.assert_event_tracked("AI Response", user_id="u1", content="Hello")


def test_an_observed_client_makes_the_same_events_each_time_under_frozen(server: OpenAIServer) -> None:
    def run() -> list[dict[str, Any]]:
        mock = MockAmplitudeAI()
        given = {"api_key": "k", "base_url": server.url, "max_retries": 0}
        with OpenAI(amplitude=mock, **given) as client, mock.agent("bot").session():
            for words, stream in (("Hi", False), ("Bye", True)):
                message = {"role": "user", "content": words}
                answer = client.chat.completions.create(model="gpt-4o", messages=[message], stream=stream)
                assert list(answer)
        return mock.events

    with frozen():
        first = run()
    with frozen():
        assert run() == first
    assert len(first) == 5
    latencies = [event["event_properties"].get("[Agent] Latency Ms") for event in first]
    assert latencies == [None, 1.0, None, 2.0, None]


def test_nothing_reaches_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_given: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", connect)
    monkeypatch.setenv("AMPLITUDE_AI_API_KEY", "k")
    mock = MockAmplitudeAI()
    with mock.agent("bot", user_id="u1").session("s1") as session:
        session.track_user_message("Hi")
    assert (mock.flush().result(), mock.flush().pending) == (None, 0)
    mock.shutdown()
    mock.assert_session_closed("s1")
