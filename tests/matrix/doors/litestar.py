"""Litestar, which answers unhandled errors itself."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Litestar, MediaType, WebSocket, get, websocket
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import WebSocketDisconnect
from litestar.params import Parameter
from litestar.response import File, Response, Stream

from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware

from ..options import ASGI
from ..speech import answer, ask, speak, speak_in_own_session, speak_suspended
from . import plain_asgi
from .starlette import SignsIn, two_pieces

Text = Annotated[str, Parameter(header="x-text")]


@get("/plain-sync", media_type=MediaType.TEXT, sync_to_thread=True)
def plain_sync(text: Text = "hello") -> str:
    speak(text)
    return "done"


@get("/plain-async", media_type=MediaType.TEXT)
async def plain_async(text: Text = "hello") -> str:
    speak(text)
    return "done"


@get("/streamed-sync", sync_to_thread=True)
def streamed_sync() -> Stream:
    return Stream(two_pieces())


@get("/streamed-async")
async def streamed_async() -> Stream:
    return Stream(plain_asgi.streamed_async())


@get("/spoken-before")
async def spoken_before() -> Stream:
    ask()
    return Stream(plain_asgi.spoken_before())


@get("/background", media_type=MediaType.TEXT)
async def background() -> Response[str]:
    ask()
    return Response("done", background=BackgroundTask(answer))


@get("/slow", media_type=MediaType.TEXT)
async def slow() -> str:
    await speak_suspended()
    return "done"


@get("/own-session", media_type=MediaType.TEXT)
async def own_session() -> str:
    speak_in_own_session()
    return "done"


@get("/raising-before")
async def raising_before() -> None:
    speak()
    raise LookupError("before")


@get("/raising-within")
async def raising_within() -> Stream:
    return Stream(plain_asgi.raising_within())


@get("/endless")
async def endless() -> Stream:
    return Stream(plain_asgi.endless())


@get("/silent", media_type=MediaType.TEXT)
async def silent() -> str:
    return "ok"


@get("/file")
async def file() -> File:
    return File(__file__)


@websocket("/chat")
async def chat(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    try:
        while True:
            text = await socket.receive_text()
            speak(text)
            await socket.send_text(f"you said {text}")
    except WebSocketDisconnect:
        return


HANDLERS = [
    plain_sync, plain_async, streamed_sync, streamed_async, spoken_before, background, slow, own_session,
    raising_before, raising_within, endless, silent, file, chat,
]  # fmt: skip

app = AmplitudeAIMiddleware(SignsIn(Litestar(HANDLERS, logging_config=None, openapi_config=None)), **ASGI)
