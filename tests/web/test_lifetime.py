"""When a session ends: after the last byte, once, and with the error if there was one."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any

import httpx
import pytest
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from amplitude_ai_integrations.context import get_active_context
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware

from .conftest import OpenSite
from .endpoints import answer, ask, speak
from .hosting import Site
from .reading import Expected


def leave_after_the_first_bytes(url: str, path: str) -> None:
    """Visit as a browser does whose tab is closed while the answer streams in."""
    where = httpx.URL(url)
    with socket.create_connection((where.host, where.port or 80), timeout=5) as visitor:
        visitor.sendall(f"GET {path} HTTP/1.1\r\nHost: {where.host}\r\n\r\n".encode())
        received = b""
        while b"more" not in received:
            received += visitor.recv(4096)


class TestErrors:
    def test_an_error_before_the_response_is_the_servers_and_the_sessions(self, site: Site) -> None:
        response = site.get("/raising-before")
        assert (response.status_code, response.text) == (500, "Internal Server Error")
        assert [repr(error) for error in site.host.errors] == ["LookupError('before')"]
        expected = Expected()
        failed = {"is_error": True, "error_type": "LookupError"}
        assert site.events == [*expected.exchange(), *expected.end(**failed)]

    def test_an_error_within_the_body_is_the_servers_and_the_sessions(self, site: Site) -> None:
        with pytest.raises(Exception, match="incomplete chunked read"):
            site.get("/raising-within")
        site.host.wait_until_idle()
        assert [repr(error) for error in site.host.errors] == ["LookupError('within')"]
        expected = Expected()
        failed = {"is_error": True, "error_type": "LookupError"}
        assert site.events == [*expected.exchange(), *expected.end(**failed)]

    def test_where_the_session_goes_on_an_error_is_a_failed_step(
        self, open_site: OpenSite, thread: str
    ) -> None:
        site = open_site(session_id_resolver=lambda _: thread)
        assert site.get("/raising-before").status_code == 500
        expected = Expected(thread)
        step = {"span_id": "span 1", "span_name": "request", "latency_ms": "ms"}
        failed = {"is_error": True, "error_type": "LookupError", "error_message": "before"}
        events = site.events
        assert events == [*expected.exchange(), expected.event("Span", **step, **failed)]

    @pytest.mark.parametrize("error", [LookupError("ours"), KeyboardInterrupt(), asyncio.CancelledError()])
    def test_the_server_gets_the_very_same_error(self, open_site: OpenSite, error: BaseException) -> None:
        async def broken(scope: Any, receive: Any, send: Any) -> None:
            raise error

        site = open_site(user_id_resolver=lambda _: "ada")
        raised: list[BaseException] = []

        async def server(scope: Any, receive: Any, send: Any) -> None:
            with pytest.raises(type(error)) as caught:
                await AmplitudeAIMiddleware(broken, amplitude_ai=site.ai)(scope, receive, send)
            raised.append(caught.value)
            await PlainTextResponse("caught")(scope, receive, send)

        site.host.app = server
        assert site.get("/").text == "caught"
        assert [one is error for one in raised] == [True]
        assert site.sink.events == []

    def test_a_refusal_is_no_error(self, open_site: OpenSite) -> None:
        async def refusing(request: Request) -> Response:
            speak(request)
            raise HTTPException(403, "not yours")

        site = open_site(more={"/refusing": refusing})
        assert site.get("/refusing").status_code == 403
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]


class TestDisconnects:
    @pytest.mark.parametrize("order", [("ours",), ("ours", "outer"), ("outer", "ours")])
    def test_a_visitor_who_leaves_the_stream_ends_the_session_once(
        self, open_site: OpenSite, order: tuple[str, ...]
    ) -> None:
        site = open_site(order=order)
        leave_after_the_first_bytes(site.url, "/endless")
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_a_visitor_who_leaves_does_not_end_a_conversation(self, open_site: OpenSite, thread: str) -> None:
        site = open_site(session_id_resolver=lambda _: thread)
        leave_after_the_first_bytes(site.url, "/endless")
        assert site.events == Expected(thread).exchange()


class TestOrder:
    def test_the_end_comes_after_the_last_byte(self, open_site: OpenSite) -> None:
        seen: list[int] = []

        async def streamed(request: Request) -> Response:
            async def body() -> Any:
                speak(request)
                for _ in range(3):
                    yield "x"
                    await asyncio.sleep(0.002)
                    seen.append(len(site.sink.events))

            return StreamingResponse(body())

        site = open_site(more={"/streamed": streamed})
        assert site.get("/streamed").text == "xxx"
        assert (seen, len(site.events)) == ([2, 2, 2], 3)

    def test_the_end_comes_after_the_last_background_task(self, open_site: OpenSite) -> None:
        async def later(request: Request) -> None:
            await asyncio.sleep(0.03)
            answer(request)

        async def answered(request: Request) -> Response:
            ask(request)
            return PlainTextResponse("done", background=BackgroundTask(later, request))

        site = open_site(more={"/answered": answered})
        response = site.client.get(site.url + "/answered")
        assert response.text == "done"
        assert len(site.sink.events) == 1
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_of_two_doors_the_inner_one_counts(self, open_site: OpenSite) -> None:
        site = open_site()
        site.host.app = AmplitudeAIMiddleware(site.app, amplitude_ai=site.ai, agent_id="outer")
        assert site.get("/plain-sync").text == "done"
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("error", [None, LookupError("within")])
    def test_nothing_is_left_behind(self, site: Site, error: Exception | None) -> None:
        seen: list[bool] = []

        async def within(scope: Any, receive: Any, send: Any) -> None:
            seen.append(get_active_context() is None)
            if error is not None:
                raise error

        async def around(scope: Any, receive: Any, send: Any) -> None:
            seen.append(get_active_context() is None)
            with suppress(LookupError):
                await AmplitudeAIMiddleware(within, amplitude_ai=site.ai)(scope, receive, send)
            seen.append(get_active_context() is None)
            await PlainTextResponse("done")(scope, receive, send)

        site.host.app = around
        assert site.get("/").text == "done"
        assert seen == [True, False, True]
