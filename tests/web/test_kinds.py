"""Whatever kind of request an agent speaks in, its events are the same, and the end comes last."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError

from .applications import FASTAPI_ONLY
from .conftest import OpenSite
from .hosting import Site
from .reading import Expected

ORDERS = {"alone": ("ours",), "above": ("ours", "outer"), "below": ("outer", "ours")}

SPEAKING = {
    "/plain-sync": "done",
    "/plain-async": "done",
    "/streamed-sync": "one two",
    "/streamed-async": "one two",
    "/spoken-before-the-stream": "one two",
    "/server-sent-events": "data: one\n\ndata: two\n\n",
    "/background-sync": "done",
    "/background-async": "done",
    "/in-tasks-and-threads": "done",
    "/own-session": "done",
    "/mounted/deep": "done",
    "/router/sync": "done",
}
FASTAPI_SPEAKING = {
    **dict.fromkeys(FASTAPI_ONLY, '"done"'),
    "/yielding-events": 'data: "one"\n\ndata: "two"\n\n',
}


@pytest.fixture(params=list(ORDERS))
def placed(request: pytest.FixtureRequest, open_site: OpenSite) -> Site:
    """The application with our middleware alone, above and below a BaseHTTPMiddleware."""
    return open_site(order=ORDERS[request.param])


def one_exchange() -> list[dict[str, Any]]:
    expected = Expected()
    return [*expected.exchange(), *expected.end()]


class TestSpeaking:
    @pytest.mark.parametrize("path", SPEAKING)
    def test_one_exchange_is_one_session(self, placed: Site, path: str) -> None:
        response = placed.get(path)
        assert (response.status_code, response.text) == (200, SPEAKING[path])
        assert placed.events == one_exchange()

    @pytest.mark.parametrize("path", FASTAPI_SPEAKING)
    @pytest.mark.parametrize("framework", ["fastapi"], indirect=True)
    def test_one_exchange_is_one_session_in_fastapi_ways(self, placed: Site, path: str) -> None:
        response = placed.get(path)
        assert (response.status_code, response.text) == (200, FASTAPI_SPEAKING[path])
        assert placed.events == one_exchange()

    def test_each_request_has_a_session_of_its_own(self, placed: Site) -> None:
        placed.get("/plain-sync")
        placed.get("/plain-async")
        first, second = Expected(), Expected("session 2", trace=1, message=2)
        assert placed.events == [*first.exchange(), *first.end(), *second.exchange(), *second.end()]


class TestSilence:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/silent", 200),
            ("GET", "/nowhere", 404),
            ("GET", "/mounted/nowhere", 404),
            ("OPTIONS", "/plain-sync", 405),
            ("HEAD", "/static/endpoints.py", 200),
            ("GET", "/static/endpoints.py", 200),
            ("GET", "/static/nowhere.css", 404),
        ],
    )
    def test_a_request_without_an_agent_emits_nothing(
        self, placed: Site, method: str, path: str, status: int
    ) -> None:
        assert placed.request(method, path).status_code == status
        assert placed.sink.events == []

    def test_a_websocket_without_an_agent_emits_nothing(self, placed: Site) -> None:
        with placed.websocket("/chat-silent") as connection:
            connection.send("hello")
            assert connection.recv() == "hello"
        assert placed.sink.events == []

    def test_a_request_without_an_agent_asks_no_resolver(self, open_site: OpenSite) -> None:
        asked: list[Any] = []
        site = open_site(user_id_resolver=asked.append, context=asked.append)
        assert site.get("/silent").text == "ok"
        assert (asked, site.sink.events) == ([], [])


class TestWebSockets:
    def test_each_user_message_is_a_trace_of_one_session(self, placed: Site) -> None:
        with placed.websocket("/chat") as connection:
            for text in ("one", "two", "three"):
                connection.send(text)
                assert connection.recv() == f"you said {text}"
        expected = Expected()
        exchanges = [event for text in ("one", "two", "three") for event in expected.exchange(text)]
        assert placed.events[:-1] == exchanges
        assert placed.events[-1]["event_type"] == "[Agent] Session End"

    def test_a_session_is_open_while_its_websocket_is(self, placed: Site) -> None:
        with placed.websocket("/chat") as connection:
            connection.send("one")
            connection.recv()
            assert len(placed.sink.events) == 2
        assert len(placed.sink.events) == 3

    def test_an_error_in_the_chat_is_recorded_and_goes_on(self, placed: Site) -> None:
        with placed.websocket("/chat-failing") as connection:
            connection.send("one")
            with pytest.raises(ConnectionClosedError):
                connection.recv()
        expected = Expected()
        failed = {"is_error": True, "error_type": "LookupError"}
        assert placed.events == [*expected.exchange("one"), *expected.end(**failed)]
        assert [str(error) for error in placed.host.errors] == ["in the chat"]


def test_a_visitor_who_leaves_a_websocket_is_no_error(site: Site) -> None:
    with site.websocket("/chat-unguarded") as connection:
        connection.send("one")
        connection.recv()
    expected = Expected()
    assert site.events == [*expected.exchange("one"), *expected.end()]


@pytest.mark.parametrize("path", ["/two-messages-sync", "/two-messages-async"])
def test_the_end_names_the_last_trace_wherever_the_handler_ran(open_site: OpenSite, path: str) -> None:
    site = open_site()
    site.get(path)
    expected = Expected()
    assert site.events == [*expected.exchange("one"), *expected.exchange("two"), *expected.end()]
