"""One uvicorn for all tests: the application behind it changes, the socket stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from .reading import told


class Host:
    """Stands where the server calls the application, and sees what the server sees of it."""

    def __init__(self) -> None:
        self.app: Any = None
        self.ai: AmplitudeAI | None = None
        self.errors: list[BaseException] = []
        self._running = 0
        self._idle = threading.Condition()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["ai"] = self.ai
        with self._idle:
            self._running += 1
        try:
            await self.app(scope, receive, send)
        except BaseException as error:
            self.errors.append(error)
            raise
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def wait_until_idle(self) -> None:
        """Return when each request has ended for the server too, after its background tasks."""
        with self._idle:
            assert self._idle.wait_for(lambda: self._running == 0, timeout=5), "a request does not end"


@dataclass
class Site:
    """An application on the server, the client that visits it, and the events that come of it."""

    url: str
    host: Host
    client: httpx.Client
    sink: MemorySink
    ai: AmplitudeAI
    app: Any

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Answer a GET to the end, and the server's work for it too."""
        return self.request("GET", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        response = self.client.request(method, self.url + path, **options)
        self.host.wait_until_idle()
        return response

    @contextmanager
    def websocket(self, path: str) -> Iterator[ClientConnection]:
        with connect(self.url.replace("http", "ws", 1) + path) as connection:
            yield connection
        self.host.wait_until_idle()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The whole events so far, as `reading.told` puts them."""
        self.host.wait_until_idle()
        return told(self.sink.events)
