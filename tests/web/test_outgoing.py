"""Requests to other services, by every HTTP client there is a helper for: the headers arrive, once, and rightly."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import flask
import httpx
import httpx2
import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from werkzeug.serving import make_server

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, outgoing
from amplitude_ai_integrations.exceptions import ConfigurationError, shield
from amplitude_ai_integrations.flask import AmplitudeAIFlask
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from amplitude_ai_integrations.outgoing import propagate_aiohttp, propagate_httpx, propagate_requests
from tests.conftest import running

from .reading import AGENT, Expected, told

OURS = {
    "traceparent",
    "tracestate",
    "x-amplitude-session-id",
    "x-amplitude-agent-id",
    "x-amplitude-parent-agent-id",
}
Get = Callable[..., dict[str, str]]


def by_requests(url: str, **headers: str) -> dict[str, str]:
    with propagate_requests(requests.Session()) as session:
        return session.get(url, headers=headers).json()


def by_httpx(url: str, **headers: str) -> dict[str, str]:
    with propagate_httpx(httpx.Client(follow_redirects=True)) as client:
        return client.get(url, headers=headers).json()


def by_httpx2(url: str, **headers: str) -> dict[str, str]:
    with propagate_httpx(httpx2.Client(follow_redirects=True)) as client:
        return client.get(url, headers=headers).json()


def by_httpx_later(url: str, **headers: str) -> dict[str, str]:
    async def get() -> dict[str, str]:
        async with propagate_httpx(httpx.AsyncClient(follow_redirects=True)) as client:
            return (await client.get(url, headers=headers)).json()

    return asyncio.run(get())


def by_httpx2_later(url: str, **headers: str) -> dict[str, str]:
    async def get() -> dict[str, str]:
        async with propagate_httpx(httpx2.AsyncClient(follow_redirects=True)) as client:
            return (await client.get(url, headers=headers)).json()

    return asyncio.run(get())


def by_aiohttp(url: str, **headers: str) -> dict[str, str]:
    async def get() -> dict[str, str]:
        tracing = [propagate_aiohttp()]
        async with (
            aiohttp.ClientSession(trace_configs=tracing) as it,
            it.get(url, headers=headers) as response,
        ):
            return await response.json()

    return asyncio.run(get())


CLIENTS = {
    "requests": by_requests,
    "httpx": by_httpx,
    "httpx async": by_httpx_later,
    "httpx2": by_httpx2,
    "httpx2 async": by_httpx2_later,
    "aiohttp": by_aiohttp,
}


@pytest.fixture(params=list(CLIENTS))
def get(request: pytest.FixtureRequest) -> Get:
    return CLIENTS[request.param]


async def echo(request: Request) -> Response:
    """Answer with the headers that arrived, of ours those alone; and how often each came."""
    pairs = [(name.decode(), value.decode()) for name, value in request.scope["headers"]]
    ours = [(name, value) for name, value in pairs if name in OURS or name.startswith("x-mine")]
    assert len({name for name, _ in ours}) == len(ours)
    assert not any("lovelace" in value for _, value in pairs)
    return JSONResponse(dict(ours))


async def redirect(request: Request) -> Response:
    return RedirectResponse(request.query_params["to"], 307)


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with running(Starlette(routes=[Route("/echo", echo), Route("/redirect", redirect)])) as url:
        yield url


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    with running(Starlette(routes=[Route("/echo", echo), Route("/redirect", redirect)])) as url:
        yield url


def sent(session: Any) -> dict[str, str]:
    return {"x-amplitude-session-id": "s-1", "x-amplitude-agent-id": AGENT}


def trace_of(headers: dict[str, str]) -> str:
    return headers.pop("traceparent").split("-")[1]


class TestHeaders:
    def test_session_trace_and_agent_arrive_and_never_the_user(
        self, ai: AmplitudeAI, get: Get, service: str
    ) -> None:
        with ai.agent(AGENT, parent_agent_id="front").session(
            "s-1", user_id="lovelace", device_id="lovelace-1"
        ) as session:
            arrived = get(service + "/echo", **{"x-mine": "1"})
            assert trace_of(arrived) == session.trace_id.replace("-", "")
            assert arrived == {**sent(session), "x-amplitude-parent-agent-id": "front", "x-mine": "1"}

    def test_nothing_is_added_outside_a_session(self, get: Get, service: str) -> None:
        assert get(service + "/echo", **{"x-mine": "1"}) == {"x-mine": "1"}

    def test_what_is_there_already_stays(self, ai: AmplitudeAI, get: Get, service: str) -> None:
        given = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        with ai.agent(AGENT).session("s-1") as session:
            arrived = get(service + "/echo", **given, **{"X-Amplitude-Agent-Id": "mine"})
            assert arrived == {**sent(session), **given, "x-amplitude-agent-id": "mine"}

    def test_a_redirect_within_the_service_takes_it_along(
        self, ai: AmplitudeAI, get: Get, service: str
    ) -> None:
        with ai.agent(AGENT).session("s-1") as session:
            arrived = get(f"{service}/redirect?to=/redirect?to=/echo")
            assert trace_of(arrived) == session.trace_id.replace("-", "")
            assert arrived == sent(session)

    @pytest.mark.parametrize("way", ["{there}/echo", "{there}/redirect?to={there}/echo"])
    def test_a_redirect_to_another_host_takes_nothing_along(
        self, ai: AmplitudeAI, get: Get, service: str, elsewhere: str, way: str
    ) -> None:
        with ai.agent(AGENT).session("s-1"):
            assert get(f"{service}/redirect?to={way.format(there=elsewhere)}", **{"x-mine": "1"}) == {
                "x-mine": "1"
            }

    def test_what_the_caller_set_follows_as_it_would_without_us(
        self, ai: AmplitudeAI, get: Get, service: str, elsewhere: str
    ) -> None:
        given = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        with ai.agent(AGENT).session("s-1"):
            assert get(f"{service}/redirect?to={elsewhere}/echo", **given) == given

    def test_a_fault_of_ours_breaks_no_request(
        self, ai: AmplitudeAI, get: Get, service: str, swallowing: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: Any, **__: Any) -> Any:
            raise RuntimeError("injected")

        monkeypatch.setattr(outgoing, "inject_context", broken)
        before = shield.swallowed["outgoing headers: RuntimeError"]
        with ai.agent(AGENT).session("s-1"):
            assert get(service + "/echo", **{"x-mine": "1"}) == {"x-mine": "1"}
        assert shield.swallowed["outgoing headers: RuntimeError"] == before + 1


class TestClients:
    def test_a_request_of_the_callers_is_not_changed_and_may_go_again_in_another_session(
        self, ai: AmplitudeAI, service: str
    ) -> None:
        with propagate_requests(requests.Session()) as session:
            mine = session.prepare_request(requests.Request("GET", service + "/echo"))
            before = dict(mine.headers)
            seen = []
            for name in ("s-1", "s-2"):
                with ai.agent().session(name):
                    seen.append(session.send(mine).json()["x-amplitude-session-id"])
            assert (seen, dict(mine.headers)) == (["s-1", "s-2"], before)

    def test_the_request_of_an_answer_may_go_again_in_another_session(
        self, ai: AmplitudeAI, service: str
    ) -> None:
        with propagate_requests(requests.Session()) as session:
            with ai.agent().session("s-1"):
                sent = session.get(service + "/redirect", params={"to": "/echo"}).request
            with ai.agent().session("s-2"):
                assert session.send(sent).json()["x-amplitude-session-id"] == "s-2"
            assert session.send(sent).json() == {}

    @pytest.mark.parametrize("module", [httpx, httpx2])
    def test_an_httpx_request_may_go_again_in_another_session(
        self, ai: AmplitudeAI, service: str, module: Any
    ) -> None:
        with propagate_httpx(module.Client()) as client:
            mine = client.build_request("GET", service + "/echo")
            seen = []
            for name in ("s-1", "s-2"):
                with ai.agent().session(name):
                    seen.append(client.send(mine).json()["x-amplitude-session-id"])
            assert seen == ["s-1", "s-2"]

    def test_said_twice_is_said_once(self, ai: AmplitudeAI, service: str) -> None:
        session = requests.Session()
        first = propagate_requests(session).send
        assert propagate_requests(session).send is first
        client = httpx.Client()
        assert propagate_httpx(propagate_httpx(client)) is client
        assert len(client.event_hooks["request"]) == 1
        session.close()
        client.close()

    def test_hooks_of_the_applications_own_stay(self, service: str) -> None:
        seen: list[str] = []
        with httpx.Client(event_hooks={"request": [lambda request: seen.append(request.method)]}) as client:
            propagate_httpx(client).get(service + "/echo")
        assert seen == ["GET"]

    @pytest.mark.parametrize(
        ("helper", "words"),
        [
            (propagate_requests, "propagate_requests() takes a requests.Session, not module."),
            (propagate_httpx, "propagate_httpx() takes a Client or AsyncClient of httpx, not module."),
        ],
    )
    def test_what_is_no_client_is_refused(self, helper: Any, words: str) -> None:
        with pytest.raises(ConfigurationError) as refused:
            helper(requests)
        assert str(refused.value) == words

    def test_the_helpers_import_no_client(self) -> None:
        script = (
            "import sys, amplitude_ai_integrations.outgoing;"
            "print({'requests', 'httpx', 'httpx2', 'aiohttp'} & set(sys.modules))"
        )
        printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert printed.stdout.strip() == "set()"


@contextmanager
def threaded(app: Any) -> Iterator[str]:
    """Run a WSGI application on a server with threads, and yield its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture(scope="module", params=["asgi", "wsgi"])
