"""A resolver gets Flask's request wherever it is asked, and no answer of it changes a response."""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import flask
import pytest
from flask import Flask, Request, Response

from amplitude_ai_integrations import AmplitudeAI, keep_session
from amplitude_ai_integrations.web import resolving

from .flask_applications import SPEAKING, build
from .reading import Expected
from .wsgi_hosting import WsgiSite

pytest_plugins = ["tests.web.wsgi_fixtures"]


@pytest.fixture(autouse=True)
def _nothing_logged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "_logged", set())


def at_once(request: Request) -> str:
    return request.args["who"]


async def after_waiting(request: Request) -> str:
    await asyncio.sleep(0.001)
    return request.args["who"]


def through_proxies(_: Request) -> str:
    """Everything that Flask has for a request, under its own names."""
    assert flask.current_app.name == "tests"
    flask.g.asked = True
    assert flask.session.get("cart") is None
    return flask.request.args["who"]


async def through_proxies_later(request: Request) -> str:
    await asyncio.sleep(0)
    return through_proxies(request)


class Asynchronous:
    async def __call__(self, request: Request) -> str:
        await asyncio.sleep(0)
        return request.args["who"]


FORMS: dict[str, Callable[[Any], Any]] = {
    "sync": at_once,
    "sync, by Flask's proxies": through_proxies,
    "async": after_waiting,
    "async, by Flask's proxies": through_proxies_later,
    "lambda returning a coroutine": lambda it: after_waiting(request=it),
    "callable object": Asynchronous(),
    "partial": functools.partial(after_waiting),
}


