"""The same application twice: for Starlette and for FastAPI, with middlewares where a test wants them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI
from fastapi.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from .endpoints import HTTP, WEBSOCKET, answer, ask, plain_async, plain_sync, speak

STATIC = Path(__file__).parent
Paths = Mapping[str, Callable[..., Any]]


class Outer(BaseHTTPMiddleware):
    """Somebody's middleware of the kind that runs the application in another task."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["x-outer"] = "yes"
        return response


def starlette(middleware: Sequence[Middleware], more: Paths | None = None) -> Starlette:
    sub = Starlette(routes=[Route("/deep", plain_async)])
    routes = [
        *(Route(path, endpoint) for path, endpoint in {**HTTP, **(more or {})}.items()),
        *(WebSocketRoute(path, endpoint) for path, endpoint in WEBSOCKET.items()),
        Mount("/mounted", sub),
        Mount("/router", routes=[Route("/sync", plain_sync)]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Starlette(routes=routes, middleware=middleware)


async def asynchronous_dependency(request: Request) -> AsyncIterator[None]:
    ask(request)
    yield
    answer(request)


def synchronous_dependency(request: Request) -> Iterator[None]:
    ask(request)
    yield
    answer(request)


async def with_asynchronous_dependency(_: Annotated[None, Depends(asynchronous_dependency)]) -> str:
    return "done"


def with_synchronous_dependency(_: Annotated[None, Depends(synchronous_dependency)]) -> str:
    return "done"


async def with_background_tasks(request: Request, tasks: BackgroundTasks) -> str:
    tasks.add_task(speak, request)
    return "done"


async def yielding_events(request: Request) -> AsyncIterator[str]:
    ask(request)
    yield "one"
    answer(request)
    yield "two"


FASTAPI_ONLY = {
    "/asynchronous-dependency": with_asynchronous_dependency,
    "/synchronous-dependency": with_synchronous_dependency,
    "/background-tasks": with_background_tasks,
}


def fastapi(middleware: Sequence[Middleware], more: Paths | None = None) -> FastAPI:
    app = FastAPI(middleware=list(middleware))
    for path, endpoint in {**HTTP, **FASTAPI_ONLY, **(more or {})}.items():
        app.add_api_route(path, endpoint)
    for path, endpoint in WEBSOCKET.items():
        app.add_api_websocket_route(path, endpoint)
    app.add_api_route("/yielding-events", yielding_events, response_class=EventSourceResponse)
    router = APIRouter()
    router.add_api_route("/sync", plain_sync)
    app.include_router(router, prefix="/router")
    sub = FastAPI()
    sub.add_api_route("/deep", plain_async)
    app.mount("/mounted", sub)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app


BUILDERS: dict[str, Callable[..., Any]] = {"starlette": starlette, "fastapi": fastapi}
