"""All ASGI doors behind one server: the first part of the path says which."""

from __future__ import annotations

from typing import Any

from .doors import django, fastapi, litestar, plain_asgi, quart, starlette

from django.core.asgi import get_asgi_application  # isort: skip  # settings come first

DOORS: dict[str, Any] = {
    "plain_asgi": plain_asgi.app,
    "starlette": starlette.app,
    "fastapi": fastapi.app,
    "litestar": litestar.app,
    "quart": quart.app,
    "django": get_asgi_application(),
}
__all__ = ["app", "django"]


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    _, door, path = scope["path"].split("/", 2)
    await DOORS[door]({**scope, "path": f"/{path}", "raw_path": f"/{path}".encode()}, receive, send)


async def lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
