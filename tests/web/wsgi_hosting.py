"""Two WSGI servers for all tests, on real sockets: the application behind them changes."""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import httpx
import waitress

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.middleware import AmplitudeAIWSGIMiddleware

from .reading import AGENT, told


class Host:
    """Stands where the server calls the application, and hands its answer on as it is."""

    def __init__(self) -> None:
        self.app: Any = None
        self.errors: list[BaseException] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        try:
            return self.app(environ, start_response)
        except BaseException as error:
            self.errors.append(error)
            raise


class _Handler(WSGIRequestHandler):
    def get_stderr(self) -> Any:
        return io.StringIO()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class names it
        """Say nothing."""


class _ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._working = 0
        self._changed = threading.Condition()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._working += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        super().process_request_thread(request, client_address)
        with self._changed:
            self._working -= 1
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""

    def wait_until_idle(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._working == 0, timeout=5), "a request does not end"


@contextmanager
def on_wsgiref(host: Host) -> Iterator[tuple[str, Callable[[], None]]]:
    with _ThreadedServer(("127.0.0.1", 0), _Handler) as server:
        server.set_app(host)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", server.wait_until_idle
        server.shutdown()
        thread.join(5)


@contextmanager
def on_waitress(host: Host) -> Iterator[tuple[str, Callable[[], None]]]:
    logging.getLogger("waitress").setLevel(logging.CRITICAL)
    server = waitress.create_server(host, host="127.0.0.1", port=0, threads=4, channel_request_lookahead=1)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    work = server.task_dispatcher

    def wait_until_idle() -> None:
        deadline = time.monotonic() + 5
        while work.queue or work.active_count:
            assert time.monotonic() < deadline, "a request does not end"
            time.sleep(0.001)

    yield f"http://127.0.0.1:{server.effective_port}", wait_until_idle
    server.trigger.pull_trigger(server.close)  # in its own thread, which may be waiting on what is closed
    thread.join(5)


SERVERS = {"wsgiref": on_wsgiref, "waitress": on_waitress}


@dataclass
class WsgiSite:
    """An application on a server, the client that visits it, and the events that come of it."""

    url: str
    host: Host
    wait_until_idle: Callable[[], None]
    client: httpx.Client
    sink: MemorySink
    ai: AmplitudeAI
    app: Any = None

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Answer a GET to the end, and the server's work for it too."""
        return self.request("GET", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self.client.request(method, self.url + path, **options)
        finally:
            self.wait_until_idle()

    def leave_after(self, path: str, words: bytes) -> None:
        """Visit as a browser does whose tab is closed while the answer streams in."""
        where = httpx.URL(self.url)
        with socket.create_connection((where.host, where.port or 80), timeout=5) as visitor:
            visitor.sendall(f"GET {path} HTTP/1.1\r\nHost: {where.host}\r\n\r\n".encode())
            received = b""
            while words not in received:
                received += visitor.recv(4096)
        self.wait_until_idle()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The whole events so far, as `reading.told` puts them."""
        self.wait_until_idle()
        return told(self.sink.events)

    def install(self, app: Any) -> WsgiSite:
        """Put a WSGI application behind the server."""
        self.app = self.host.app = app
        self.host.errors = []
        return self

    def behind(self, app: Any, **options: Any) -> WsgiSite:
        """Put an application behind the server, and the middleware around it."""
        chosen = {"agent_id": AGENT, **options}
        return self.install(AmplitudeAIWSGIMiddleware(app, amplitude_ai=self.ai, **chosen))
