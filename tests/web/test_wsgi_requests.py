"""What is read of a WSGI request: its path, its headers, and what resolvers make of its environ."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.delivery.flush import Counts, FlushResult
from amplitude_ai_integrations.middleware import AmplitudeAIWSGIMiddleware
from amplitude_ai_integrations.web import resolving
from amplitude_ai_integrations.web.environ import headers_of, path_of

from .reading import Expected
from .wsgi_applications import WHOLE, Voice, applications, text
from .wsgi_hosting import WsgiSite

pytest_plugins = ["tests.web.wsgi_fixtures"]


@pytest.fixture(autouse=True)
def _nothing_logged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "_logged", set())


def visits(site: WsgiSite, *paths: str) -> list[int]:
    """Return how many sessions each visit ended."""
    counts = []
    for path in paths:
        before = len(site.sink.events)
        assert site.get(path).status_code == 200
        counts.append(sum("Session End" in event["event_type"] for event in site.sink.events[before:]))
    return counts


class TestPaths:
    @pytest.mark.parametrize(
        ("environ", "path"),
        [
            ({"PATH_INFO": "/chat"}, "/chat"),
            ({"SCRIPT_NAME": "/api", "PATH_INFO": "/chat"}, "/api/chat"),
            ({"SCRIPT_NAME": "", "PATH_INFO": ""}, ""),
            ({}, ""),
            ({"SCRIPT_NAME": "/caf\u00c3\u00a9", "PATH_INFO": "/\u00e6\u009d\u008e"}, "/café/李"),
            ({"PATH_INFO": "/\u00ff"}, "/\ufffd"),
            ({"PATH_INFO": "/already-李"}, "/already-?"),
        ],
    )
    def test_a_path_is_what_the_browser_asked_for(self, environ: dict[str, str], path: str) -> None:
        assert path_of(environ) == path

    def test_patterns_choose_among_paths_of_any_script(self, wsgi_site: WsgiSite, ai: AmplitudeAI) -> None:
        site = wsgi_site.behind(applications(ai)["a list"], include=["^/chat", "/café$"], exclude=["hidden"])
        assert visits(
            site, "/chat", "/chat/hidden", "/other", "/caf%C3%A9", "/x/caf%c3%a9", "/chat?q=hidden"
        ) == [
            1,
            0,
            0,
            1,
            1,
            1,
        ]

    def test_an_application_that_is_mounted_is_known_by_its_whole_path(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        inner = AmplitudeAIWSGIMiddleware(
            applications(ai)["a list"], amplitude_ai=ai, include=["^/api/chat$"]
        )

        def mounting(environ: Any, start_response: Any) -> Iterable[bytes]:
            environ["SCRIPT_NAME"] = "/api"
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/api")
            return inner(environ, start_response)

        assert visits(one_wsgi_site.install(mounting), "/api/chat", "/api/other") == [1, 0]


class TestHeaders:
    def test_headers_are_known_by_their_own_names(self) -> None:
        environ = {
            "HTTP_X_AMP_DEVICE_ID": "d-1",
            "HTTP_TRACEPARENT": "00-a",
            "CONTENT_TYPE": "text/plain",
            "wsgi.input": object(),
            "HTTP_BROKEN": object(),
        }
        assert headers_of(environ) == {"x-amp-device-id": "d-1", "traceparent": "00-a"}

    def test_a_browsers_identity_is_taken(self, wsgi_site: WsgiSite, ai: AmplitudeAI) -> None:
        site = wsgi_site.behind(applications(ai)["a generator"])
        site.get("/", headers={"X-Amp-Device-Id": "d-1", "x-amp-session-id": "1700000000000"})
        assert {event.get("device_id") for event in site.sink.events} == {"d-1"}
        replays = {event["event_properties"]["[Amplitude] Session Replay ID"] for event in site.sink.events}
        assert replays == {"d-1/1700000000000"}

    @pytest.mark.parametrize("is_trusted", [True, False])
    def test_another_services_session_is_taken_where_it_is_trusted(
        self, one_wsgi_site: WsgiSite, sink: MemorySink, is_trusted: bool
    ) -> None:
        ai = one_wsgi_site.ai = AmplitudeAI(config=AIConfig(propagate_context=is_trusted), sink=sink)
        site = one_wsgi_site.behind(applications(ai)["a generator"])
        site.get(
            "/",
            headers={
                "X-Amplitude-Session-Id": "of-another",
                "X-User-Id": "mallory",
                "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            },
        )
        kinds = [event["event_type"] for event in sink.events]
        ids = {event["event_properties"]["[Agent] Session ID"] for event in sink.events}
        assert (ids == {"of-another"}, "[Agent] Session End" in kinds) == (is_trusted, not is_trusted)
        assert {event.get("user_id") for event in sink.events} == {None}


def at_once(environ: dict[str, Any]) -> str:
    return str(environ["HTTP_X_WHO"])


async def later(environ: dict[str, Any]) -> str:
    await asyncio.sleep(0.001)
    return at_once(environ)


FORMS: dict[str, Any] = {
    "sync": at_once,
    "async": later,
    "lambda returning a coroutine": lambda environ: later(environ=environ),
}
FAILURES: dict[str, Any] = {
    "raises": lambda environ: environ["no such key"],
    "raises later": lambda environ: later({}),
    "takes no argument": lambda: "ada",
    "dict": lambda environ: {"id": "ada"},
    "object": lambda environ: object(),
}


class TestResolvers:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("kind", WHOLE)
    def test_every_event_has_what_the_resolvers_say(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI, kind: str, form: str
    ) -> None:
        site = one_wsgi_site.behind(applications(ai)[kind], user_id_resolver=FORMS[form])
        assert site.get("/", headers={"X-Who": "ada"}).text == WHOLE[kind]
        expected = Expected().of_user("ada")
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("failure", FAILURES)
    @pytest.mark.parametrize("kind", ["a list", "a generator", "written"])
    def test_one_that_fails_is_said_once_and_changes_nothing(
        self,
        one_wsgi_site: WsgiSite,
        ai: AmplitudeAI,
        caplog: pytest.LogCaptureFixture,
        kind: str,
        failure: str,
    ) -> None:
        site = one_wsgi_site.behind(applications(ai)[kind], user_id_resolver=FAILURES[failure])
        for _ in range(2):
            assert site.get("/").text == WHOLE[kind]
        expected = Expected()
        assert site.events[:3] == [*expected.exchange(), *expected.end()]
        assert len(site.events) == 6
        said = [one for one in caplog.records if one.name == "amplitude_ai_integrations"]
        assert [one.levelno for one in said] == [logging.WARNING]

    def test_an_asynchronous_one_is_awaited_before_the_next_piece(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        arrived: list[int] = []

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response("200 OK", text())
            for _ in range(2):
                Voice(ai).speak()
                arrived.append(len(one_wsgi_site.sink.events))
                yield b"x"
                arrived.append(len(one_wsgi_site.sink.events))

        one_wsgi_site.behind(application, user_id_resolver=later).get("/", headers={"X-Who": "ada"})
        assert arrived == [0, 2, 4, 4]

    def test_on_a_running_loop_the_events_go_without_an_asynchronous_answer(
        self, ai: AmplitudeAI, sink: MemorySink, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Answer:
            def __await__(self) -> Any:
                yield from asyncio.sleep(0).__await__()
                return "ada"

        app = AmplitudeAIWSGIMiddleware(
            applications(ai)["a list"], amplitude_ai=ai, user_id_resolver=lambda _: Answer()
        )

        async def main() -> list[bytes]:
            body = app({}, lambda *_: None)
            try:
                return list(body)
            finally:
                body.close()  # type: ignore[attr-defined]

        assert asyncio.run(main()) == [b"done"]
        assert {event.get("user_id") for event in sink.events} == {None}
        assert len(sink.events) == 3
        assert "The resolver of user_id failed" in caplog.text


class SlowSink(MemorySink):
    """Delivers when it is asked to, and says when that was."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed_at: list[int] = []

    def flush(self) -> FlushResult:
        self.flushed_at.append(len(self.events))
        return FlushResult([], lambda: Counts(len(self.events), 0, 0))


@pytest.mark.parametrize("kind", ["a list", "a generator", "written"])
@pytest.mark.parametrize("flushes", [True, False, None])
def test_a_request_delivers_at_its_end_where_it_is_to(kind: str, flushes: bool | None) -> None:
    sink = SlowSink()
    ai = AmplitudeAI(sink=sink)
    app = AmplitudeAIWSGIMiddleware(applications(ai)[kind], amplitude_ai=ai, flush_on_response=flushes)
    body = app({}, lambda *_: lambda _piece: None)
    assert list(body)
    assert sink.flushed_at == []
    body.close()  # type: ignore[attr-defined]
    assert sink.flushed_at == ([3] if flushes else [])
