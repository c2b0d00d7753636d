"""Guards of a server on the loopback interface, as plain ASGI."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class HostGuard:
    """Answers only to names of this machine: a page elsewhere may have its name point here."""

    def __init__(self, app: ASGIApp, also: Iterable[str] = ()) -> None:
        self.app = app
        self.names = {name.lower().strip("[]") for name in (*_LOOPBACK, socket.gethostname(), *also) if name}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self._knows(scope):
            await self.app(scope, receive, send)
            return
        sentence = "This server answers to the names and addresses of its own machine only.\n"
        await PlainTextResponse(sentence, status_code=421)(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        host = _without_port(Headers(scope=scope).get("host", "").strip().lower())
        # The address the connection came to cannot be another's name.
        return host in self.names or host == _own_address(scope)


class PageHeaders:
    """Keeps what pages show from acting: nothing is loaded from elsewhere, nothing inline runs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _PAGE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_guarded)


_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def _own_address(scope: Scope) -> str | None:
    try:
        address = ip_address((scope.get("server") or ("",))[0] or "")
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
