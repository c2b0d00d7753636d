"""Whatever of ours fails on the way of a request, the visitor gets the same response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from importlib import import_module
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, extract_context, inject_context

from .conftest import OpenSite
from .endpoints import speak
from .hosting import Site

PACKAGE = "amplitude_ai_integrations"

MIDDLEWARE = [
    "middleware:finish_async",
    "web.options:Policy.watches",
    "middleware:RequestSession",
    "web.options:Policy.covers",
    "web.request:RequestConversation",
    "web.conversation:RequestConversation.await_answers",
    "web.conversation:RequestConversation.identify",
    "web.conversation:RequestConversation.settle",
    "web.conversation:RequestConversation._know_if_complete",
    "web.conversation:RequestConversation._take",
    "web.conversation:RequestConversation.conclude",
    "web.conversation:RequestConversation.hear",
    "web.answers:Answers.ask",
    "web.answers:Answers.hear",
    "web.answers:Answers.give_up",
    "web.conversation:RequestConversation._wait",
    "web.request:RequestSession.enter",
    "web.request:RequestSession.end",
    "web.request:RequestSession._close",
    "web.request:RequestSession._record_end",
    "web.request:RequestSession.answered",
    "web.request:RequestSession.leave",
    "web.request:RequestSession._ends_here",
    "web.request:SessionContext",
    "web.request:ServiceTrace",
    "web.request:push_context",
    "web.request:reset_context",
    "web.conversation:AgentFacts",
    "web.conversation:browser_device",
    "web.conversation:browser_session",
    "web.conversation:id_of",
    "web.answers:logged_once",
    "web.conversation:lower_headers",
    "web.conversation:extract_context",
    "web.conversation:mapping_of",
    "web.resolving:usable_id",
]
TRACKING = [
    "client.recording:_Recording",
    "client.recording:_Recording.start",
    "client.recording:_Recording._agent",
    "client.recording:_Recording._trace",
    "client.recording:_Recording._finish",
    "client.recording:_Recording._envelope",
    "client.recording:_Recording._in_session",
    "client.recording:link",
    "client.recording:derive",
    "delivery.pipeline:event_type",
    "client.recording:fields_given",
    "client.recording:get_active_context",
    "client.recording:groups_of",
    "client.recording:frozen",
    "client.recording:replay_id",
    "client.recording:trace_of_message",
    "client.recording:memory_of",
    "client.recording:usable_id",
    "context.trace:Place.latest",
    "context.memory:SessionMemory.take_turn",
    "delivery.pipeline:Pipeline.submit",
    "delivery.pipeline:event_type",
    "privacy.gate:Gate.properties",
    "delivery.sinks:MemorySink.send",
]
PROPAGATION = [
    "propagation:trace_hex",
    "propagation:_trace_id",
    "propagation:get_active_context",
    "propagation:lower_headers",
]
SESSIONS = [
    "client.session:Conversation",
    "client.session:Session._end",
    "client.session:SessionContext",
    "client.session:get_active_context",
    "client.session:push_context",
    "client.session:reset_context",
    "client.session:usable_id",
]

SENT = {
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "x-amplitude-session-id": "of-another-service",
    "x-amplitude-agent-id": "router",
    "x-amp-device-id": "d-1",
    "x-amp-session-id": "1700000000000",
}


class Later:
    """An answer to be awaited, which may also be forgotten without a warning."""

    def __await__(self) -> Generator[Any, None, str]:
        yield from asyncio.sleep(0).__await__()
        return "ada"


def plain(request: Request) -> Response:
    speak(request, "one")
    speak(request, "two")
    request.scope["ai"].track_span(span_name="search", input_state={"query": "two"})
    found = extract_context(dict(request.headers))
    headers = inject_context({"accept": "*/*"})
    return JSONResponse([type(found).__name__, headers["accept"]])


async def streamed(request: Request) -> Response:
    async def body() -> AsyncIterator[str]:
        speak(request, "one")
        yield "one "
        speak(request, "two")
        yield "two"

    return StreamingResponse(body(), headers={"x-own": "kept"})


async def in_a_session(request: Request) -> Response:
    async with request.scope["ai"].agent("own").session("own-session"):
        speak(request)
    with request.scope["ai"].agent("own").session("own-session") as session:
        session.track_user_message("hello")
    return JSONResponse("done")


PATHS = {"/plain": plain, "/streamed": streamed, "/in-a-session": in_a_session}


def seen(site: Site, path: str) -> tuple[int, dict[str, str], str]:
    response = site.get(path, headers=SENT)
    headers = {name: value for name, value in response.headers.items() if name != "date"}
    return response.status_code, headers, response.text


def break_down(monkeypatch: pytest.MonkeyPatch, where: str) -> list[str]:
    """Make one function of ours raise; returns the list that grows each time it did."""
    module, _, names = where.partition(":")
    *holders, name = names.split(".")
    holder: Any = import_module(f"{PACKAGE}.{module}")
    for one in holders:
        holder = getattr(holder, one)
    raised: list[str] = []

    def broken(*_: Any, **__: Any) -> Any:
        raised.append(where)
        raise RuntimeError(f"{where} is broken")

    monkeypatch.setattr(holder, name, broken)
    return raised


@pytest.fixture
def believing(open_site: OpenSite, sink: MemorySink) -> Site:
    """An application whose requests take every way through our code."""
    ai = AmplitudeAI(config=AIConfig(propagate_context=True), sink=sink)
    return open_site(
        client_of_events=ai,
        more=PATHS,
        user_id_resolver=lambda _: Later(),
        context=lambda _: {"plan": "pro"},
        groups=lambda _: {"org": "acme"},
        exclude=["^/none"],
    )


def unchanged(monkeypatch: pytest.MonkeyPatch, site: Site, where: str, *paths: str) -> None:
    healthy = [seen(site, path) for path in paths]
    assert [status for status, _, _ in healthy] == [200] * len(paths)
    raised = break_down(monkeypatch, where)
    assert [seen(site, path) for path in paths] == healthy
    assert raised, "the function was not on the way"
    assert site.host.errors == []


@pytest.mark.usefixtures("swallowing")
class TestFaults:
    @pytest.mark.parametrize("where", MIDDLEWARE + TRACKING)
    def test_a_fault_on_the_way_changes_no_response(
        self, monkeypatch: pytest.MonkeyPatch, believing: Site, where: str
    ) -> None:
        unchanged(monkeypatch, believing, where, "/plain", "/streamed")

    @pytest.mark.parametrize("where", PROPAGATION)
    def test_a_fault_between_services_changes_no_response(
        self, monkeypatch: pytest.MonkeyPatch, believing: Site, where: str
    ) -> None:
        unchanged(monkeypatch, believing, where, "/plain")

    @pytest.mark.parametrize("where", SESSIONS)
    def test_a_fault_in_a_handlers_session_changes_no_response(
        self, monkeypatch: pytest.MonkeyPatch, believing: Site, where: str
    ) -> None:
        unchanged(monkeypatch, believing, where, "/in-a-session")

    def test_a_fault_costs_its_own_event_only(self, monkeypatch: pytest.MonkeyPatch, believing: Site) -> None:
        with monkeypatch.context() as patch:
            break_down(patch, "delivery.sinks:MemorySink.send")
            believing.get("/plain")
        assert believing.sink.events == []
        believing.get("/plain")
        kinds = ["User Message", "AI Response", "User Message", "AI Response", "Span", "Session End"]
        assert [event["event_type"] for event in believing.sink.events] == [
            f"[Agent] {kind}" for kind in kinds
        ]
