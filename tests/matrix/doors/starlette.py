"""Starlette, with its own kinds of responses and tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware

from ..options import ASGI
from ..speech import answer, ask, speak, speak_in_own_session, speak_slowly
from . import plain_asgi


def plain_sync(request: Request) -> Response:
    speak(request.headers.get("x-text", "hello"))
    return PlainTextResponse("done")


async def plain_async(request: Request) -> Response:
    speak(request.headers.get("x-text", "hello"))
    return PlainTextResponse("done")


def two_pieces() -> Iterator[str]:
    ask()
    yield "one "
    answer()
    yield "two"


def streamed_sync(request: Request) -> Response:
    return StreamingResponse(two_pieces())


async def streamed_async(request: Request) -> Response:
    return StreamingResponse(plain_asgi.streamed_async())


async def spoken_before(request: Request) -> Response:
    ask()
    return StreamingResponse(plain_asgi.spoken_before())


async def background(request: Request) -> Response:
    ask()
    return PlainTextResponse("done", background=BackgroundTask(answer))


def slow(request: Request) -> Response:
    speak_slowly()
    return PlainTextResponse("done")


async def own_session(request: Request) -> Response:
    speak_in_own_session()
    return PlainTextResponse("done")


async def raising_before(request: Request) -> Response:
    speak()
    raise LookupError("before")


async def raising_within(request: Request) -> Response:
    return StreamingResponse(plain_asgi.raising_within())


async def endless(request: Request) -> Response:
    return StreamingResponse(plain_asgi.endless())


async def silent(request: Request) -> Response:
    return PlainTextResponse("ok")


async def file(request: Request) -> Response:
    return FileResponse(__file__)


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            text = await websocket.receive_text()
            speak(text)
            await websocket.send_text(f"you said {text}")
    except WebSocketDisconnect:
        return


HTTP: dict[str, Any] = {
    "/plain-sync": plain_sync,
    "/plain-async": plain_async,
    "/streamed-sync": streamed_sync,
    "/streamed-async": streamed_async,
    "/spoken-before": spoken_before,
    "/background": background,
    "/slow": slow,
    "/own-session": own_session,
    "/raising-before": raising_before,
    "/raising-within": raising_within,
    "/endless": endless,
    "/silent": silent,
    "/file": file,
}


class SignsIn:
    """The layer that knows the user; it stands inside ours."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        user = dict(scope.get("headers", ())).get(b"x-user")
        scope["signed_in"] = user.decode() if user else None
        await self.app(scope, receive, send)


LAYERS = [Middleware(AmplitudeAIMiddleware, **ASGI), Middleware(SignsIn)]

app = Starlette(
    routes=[*(Route(path, endpoint) for path, endpoint in HTTP.items()), WebSocketRoute("/chat", chat)],
    middleware=LAYERS,
)
