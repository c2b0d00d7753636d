"""A conversation outlives its requests: turns go on rising, and no request ends it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.schema.names import wire_name

from .conftest import OpenSite
from .endpoints import speak
from .reading import Expected


def thread_of(request: HTTPConnection) -> str | None:
    return request.headers.get("x-thread")


async def thread_of_slowly(request: HTTPConnection) -> str | None:
    return request.headers.get("x-thread")


class TestThreeRequests:
    @pytest.mark.parametrize("resolver", [thread_of, thread_of_slowly])
    def test_turns_rise_traces_differ_and_nothing_ends(
        self, open_site: OpenSite, thread: str, resolver: Any
    ) -> None:
        site = open_site(session_id_resolver=resolver)
        for path, text in (("/plain-sync", "one"), ("/plain-async", "two"), ("/plain-sync", "three")):
            site.get(path, params={"text": text}, headers={"x-thread": thread})
        expected = Expected(thread)
        assert site.events == [event for text in ("one", "two", "three") for event in expected.exchange(text)]

    def test_a_websocket_joins_the_conversation(self, open_site: OpenSite, thread: str) -> None:
        site = open_site(session_id_resolver=lambda _: thread)
        site.get("/plain-sync", params={"text": "one"})
        with site.websocket("/chat") as connection:
            connection.send("two")
            connection.recv()
        expected = Expected(thread)
        assert site.events == [*expected.exchange("one"), *expected.exchange("two")]

    def test_a_request_without_a_thread_ends_its_own_session(self, open_site: OpenSite) -> None:
        site = open_site(session_id_resolver=thread_of)
        site.get("/plain-sync")
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]


class TestEnding:
    def test_a_conversation_ends_with_the_request_where_told(self, open_site: OpenSite, thread: str) -> None:
        site = open_site(session_id_resolver=lambda _: thread, end_session=True)
        site.get("/plain-sync", params={"text": "one"})
        site.get("/plain-sync", params={"text": "two"})
        expected = Expected(thread)
        first = [*expected.exchange("one"), *expected.end()]
        assert site.events == [*first, *expected.exchange("two"), *expected.end()]

    @pytest.mark.parametrize("options", [{"end_session": False}, {"track_session_events": False}])
    def test_a_request_ends_nothing_where_told(self, open_site: OpenSite, options: dict[str, bool]) -> None:
        site = open_site(**options)
        site.get("/plain-sync")
        assert site.events == Expected().exchange()

    def test_no_session_events_is_the_last_word(self, open_site: OpenSite) -> None:
        site = open_site(track_session_events=False, end_session=True)
        site.get("/plain-sync")
        assert site.events == Expected().exchange()

    def test_a_handler_may_end_the_conversation_itself(self, open_site: OpenSite, thread: str) -> None:
        def goodbye(request: Request) -> Response:
            speak(request, "goodbye")
            request.scope["ai"].track_session_end()
            return PlainTextResponse("done")

        site = open_site(session_id_resolver=lambda _: thread, more={"/goodbye": goodbye})
        site.get("/goodbye")
        expected = Expected(thread)
        assert site.events == [*expected.exchange("goodbye"), *expected.end()]


class TestOwnSessions:
    def opened(self, open_site: OpenSite, own_id: str, resolver: Any, **more: Any) -> list[dict[str, Any]]:
        async def handler(request: Request) -> Response:
            with request.scope["ai"].agent().session(own_id):
                speak(request)
            return PlainTextResponse("done")

        site = open_site(session_id_resolver=resolver, more={"/own": handler}, **more)
        assert site.get("/own").text == "done"
        return site.events

    def test_another_id_opens_another_session(self, open_site: OpenSite, thread: str) -> None:
        expected = Expected(f"own-{thread}")
        events = self.opened(open_site, f"own-{thread}", lambda _: thread)
        assert events == [*expected.exchange(), *expected.end()]

    def test_the_same_id_joins_the_conversation(self, open_site: OpenSite, thread: str) -> None:
        assert self.opened(open_site, thread, lambda _: thread) == Expected(thread).exchange()

    def test_words_outside_ones_own_session_are_the_requests(self, open_site: OpenSite, thread: str) -> None:
        async def handler(request: Request) -> Response:
            with request.scope["ai"].agent().session(thread):
                speak(request, "inside")
            speak(request, "outside")
            return PlainTextResponse("done")

        site = open_site(more={"/own": handler})
        site.get("/own")
        own, requests = Expected(thread), Expected(trace=1, message=2)
        first = [*own.exchange("inside"), *own.end()]
        assert site.events == [*first, *requests.exchange("outside"), *requests.end()]

    def test_a_session_of_ones_own_has_the_requests_user(self, open_site: OpenSite, thread: str) -> None:
        expected = Expected(thread).of_user("ada")
        events = self.opened(open_site, thread, None, user_id_resolver=lambda _: "ada")
        assert events == [*expected.exchange(), *expected.end()]

    def test_a_session_of_ones_own_has_the_requests_user_once_it_is_known(
        self, open_site: OpenSite, thread: str
    ) -> None:
        async def user(_: HTTPConnection) -> str:
            return "ada"

        expected = Expected(thread).of_user("ada")
        events = self.opened(open_site, thread, None, user_id_resolver=user)
        assert events == [*expected.exchange(), *expected.end()]

    def test_the_same_id_joins_the_conversation_once_that_is_known(
        self, open_site: OpenSite, thread: str
    ) -> None:
        async def slowly(_: HTTPConnection) -> str:
            return thread

        assert self.opened(open_site, thread, slowly) == Expected(thread).exchange()


class TestExplicitIds:
    """The conversation's own id, given by hand, makes no difference, whenever the resolver answers."""

    @pytest.mark.parametrize("resolver", [thread_of, thread_of_slowly])
    def test_the_conversations_id_may_be_given_too(
        self, open_site: OpenSite, thread: str, resolver: Any
    ) -> None:
        def handler(request: Request) -> Response:
            request.scope["ai"].track_user_message(content="hello", session_id=thread)
            return PlainTextResponse("done")

        site = open_site(session_id_resolver=resolver, more={"/explicit": handler})
        site.get("/explicit", headers={"x-thread": thread})
        assert site.events == Expected(thread).exchange()[:1]

    def test_another_id_is_another_session_and_the_request_ends_none(
        self, open_site: OpenSite, thread: str
    ) -> None:
        def handler(request: Request) -> Response:
            request.scope["ai"].track_user_message(content="hello", session_id=thread)
            return PlainTextResponse("done")

        site = open_site(more={"/explicit": handler})
        site.get("/explicit")
        question = Expected(thread).question("hello")
        del question[wire_name("trace_id")]
        assert site.events == [question]


class TestOff:
    def test_nothing_is_tracked_and_nobody_asked_when_off(self, open_site: OpenSite) -> None:
        sink, asked = MemorySink(), list[Any]()
        off = AmplitudeAI(config=AIConfig(enabled=False), sink=sink)
        site = open_site(client_of_events=off, user_id_resolver=asked.append)
        assert [site.get(path).text for path in ("/plain-sync", "/streamed-async", "/own-session")] == [
            "done",
            "one two",
            "done",
        ]
        assert (sink.events, asked) == ([], [])
