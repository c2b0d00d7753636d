"""A plain ASGI application, without any framework."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware

from ..options import ASGI
from ..speech import answer, ask, speak, speak_in_own_session, speak_suspended


async def respond(send: Any, status: int, body: bytes, *, more: bool = False) -> None:
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]}
    )
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def streamed_async() -> AsyncIterator[bytes]:
    ask()
    yield b"one "
    await asyncio.sleep(0)
    answer()
    yield b"two"


async def spoken_before() -> AsyncIterator[bytes]:
    yield b"one "
    answer()
    yield b"two"


async def raising_within() -> AsyncIterator[bytes]:
    speak()
    yield b"one "
    raise LookupError("within")


async def endless() -> AsyncIterator[bytes]:
    speak()
    while True:
        yield b"more " * 2_000
        await asyncio.sleep(0.005)


STREAMS = {"/streamed-async": streamed_async, "/raising-within": raising_within, "/endless": endless}


async def stream(send: Any, body: AsyncIterator[bytes]) -> None:
    await respond(send, 200, b"", more=True)
    async for piece in body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def until_gone(receive: Any, send: Any, body: AsyncIterator[bytes]) -> None:
    """Stream as frameworks do: a visitor who leaves ends it."""
    streaming = asyncio.ensure_future(stream(send, body))
    leaving = asyncio.ensure_future(gone(receive))
    await asyncio.wait([streaming, leaving], return_when=asyncio.FIRST_COMPLETED)
    leaving.cancel()
    if not streaming.done():
        streaming.cancel()
        await asyncio.wait([streaming])
        return
    await streaming


async def gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def chat(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        speak(message["text"])
        await send({"type": "websocket.send", "text": f"you said {message['text']}"})


async def answer_http(scope: Any, receive: Any, send: Any) -> None:
    path, text = scope["path"], dict(scope["headers"]).get(b"x-text", b"hello").decode()
    if path == "/plain-async":
        speak(text)
        await respond(send, 200, b"done")
    elif path == "/own-session":
        speak_in_own_session()
        await respond(send, 200, b"done")
    elif path == "/slow":
        await speak_suspended()
        await respond(send, 200, b"done")
    elif path == "/spoken-before":
        ask()
        await stream(send, spoken_before())
    elif path in STREAMS:
        await until_gone(receive, send, STREAMS[path]())
    elif path == "/raising-before":
        speak()
        raise LookupError("before")
    elif path == "/silent":
        await respond(send, 200, b"ok")
    else:
        await respond(send, 404, b"nothing here")


async def signed_in(scope: Any, receive: Any, send: Any) -> None:
    """The layer that knows the user; it stands inside ours."""
    user = dict(scope["headers"]).get(b"x-user")
    scope["signed_in"] = user.decode() if user else None
    if scope["type"] == "websocket":
        await chat(receive, send)
    else:
        await answer_http(scope, receive, send)


app = AmplitudeAIMiddleware(signed_in, **ASGI)
