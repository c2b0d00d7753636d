"""The ASGI door over the bare application, when no agent speaks and when one does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from benchmarks.measure import compare_async
from benchmarks.peers import PROVIDER
from benchmarks.silence import ai

REQUESTS = 1_000
SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/",
    "raw_path": b"/",
    "root_path": "",
    "query_string": b"",
    "headers": [(b"host", b"localhost"), (b"user-agent", b"bench")],
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 80),
}


async def quiet(_request: Any) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def speaking(_request: Any) -> PlainTextResponse:
    ai.track_user_message(content="hello")
    return PlainTextResponse("ok")


async def plain(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def starlette(endpoint: Any) -> Starlette:
    return Starlette(routes=[Route("/", endpoint)])


def fastapi() -> FastAPI:
    app = FastAPI()
    app.add_api_route("/", lambda: PlainTextResponse("ok"))
    return app


def watched(app: Any, **options: Any) -> AmplitudeAIMiddleware:
    return AmplitudeAIMiddleware(app, amplitude_ai=ai, **options)


def base_class(app: Any) -> BaseHTTPMiddleware:
    async def dispatch(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    return BaseHTTPMiddleware(app, dispatch)


def opentelemetry(app: Any) -> Any:
    return OpenTelemetryMiddleware(app, tracer_provider=PROVIDER)


def requests(app: Any) -> Callable[[int], Awaitable[None]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Any) -> None:
        return None

    async def run(count: int) -> None:
        for _ in range(count):
            await app(dict(SCOPE), receive, send)

    return run


def main() -> None:
    resolvers = {"user_id_resolver": lambda _: "user-1", "session_id_resolver": lambda _: "conversation-1"}
    bare = starlette(quiet)
    compare_async(
        "A request in which no agent speaks",
        {
            "plain ASGI, bare": requests(plain),
            "plain ASGI, our middleware": requests(watched(plain)),
            "plain ASGI, our middleware with resolvers": requests(watched(plain, **resolvers)),
        },
        REQUESTS * 5,
    )
    compare_async(
        "A request in which no agent speaks",
        {
            "Starlette, bare": requests(bare),
            "Starlette, our middleware": requests(watched(bare)),
            "Starlette, an empty BaseHTTPMiddleware": requests(base_class(bare)),
            "Starlette, OpenTelemetry": requests(opentelemetry(bare)),
        },
        REQUESTS,
    )
    api = fastapi()
    compare_async(
        "A request in which no agent speaks",
        {
            "FastAPI, bare": requests(api),
            "FastAPI, our middleware": requests(watched(api)),
            "FastAPI, OpenTelemetry": requests(opentelemetry(api)),
        },
        REQUESTS,
    )
    compare_async(
        "A request with one user message",
        {
            "Starlette, message without a session": requests(starlette(speaking)),
            "Starlette, our middleware": requests(watched(starlette(speaking), **resolvers)),
        },
        REQUESTS,
    )


if __name__ == "__main__":
    main()
