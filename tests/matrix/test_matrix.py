"""One table for all doors and all servers: whatever the request, its events are the same everywhere."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import httpx
import pytest

from .servers import ASGI, DOORS
from .visiting import Running, Visitor

# What an exchange can be part of, by the body that the visitor gets.
ANSWERED = {
    "/plain-sync": "done",
    "/plain-async": "done",
    "/streamed-sync": "one two",
    "/streamed-in-context": "one two",
    "/streamed-async": "one two",
    "/spoken-before": "one two",
    "/spoken-before-async": "one two",
    "/own-session": "done",
    "/background": "done",
    "/dependency-sync": "done",
    "/dependency-async": "done",
    "/closing": "done",
    "/written": "one two",
}
_OF_ASGI = {
    "/plain-sync",
    "/plain-async",
    "/streamed-sync",
    "/streamed-async",
    "/spoken-before",
    "/own-session",
}
_OF_WSGI = {"/plain-sync", "/streamed-sync", "/spoken-before", "/own-session"}
# Which of them each door knows; Django's are those of the server's kind.
KNOWN = {
    "plain_asgi": _OF_ASGI - {"/plain-sync", "/streamed-sync"},
    "starlette": _OF_ASGI | {"/background"},
    "fastapi": _OF_ASGI | {"/background", "/dependency-sync", "/dependency-async"},
    "litestar": _OF_ASGI | {"/background"},
    "quart": _OF_ASGI,
    "plain_wsgi": _OF_WSGI | {"/closing", "/written"},
    "flask": _OF_WSGI | {"/plain-async", "/streamed-in-context", "/closing"},
}
DJANGO = {
    True: (_OF_ASGI - {"/spoken-before", "/streamed-sync"}) | {"/spoken-before-async"},
    False: _OF_WSGI | {"/plain-async", "/closing"},
}
PAIRS = [(server, door) for server, doors in DOORS.items() for door in doors]
# Django has none by itself, and Quart's do not start behind daphne, with or without a middleware.
WITHOUT_WEBSOCKETS = [*((server, "django") for server in ASGI), ("daphne", "quart")]
SPEAKING = [
    (server, door, path)
    for server, door in PAIRS
    for path in ANSWERED
    if path in KNOWN.get(door, DJANGO[server in ASGI])
]
FAILED = {"is_error": True, "error_type": "LookupError"}
# Two frameworks let out another error than the handler's, or none.
ERRORS_BEFORE = {"quart": "HTTP 500"}
ERRORS_WITHIN = {"litestar": "LitestarException"}


def _ids(cells: list[Any]) -> list[str]:
    return ["-".join(part.strip("/") for part in cell) for cell in cells]


def every(cells: list[Any], names: str) -> pytest.MarkDecorator:
    """Drive a test through cells, which are led by their server."""
    return pytest.mark.parametrize(f"running, {names}", cells, ids=_ids(cells), indirect=["running"])


def _path(name: str, door: str, server: str) -> str:
    """Return the path under which Django has the kind that fits the server."""
    return f"{name}-async" if door == "django" and server in ASGI else name


@every(SPEAKING, "door, path")
def test_one_exchange_is_one_session(running: Running, door: str, path: str) -> None:
    visitor = Visitor(running, door)
    response = visitor.get(path)
    assert (response.status_code, response.text) == (200, ANSWERED[path])
    expected = visitor.expected()
    assert visitor.events(3) == [*expected.exchange(), *expected.end()]


@every([cell for cell in SPEAKING if cell[2] in ("/plain-sync", "/plain-async")], "door, path")
def test_three_requests_of_one_conversation_do_not_end_it(running: Running, door: str, path: str) -> None:
    visitor = Visitor(running, door)
    thread = f"thread-{visitor.device}"
    for text in ("one", "two", "three"):
        assert visitor.get(path, **{"x-thread": thread, "x-text": text}).text == "done"
    expected = visitor.expected(thread)
    assert visitor.events(6) == [e for text in ("one", "two", "three") for e in expected.exchange(text)]


@pytest.mark.parametrize("later", ["", "yes"], ids=["at-once", "later"])
@every(SPEAKING, "door, path")
def test_a_resolver_sees_whom_an_inner_layer_has_signed_in(
    running: Running, door: str, path: str, later: str
) -> None:
    visitor = Visitor(running, door)
    response = visitor.get(path, **{"x-user": "ada", "x-later": later})
    assert (response.status_code, response.text) == (200, ANSWERED[path])
    expected = visitor.expected()
    expected.around["user_id"] = "ada"
    assert visitor.events(3) == [*expected.exchange(), *expected.end()]


@every(PAIRS, "door")
def test_an_error_before_the_response_is_the_servers_and_the_sessions(running: Running, door: str) -> None:
    visitor = Visitor(running, door)
    assert visitor.get("/raising-before").status_code == 500
    expected = visitor.expected()
    failed = {**FAILED, "error_type": ERRORS_BEFORE.get(door, "LookupError")}
    assert visitor.events(3) == [*expected.exchange(), *expected.end(**failed)]


@every([pair for pair in PAIRS if pair[1] == "plain_wsgi"], "door")
def test_an_error_that_became_a_page_is_the_sessions(running: Running, door: str) -> None:
    visitor = Visitor(running, door)
    response = visitor.get("/page-of-an-error")
    assert (response.status_code, response.text) == (500, "sorry")
    expected = visitor.expected()
    assert visitor.events(3) == [*expected.exchange(), *expected.end(**FAILED)]


@every([(server, door, server) for server, door in PAIRS], "door, server")
def test_an_error_within_the_body_is_the_sessions(running: Running, door: str, server: str) -> None:
    visitor = Visitor(running, door)
    with suppress(httpx.TransportError):  # servers break off each in their own way, daphne not at all
        visitor.get(_path("/raising-within", door, server), timeout=0.5)
    expected = visitor.expected()
    failed = {**FAILED, "error_type": ERRORS_WITHIN.get(door, "LookupError")}
    assert visitor.events(3) == [*expected.exchange(), *expected.end(**failed)]


@every([(server, door, server) for server, door in PAIRS], "door, server")
def test_a_visitor_who_leaves_the_stream_ends_the_session_once(
    running: Running, door: str, server: str
) -> None:
    visitor = Visitor(running, door)
    visitor.leave_while_reading(_path("/endless", door, server))
    expected = visitor.expected()
    assert visitor.events(3) == [*expected.exchange(), *expected.end()]


@every([pair for pair in PAIRS if pair[0] in ASGI and pair not in WITHOUT_WEBSOCKETS], "door")
def test_each_message_of_a_websocket_is_a_trace_of_one_session(running: Running, door: str) -> None:
    visitor = Visitor(running, door)
    assert visitor.chat("one", "two") == ["you said one", "you said two"]
    expected = visitor.expected()
    exchanges = [*expected.exchange("one"), *expected.exchange("two")]
    assert visitor.events(5) == [*exchanges, *expected.end()]


@every(PAIRS, "door")
def test_a_request_in_which_no_agent_speaks_says_nothing(running: Running, door: str) -> None:
    visitor = Visitor(running, door)
    assert visitor.get("/silent", **{"x-user": "ada", "x-thread": "thread-1"}).text == "ok"
    assert visitor.get("/nowhere").status_code == 404
    assert visitor.get("/nowhere", method="OPTIONS").status_code == 404
    assert visitor.get("/silent", method="HEAD").text == ""
    if door != "plain_asgi":  # which has no files
        assert visitor.get("/file").text.startswith('"""')
