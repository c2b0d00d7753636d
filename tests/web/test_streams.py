"""Model streams inside streamed bodies: what becomes of them when the visitor leaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from amplitude_ai_integrations import AmplitudeAI, MemorySink, OpenAI
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from tests.conftest import Serve
from tests.events import told, types
from tests.fakes.openai_server import OpenAIServer


@pytest.fixture
def model() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.release()
    server.stop()


def until(holds: Any) -> None:
    deadline = time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert holds()


def test_a_visitor_who_leaves_a_synchronous_body_ends_its_stream_first(
    ai: AmplitudeAI, sink: MemorySink, model: OpenAIServer, serve: Serve
) -> None:
    client = OpenAI(amplitude=ai, api_key="k", base_url=model.url)

    def reply() -> Iterator[str]:
        words = " ".join(f"word{number}" for number in range(2_000))
        messages: Any = [{"role": "user", "content": f"echo:{words}"}]
        for chunk in client.chat.completions.create(model="gpt-4o", messages=messages, stream=True):
            time.sleep(0.005)
            yield chunk.choices[0].delta.content or "..."

    app = Starlette(routes=[Route("/", lambda request: StreamingResponse(reply()))])
    url = serve(AmplitudeAIMiddleware(app, amplitude_ai=ai))
    with httpx.stream("GET", url) as answer:
        next(answer.iter_raw())
    until(lambda: len(sink.events) == 3)
    assert types(sink) == ["User Message", "AI Response", "Session End"]
    left = told(sink)[1]
    assert left["Stream Abandoned"] is True
    assert left["Latency Ms"] < 5_000


def test_a_tool_loop_before_an_asynchronous_resolver_has_answered(
    ai: AmplitudeAI, sink: MemorySink, model: OpenAIServer, serve: Serve
) -> None:
    client = OpenAI(amplitude=ai, api_key="k", base_url=model.url)
    answered = asyncio.Event()

    async def conversation(_request: Any) -> str:
        await answered.wait()
        return "conversation-1"

    async def reply(_request: Request) -> PlainTextResponse:
        messages: list[Any] = [{"role": "user", "content": "tool"}]
        first = client.chat.completions.create(model="gpt-4o", messages=messages)
        call = first.choices[0].message
        await asyncio.sleep(0.05)
        messages += [call, {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "sunny"}]  # type: ignore[index]
        client.chat.completions.create(model="gpt-4o", messages=messages)
        answered.set()
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", reply)])
    url = serve(AmplitudeAIMiddleware(app, amplitude_ai=ai, session_id_resolver=conversation))
    assert httpx.get(url).text == "ok"
    until(lambda: len(sink.events) == 4)
    said, asked, ran, _answer = told(sink)
    assert [event["Session ID"] for event in told(sink)] == ["conversation-1"] * 4
    assert ran["Latency Ms"] >= 50
    assert ran["Parent Message ID"] == asked["Message ID"]
    assert said["Trace ID"] == ran["Trace ID"]


def cancelled(_request: Any) -> str:
    raise asyncio.CancelledError


async def cancelled_later(_request: Any) -> str:
    lost = asyncio.get_running_loop().create_future()
    lost.cancel()
    return str(await lost)


@pytest.mark.parametrize("resolver", [cancelled, cancelled_later])
def test_a_cancelled_look_up_changes_no_response(
    ai: AmplitudeAI, sink: MemorySink, serve: Serve, resolver: Any
) -> None:
    async def reply(_request: Request) -> PlainTextResponse:
        ai.track_user_message(content="hi")
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", reply)])
    url = serve(AmplitudeAIMiddleware(app, amplitude_ai=ai, user_id_resolver=resolver))
    assert httpx.get(url).status_code == 200
    until(lambda: len(sink.events) == 2)
    assert "user_id" not in sink.events[0]


def test_what_waits_for_a_resolver_is_taken_as_it_was(
    ai: AmplitudeAI, sink: MemorySink, serve: Serve
) -> None:
    async def user(_request: Any) -> str:
        return "user-1"

    async def reply(_request: Request) -> PlainTextResponse:
        state, extra = {"step": 1}, {"n": 1}
        ai.track_span(span_name="own", input_state=state, event_properties=extra)
        with ai.agent("inner").session("another", track_session_end=False) as session:
            session.track_span("inner", input_state=state, event_properties=extra)
        state["step"] = extra["n"] = 2
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", reply)])
    url = serve(AmplitudeAIMiddleware(app, amplitude_ai=ai, user_id_resolver=user))
    assert httpx.get(url).text == "ok"
    until(lambda: len(sink.events) == 3)
    spans = told(sink)[:2]
    assert [span["Input State"] for span in spans] == ['{"step":1}'] * 2
    assert [span["n"] for span in spans] == [1, 1]
    assert [span["user_id"] for span in spans] == ["user-1", "user-1"]
