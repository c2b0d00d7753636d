from __future__ import annotations

import socket
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message

from amplitude_ai_integrations.analytics.app import assemble, create_app
from amplitude_ai_integrations.analytics.hosts import HostGuard

from .running import Running, running


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8320", "localhost", "LOCALHOST:9", "[::1]", "[::1]:80"]
)
def test_names_of_this_machine_are_answered(collector: Running, host: str) -> None:
    assert collector.request("GET", "/healthz", headers={"Host": host}).json == {"status": "ok"}


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8320", "localhost.evil", "[::2]", "", "::1"]
)
def test_other_names_are_refused_in_a_sentence(collector: Running, host: str) -> None:
    for method, path in (("GET", "/healthz"), ("POST", "/2/httpapi")):
        answer = collector.request(method, path, b"{}", {"Host": host})
        assert (answer.status, answer.body) == (
            421, b"This server answers to the names and addresses of its own machine only.\n",
        )  # fmt: skip


def test_the_machines_own_name_and_the_address_reached_are_answered(collector: Running) -> None:
    for host in (socket.gethostname(), f"{socket.gethostname().upper()}:8320"):
        assert collector.request("GET", "/healthz", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    ("reached", "host", "status"),
    [
        ("192.168.1.7", "192.168.1.7:8320", 200),
        ("::ffff:192.168.1.7", "192.168.1.7:8320", 200),
        ("fe80::1", "[fe80::1]:8320", 200),
        ("192.168.1.7", "192.168.1.8:8320", 421),
        ("192.168.1.7", "evil.example:8320", 421),
        ("evil.example", "evil.example:8320", 421),
        (None, "", 421),
    ],
)
async def test_an_address_is_answered_where_the_connection_came_to_it(
    reached: str | None, host: str, status: int
) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {
        "type": "http",
        "headers": [(b"host", host.encode())],
        "server": (reached, 8320) if reached else None,
    }
    await HostGuard(PlainTextResponse("ok"))(scope, receive, send)
    assert sent[0]["status"] == status


def test_further_names_can_be_given(database: Path) -> None:
    with running(assemble(database, [], hosts=["Analytics.Local", "[fe80::1]"])) as server:
        for host in ("analytics.local:8320", "[fe80::1]:8320", "localhost"):
            assert server.request("GET", "/healthz", headers={"Host": host}).status == 200


async def own_policy(request: Request) -> PlainTextResponse:
    return PlainTextResponse("x", headers={"Referrer-Policy": "same-origin"})


async def broken(request: Request) -> PlainTextResponse:
    secret = "/home/somebody/secret.py"
    raise RuntimeError(secret)


def test_every_answer_forbids_what_is_not_ours(database: Path) -> None:
    with running(assemble(database, [Route("/page", own_policy)])) as server:
        for path, referrer in (
            ("/page", "same-origin"),
            ("/healthz", "no-referrer"),
            ("/none", "no-referrer"),
        ):
            headers = server.request("GET", path).headers
            assert headers["content-security-policy"] == (
                "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
                "object-src 'none'"
            )
            assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", referrer)


def test_what_fails_shows_no_trace(database: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with running(assemble(database, [Route("/broken", broken, methods=["GET", "POST"])])) as server:
        page = server.request("GET", "/broken")
        posted = server.request("POST", "/broken")
    assert (page.status, page.body) == (500, b"Something failed on this page. The server's log says what.\n")
    assert (posted.status, posted.json) == (500, {"code": 500, "error": "Internal server error"})
    assert "secret.py" in capfd.readouterr().err


def test_the_whole_application_serves_collector_and_pages(database: Path) -> None:
    with running(create_app(database, address="127.0.0.1:1")) as server:
        assert server.send({"event_type": "a", "user_id": "user-1234"}).status == 200
        assert server.request("GET", "/sessions").status == 200
    assert server.app.state.address == "127.0.0.1:1"
