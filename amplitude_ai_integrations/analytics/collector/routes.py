"""The collector's doors: HTTP V2 and Batch, as Amplitude's clients expect them."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ...schema.values import clean
from ..arriving import StoppingError
from ..forwarding import NotKeptError, add_key, identify
from ..store.arrival import Arrival, arrive
from ..store.presence import StoreGoneError
from ..store.writer import StoreBusyError
from .answers import INVALID_PATH, UNAVAILABLE, RefusalError
from .body import read_body, read_json
from .check import checked

_MEGABYTE = 1024 * 1024
_CORS = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "86400",
}

Endpoint = Callable[[Request], Awaitable[Response]]


def routes() -> list[BaseRoute]:
    """Return the ingestion routes."""
    limits = {"/2/httpapi": _MEGABYTE, "/batch": 20 * _MEGABYTE}
    return [
        Route(path + slash, _ingestion(limit), methods=["POST", "OPTIONS"])
        for path, limit in limits.items()
        for slash in ("", "/")
    ]


def _ingestion(limit: int) -> Endpoint:
    async def ingest(request: Request) -> Response:
        if request.method == "OPTIONS":
            return _preflight(request)
        return await _answer(request, limit)

    return ingest


async def _answer(request: Request, limit: int) -> Response:
    traffic = request.app.state.traffic
    try:
        body = await request.app.state.arriving.read(read_body(request, limit))
        now_ms = time.time_ns() // 1_000_000
        is_relay = request.app.state.forwarding is not None
        arrivals = await run_in_threadpool(_arrivals, body, now_ms, is_relay=is_relay)
        # Nothing is acknowledged before it is on disk.
        await asyncio.wrap_future(request.app.state.writer.submit(arrivals))
    except RefusalError as refusal:
        traffic.refused(refusal.reason)
        return JSONResponse(refusal.body, refusal.code, _CORS)
    except (StoreBusyError, StoreGoneError, StoppingError, NotKeptError, sqlite3.Error) as error:
        traffic.refused(f"503 {UNAVAILABLE} ({str(error) or 'busy'})")
        why = f"{UNAVAILABLE}. {error}" if isinstance(error, StoreGoneError) else UNAVAILABLE
        return JSONResponse({"code": 503, "error": why}, 503, _CORS)
    except ClientDisconnect:
        traffic.refused("The client left before its request was complete")
        return Response(status_code=400)
    traffic.accepted(len(arrivals))
    answer = {
        "code": 200,
        "events_ingested": len(arrivals),
        "payload_size_bytes": len(body),
        "server_upload_time": now_ms,
    }
    return JSONResponse(answer, headers=_CORS)


def _arrivals(body: bytes, now_ms: int, *, is_relay: bool) -> list[Arrival]:
    given = read_json(body)
    if not is_relay:
        return [arrive(event, now_ms) for event in checked(given)]
    add_key(given)
    events = checked(given)
    identify(events, body, now_ms)
    key = clean(given["api_key"].strip())
    return [arrive(event, now_ms, key) for event in events]


def _preflight(request: Request) -> Response:
    asked = request.headers.get("access-control-request-headers", "Content-Type, Content-Encoding")
    return Response(status_code=204, headers={**_CORS, **_PREFLIGHT, "Access-Control-Allow-Headers": asked})


def refuse_path(request: Request) -> Response:
    """Answer events that were posted where no events are taken."""
    request.app.state.traffic.refused(f"400 {INVALID_PATH}: {request.url.path}, events go to /2/httpapi")
    return JSONResponse({"code": 400, "error": INVALID_PATH}, 400, _CORS)
