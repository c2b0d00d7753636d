"""Plain WSGI on real servers: the session spans whatever the application returns, and the server sees no difference."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.context import get_active_context
from amplitude_ai_integrations.middleware import AmplitudeAIWSGIMiddleware

from .reading import AGENT, Expected
from .wsgi_applications import FAILING, SILENT, WHOLE, Pieces, Voice, applications, endless, silent, text
from .wsgi_hosting import WsgiSite

pytest_plugins = ["tests.web.wsgi_fixtures"]

FAILED = {"is_error": True, "error_type": "LookupError"}


def seen(
    site: WsgiSite, method: str = "GET", **options: Any
) -> tuple[int, list[tuple[str, str]], bytes] | str:
    """What a visitor gets to see: a whole response, or that it broke off."""
    try:
        response = site.request(method, "/page", **options)
    except httpx.RemoteProtocolError as error:
        return str(error)
    headers = [(name, value) for name, value in response.headers.items() if name != "date"]
    return response.status_code, headers, response.content


class TestBodies:
    @pytest.mark.parametrize("kind", WHOLE)
    def test_an_agent_has_the_requests_session_wherever_it_speaks(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI, kind: str
    ) -> None:
        site = wsgi_site.behind(applications(ai)[kind])
        assert site.get("/page").text == WHOLE[kind]
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("kind", [*WHOLE, *sorted(FAILING)])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_the_response_is_what_it_is_without_us(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI, kind: str, method: str
    ) -> None:
        bare = seen(wsgi_site.install(applications(ai)[kind]), method)
        assert seen(wsgi_site.behind(applications(ai)[kind]), method) == bare

    @pytest.mark.parametrize("kind", SILENT)
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    def test_a_request_in_which_no_agent_speaks_says_nothing_and_is_what_it_is_without_us(
        self, wsgi_site: WsgiSite, kind: str, method: str
    ) -> None:
        sent = {"content": b"sent"} if method == "POST" else {}
        bare = seen(wsgi_site.install(SILENT[kind]), method, **sent)
        asked: list[Any] = []
        assert seen(wsgi_site.behind(SILENT[kind], user_id_resolver=asked.append), method, **sent) == bare
        assert (asked, wsgi_site.sink.events) == ([], [])

    @pytest.mark.parametrize("kind", ["a list", "a generator", "written"])
    def test_a_conversation_of_three_requests_goes_on(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI, kind: str
    ) -> None:
        thread = f"thread-{id(one_wsgi_site)}-{kind}"
        site = one_wsgi_site.behind(
            applications(ai)[kind], session_id_resolver=lambda environ: environ["HTTP_X_THREAD"]
        )
        for _ in range(3):
            site.get("/", headers={"X-Thread": thread})
        expected = Expected(thread)
        assert site.events == [event for _ in range(3) for event in expected.exchange()]

    def test_a_session_of_the_applications_own_wins(self, one_wsgi_site: WsgiSite, ai: AmplitudeAI) -> None:
        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response("200 OK", text())
            with ai.agent().session():
                Voice(ai).speak()
                yield b"done"

        site = one_wsgi_site.behind(application)
        assert site.get("/").text == "done"
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]


class TestHandOver:
    """What the server gets from us, where it looks closer than at the bytes."""

    def body(self, ai: AmplitudeAI, app: Any, **environ: Any) -> Any:
        middleware = AmplitudeAIWSGIMiddleware(app, amplitude_ai=ai)
        return middleware({"PATH_INFO": "/", **environ}, lambda *_given: lambda _piece: None)

    def test_a_list_in_which_nobody_spoke_is_the_very_list(self, ai: AmplitudeAI) -> None:
        given = [b"ok"]
        assert self.body(ai, lambda environ, start: given) is given

    def test_a_servers_own_file_is_the_very_file(self, ai: AmplitudeAI) -> None:
        class Wrapper:
            def __init__(self, file: object) -> None:
                self.file = file

        def application(environ: Any, start_response: Any) -> Any:
            Voice(ai).speak()
            return environ["wsgi.file_wrapper"]("file")

        body = self.body(ai, application, **{"wsgi.file_wrapper": Wrapper})
        assert type(body) is Wrapper

    def test_a_file_that_the_servers_function_gave_back_is_the_very_file(self, ai: AmplitudeAI) -> None:
        with open(__file__, "rb") as file:  # noqa: PTH123 - as uWSGI does: its wrapper is a function
            body = self.body(
                ai,
                lambda environ, start: environ["wsgi.file_wrapper"](file),
                **{"wsgi.file_wrapper": lambda it, size=0: it},
            )
            assert body is file

    @pytest.mark.parametrize("given", [[b"one"], (b"one", b"two"), []])
    def test_a_body_of_known_length_has_it_still(self, ai: AmplitudeAI, given: Any) -> None:
        def application(environ: Any, start_response: Any) -> Any:
            Voice(ai).speak()
            return given

        body = self.body(ai, application)
        assert (len(body), list(body)) == (len(given), list(given))
        body.close()

    def test_an_iterator_has_no_length(self, ai: AmplitudeAI) -> None:
        body = self.body(ai, lambda environ, start: iter([b"one"]))
        assert not hasattr(body, "__len__")
        assert list(body) == [b"one"]
        body.close()

    def test_a_body_is_closed_once_however_often_the_server_does(
        self, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        closed: list[str] = []
        pieces = Pieces(Voice(ai).speak)
        pieces.close = lambda: closed.append("closed")  # type: ignore[attr-defined]
        body = self.body(ai, lambda environ, start: pieces)
        assert next(body) == b"piece "
        for _ in range(3):
            body.close()
        assert (closed, len(sink.events)) == (["closed"], 3)

    def test_a_body_that_is_dropped_without_a_close_ends_its_session(
        self, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        body = self.body(ai, applications(ai)["a generator"])
        assert next(body) == b"one "
        assert len(sink.events) == 1
        del body
        gc.collect()
        assert [event["event_type"] for event in sink.events] == [
            "[Agent] User Message",
            "[Agent] Session End",
        ]

    def test_a_body_that_is_never_begun_ends_its_session_at_its_close(
        self, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        body = self.body(ai, applications(ai)["a generator after the start"])
        body.close()
        assert len(sink.events) == 2

    def test_a_body_that_is_read_on_after_its_end_stays_at_its_end(self, ai: AmplitudeAI) -> None:
        body = self.body(ai, applications(ai)["a generator"])
        assert list(body) == [b"one ", b"two"]
        assert list(body) == []
        body.close()

    @pytest.mark.parametrize("kind", [*WHOLE, *sorted(FAILING)])
    def test_nothing_is_left_behind_in_the_thread(self, ai: AmplitudeAI, kind: str) -> None:
        body: Any = ()
        with suppress(LookupError):
            body = self.body(ai, applications(ai)[kind])
            assert get_active_context() is None
            for _ in body:
                assert get_active_context() is None
        assert get_active_context() is None
        with suppress(LookupError, AttributeError):
            body.close()
        assert get_active_context() is None

    def test_requests_may_take_turns_in_one_thread(self, ai: AmplitudeAI, sink: MemorySink) -> None:
        def application(environ: Any, start_response: Any) -> Iterator[bytes]:
            for number in range(3):
                ai.track_user_message(content=f"{environ['who']} {number}")
                yield b"x"

        bodies = [self.body(ai, application, who=who) for who in ("ada", "grace")]
        for _ in range(3):
            for body in bodies:
                assert next(body) == b"x"
        for body in bodies:
            body.close()
        said: dict[str, set[str]] = {}
        for event in sink.events:
            properties = event["event_properties"]
            if "$llm_message" in properties:
                who = properties["$llm_message"]["text"].split()[0]
                said.setdefault(properties["[Agent] Session ID"], set()).add(who)
        assert sorted(map(sorted, said.values())) == [["ada"], ["grace"]]


class TestErrors:
    @pytest.mark.parametrize("kind", sorted(FAILING))
    def test_an_error_is_the_sessions_too(self, wsgi_site: WsgiSite, ai: AmplitudeAI, kind: str) -> None:
        site = wsgi_site.behind(applications(ai)[kind])
        seen(site)
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end(**FAILED)]

    @pytest.mark.parametrize("kind", ["raising before", "raising after the start"])
    def test_the_server_gets_the_very_error(self, wsgi_site: WsgiSite, ai: AmplitudeAI, kind: str) -> None:
        site = wsgi_site.behind(applications(ai)[kind])
        assert site.get("/").status_code == 500
        assert [type(error) for error in site.host.errors] == [LookupError]

    @pytest.mark.parametrize(
        "error", [LookupError("ours"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()]
    )
    def test_any_kind_of_error_passes_as_it_is(self, ai: AmplitudeAI, error: BaseException) -> None:
        def broken(environ: Any, start_response: Any) -> Iterable[bytes]:
            raise error

        def breaking(environ: Any, start_response: Any) -> Iterator[bytes]:
            yield b"one"
            raise error

        with pytest.raises(type(error)) as raised:
            AmplitudeAIWSGIMiddleware(broken, amplitude_ai=ai)({}, lambda *_: None)
        assert raised.value is error
        body = iter(AmplitudeAIWSGIMiddleware(breaking, amplitude_ai=ai)({}, lambda *_: None))
        assert next(body) == b"one"
        with pytest.raises(type(error)) as raised:
            next(body)
        assert raised.value is error

    def test_where_the_session_goes_on_an_error_is_a_failed_step(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        thread = f"thread-{id(ai)}"
        site = one_wsgi_site.behind(
            applications(ai)["a page of an error"], session_id_resolver=lambda _: thread
        )
        assert site.get("/").text == "sorry"
        expected = Expected(thread)
        step = {"span_id": "span 1", "span_name": "request", "latency_ms": "ms"}
        failed = {**FAILED, "error_message": "made a page"}
        assert site.events == [*expected.exchange(), expected.event("Span", **step, **failed)]

    def test_the_servers_word_on_a_second_start_counts(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response("200 OK", text())
            start_response("200 OK", text())
            return [b"never"]

        assert one_wsgi_site.behind(application).get("/").status_code == 500
        assert [type(error) for error in one_wsgi_site.host.errors] == [AssertionError]


class TestDepartures:
    def test_a_visitor_who_leaves_ends_the_session_once_and_closes_the_body(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        closed: list[str] = []
        site = wsgi_site.behind(endless(ai, closed))
        site.leave_after("/page", b"more")
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]
        assert closed == ["closed"]

    def test_a_visitor_who_leaves_does_not_end_a_conversation(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        thread = f"thread-{id(ai)}"
        site = wsgi_site.behind(endless(ai, []), session_id_resolver=lambda _: thread)
        site.leave_after("/page", b"more")
        assert site.events == Expected(thread).exchange()


class Layer:
    """A middleware of somebody else's: it changes each piece, and closes what it was given."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        body = self.app(environ, start_response)
        try:
            for piece in body:
                yield piece.upper()
        finally:
            if hasattr(body, "close"):
                body.close()


