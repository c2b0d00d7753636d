"""The middleware is plain ASGI: what is not its business passes through as the very same objects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Route

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from tests.conftest import running

from .conftest import OpenSite
from .endpoints import plain_async
from .hosting import Host
from .reading import Expected, told


def test_it_is_no_base_http_middleware() -> None:
    assert AmplitudeAIMiddleware.__mro__ == (AmplitudeAIMiddleware, object)
    assert not issubclass(AmplitudeAIMiddleware, BaseHTTPMiddleware)


@pytest.mark.parametrize("kind", ["lifespan", "http", "websocket", "something-new"])
async def test_channels_without_resolvers_are_not_wrapped(ai: AmplitudeAI, kind: str) -> None:
    given: list[Any] = []

    async def application(*arguments: Any) -> None:
        given.extend(arguments)

    async def receive() -> Any:
        return None

    async def send(message: Any) -> None:
        return None

    scope: dict[str, Any] = {"type": kind, "path": "/", "headers": []}
    await AmplitudeAIMiddleware(application, amplitude_ai=ai)(scope, receive, send)
    is_same = [one is other for one, other in zip(given, (scope, receive, send), strict=True)]
    is_looked_at = kind in ("http", "lifespan")  # for the status of the response, and the end of the server
    assert is_same == [True, True, not is_looked_at]
    assert scope == {"type": kind, "path": "/", "headers": []}


def test_a_lifespan_runs_through_it(ai: AmplitudeAI, sink: MemorySink) -> None:
    steps: list[str] = []

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        steps.append("up")
        yield
        steps.append("down")

    app = Starlette(routes=[Route("/", plain_async)], lifespan=lifespan)
    app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, agent_id="concierge")
    host = Host()
    host.ai, host.app = ai, app
    with running(host, lifespan="on", log_level="critical") as url:
        assert httpx.get(url).text == "done"
        assert steps == ["up"]
    expected = Expected()
    assert told(sink.events) == [*expected.exchange(), *expected.end()]
    assert steps == ["up", "down"]


@pytest.mark.parametrize("order", [("ours", "outer"), ("outer", "ours"), ("outer", "ours", "outer")])
@pytest.mark.parametrize("path", ["/plain-sync", "/streamed-async", "/background-async"])
def test_resolvers_work_above_and_below(open_site: OpenSite, order: tuple[str, ...], path: str) -> None:
    async def user(connection: Any) -> str:
        return str(connection.headers["x-user"])

    site = open_site(order=order, user_id_resolver=user)
    response = site.get(path, headers={"x-user": "ada"})
    assert (response.status_code, response.headers["x-outer"]) == (200, "yes")
    expected = Expected().of_user("ada")
    assert site.events == [*expected.exchange(), *expected.end()]
