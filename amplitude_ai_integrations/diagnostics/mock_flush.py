"""Whether events are delivered: through the client that delivers them, to a server on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import TimeoutError as Overdue
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..config import AIConfig
from .destination import Destination
from .exchange import client_apart, speak
from .finding import Finding
from .loopback import listening
from .mock_event import EXPECTED
from .secrets import without_password

TOPIC: Final = "mock flush"
_HERE: Final = "127.0.0.1"
_PATIENCE: Final = 2.0  # seconds


def flush_events(config: AIConfig, destination: Destination) -> Iterator[Finding]:
    """Deliver one exchange here, and say what may be in the way of those that go to ``destination``."""
    proxies = getproxies()
    proxy = proxies.get("http")
    if proxy and not proxy_bypass(_HERE):
        words = f"Not tried: HTTP_PROXY sends requests to this machine through {without_password(proxy)} too."
        yield Finding(TOPIC, "warning", words, f"export NO_PROXY={_HERE},localhost")
    else:
        try:
            yield _delivered(config)
        except OSError as error:
            yield Finding(
                TOPIC, "warning", f"Not tried: no server can be opened on {_HERE} ({error.strerror})."
            )
    if destination.is_amplitude and proxies.get("https"):
        words = f"Requests to Amplitude go through the proxy {without_password(proxies['https'])}."
        yield Finding(TOPIC, "hint", words)
    yield from _nobody_there(destination)


def _delivered(config: AIConfig) -> Finding:
    with listening() as server:
        ai = client_apart(config, server_url=server.url, before_send=None, spool="off")
        speak(ai)
        with suppress(Overdue):
            ai.flush().result(_PATIENCE)
        ai.shutdown()
        counts, arrived = ai.recorder.pipeline.counts(), len(server.events)
    if counts.delivered == arrived == len(EXPECTED):
        return Finding(TOPIC, "ok", f"{arrived} events were delivered to a server on this machine.")
    words = f"Of {len(EXPECTED)} events {arrived} arrived at a server on this machine"
    return Finding(
        TOPIC, "problem", f"{words} ({counts.pending} pending, {counts.dead} refused).", "See the log."
    )


def _nobody_there(destination: Destination) -> Iterator[Finding]:
    """Say if a server of this machine does not answer; others are not asked."""
    with suppress(ValueError):
        parts = urlsplit(destination.server_url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        if host not in (_HERE, "localhost", "::1"):
            return
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            words = f"Nothing answers at {without_password(destination.server_url)}."
            yield Finding(TOPIC, "warning", words, f"amplitude-ai analytics --port {port}")