def searcher(request: pytest.FixtureRequest) -> Iterator[tuple[str, MemorySink]]:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(propagate_context=True))
    options: dict[str, Any] = {"amplitude_ai": ai, "agent_id": "searcher"}

    def answer() -> None:
        model = {"model": "gpt-4o-mini", "provider": "openai", "latency_ms": 5.0}
        ai.track_ai_message(content="you said hello", **model)

    async def search(_request: Request) -> Response:
        answer()
        return JSONResponse({})

    def search_in_a_thread() -> dict[str, str]:
        answer()
        return {}

    if request.param == "asgi":
        with running(AmplitudeAIMiddleware(Starlette(routes=[Route("/search", search)]), **options)) as url:
            yield url, sink
        return
    app = flask.Flask(__name__)
    app.add_url_rule("/search", view_func=search_in_a_thread)
    AmplitudeAIFlask(app, **options)
    with threaded(app) as url:
        yield url, sink


class TestServices:
    """The second service receives what the first one's helper sends; the events of both are one conversation."""

    def test_one_question_is_one_session_and_one_trace(
        self, get: Get, searcher: tuple[str, MemorySink], thread: str
    ) -> None:
        url, sink = searcher
        sink.events.clear()
        with AmplitudeAI(sink=sink).agent(AGENT).session(thread, user_id="ada") as session:
            session.track_user_message("hello")
            assert get(url + "/search") == {}
        expected = Expected(thread, trace=1)
        question = expected.of_user("ada").question("hello")
        end = expected.event("Session End")
        expected.around = {"device_id": "of the session"}
        expected.saying(agent_id="searcher", parent_agent_id=AGENT)
        assert told(sink) == [question, expected.answer("you said hello"), end]


@pytest.mark.parametrize(
    ("url", "is_elsewhere"),
    [
        ("https://shop.example/b", False),
        ("https://other.example/a", True),
        ("https://shop.example:8443/a", True),
        ("http://shop.example/a", True),
    ],
)
def test_a_redirect_leads_elsewhere_by_its_host_or_by_leaving_encryption_behind(
    url: str, is_elsewhere: bool
) -> None:
    assert outgoing._is_elsewhere(url, "https://shop.example/a") is is_elsewhere
