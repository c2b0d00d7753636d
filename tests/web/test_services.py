"""Two services over HTTP: one conversation, one trace, and the one that began it ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, inject_context
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from amplitude_ai_integrations.schema.names import wire_name

from .applications import BUILDERS
from .conftest import OpenSite
from .endpoints import answer, ask
from .hosting import Host
from .reading import Expected


def outgoing(request: Request) -> Response:
    return JSONResponse(dict(inject_context({})))


@pytest.fixture
def specialist(hosted_service: tuple[str, Host], framework: str, sink: MemorySink) -> Callable[..., str]:
    """Start the second service, which trusts the first, and return its URL."""

    def start(**options: Any) -> str:
        ai = AmplitudeAI(config=AIConfig(propagate_context=True), sink=sink)
        ours = Middleware(AmplitudeAIMiddleware, amplitude_ai=ai, **{"agent_id": "specialist", **options})
        url, host = hosted_service
        host.ai = ai
        host.app = BUILDERS[framework]([ours], {"/outgoing": outgoing})
        return url

    return start


def delegating_sync(url: str) -> Callable[..., Any]:
    def delegate(request: Request) -> Response:
        ask(request)
        httpx.get(url + "/plain-sync", headers=dict(inject_context({})))
        answer(request)
        return PlainTextResponse("done")

    return delegate


def delegating_async(url: str) -> Callable[..., Any]:
    async def delegate(request: Request) -> Response:
        ask(request)
        async with httpx.AsyncClient() as client:
            await client.get(url + "/streamed-async", headers=dict(inject_context({})))
        answer(request)
        return PlainTextResponse("done")

    return delegate


def of_the_specialist(expected: Expected, **fields: Any) -> list[dict[str, Any]]:
    question = expected.question("hello")
    question[wire_name("message_source")] = "agent"
    both = [question, expected.answer("you said hello")]
    return [
        {**event, wire_name("agent_id"): "specialist", wire_name("parent_agent_id"): "concierge"}
        for event in both
    ]


@pytest.mark.parametrize("delegating", [delegating_sync, delegating_async])
@pytest.mark.parametrize("options", [{}, {"end_session": True}])
def test_one_trace_through_two_services_and_one_end(
    open_site: OpenSite, specialist: Callable[..., str], delegating: Any, options: dict[str, Any]
) -> None:
    site = open_site(more={"/delegate": delegating(specialist(**options))})
    assert site.get("/delegate").text == "done"
    expected = Expected(trace=1)
    events = [expected.question("hello"), *of_the_specialist(expected), expected.answer("you said hello")]
    assert site.events == [*events, *expected.end()]


def test_a_conversation_through_two_services_goes_on(
    open_site: OpenSite, specialist: Callable[..., str], thread: str
) -> None:
    site = open_site(session_id_resolver=lambda _: thread, more={"/delegate": delegating_sync(specialist())})
    site.get("/delegate")
    expected = Expected(thread, trace=1)
    events = [expected.question("hello"), *of_the_specialist(expected), expected.answer("you said hello")]
    assert site.events == events


def test_a_service_in_the_middle_passes_on_whom_it_works_for(specialist: Callable[..., str]) -> None:
    sent = {
        "x-amplitude-session-id": "s-1",
        "x-amplitude-agent-id": "concierge",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    passed = httpx.get(specialist() + "/outgoing", headers=sent).json()
    assert passed.pop("traceparent").startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert passed == {
        "x-amplitude-session-id": "s-1",
        "x-amplitude-agent-id": "specialist",
        "x-amplitude-parent-agent-id": "concierge",
    }


def test_a_gateway_without_an_agent_lends_its_session_and_emits_nothing(
    open_site: OpenSite, specialist: Callable[..., str], sink: MemorySink
) -> None:
    url = specialist()

    def gateway(request: Request) -> Response:
        httpx.get(url + "/plain-sync", headers=dict(inject_context({})))
        return PlainTextResponse("done")

    site = open_site(more={"/gateway": gateway})
    site.get("/gateway")
    assert [event["event_type"] for event in sink.events] == ["[Agent] User Message", "[Agent] AI Response"]
