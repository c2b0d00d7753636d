"""The Django door over the bare project, under WSGI and ASGI, when no agent speaks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path
from opentelemetry.instrumentation.django import DjangoInstrumentor

from benchmarks.asgi_doors import SCOPE
from benchmarks.measure import compare, compare_async
from benchmarks.peers import PROVIDER
from benchmarks.silence import ai
from benchmarks.wsgi_doors import requests as wsgi_requests

REQUESTS = 500
OURS = "amplitude_ai_integrations.django.AmplitudeAIMiddleware"
POSTHOG = "posthog.integrations.django.PosthogContextMiddleware"

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["amplitude_ai_integrations.django"],
    MIDDLEWARE=[],
    AMPLITUDE_AI={"CLIENT": ai},
)
django.setup()


def at_once(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


async def later(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("", at_once), path("later", later)]


def handler(kind: Callable[[], Any], *middleware: str) -> Any:
    """Make a server's handler; it takes the middlewares that stand in the settings then."""
    settings.MIDDLEWARE = [*middleware]
    return kind()


def with_opentelemetry(kind: Callable[[], Any]) -> Any:
    settings.MIDDLEWARE = []
    instrumentor = DjangoInstrumentor()
    instrumentor.instrument(tracer_provider=PROVIDER)
    made = kind()
    instrumentor.uninstrument()
    return made


def asgi_requests(app: Any) -> Callable[[int], Awaitable[None]]:
    scope = {**SCOPE, "path": "/later", "raw_path": b"/later"}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 200) == 200

    async def run(count: int) -> None:
        for _ in range(count):
            messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

            async def receive(messages: Any = messages) -> Any:
                for message in messages:
                    return message
                await forever()
                return None

            await app(dict(scope), receive, send)

    return run


async def forever() -> None:
    import asyncio

    await asyncio.get_running_loop().create_future()


def main() -> None:
    compare(
        "A request in which no agent speaks",
        {
            "Django WSGI, bare": wsgi_requests(handler(WSGIHandler)),
            "Django WSGI, our middleware": wsgi_requests(handler(WSGIHandler, OURS)),
            "Django WSGI, PostHog": wsgi_requests(handler(WSGIHandler, POSTHOG)),
            "Django WSGI, OpenTelemetry": wsgi_requests(with_opentelemetry(WSGIHandler)),
        },
        REQUESTS,
    )
    compare_async(
        "A request in which no agent speaks",
        {
            "Django ASGI, bare": asgi_requests(handler(ASGIHandler)),
            "Django ASGI, our middleware": asgi_requests(handler(ASGIHandler, OURS)),
            "Django ASGI, PostHog": asgi_requests(handler(ASGIHandler, POSTHOG)),
            "Django ASGI, OpenTelemetry": asgi_requests(with_opentelemetry(ASGIHandler)),
        },
        REQUESTS,
    )


if __name__ == "__main__":
    main()
