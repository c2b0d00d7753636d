"""Views, each of which lets an agent speak, without any id, at the place it is named for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from amplitude_ai_integrations import current_session
from amplitude_ai_integrations.django import get_client

ai = get_client()


def ask(text: str = "hello") -> None:
    """A user's message, through the client itself."""
    ai.track_user_message(content=text)


def answer(text: str = "hello") -> None:
    """A model's answer, through the session that a view asks for."""
    current_session().track_ai_message(f"you said {text}", "gpt-4o-mini", "openai", 5.0)


def speak(text: str = "hello") -> None:
    """A whole exchange."""
    ask(text)
    answer(text)


def plain_sync(request: HttpRequest) -> HttpResponse:
    speak(request.GET.get("text", "hello"))
    return HttpResponse("done")


async def plain_async(request: HttpRequest) -> HttpResponse:
    speak(request.GET.get("text", "hello"))
    return HttpResponse("done")


def pieces() -> Iterator[str]:
    ask()
    yield "one "
    answer()
    yield "two"


async def pieces_async() -> AsyncIterator[str]:
    ask()
    yield "one "
    await asyncio.sleep(0)
    answer()
    yield "two"


def streamed_sync(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(pieces())


async def streamed_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(pieces_async())


async def streamed_sync_by_async_view(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(pieces())


def streamed_async_by_sync_view(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(pieces_async())


def spoken_before_sync(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        yield "one "
        answer()
        yield "two"

    ask()
    return StreamingHttpResponse(body())


async def spoken_before_async(request: HttpRequest) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[str]:
        yield "one "
        await asyncio.sleep(0.002)
        answer()
        yield "two"

    ask()
    return StreamingHttpResponse(body())


def spoken_at_the_close(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        try:
            ask()
            yield "one "
            yield "two"
        finally:
            answer()

    return StreamingHttpResponse(body())


async def in_tasks_and_threads(request: HttpRequest) -> HttpResponse:
    ask()
    await asyncio.gather(asyncio.to_thread(answer))
    return HttpResponse("done")


def own_session(request: HttpRequest) -> HttpResponse:
    with ai.agent().session():
        speak()
    return HttpResponse("done")


def silent_sync(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


async def silent_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def raising_sync(request: HttpRequest) -> HttpResponse:
    speak()
    raise LookupError("before")


async def raising_async(request: HttpRequest) -> HttpResponse:
    speak()
    raise LookupError("before")


def raising_within_sync(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        speak()
        yield "one "
        raise LookupError("within")

    return StreamingHttpResponse(body())


async def raising_within_async(request: HttpRequest) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[str]:
        speak()
        yield "one "
        raise LookupError("within")

    return StreamingHttpResponse(body())


def missing(request: HttpRequest) -> HttpResponse:
    speak()
    raise Http404


async def refusing(request: HttpRequest) -> HttpResponse:
    speak()
    raise PermissionDenied


def endless_sync(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        speak()
        while True:
            yield "more " * 2_000

    return StreamingHttpResponse(body())


async def endless_async(request: HttpRequest) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[str]:
        speak()
        while True:
            yield "more " * 2_000
            await asyncio.sleep(0.002)

    return StreamingHttpResponse(body())


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"))


def spoken_before_a_file(request: HttpRequest) -> FileResponse:
    speak()
    return FileResponse(Path(__file__).open("rb"))


def asking_for_the_user_sync(request: HttpRequest) -> HttpResponse:
    speak()
    return HttpResponse(request.user.username)  # type: ignore[attr-defined]


async def asking_for_the_user_async(request: HttpRequest) -> HttpResponse:
    speak()
    user: Any = await request.auser()  # type: ignore[attr-defined]
    return HttpResponse(user.username)


VIEWS = [
    plain_sync, plain_async, streamed_sync, streamed_async, streamed_sync_by_async_view,
    streamed_async_by_sync_view, spoken_before_sync, spoken_before_async, spoken_at_the_close,
    in_tasks_and_threads, own_session, silent_sync, silent_async, raising_sync, raising_async,
    raising_within_sync, raising_within_async, missing, refusing, endless_sync, endless_async, file,
    spoken_before_a_file, asking_for_the_user_sync, asking_for_the_user_async,
]  # fmt: skip
urlpatterns = [path(view.__name__.replace("_", "-"), view) for view in VIEWS]