class TestForms:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("path", SPEAKING)
    def test_every_event_has_what_the_resolvers_say(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI, form: str, path: str
    ) -> None:
        site = one_wsgi_site.install(
            build(ai, user_id_resolver=FORMS[form], session_id_resolver=lambda r: f"of-{at_once(r)}")
        )
        who = str(uuid.uuid4())
        response = site.get(path, params={"who": who, "text": "hello"})
        assert (response.status_code, response.text) == (200, SPEAKING[path])
        assert "vary" not in response.headers
        assert site.events == Expected(f"of-{who}").of_user(who).exchange()

    @pytest.mark.parametrize("path", ["/plain-sync", "/plain-async", "/streamed", "/streamed-with-context"])
    def test_a_resolver_gets_the_very_request_once(self, ai: AmplitudeAI, path: str) -> None:
        views: list[Any] = []
        asked: list[Any] = []

        def more(app: Flask) -> None:
            app.before_request(lambda: views.append(flask.request._get_current_object()))

        app = build(ai, more=more, user_id_resolver=asked.append)
        app.test_client().get(path, buffered=True).close()
        assert len(asked) == 1
        assert type(asked[0]) is Request
        assert asked[0] is views[0]

    def test_a_request_class_of_the_apps_own_is_what_a_resolver_gets(self, ai: AmplitudeAI) -> None:
        class Own(Request):
            tenant = "acme"

        app = build(ai, user_id_resolver=lambda request: request.tenant)
        app.request_class = Own
        app.test_client().get("/plain-sync").close()

    @pytest.mark.parametrize("form", ["sync, by Flask's proxies", "async, by Flask's proxies"])
    def test_a_thread_that_has_the_session_finds_the_request_too(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI, form: str
    ) -> None:
        def more(app: Flask) -> None:
            @app.get("/threaded")
            def threaded() -> str:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(keep_session(app.extensions["voice"].speak)).result()
                return "done"

        site = one_wsgi_site.install(build(ai, more=more, user_id_resolver=FORMS[form]))
        assert site.get("/threaded", params={"who": "ada"}).text == "done"
        expected = Expected().of_user("ada")
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_an_agent_in_a_layer_around_the_app_has_a_request_too(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        def more(app: Flask) -> None:
            inner = app.wsgi_app

            def layer(environ: Any, start_response: Any) -> Any:
                app.extensions["voice"].speak()
                return inner(environ, start_response)

            app.wsgi_app = layer  # type: ignore[method-assign]

        site = one_wsgi_site.install(build(ai, more=more, user_id_resolver=at_once))
        assert site.get("/silent", params={"who": "ada"}).text == "ok"
        expected = Expected().of_user("ada")
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_events_wait_for_an_asynchronous_answer_until_the_first_byte(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        seen: list[int] = []

        def more(app: Flask) -> None:
            @app.get("/waiting")
            def waiting() -> Response:
                def body() -> Iterator[str]:
                    seen.append(len(one_wsgi_site.sink.events))
                    yield "x"

                app.extensions["voice"].speak()
                seen.append(len(one_wsgi_site.sink.events))
                return Response(body())

            app.teardown_request(lambda _: seen.append(len(one_wsgi_site.sink.events)))

        site = one_wsgi_site.install(build(ai, more=more, user_id_resolver=after_waiting))
        assert site.get("/waiting", params={"who": "ada"}).text == "x"
        assert seen == [0, 2, 2]

    def test_context_and_groups_may_be_functions_of_the_request(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        site = one_wsgi_site.install(
            build(
                ai,
                context=lambda request: {"path": request.path},
                groups=lambda _: {"app": flask.current_app.name},
            )
        )
        site.get("/streamed")
        expected = Expected().saying(context='{"path":"/streamed"}')
        expected.around["groups"] = {"app": "tests"}
        assert site.events == [*expected.exchange(), *expected.end()]


def raising(_: Request) -> str:
    raise PermissionError("no")


async def raising_later(_: Request) -> str:
    await asyncio.sleep(0)
    raise PermissionError("no")


def aborting(_: Request) -> str:
    flask.abort(401)


async def yielding(_: Request) -> Any:
    yield "ada"


FAILURES: dict[str, tuple[Any, str]] = {
    "raises": (raising, "failed"),
    "raises later": (raising_later, "failed"),
    "aborts": (aborting, "failed"),
    "takes no argument": (lambda: "ada", "failed"),
    "dict": (lambda _: {"id": "ada"}, "answered dict"),
    "object": (lambda _: object(), "answered object"),
    "response": (lambda _: Response("no"), "answered Response"),
    "generator": (yielding, "answered async_generator"),
}


class TestFailures:
    @pytest.mark.parametrize("failure", FAILURES)
    @pytest.mark.parametrize("path", ["/plain-sync", "/plain-async", "/streamed", "/streamed-with-context"])
    def test_the_response_and_the_events_go_on_without_it(
        self,
        one_wsgi_site: WsgiSite,
        ai: AmplitudeAI,
        caplog: pytest.LogCaptureFixture,
        failure: str,
        path: str,
    ) -> None:
        resolver, complaint = FAILURES[failure]
        site = one_wsgi_site.install(build(ai, user_id_resolver=resolver))
        for _ in range(2):
            assert (site.get(path).status_code, site.get(path).text) == (200, SPEAKING[path])
        expected = Expected()
        assert site.events[:3] == [*expected.exchange(), *expected.end()]
        assert len(site.events) == 4 * 3
        assert [
            (one.name, one.levelno, one.getMessage())
            for one in caplog.records
            if one.name == "amplitude_ai_integrations"
        ] == [
            (
                "amplitude_ai_integrations",
                logging.WARNING,
                f"The resolver of user_id {complaint}; events go without it.",
            )
        ]


class TestSession:
    """Flask's session: whoever reads it makes the response vary by the cookie, so a resolver does not."""

    def visit(self, ai: AmplitudeAI, resolver: Any, view: Callable[[], Any], **options: Any) -> Response:
        def more(app: Flask) -> None:
            app.add_url_rule("/view", view_func=view)
            app.add_url_rule("/enter", view_func=lambda: flask.session.update(cart="full") or "in")

        app = build(ai, more=more, user_id_resolver=resolver, **options)
        client = app.test_client()
        client.get("/enter")
        return client.get("/view", buffered=True)  # type: ignore[return-value]

    def reading(self, _: Request) -> str:
        return str(flask.session["cart"])

    def writing(self, _: Request) -> str:
        flask.session["seen"] = True
        flask.session.pop("cart")
        return "full"

    @pytest.mark.parametrize("name", ["reading", "writing"])
    @pytest.mark.parametrize("is_async", [False, True])
    def test_neither_reading_nor_writing_it_shows(
        self, ai: AmplitudeAI, sink: Any, name: str, is_async: bool
    ) -> None:
        def view() -> str:
            ai.track_user_message(content="hello")
            return "done"

        async def view_later() -> str:
            return view()

        response = self.visit(ai, getattr(self, name), view_later if is_async else view)
        assert [event["user_id"] for event in sink.events] == ["full"] * 2
        assert sorted(response.headers.keys()) == ["Content-Length", "Content-Type"]

    @pytest.mark.parametrize("name", ["reading", "writing"])
    def test_what_the_view_does_with_it_stays(self, ai: AmplitudeAI, name: str) -> None:
        def view() -> dict[str, Any]:
            before = flask.session["cart"]
            flask.session["own"] = 1
            ai.track_user_message(content="hello")
            return {"before": before, "after": dict(flask.session)}

        response = self.visit(ai, getattr(self, name), view)
        assert response.json == {"before": "full", "after": {"cart": "full", "own": 1}}
        assert response.headers["Vary"] == "Cookie"
        assert "session=" in response.headers["Set-Cookie"]

    def test_the_apps_own_reading_varies_as_ever(self, ai: AmplitudeAI) -> None:
        def view() -> str:
            ai.track_user_message(content="hello")
            return str(flask.session["cart"])

        response = self.visit(ai, self.reading, view)
        assert response.headers["Vary"] == "Cookie"
        assert "Set-Cookie" not in response.headers

    def test_without_a_secret_key_a_resolver_finds_an_empty_session(self, ai: AmplitudeAI, sink: Any) -> None:
        app = build(ai, user_id_resolver=lambda _: flask.session.get("user", "nobody-in-particular"))
        app.secret_key = None
        assert app.test_client().get("/plain-sync").data == b"done"
        assert {event["user_id"] for event in sink.events} == {"nobody-in-particular"}
