"""A resolver may be sync or async, fail or talk nonsense: the response is the same, and the events are too."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from amplitude_ai_integrations import AmplitudeAI, MemorySink, keep_session
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware, AmplitudeAIWSGIMiddleware
from amplitude_ai_integrations.schema.names import wire_name
from amplitude_ai_integrations.web import answers, resolving

from .conftest import OpenSite
from .endpoints import speak
from .hosting import Site
from .reading import AGENT, Expected, told

SPEAKING = {
    "/plain-sync": "done",
    "/plain-async": "done",
    "/streamed-sync": "one two",
    "/streamed-async": "one two",
    "/spoken-before-the-stream": "one two",
    "/background-sync": "done",
    "/background-async": "done",
    "/in-tasks-and-threads": "done",
}


@pytest.fixture(autouse=True)
def _nothing_logged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "_logged", set())


def at_once(connection: HTTPConnection) -> str:
    return connection.query_params["who"]


async def without_waiting(connection: HTTPConnection) -> str:
    return connection.query_params["who"]


async def after_waiting(connection: HTTPConnection) -> str:
    await asyncio.sleep(0.005)
    return connection.query_params["who"]


class Asynchronous:
    async def __call__(self, connection: HTTPConnection) -> str:
        await asyncio.sleep(0)
        return connection.query_params["who"]


FORMS: dict[str, Callable[[Any], Any]] = {
    "sync": at_once,
    "async": without_waiting,
    "async that waits": after_waiting,
    "lambda returning a coroutine": lambda it: after_waiting(connection=it),
    "callable object": Asynchronous(),
    "partial": functools.partial(after_waiting),
}


class TestForms:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("path", SPEAKING)
    def test_every_event_has_what_the_resolvers_say(self, open_site: OpenSite, form: str, path: str) -> None:
        site = open_site(user_id_resolver=FORMS[form], session_id_resolver=lambda c: f"of-{at_once(c)}")
        who = str(uuid.uuid4())
        response = site.get(path, params={"who": who, "text": "hello"})
        assert (response.status_code, response.text) == (200, SPEAKING[path])
        assert site.events == Expected(f"of-{who}").of_user(who).exchange()

    @pytest.mark.parametrize("form", FORMS)
    def test_a_websocket_has_them_too(self, open_site: OpenSite, form: str) -> None:
        site = open_site(user_id_resolver=FORMS[form])
        with site.websocket("/chat?who=ada") as connection:
            connection.send("one")
            connection.recv()
        expected = Expected().of_user("ada")
        assert site.events == [*expected.exchange("one"), *expected.end()]

    def test_a_resolver_is_asked_once_a_request(self, open_site: OpenSite) -> None:
        asked: list[str] = []

        def user(connection: HTTPConnection) -> str:
            asked.append(type(connection).__name__)
            return "ada"

        open_site(user_id_resolver=user).get("/two-messages-sync")
        assert asked == ["HTTPConnection"]

    def test_a_resolver_sees_who_the_inner_layers_have_signed_in(self, open_site: OpenSite) -> None:
        async def signed_in(request: Request) -> Response:
            request.scope["user"] = "grace"
            speak(request)
            return PlainTextResponse("done")

        site = open_site(user_id_resolver=lambda c: c.scope.get("user"), more={"/signed-in": signed_in})
        site.get("/signed-in")
        expected = Expected().of_user("grace")
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_events_wait_for_an_asynchronous_answer_and_keep_their_order(self, open_site: OpenSite) -> None:
        waiting: list[int] = []

        def handler(request: Request) -> Response:
            speak(request, "one")
            speak(request, "two")
            waiting.append(len(site.sink.events))
            return PlainTextResponse("done")

        site = open_site(user_id_resolver=after_waiting, more={"/handler": handler})
        site.get("/handler", params={"who": "ada"})
        expected = Expected().of_user("ada")
        exchanges = [*expected.exchange("one"), *expected.exchange("two")]
        assert (waiting, site.events[:-1]) == ([0], exchanges)

    def test_a_request_holds_a_thousand_waiting_events_and_counts_the_rest(self, open_site: OpenSite) -> None:
        def handler(request: Request) -> Response:
            for _ in range(1_003):
                request.scope["ai"].track_span(span_name="step")
            return PlainTextResponse("done")

        site = open_site(user_id_resolver=after_waiting, more={"/handler": handler}, end_session=False)
        assert site.get("/handler", params={"who": "ada"}).text == "done"
        assert len(site.sink.events) == 1_000
        assert site.ai.status()["dropped"] == {"waiting for a resolver": 3}

    @pytest.mark.parametrize("path", ["/plain-sync", "/plain-async"])
    def test_an_agent_may_speak_in_a_resolver(self, open_site: OpenSite, path: str) -> None:
        def user(connection: HTTPConnection) -> str:
            speak(connection, "whoever")
            return "ada"

        site = open_site(user_id_resolver=user, end_session=False)
        assert site.get(path).text == "done"
        expected = Expected().of_user("ada")
        assert site.events == [*expected.exchange("whoever"), *expected.exchange("hello")]

    def test_values_are_those_of_the_call_though_the_event_waits(self, open_site: OpenSite) -> None:
        async def handler(request: Request) -> Response:
            found = {"hits": [1]}
            request.scope["ai"].track_tool_call(tool_name="search", output=found, latency_ms=5.0)
            found["hits"].append(2)
            return PlainTextResponse("done")

        site = open_site(user_id_resolver=after_waiting, more={"/handler": handler}, end_session=False)
        site.get("/handler", params={"who": "ada"})
        (event,) = site.events
        assert event[wire_name("tool_output")] == '{"hits":[1]}'


def raising(_: HTTPConnection) -> str:
    raise PermissionError("no")


async def raising_later(_: HTTPConnection) -> str:
    await asyncio.sleep(0)
    raise PermissionError("no")


async def answering_an_object(_: HTTPConnection) -> Any:
    return object()


async def yielding(_: HTTPConnection) -> Any:
    yield "ada"


FAILURES: dict[str, tuple[Any, str]] = {
    "raises": (raising, "failed"),
    "raises later": (raising_later, "failed"),
    "takes no argument": (lambda: "ada", "failed"),
    "coroutine that raises": (lambda it: raising_later(_=it), "failed"),
    "dict": (lambda _: {"id": "ada"}, "answered dict"),
    "bool": (lambda _: True, "answered bool"),
    "float": (lambda _: 1.5, "answered float"),
    "bytes": (lambda _: b"ada", "answered bytes"),
    "object": (lambda _: object(), "answered object"),
    "object later": (answering_an_object, "answered object"),
    "generator": (yielding, "answered async_generator"),
}
NAMES = ["user_id", "device_id", "session_id", "browser_session_id", "context", "groups"]


def option(name: str) -> str:
    return name if name in ("context", "groups") else f"{name}_resolver"


class TestFailures:
    @pytest.mark.parametrize("failure", FAILURES)
    @pytest.mark.parametrize("path", ["/plain-sync", "/streamed-async"])
    def test_the_response_and_the_events_go_on_without_it(
        self, open_site: OpenSite, caplog: pytest.LogCaptureFixture, failure: str, path: str
    ) -> None:
        resolver, complaint = FAILURES[failure]
        site = open_site(user_id_resolver=resolver)
        for _ in range(2):
            assert (site.get(path).status_code, site.get(path).text) == (200, SPEAKING[path])
        expected = Expected()
        assert site.events[:3] == [*expected.exchange(), *expected.end()]
        assert len(site.events) == 4 * 3
        assert [record.getMessage() for record in caplog.records] == [
            f"The resolver of user_id {complaint}; events go without it."
        ]
        assert {(one.name, one.levelno) for one in caplog.records} == {
            ("amplitude_ai_integrations", logging.WARNING)
        }

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("failure", ["raises", "raises later", "object", "generator"])
    def test_each_resolver_may_fail(
        self, open_site: OpenSite, caplog: pytest.LogCaptureFixture, name: str, failure: str
    ) -> None:
        resolver, complaint = FAILURES[failure]
        site = open_site(**{option(name): resolver})
        assert site.get("/plain-async").text == "done"
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]
        assert [record.getMessage() for record in caplog.records] == [
            f"The resolver of {name} {complaint}; events go without it."
        ]

    def test_one_that_fails_does_not_silence_the_others(self, open_site: OpenSite) -> None:
        site = open_site(user_id_resolver=lambda _: "ada", session_id_resolver=raising_later)
        site.get("/plain-sync")
        expected = Expected().of_user("ada")
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("answer", [None, "", "  ", "anonymous", "NULL", "undefined", 0, -1])
    def test_a_placeholder_is_no_user(self, open_site: OpenSite, answer: Any) -> None:
        site = open_site(user_id_resolver=lambda _: answer)
        site.get("/plain-sync")
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize(
        ("answer", "user"),
        [(7, "7"), (uuid.UUID(int=5), str(uuid.UUID(int=5))), (" ada ", "ada"), ("李", "李")],
    )
    def test_a_key_of_a_database_is_a_user(self, open_site: OpenSite, answer: Any, user: str) -> None:
        site = open_site(user_id_resolver=lambda _: answer)
        site.get("/plain-sync")
        expected = Expected().of_user(user)
        assert site.events == [*expected.exchange(), *expected.end()]


def test_two_requests_at_once_wait_each_for_its_own_answer(open_site: OpenSite) -> None:
    async def visit(site: Site) -> None:
        async with httpx.AsyncClient(timeout=5) as client:
            await asyncio.gather(
                *(
                    client.get(site.url + "/plain-sync", params={"who": f"u{n}", "text": f"u{n}"})
                    for n in range(8)
                )
            )

    site = open_site(user_id_resolver=after_waiting, end_session=False)
    asyncio.run(visit(site))
    events = site.events
    assert len(events) == 16
    assert {(event["user_id"], event["$llm_message"]["text"].split()[-1]) for event in events} == {
        (f"u{n}", f"u{n}") for n in range(8)
    }


async def test_a_request_that_is_cancelled_while_a_resolver_is_slow_ends_its_session(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    answer = asyncio.Event()

    async def slowly(_: HTTPConnection) -> str:
        await answer.wait()
        return "ada"

    async def application(scope: Any, receive: Any, send: Any) -> None:
        ai.track_user_message(content="hello")

    async def nothing(*_: Any) -> None:
        return None

    app = AmplitudeAIMiddleware(application, amplitude_ai=ai, agent_id=AGENT, user_id_resolver=slowly)
    scope = {"type": "http", "path": "/", "headers": []}
    visit = asyncio.ensure_future(app(scope, nothing, nothing))
    await asyncio.sleep(0)
    visit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await visit
    answer.set()
    await asyncio.sleep(0.01)
    expected = Expected().of_user("ada")
    assert told(sink.events) == [expected.exchange()[0], *expected.end(abandonment_turn=0)]


def test_a_loop_of_another_kind_awaits_resolvers_too(ai: AmplitudeAI, sink: MemorySink) -> None:
    class Pause:
        def __await__(self) -> Iterator[str]:
            yield "somebody else's turn"

    async def slowly(_: HTTPConnection) -> str:
        await Pause()
        return "ada"

    async def application(scope: Any, receive: Any, send: Any) -> None:
        ai.track_user_message(content="hello")

    async def nothing(*_: Any) -> None:
        return None

    app = AmplitudeAIMiddleware(
        application, amplitude_ai=ai, agent_id=AGENT, user_id_resolver=slowly, flush_on_response=True
    )
    visit = app({"type": "http", "path": "/", "headers": []}, nothing, nothing)
    turns = []
    with contextlib.suppress(StopIteration):
        while True:
            turns.append(visit.send(None))
    assert turns == ["somebody else's turn"]
    expected = Expected().of_user("ada")
    assert told(sink.events) == [expected.exchange()[0], *expected.end(abandonment_turn=0)]


def test_a_slow_resolver_holds_up_no_byte(open_site: OpenSite) -> None:
    is_sent = asyncio.Event()

    async def slowly(_: HTTPConnection) -> str:
        await is_sent.wait()  # for ever, if the response waited for it
        return "ada"

    async def streamed(request: Request) -> Response:
        async def body() -> AsyncIterator[str]:
            speak(request)
            yield "one "
            yield "two"
            is_sent.set()

        return StreamingResponse(body())

    site = open_site(user_id_resolver=slowly, more={"/streamed": streamed})
    assert site.get("/streamed").text == "one two"
    expected = Expected().of_user("ada")
    assert site.events == [*expected.exchange(), *expected.end()]


def test_a_resolver_that_hangs_is_given_up(
    open_site: OpenSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def for_ever(_: HTTPConnection) -> str:
        await asyncio.Event().wait()
        return "nobody"

    monkeypatch.setattr(answers, "_DEADLINE", 0.05)
    site = open_site(user_id_resolver=for_ever)
    assert site.get("/plain-async").text == "done"
    expected = Expected()
    assert site.events == [*expected.exchange(), *expected.end()]
    assert [record.getMessage() for record in caplog.records] == [
        "The resolver of user_id failed; events go without it."
    ]


def test_an_event_that_comes_after_the_end_still_learns_whose_it_is(open_site: OpenSite) -> None:
    tasks = []

    async def handler(request: Request) -> Response:
        async def later() -> None:
            await asyncio.sleep(0.05)
            speak(request)

        tasks.append(asyncio.ensure_future(later()))
        return PlainTextResponse("done")

    site = open_site(user_id_resolver=after_waiting, more={"/handler": handler})
    assert site.get("/handler", params={"who": "ada"}).text == "done"
    deadline = time.monotonic() + 5
    while len(site.sink.events) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert site.events == Expected().of_user("ada").exchange()


def test_an_event_of_a_thread_after_the_end_is_not_lost(open_site: OpenSite) -> None:
    def handler(request: Request) -> Response:
        threading.Timer(0.05, keep_session(speak), (request,)).start()
        return PlainTextResponse("done")

    site = open_site(user_id_resolver=after_waiting, more={"/handler": handler})
    assert site.get("/handler", params={"who": "ada"}).text == "done"
    deadline = time.monotonic() + 5
    while len(site.sink.events) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert site.events == Expected().exchange()  # nobody could await who it was


async def test_whoever_cancels_a_request_does_not_wait_for_its_resolver(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    answer = asyncio.Event()

    async def slowly(_: HTTPConnection) -> str:
        await answer.wait()
        return "ada"

    async def application(scope: Any, receive: Any, send: Any) -> None:
        ai.track_user_message(content="hello")
        await asyncio.Event().wait()

    async def nothing(*_: Any) -> None:
        return None

    app = AmplitudeAIMiddleware(application, amplitude_ai=ai, agent_id=AGENT, user_id_resolver=slowly)
    visit = asyncio.ensure_future(app({"type": "http", "path": "/", "headers": []}, nothing, nothing))
    await asyncio.sleep(0.01)
    visit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await visit  # for ever, if it waited
    answer.set()
    await asyncio.sleep(0.01)
    expected = Expected().of_user("ada")
    assert told(sink.events) == [expected.exchange()[0], *expected.end(abandonment_turn=0)]


def test_a_resolver_that_ends_more_than_itself_takes_no_event_along(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    class Timeout(BaseException):
        """As gevent's is."""

    def resolver(_: Any) -> str:
        raise Timeout

    def application(environ: Any, start_response: Any) -> list[bytes]:
        with contextlib.suppress(Timeout):
            ai.track_span(span_name="first")
        ai.track_user_message(content="hello")
        return [b"done"]

    app = AmplitudeAIWSGIMiddleware(application, amplitude_ai=ai, agent_id=AGENT, user_id_resolver=resolver)
    body = app({"PATH_INFO": "/"}, lambda *_: None)
    assert list(body) == [b"done"]
    body.close()  # type: ignore[attr-defined]
    expected = Expected()
    assert told(sink.events) == [expected.exchange()[0], *expected.end(abandonment_turn=0)]


async def test_a_visitor_who_leaves_is_no_error_by_whatever_name(ai: AmplitudeAI, sink: MemorySink) -> None:
    class ClientDisconnected(OSError):  # noqa: N818 - its name is what counts
        """As uvicorn's is."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        ai.track_user_message(content="hello")
        raise ClientDisconnected

    app = AmplitudeAIMiddleware(application, amplitude_ai=ai, agent_id=AGENT)
    with pytest.raises(ClientDisconnected):
        await app({"type": "websocket", "path": "/", "headers": []}, None, None)  # type: ignore[arg-type]
    expected = Expected()
    assert told(sink.events) == [expected.exchange()[0], *expected.end(abandonment_turn=0)]
