"""Agent Analytics as one ASGI application."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from .arriving import Arriving
from .collector import routes as collector
from .forwarding import Forwarding
from .hosts import HostGuard, PageHeaders
from .live import Live
from .store.files import prepare
from .store.ingest import Changes
from .store.pool import ReadTooSlowError
from .store.presence import StoreGoneError
from .store.reader import Reader
from .store.writer import Writer
from .traffic import Traffic


def create_app(
    database: Path,
    *,
    address: str = "127.0.0.1:8320",
    hosts: Iterable[str] = (),
    forwarding: Forwarding | None = None,
) -> Starlette:
    """Build the collector and the pages over one database file."""
    from .pages.routes import routes as pages

    return assemble(database, pages(), address=address, hosts=hosts, forwarding=forwarding)


def assemble(
    database: Path,
    pages: Iterable[BaseRoute],
    *,
    address: str = "127.0.0.1:8320",
    hosts: Iterable[str] = (),
    forwarding: Forwarding | None = None,
) -> Starlette:
    """Build the collector with the pages given; ``hosts`` are names it answers to besides loopback's."""
    app = Starlette(
        routes=[Route("/healthz", _health), *collector.routes(), *pages],
        middleware=[Middleware(HostGuard, also=tuple(hosts)), Middleware(PageHeaders)],
        exception_handlers={
            ReadTooSlowError: _cannot_read,
            StoreGoneError: _cannot_read,
            404: _no_such_path,
            405: _no_such_path,
            500: _failed,
        },
        lifespan=_lifespan,
    )
    app.state.database = database
    app.state.address = address
    app.state.forwarding = forwarding
    app.state.live = Live()
    app.state.arriving = Arriving()
    app.state.traffic = Traffic()
    app.state.started_at = time.time_ns() // 1_000_000
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    live: Live = app.state.live

    def announce(changes: Changes) -> None:
        if changes.events:
            live.publish(changes.session_ids, changes.new_session_ids)

    prepare(app.state.database)
    forwarding: Forwarding | None = app.state.forwarding
    app.state.writer = Writer(app.state.database, announce, forwarding.keep if forwarding else None)
    app.state.reader = Reader(app.state.database)
    try:
        yield
    finally:
        live.close()
        app.state.reader.close()
        app.state.writer.close()
        if forwarding is not None:
            forwarding.close()


async def _health(request: Request) -> Response:
    forwarding: Forwarding | None = request.app.state.forwarding
    more = {} if forwarding is None else {"forwarding": forwarding.counts()._asdict()}
    return JSONResponse({"status": "ok", **more})


async def _no_such_path(request: Request, error: Exception) -> Response:
    if request.method == "POST":
        return collector.refuse_path(request)
    status, headers = getattr(error, "status_code", 404), getattr(error, "headers", None)
    return PlainTextResponse(f"{error}\n", status, headers)


async def _cannot_read(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=503)


async def _failed(request: Request, error: Exception) -> Response:
    """The trace goes to the server's log, never to a client."""
    if request.method == "POST":
        return JSONResponse({"code": 500, "error": "Internal server error"}, 500)
    return PlainTextResponse("Something failed on this page. The server's log says what.\n", status_code=500)
