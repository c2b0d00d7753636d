"""Runs Agent Analytics until it is stopped."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from ..exceptions import ConfigurationError, logger
from .app import create_app
from .forwarding import Forwarding
from .store.files import prepare
from .target import Target, refuse_itself

_FILE = Path("amplitude-ai-integrations") / "analytics.db"
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8320,
    database: Path | None = None,
    ready: Callable[[str], None] | None = None,
    target: Target | None = None,
) -> None:
    """Serve until interrupted; ``ready`` is called with the address once requests are answered.

    With a ``target`` new events are sent on to it.
    """
    database = database or default_database()
    with _listen(host, port) as listener:
        if target is not None:
            refuse_itself(target, listener)
        prepare(database)
        address = _address(_REACHED_AT.get(host, host), listener.getsockname()[1])
        if not _is_loopback(listener.getsockname()[0]):
            logger.warning(
                "Listening on %s: other machines can read the sessions.", listener.getsockname()[0]
            )
        hosts = () if host in _REACHED_AT else (host,)
        forwarding = Forwarding(target) if target is not None else None
        app = create_app(database, address=address, hosts=hosts, forwarding=forwarding)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, server_header=False)
        server = _Server(config, app, ready=lambda: ready(f"http://{address}") if ready else None)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def default_database() -> Path:
    """Return the file in this user's own data directory."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / _FILE


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: Starlette, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Open pages and slow senders would otherwise outlast the grace period.
        self._app.state.live.close()
        self._app.state.arriving.close()
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise ConfigurationError(f"Port {port} is taken. Choose another with --port.") from None
        raise ConfigurationError(f"Cannot listen on {host}:{port} ({error}).") from None
    return listener


def _is_loopback(address: str) -> bool:
    return ip_address(address.partition("%")[0]).is_loopback


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
