"""Flask on real servers: a session spans its request, ends once after the last byte, and changes no response."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import flask
import httpx
import pytest
from flask import Flask, Response

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.context import get_active_context
from amplitude_ai_integrations.middleware import AmplitudeAIWSGIMiddleware

from .flask_applications import SILENT, SPEAKING, build
from .reading import Expected
from .wsgi_hosting import WsgiSite

pytest_plugins = ["tests.web.wsgi_fixtures"]

FAILED = {"is_error": True, "error_type": "LookupError"}


def whole(response: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [(name, value) for name, value in response.headers.items() if name != "date"]
    return response.status_code, headers, response.content


class TestPlaces:
    @pytest.mark.parametrize("path", SPEAKING)
    def test_an_agent_has_the_requests_session_wherever_it_speaks(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI, path: str
    ) -> None:
        site = wsgi_site.install(build(ai))
        response = site.get(path)
        assert (response.status_code, response.text) == (200, SPEAKING[path])
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("path", SPEAKING)
    def test_the_response_is_what_it_is_without_us(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI, path: str
    ) -> None:
        bare = whole(wsgi_site.install(build(ai, tracked=False)).get(path))
        assert whole(wsgi_site.install(build(ai)).get(path)) == bare

    @pytest.mark.parametrize(("method", "path"), SILENT)
    def test_a_request_in_which_no_agent_speaks_says_nothing_and_is_what_it_is_without_us(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI, method: str, path: str
    ) -> None:
        bare = whole(wsgi_site.install(build(ai, tracked=False)).request(method, path))
        asked: list[Any] = []
        site = wsgi_site.install(build(ai, user_id_resolver=asked.append))
        assert whole(site.request(method, path)) == bare
        assert (asked, site.sink.events) == ([], [])

    def test_a_head_request_in_whose_view_an_agent_speaks_is_a_request(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        site = wsgi_site.install(build(ai))
        assert site.request("HEAD", "/plain-sync").text == ""
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("path", ["/plain-sync", "/plain-async", "/streamed", "/streamed-with-context"])
    def test_a_conversation_of_three_requests_goes_on(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI, path: str
    ) -> None:
        site = one_wsgi_site.install(
            build(ai, session_id_resolver=lambda request: request.headers["x-thread"])
        )
        for _ in range(3):
            assert site.get(path, headers={"x-thread": f"thread-{id(site)}"}).status_code == 200
        expected = Expected(f"thread-{id(site)}")
        assert site.events == [event for _ in range(3) for event in expected.exchange()]

    def test_two_messages_of_one_request_are_two_traces_of_one_session(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        site = one_wsgi_site.install(build(ai))
        site.get("/two-messages")
        expected = Expected()
        assert site.events == [*expected.exchange("one"), *expected.exchange("two"), *expected.end()]

    def test_a_session_of_the_views_own_wins(self, one_wsgi_site: WsgiSite, ai: AmplitudeAI) -> None:
        site = one_wsgi_site.install(build(ai))
        site.get("/own-session")
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]


class TestErrors:
    @pytest.mark.parametrize("path", ["/raising-before", "/raising-async", "/raising-afterwards"])
    @pytest.mark.parametrize("propagates", [False, True])
    def test_an_error_without_a_handler_is_the_sessions_too(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI, path: str, propagates: bool
    ) -> None:
        app = build(ai)
        app.config["PROPAGATE_EXCEPTIONS"] = propagates
        site = wsgi_site.install(app)
        assert site.get(path).status_code == 500
        assert [repr(error) for error in site.host.errors] == ["LookupError('before')"] * propagates
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end(**FAILED)]

    def test_an_error_in_the_body_is_the_servers_and_the_sessions(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        site = wsgi_site.install(build(ai))
        with suppress(httpx.RemoteProtocolError):  # wsgiref speaks HTTP/1.0, which cannot say so
            assert site.get("/raising-within").text == "one "
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end(**FAILED)]

    def test_where_the_session_goes_on_an_error_is_a_failed_step(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        thread = f"thread-{id(ai)}"
        site = one_wsgi_site.install(build(ai, session_id_resolver=lambda _: thread))
        assert site.get("/raising-before").status_code == 500
        expected = Expected(thread)
        step = {"span_id": "span 1", "span_name": "request", "latency_ms": "ms", "error_message": "before"}
        assert site.events == [*expected.exchange(), expected.event("Span", **step, **FAILED)]

    @pytest.mark.parametrize(("path", "status"), [("/refused", 403), ("/handled", 404)])
    def test_what_the_app_has_a_page_for_is_no_error(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI, path: str, status: int
    ) -> None:
        site = one_wsgi_site.install(build(ai))
        assert site.get(path).status_code == status
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_a_page_that_says_the_server_failed_makes_the_session_fail(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        site = one_wsgi_site.install(build(ai))
        assert site.get("/unavailable").status_code == 503
        expected = Expected()
        assert site.events == [
            *expected.exchange(),
            *expected.end(is_error=True, error_type="HTTP 503"),
        ]

    def test_a_handler_of_last_resort_makes_the_page_and_the_error_stays_one(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        def more(app: Flask) -> None:
            app.register_error_handler(500, lambda error: (repr(error.original_exception), 500))

        site = one_wsgi_site.install(build(ai, more=more))
        assert site.get("/raising-before").text == "LookupError('before')"
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end(**FAILED)]

    def test_an_error_in_a_teardown_is_the_sessions_too(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        def more(app: Flask) -> None:
            @app.teardown_request
            def broken(_error: BaseException | None) -> None:
                raise LookupError("at teardown")

        site = one_wsgi_site.install(build(ai, more=more))
        site.get("/plain-sync")
        assert [repr(error) for error in site.host.errors] == ["LookupError('at teardown')"]
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end(**FAILED)]

    def test_an_error_in_a_request_that_says_nothing_says_nothing(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        def more(app: Flask) -> None:
            app.add_url_rule("/broken", view_func=lambda: {}["page"])

        site = one_wsgi_site.install(build(ai, more=more))
        assert (site.get("/broken").status_code, site.sink.events) == (500, [])


class TestEnds:
    def test_a_visitor_who_leaves_ends_the_session_once_and_closes_the_body(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        closed: list[int] = []

        def more(app: Flask) -> None:
            @app.after_request
            def noted(response: Response) -> Response:
                response.call_on_close(lambda: closed.append(len(wsgi_site.sink.events)))
                return response

        site = wsgi_site.install(build(ai, more=more))
        site.leave_after("/endless", b"more")
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]
        assert closed == [2]

    def test_a_visitor_who_leaves_does_not_end_a_conversation(
        self, wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        thread = f"thread-{id(ai)}"
        site = wsgi_site.install(build(ai, session_id_resolver=lambda _: thread))
        site.leave_after("/endless", b"more")
        assert site.events == Expected(thread).exchange()

    @pytest.mark.parametrize("is_kept", [False, True])
    def test_the_end_comes_after_the_last_byte(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI, sink: MemorySink, is_kept: bool
    ) -> None:
        seen: list[int] = []

        def more(app: Flask) -> None:
            @app.get("/counted")
            def counted() -> Response:
                def body() -> Any:
                    app.extensions["voice"].speak()
                    for _ in range(3):
                        yield "x"
                        seen.append(len(sink.events))

                return Response(flask.stream_with_context(body()) if is_kept else body())

        site = one_wsgi_site.install(build(ai, more=more))
        assert site.get("/counted").text == "xxx"
        assert (seen, len(site.events)) == ([2, 2, 2], 3)

    @pytest.mark.parametrize("path", ["/streamed", "/streamed-with-context"])
    def test_teardown_functions_run_as_often_as_without_us(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI, path: str
    ) -> None:
        counts = []
        for tracked in (False, True):
            calls: list[str] = []

            def more(app: Flask, calls: list[str] = calls) -> None:
                app.teardown_request(lambda _: calls.append("request"))
                app.teardown_appcontext(lambda _: calls.append("app"))

            one_wsgi_site.install(
                build(ai, more=more, tracked=tracked, user_id_resolver=lambda r: flask.session.get("u"))
                if tracked
                else build(ai, more=more, tracked=False)
            ).get(path)
            counts.append(calls)
        assert counts[0] == counts[1]
        assert "request" in counts[0]

    def test_of_two_doors_the_inner_one_counts(self, one_wsgi_site: WsgiSite, ai: AmplitudeAI) -> None:
        app = build(ai)
        site = one_wsgi_site.install(AmplitudeAIWSGIMiddleware(app, amplitude_ai=ai, agent_id="outer"))
        site.get("/streamed")
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("path", [*SPEAKING, "/raising-before", "/silent"])
    def test_nothing_is_left_behind_in_the_thread(self, ai: AmplitudeAI, path: str) -> None:
        response = build(ai).test_client().get(path)
        assert get_active_context() is None
        assert response.data
        response.close()
        assert get_active_context() is None

    def test_requests_at_the_same_time_keep_apart(self, wsgi_site: WsgiSite, ai: AmplitudeAI) -> None:
        site = wsgi_site.install(build(ai, user_id_resolver=lambda request: request.args["text"]))
        paths = ("/plain-sync", "/plain-async")

        def visit(number: int) -> int:
            return site.client.get(f"{site.url}{paths[number % 2]}?text=u{number}").status_code

        with ThreadPoolExecutor(8) as visitors:
            assert set(visitors.map(visit, range(64))) == {200}
        site.wait_until_idle()
        said = {
            (event["user_id"], event["event_properties"]["$llm_message"]["text"].split()[-1])
            for event in site.sink.events
            if "$llm_message" in event["event_properties"]
        }
        assert said == {(f"u{number}", f"u{number}") for number in range(64)}
        assert len(site.sink.events) == 64 * 3

    def test_nothing_of_a_request_waits_for_the_garbage_collector(self, ai: AmplitudeAI) -> None:
        kept: list[weakref.ref[Any]] = []
        app = build(ai, user_id_resolver=lambda request: kept.append(weakref.ref(request)))
        client = app.test_client()
        client.get("/plain-sync").close()
        kept.clear()
        gc.collect()
        gc.disable()
        try:
            for path in ("/plain-sync", "/streamed", "/streamed-with-context"):
                client.get(path, buffered=True).close()
            assert [one() for one in kept] == [None] * 3
        finally:
            gc.enable()
