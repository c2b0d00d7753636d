"""Django behind real servers, WSGI and ASGI: the project changes, the sockets stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from tests.conftest import running

from . import django_site  # noqa: F401 - sets Django up
from .hosting import Host as ASGIHost
from .reading import told
from .test_lifetime import leave_after_the_first_bytes
from .wsgi_hosting import Host as WSGIHost
from .wsgi_hosting import on_waitress, on_wsgiref


@contextmanager
def on_uvicorn(host: ASGIHost) -> Iterator[tuple[str, Callable[[], None]]]:
    with running(host, log_level="critical", lifespan="off") as url:
        yield url, host.wait_until_idle


SERVERS: dict[str, tuple[Any, Any, Any]] = {
    "wsgiref": (on_wsgiref, WSGIHost, WSGIHandler),
    "waitress": (on_waitress, WSGIHost, WSGIHandler),
    "uvicorn": (on_uvicorn, ASGIHost, ASGIHandler),
}


@dataclass
class Server:
    """A server that runs, and what stands behind it: Django, as the settings are now."""

    url: str
    host: Any
    wait_until_idle: Callable[[], None]
    handler: Callable[[], Any]
    client: httpx.Client

    def load(self) -> None:
        """Read the settings anew, as a server does when it starts."""
        self.host.app = self.handler()
        self.host.errors = []


@dataclass
class DjangoSite:
    """A project on a server, a visitor, and the events that come of the visits."""

    server: Server
    ai: AmplitudeAI
    sink: MemorySink
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Answer a GET to the end, and the server's work for it too."""
        return self.request("GET", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**({"cookie": cookie} if cookie else {}), **options.pop("headers", {})}
        try:
            return self.server.client.request(method, self.server.url + path, headers=headers, **options)
        finally:
            self.server.wait_until_idle()

    def leave(self, path: str) -> None:
        """Visit as a browser does whose tab is closed while the answer streams in."""
        leave_after_the_first_bytes(self.server.url, path)
        self.server.wait_until_idle()

    def sign_in(self, user: Any) -> None:
        """Visit as this user from here on."""
        visitor = Client()
        visitor.force_login(user)
        self.cookies = {name: morsel.value for name, morsel in visitor.cookies.items()}

    @property
    def events(self) -> list[dict[str, Any]]:
        """The whole events so far, as `reading.told` puts them."""
        return told(self.sink.events)


OpenDjango = Callable[..., DjangoSite]
