"""Quickstart, getting started beside product analytics, whose events they are, where they go."""

from __future__ import annotations

import logging
import time
from types import SimpleNamespace
from typing import Any

import httpx
import openai
import pytest
from amplitude import Amplitude
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, MemorySink, OpenAI, wrap
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from tests.conftest import Serve
from tests.events import types
from tests.fakes.collector import Collector
from tests.fakes.openai_server import TEXT, OpenAIServer

from .expected import COUNTED, answer, event, score, seen, user

RETENTION: Any = [{"role": "user", "content": "What is retention?"}]


def test_the_first_example_delivers_three_events(
    amplitude: Amplitude, collector: Collector, fake: OpenAIServer, connections: Any, serve: Serve
) -> None:
    ai = AmplitudeAI(amplitude=amplitude)
    client = OpenAI(amplitude=ai, api_key="sk-...", base_url=fake.url, http_client=connections)
    agent = ai.agent("my-agent")

    async def chat(request: Request) -> JSONResponse:
        data = await request.json()
        with agent.session(user_id=data["user_id"], session_id=data["session_id"]) as session:
            session.track_user_message(data["message"])
            response = client.chat.completions.create(model="gpt-4o", messages=data["messages"])
        return JSONResponse({"content": response.choices[0].message.content})

    url = serve(Starlette(routes=[Route("/chat", chat, methods=["POST"])]))
    said = {"user_id": "u1", "session_id": "c-1", "message": "What is retention?", "messages": RETENTION}
    assert httpx.post(f"{url}/chat", json=said).json() == {"content": TEXT}
    ai.flush().result(5)
    within = {"user_id": "u1", "agent_id": "my-agent", "session_id": "c-1", "trace_id": "id-2"}
    assert seen(collector.events) == [
        user("What is retention?", message_id="id-1", turn_id=1, **within),
        answer(TEXT, message_id="id-3", turn_id=2, **COUNTED, **within),
        event("Session End", **within),
    ]


def test_product_events_and_agents_share_one_pipeline(
    amplitude: Amplitude, collector: Collector, fake: OpenAIServer, connections: Any
) -> None:
    ai = AmplitudeAI(amplitude=amplitude)
    agent = ai.agent("my-agent", env="production")
    client = OpenAI(amplitude=ai, api_key="sk-...", base_url=fake.url, http_client=connections)
    with agent.session(user_id="user-1", session_id="conv-123") as s:
        s.track_user_message(content="What is retention?")
        response = client.chat.completions.create(model="gpt-4o", messages=RETENTION)
        assert response.choices[0].message.content == TEXT
        s.score(name="helpful", value=1.0, target_id="msg-1")
    ai.flush().result(5)
    bound = {"user_id": "user-1", "agent_id": "my-agent", "env": "production", "session_id": "conv-123"}
    within = {**bound, "trace_id": "id-2"}
    assert len(collector.bodies) == 1
    assert seen(collector.events) == [
        user("What is retention?", message_id="id-1", turn_id=1, **within),
        answer(TEXT, message_id="id-3", turn_id=2, **COUNTED, **within),
        score("helpful", 1.0, "msg-1", **within),
        event("Session End", **within),
    ]


