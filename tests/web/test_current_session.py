"""A handler may ask for its session: to say or score something, to open a trace, or for the id."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, Session, current_session
from amplitude_ai_integrations.client import active
from amplitude_ai_integrations.fastapi import CurrentSession
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from amplitude_ai_integrations.schema.names import wire_name

from .conftest import OpenSite
from .hosting import Site
from .reading import AGENT, Expected, told


def exchange(session: Session) -> str:
    session.track_user_message("hello")
    session.track_ai_message("you said hello", "gpt-4o-mini", "openai", 5.0)
    return session.session_id


def asking(request: Request) -> Response:
    return PlainTextResponse(exchange(current_session()))


async def asking_async(request: Request) -> Response:
    return PlainTextResponse(exchange(current_session()))


PATHS = {"/asking": asking, "/asking-async": asking_async}


@pytest.mark.parametrize("path", PATHS)
class TestHandlers:
    def test_it_is_the_session_of_the_request(self, open_site: OpenSite, path: str) -> None:
        site = open_site(more=PATHS, user_id_resolver=lambda _: "ada")
        session_id = site.get(path).text
        expected = Expected().of_user("ada")
        assert site.events == [*expected.exchange(), *expected.end()]
        assert site.sink.events[0]["event_properties"][wire_name("session_id")] == session_id

    def test_it_is_the_conversation(self, open_site: OpenSite, path: str, thread: str) -> None:
        site = open_site(more=PATHS, session_id_resolver=lambda _: thread)
        assert site.get(path).text == thread
        assert site.events == Expected(thread).exchange()


def test_leaving_its_block_ends_nothing(open_site: OpenSite, thread: str) -> None:
    def handler(request: Request) -> Response:
        with current_session() as session:
            exchange(session)
        return PlainTextResponse("done")

    site = open_site(more={"/block": handler}, session_id_resolver=lambda _: thread)
    site.get("/block")
    assert site.events == Expected(thread).exchange()


def test_another_agent_may_take_over_in_it(open_site: OpenSite) -> None:
    def handler(request: Request) -> Response:
        with current_session().run_as(request.scope["ai"].agent("specialist")) as session:
            exchange(session)
        return PlainTextResponse("done")

    site = open_site(more={"/takes-over": handler})
    site.get("/takes-over")
    expected = Expected().saying(agent_id="specialist", parent_agent_id=AGENT)
    exchanged = expected.exchange()
    exchanged[0][wire_name("message_source")] = "agent"
    events = site.events
    assert events[:2] == exchanged
    assert [events[2]["event_type"], events[2][wire_name("agent_id")]] == ["[Agent] Session End", AGENT]


async def slowly(connection: Any) -> str | None:
    return connection.headers.get("x-thread")  # type: ignore[no-any-return]


@pytest.mark.parametrize("framework", ["fastapi"], indirect=True)
@pytest.mark.parametrize("resolver", [slowly, lambda c: c.headers.get("x-thread")])
class TestDependency:
    def test_it_knows_whose_session_it_is(self, open_site: OpenSite, thread: str, resolver: Any) -> None:
        async def handler(session: CurrentSession) -> str:
            return exchange(session)

        site = open_site(more={"/handler": handler}, session_id_resolver=resolver)
        assert site.get("/handler", headers={"x-thread": thread}).json() == thread
        assert site.events == Expected(thread).exchange()

    def test_a_sync_endpoint_gets_it_too(self, open_site: OpenSite, thread: str, resolver: Any) -> None:
        def handler(session: CurrentSession) -> str:
            return exchange(session)

        site = open_site(more={"/handler": handler}, session_id_resolver=resolver)
        assert site.get("/handler", headers={"x-thread": thread}).json() == thread
        assert site.events == Expected(thread).exchange()


class TestNowhere:
    @pytest.fixture(autouse=True)
    def _nothing_said_yet(self) -> None:
        active._say_once.cache_clear()

    def test_outside_any_session_it_records_nothing_and_says_so_once(
        self, ai: AmplitudeAI, sink: MemorySink, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(2):
            assert exchange(current_session())
        assert sink.events == []
        assert [record.getMessage() for record in caplog.records] == [
            "current_session() was called outside any session; what is tracked through it is lost."
        ]

    def test_where_tracking_is_off_it_records_nothing_in_silence(
        self, open_site: OpenSite, caplog: pytest.LogCaptureFixture
    ) -> None:
        sink = MemorySink()
        off = AmplitudeAI(config=AIConfig(enabled=False), sink=sink)
        site: Site = open_site(client_of_events=off, more=PATHS)
        assert site.get("/asking").status_code == 200
        assert sink.events == []

    def test_its_client_is_nobodys_default(self) -> None:
        from amplitude_ai_integrations.client.default import default_client

        before = default_client()
        current_session()
        assert default_client() is before


def test_in_a_session_opened_by_hand_it_is_that(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent(AGENT).session("by-hand", user_id="ada"):
        assert exchange(current_session()) == "by-hand"
    expected = Expected("by-hand").of_user("ada")
    assert told(sink.events) == [*expected.exchange(), *expected.end()]


def test_the_door_of_fastapi_has_the_middleware_too(ai: AmplitudeAI) -> None:
    from amplitude_ai_integrations import fastapi

    app = FastAPI()
    app.add_middleware(fastapi.AmplitudeAIMiddleware, amplitude_ai=ai)
    assert fastapi.AmplitudeAIMiddleware is AmplitudeAIMiddleware
