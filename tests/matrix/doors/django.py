"""Django, for both kinds of servers, with a layer of each kind around the views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils.decorators import sync_and_async_middleware, sync_only_middleware

from ..options import DJANGO
from ..speech import ask, speak, speak_in_own_session, speak_slowly
from . import plain_asgi, plain_wsgi

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="for tests",
    INSTALLED_APPS=["amplitude_ai_integrations.django"],
    MIDDLEWARE=[
        "amplitude_ai_integrations.django.AmplitudeAIMiddleware",
        f"{__name__}.sync_only",
        f"{__name__}.sign_in",
    ],
    AMPLITUDE_AI=DJANGO,
)
django.setup()


@sync_only_middleware
def sync_only(get_response: Any) -> Any:
    """Somebody's old middleware, which makes the chain a mixed one."""

    def layer(request: Any) -> Any:
        return get_response(request)

    return layer


@sync_and_async_middleware
def sign_in(get_response: Any) -> Any:
    """The layer that knows the user; it stands inside ours."""

    def at_once(request: Any) -> Any:
        request.signed_in = request.headers.get("x-user")
        return get_response(request)

    async def later(request: Any) -> Any:
        request.signed_in = request.headers.get("x-user")
        return await get_response(request)

    return later if iscoroutinefunction(get_response) else at_once


def plain_sync(request: HttpRequest) -> HttpResponse:
    speak(request.headers.get("x-text", "hello"))
    return HttpResponse("done")


async def plain_async(request: HttpRequest) -> HttpResponse:
    speak(request.headers.get("x-text", "hello"))
    return HttpResponse("done")


def streamed_sync(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(plain_wsgi.two_pieces())


def closing(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(plain_wsgi.Closing())


async def streamed_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(plain_asgi.streamed_async())


def spoken_before(request: HttpRequest) -> StreamingHttpResponse:
    ask()
    return StreamingHttpResponse(plain_wsgi.spoken_before())


async def spoken_before_async(request: HttpRequest) -> StreamingHttpResponse:
    ask()
    return StreamingHttpResponse(plain_asgi.spoken_before())


def slow(request: HttpRequest) -> HttpResponse:
    speak_slowly()
    return HttpResponse("done")


def own_session(request: HttpRequest) -> HttpResponse:
    speak_in_own_session()
    return HttpResponse("done")


def raising_before(request: HttpRequest) -> HttpResponse:
    speak()
    raise LookupError("before")


def raising_within(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(plain_wsgi.raising_within())


async def raising_within_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(plain_asgi.raising_within())


def endless(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(plain_wsgi.endless())


async def endless_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(plain_asgi.endless())


def silent(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"))


VIEWS = {
    "plain-sync": plain_sync,
    "plain-async": plain_async,
    "streamed-sync": streamed_sync,
    "closing": closing,
    "streamed-async": streamed_async,
    "spoken-before": spoken_before,
    "spoken-before-async": spoken_before_async,
    "slow": slow,
    "own-session": own_session,
    "raising-before": raising_before,
    "raising-within": raising_within,
    "raising-within-async": raising_within_async,
    "endless": endless,
    "endless-async": endless_async,
    "silent": silent,
    "file": file,
}
urlpatterns = [path(name, view) for name, view in VIEWS.items()]