def test_long_gaps_are_announced_to_the_server(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("my-agent", user_id="user-1").session(idle_timeout_minutes=240) as s:
        s.track_user_message("I'll be back after lunch")
        s.track_span("lookup", 1.0)
    told = [one.get("Session Idle Timeout Minutes") for one in seen(sink)]
    assert told == [240, None, 240]


def test_every_event_of_a_browsers_session_links_to_its_replay(
    ai: AmplitudeAI, sink: MemorySink, client: OpenAI
) -> None:
    headers = {"X-Amp-Device-Id": "device-9", "X-Amp-Session-Id": "1700000000000"}
    with ai.agent("my-agent").session(
        user_id="user-1",
        device_id=headers["X-Amp-Device-Id"],
        browser_session_id=headers["X-Amp-Session-Id"],
    ) as s:
        s.new_trace()
        s.track_user_message(content="What is retention?")
        client.chat.completions.create(model="gpt-4o", messages=RETENTION)
        s.track_tool_call("search", 1.0, True)
    assert types(sink) == ["User Message", "AI Response", "Tool Call", "Session End"]
    whose = {(one["device_id"], one["session_id"]) for one in seen(sink)}
    assert whose == {("device-9", 1700000000000)}
    replays = {one["[Amplitude] Session Replay ID"] for one in seen(sink)}
    assert replays == {"device-9/1700000000000"}


def test_a_user_named_in_a_call_needs_no_session(client: OpenAI, sink: MemorySink) -> None:
    whose: Any = {"amplitude_user_id": "user-42"}
    client.chat.completions.create(model="gpt-4o", messages=RETENTION, **whose)
    assert seen(sink) == [
        user("What is retention?", message_id="id-1", user_id="user-42", trace_id="id-2"),
        answer(TEXT, message_id="id-3", user_id="user-42", trace_id="id-2", **COUNTED),
    ]


def ended(sink: MemorySink) -> None:
    """Wait for the end of a session, which comes after the last byte of the answer."""
    deadline = time.monotonic() + 5
    while "Session End" not in types(sink):
        assert time.monotonic() < deadline, "the session does not end"
        time.sleep(0.005)


def test_the_middleware_finds_the_user_that_authentication_left(
    ai: AmplitudeAI, sink: MemorySink, client: OpenAI, serve: Serve
) -> None:
    class Authentication(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
            request.state.user = SimpleNamespace(id="user-42")
            return await call_next(request)

    def chat(_request: Request) -> Response:
        client.chat.completions.create(model="gpt-4o", messages=RETENTION)
        return Response()

    app = Starlette(routes=[Route("/chat", chat)])
    app.add_middleware(Authentication)
    app.add_middleware(
        AmplitudeAIMiddleware, amplitude_ai=ai, user_id_resolver=lambda request: request.state.user.id
    )
    httpx.get(f"{serve(app)}/chat")
    ended(sink)
    within = {"user_id": "user-42", "session_id": "id-2", "trace_id": "id-3"}
    assert seen(sink) == [
        user("What is retention?", message_id="id-1", turn_id=1, **within),
        answer(TEXT, message_id="id-4", turn_id=2, **COUNTED, **within),
        event("Session End", **within),
    ]


def test_a_client_made_elsewhere_is_wrapped(ai: AmplitudeAI, sink: MemorySink, fake: OpenAIServer) -> None:
    with openai.OpenAI(api_key="sk-...", base_url=fake.url) as client:
        wrapped: Any = wrap(client, amplitude=ai, user_id="u1")
        assert isinstance(wrapped, OpenAI)
        wrapped.chat.completions.create(model="gpt-4o", messages=RETENTION)
    assert [one["user_id"] for one in seen(sink)] == ["u1", "u1"]


def test_events_go_to_the_client_given_or_to_one_of_our_own(collector: Collector, serve: Serve) -> None:
    url = serve(collector.app)
    own = AmplitudeAI(api_key="YOUR_API_KEY", config=AIConfig(server_url=url))
    own.track_user_message("user-1", "Hello", "s-1")
    own.shutdown()
    assert [body["api_key"] for body in collector.bodies] == ["YOUR_API_KEY"]
    assert [one["$llm_message"] for one in seen(collector.events)] == [{"text": "Hello"}]


def test_without_a_client_or_a_key_it_says_what_to_pass() -> None:
    with pytest.raises(ConfigurationError, match="pass amplitude= or api_key="):
        AmplitudeAI()


def test_a_client_in_the_eu_zone_stays_there() -> None:
    amplitude = Amplitude("YOUR_API_KEY")
    amplitude.configuration.server_zone = "EU"
    shared = AmplitudeAI(amplitude=amplitude)
    own = AmplitudeAI(api_key="YOUR_API_KEY", config=AIConfig(server_zone="EU"))
    urls = [ai.amplitude.configuration.server_url for ai in (shared, own)]
    assert urls == ["https://api.eu.amplitude.com/2/httpapi"] * 2
    own.shutdown()
    amplitude.shutdown()


def test_the_clients_logger_tells_each_event_and_short_ids_pass(
    amplitude: Amplitude, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    amplitude.configuration.logger = logging.getLogger("amplitude")
    amplitude.configuration.logger.setLevel(logging.DEBUG)
    amplitude.configuration.min_id_length = 1
    ai = AmplitudeAI(amplitude=amplitude)
    ai.track_user_message("u", "Hello", "s-1")
    ai.flush().result(5)
    assert [one["user_id"] for one in seen(collector.events)] == ["u"]
    logged = [record.event for record in caplog.records if record.name == "amplitude"]  # type: ignore[attr-defined]
    assert [one.event_type for one in logged] == ["[Agent] User Message"]
    assert collector.bodies[0]["options"] == {"min_id_length": 1}