class TestLayers:
    @pytest.mark.parametrize("kind", WHOLE)
    @pytest.mark.parametrize("order", ["ours above", "ours below"])
    def test_it_stands_above_and_below_other_layers(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI, kind: str, order: str
    ) -> None:
        app = applications(ai)[kind]
        if order == "ours above":
            site = one_wsgi_site.behind(Layer(app))
        else:
            site = one_wsgi_site.install(
                Layer(AmplitudeAIWSGIMiddleware(app, amplitude_ai=ai, agent_id=AGENT))
            )
        shown = WHOLE[kind].upper() if kind != "written" else "one two THREE"
        assert site.get("/page").text == shown
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("kind", WHOLE)
    def test_of_two_doors_the_inner_one_counts(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI, kind: str
    ) -> None:
        inner = AmplitudeAIWSGIMiddleware(applications(ai)[kind], amplitude_ai=ai, agent_id=AGENT)
        site = one_wsgi_site.behind(inner, agent_id="outer")
        assert site.get("/page").text == WHOLE[kind]
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_the_checker_of_the_standard_library_has_no_complaint(self, ai: AmplitudeAI) -> None:
        from wsgiref.util import setup_testing_defaults
        from wsgiref.validate import validator

        for kind in ("a list", "a generator after the start", "written", "an iterator"):
            app = validator(AmplitudeAIWSGIMiddleware(validator(applications(ai)[kind]), amplitude_ai=ai))
            environ: dict[str, Any] = {"QUERY_STRING": ""}
            setup_testing_defaults(environ)
            body = app(environ, lambda status, headers, exc_info=None: lambda data: None)
            assert b"".join(body)
            body.close()  # type: ignore[attr-defined]

    def test_a_tracking_that_is_switched_off_is_not_there(self, sink: MemorySink) -> None:
        from amplitude_ai_integrations import AIConfig

        ai = AmplitudeAI(config=AIConfig(enabled=False), sink=sink)
        given: list[Any] = []

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            given.append(start_response)
            return silent(environ, start_response)

        def start_response(*_: Any) -> None:
            """What the server gives."""

        AmplitudeAIWSGIMiddleware(application, amplitude_ai=ai)({}, start_response)
        assert given == [start_response]
