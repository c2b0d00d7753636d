"""What a handler can look like: each lets an agent speak, without any id, at the place it is named for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect


def ask(connection: HTTPConnection, text: str = "hello") -> None:
    """A user's message, through the client itself."""
    connection.scope["ai"].track_user_message(content=text)


def answer(connection: HTTPConnection, text: str = "hello", agent_id: str | None = None) -> None:
    """A model's answer, through an agent's handle."""
    bot = connection.scope["ai"].agent(agent_id)
    bot.track_ai_message(f"you said {text}", model="gpt-4o-mini", provider="openai", latency_ms=5.0)


def speak(connection: HTTPConnection, text: str = "hello") -> None:
    """A whole exchange."""
    ask(connection, text)
    answer(connection, text)


def plain_sync(request: Request) -> Response:
    speak(request, request.query_params.get("text", "hello"))
    return PlainTextResponse("done")


async def plain_async(request: Request) -> Response:
    speak(request, request.query_params.get("text", "hello"))
    return PlainTextResponse("done")


def two_messages_sync(request: Request) -> Response:
    speak(request, "one")
    speak(request, "two")
    return PlainTextResponse("done")


async def two_messages_async(request: Request) -> Response:
    speak(request, "one")
    speak(request, "two")
    return PlainTextResponse("done")


def two_agents(request: Request) -> Response:
    ask(request)
    answer(request, agent_id="specialist")
    return PlainTextResponse("done")


def streamed_sync(request: Request) -> Response:
    def body() -> Iterator[str]:
        ask(request)
        yield "one "
        answer(request)
        yield "two"

    return StreamingResponse(body())


async def streamed_async(request: Request) -> Response:
    async def body() -> AsyncIterator[str]:
        ask(request)
        yield "one "
        await asyncio.sleep(0)
        answer(request)
        yield "two"

    return StreamingResponse(body())


async def spoken_before_the_stream(request: Request) -> Response:
    async def body() -> AsyncIterator[str]:
        yield "one "
        await asyncio.sleep(0.005)
        answer(request)
        yield "two"

    ask(request)
    return StreamingResponse(body())


async def server_sent_events(request: Request) -> Response:
    async def body() -> AsyncIterator[str]:
        speak(request)
        yield "data: one\n\n"
        yield "data: two\n\n"

    return StreamingResponse(body(), media_type="text/event-stream")


def background_sync(request: Request) -> Response:
    ask(request)
    return PlainTextResponse("done", background=BackgroundTask(answer, request))


async def background_async(request: Request) -> Response:
    async def later() -> None:
        await asyncio.sleep(0.005)
        answer(request)

    ask(request)
    return PlainTextResponse("done", background=BackgroundTask(later))


async def in_tasks_and_threads(request: Request) -> Response:
    ask(request)
    await asyncio.gather(asyncio.to_thread(answer, request))
    return PlainTextResponse("done")


async def own_session(request: Request) -> Response:
    async with request.scope["ai"].agent().session():
        speak(request)
    return PlainTextResponse("done")


async def silent(request: Request) -> Response:
    return PlainTextResponse("ok")


async def raising_before(request: Request) -> Response:
    speak(request)
    raise LookupError("before")


async def raising_within(request: Request) -> Response:
    async def body() -> AsyncIterator[str]:
        speak(request)
        yield "one "
        raise LookupError("within")

    return StreamingResponse(body())


async def endless(request: Request) -> Response:
    async def body() -> AsyncIterator[str]:
        speak(request)
        while True:
            yield "more "
            await asyncio.sleep(0.002)

    return StreamingResponse(body())


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            text = await websocket.receive_text()
            speak(websocket, text)
            await websocket.send_text(f"you said {text}")
    except WebSocketDisconnect:
        return


async def chat_unguarded(websocket: WebSocket) -> None:
    """The loop as FastAPI's documentation begins with it: the disconnect is not caught."""
    await websocket.accept()
    while True:
        text = await websocket.receive_text()
        speak(websocket, text)
        await websocket.send_text(f"you said {text}")


async def chat_failing(websocket: WebSocket) -> None:
    await websocket.accept()
    speak(websocket, await websocket.receive_text())
    raise LookupError("in the chat")


async def chat_silent(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


HTTP: dict[str, Any] = {
    "/plain-sync": plain_sync,
    "/plain-async": plain_async,
    "/two-messages-sync": two_messages_sync,
    "/two-messages-async": two_messages_async,
    "/two-agents": two_agents,
    "/streamed-sync": streamed_sync,
    "/streamed-async": streamed_async,
    "/spoken-before-the-stream": spoken_before_the_stream,
    "/server-sent-events": server_sent_events,
    "/background-sync": background_sync,
    "/background-async": background_async,
    "/in-tasks-and-threads": in_tasks_and_threads,
    "/own-session": own_session,
    "/silent": silent,
    "/raising-before": raising_before,
    "/raising-within": raising_within,
    "/endless": endless,
}
WEBSOCKET: dict[str, Any] = {
    "/chat": chat,
    "/chat-unguarded": chat_unguarded,
    "/chat-failing": chat_failing,
    "/chat-silent": chat_silent,
}
