"""A thousand conversations at once in one process: no id ends up in another's events."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from typing import Any

import httpx
import pytest
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response

from amplitude_ai_integrations.schema.names import wire_name

from .conftest import OpenSite
from .endpoints import answer, ask

CONVERSATIONS, CONNECTIONS = 1_000, 50
PATHS = ["/suspended", "/threaded", "/streamed-sync", "/streamed-async", "/background-async"]


def threaded(request: Request) -> Response:
    ask(request)
    answer(request)
    return PlainTextResponse("done")


async def suspended(request: Request) -> Response:
    ask(request)
    await asyncio.sleep(random.random() / 500)
    answer(request)
    return PlainTextResponse("done")


async def user_later(connection: HTTPConnection) -> str:
    await asyncio.sleep(0)
    return "user-" + connection.headers["x-thread"]


async def visit(url: str, prefix: str) -> None:
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=0)
    turn = asyncio.Semaphore(CONNECTIONS)  # the client's own queue takes time in the square of its length
    async with httpx.AsyncClient(timeout=30, limits=limits) as client:

        async def converse(number: int) -> None:
            headers = {"x-thread": f"{prefix}-{number}"}
            async with turn:
                response = await client.get(url + PATHS[number % len(PATHS)], headers=headers)
            assert response.status_code == 200

        await asyncio.gather(*(converse(number) for number in range(CONVERSATIONS)))


def user_at_once(connection: HTTPConnection) -> str:
    return "user-" + connection.headers["x-thread"]


@pytest.mark.parametrize(
    ("framework", "resolver"),
    [("starlette", user_at_once), ("fastapi", user_later)],
    indirect=["framework"],
)
def test_no_id_is_mixed_up(open_site: OpenSite, thread: str, resolver: Any) -> None:
    site = open_site(
        more={"/threaded": threaded, "/suspended": suspended},
        user_id_resolver=resolver,
        session_id_resolver=lambda c: c.headers["x-thread"],
        context=lambda c: {"thread": c.headers["x-thread"]},
    )
    asyncio.run(visit(site.url, thread))
    site.host.wait_until_idle()
    by_session: dict[str, list[Any]] = defaultdict(list)
    for event in site.sink.events:
        properties = event["event_properties"]
        session = properties[wire_name("session_id")]
        assert properties[wire_name("context")] == f'{{"thread":"{session}"}}'
        by_session[session].append((event["event_type"], event["user_id"], properties[wire_name("turn_id")]))
    assert by_session == {
        name: [("[Agent] User Message", f"user-{name}", 1), ("[Agent] AI Response", f"user-{name}", 2)]
        for name in (f"{thread}-{number}" for number in range(CONVERSATIONS))
    }
    traces = {event["event_properties"][wire_name("trace_id")] for event in site.sink.events}
    assert len(traces) == CONVERSATIONS
