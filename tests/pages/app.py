"""The pages over a sample store, served the way the collector serves them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amplitude_ai_integrations.analytics.pages.routes import routes

from .sample import Live, Reader, Traffic


class Policy:
    """The content policy under which the pages have to work."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = "default-src 'self'; form-action 'self'; base-uri 'none'"
            await send(message)

        await self.app(scope, receive, guarded)


def make_app(reader: Reader) -> Starlette:
    """The routes with the state their handlers read."""
    app = Starlette(routes=routes())
    app.add_middleware(Policy)
    app.state.reader = reader
    app.state.live = Live()
    app.state.address = "127.0.0.1:8320"
    app.state.traffic = Traffic()
    app.state.started_at = time.time() * 1000 - 134_000
    return app


@contextmanager
def served(app: Starlette, port: int = 0) -> Iterator[str]:
    """The app on a real server; yields its address."""
    config = uvicorn.Config(app, port=port, log_level="critical", timeout_graceful_shutdown=1, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
