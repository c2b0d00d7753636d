"""FastAPI: plain functions for handlers, and dependencies that yield."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, Header
from fastapi.responses import FileResponse, PlainTextResponse, Response, StreamingResponse

from ..speech import answer, ask, speak, speak_in_own_session, speak_suspended
from . import plain_asgi
from .starlette import LAYERS, chat, two_pieces

app = FastAPI(middleware=LAYERS, default_response_class=PlainTextResponse)
app.add_api_websocket_route("/chat", chat)

Text = Annotated[str, Header(alias="x-text")]


@app.get("/plain-sync")
def plain_sync(text: Text = "hello") -> str:
    speak(text)
    return "done"


@app.get("/plain-async")
async def plain_async(text: Text = "hello") -> str:
    speak(text)
    return "done"


@app.get("/streamed-sync")
def streamed_sync() -> Response:
    return StreamingResponse(two_pieces())


@app.get("/streamed-async")
async def streamed_async() -> Response:
    return StreamingResponse(plain_asgi.streamed_async())


@app.get("/spoken-before")
async def spoken_before() -> Response:
    ask()
    return StreamingResponse(plain_asgi.spoken_before())


@app.get("/background")
async def background(tasks: BackgroundTasks) -> str:
    ask()
    tasks.add_task(answer)
    return "done"


async def asynchronous() -> AsyncIterator[None]:
    ask()
    yield
    answer()


def synchronous() -> Iterator[None]:
    ask()
    yield
    answer()


@app.get("/dependency-async")
async def dependency_async(_: Annotated[None, Depends(asynchronous)]) -> str:
    return "done"


@app.get("/dependency-sync")
def dependency_sync(_: Annotated[None, Depends(synchronous)]) -> str:
    return "done"


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
    return StreamingResponse(plain_asgi.raising_within())


@app.get("/endless")
async def endless() -> Response:
    return StreamingResponse(plain_asgi.endless())


@app.get("/silent")
async def silent() -> str:
    return "ok"


@app.get("/file")
async def file() -> Response:
    return FileResponse(__file__)
