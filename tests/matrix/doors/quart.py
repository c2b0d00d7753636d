"""Quart: Flask's shape on ASGI."""

from __future__ import annotations

from quart import Quart, Response, request, send_file, websocket

from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware

from ..options import ASGI
from ..speech import ask, speak, speak_in_own_session, speak_suspended
from . import plain_asgi
from .starlette import SignsIn, two_pieces

app = Quart(__name__)


@app.get("/plain-sync")
def plain_sync() -> str:
    speak(request.headers.get("x-text", "hello"))
    return "done"


@app.get("/plain-async")
async def plain_async() -> str:
    speak(request.headers.get("x-text", "hello"))
    return "done"


@app.get("/streamed-sync")
def streamed_sync() -> Response:
    return Response(two_pieces())


@app.get("/streamed-async")
async def streamed_async() -> Response:
    return Response(plain_asgi.streamed_async())


@app.get("/spoken-before")
async def spoken_before() -> Response:
    ask()
    return Response(plain_asgi.spoken_before())


@app.get("/slow")
async def slow() -> str:
    await speak_suspended()
    return "done"


@app.get("/own-session")
async def own_session() -> str:
    speak_in_own_session()
    return "done"


@app.get("/raising-before")
async def raising_before() -> str:
    speak()
    raise LookupError("before")


@app.get("/raising-within")
async def raising_within() -> Response:
    return Response(plain_asgi.raising_within())


@app.get("/endless")
async def endless() -> Response:
    response = Response(plain_asgi.endless())
    response.timeout = None
    return response


@app.get("/silent")
async def silent() -> str:
    return "ok"


@app.get("/file")
async def file() -> Response:
    return await send_file(__file__)


@app.websocket("/chat")
async def chat() -> None:
    while True:
        text = await websocket.receive()
        speak(text)
        await websocket.send(f"you said {text}")


app.asgi_app = AmplitudeAIMiddleware(SignsIn(app.asgi_app), **ASGI)  # type: ignore[method-assign]
