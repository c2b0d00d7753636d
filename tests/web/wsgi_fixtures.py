"""Sites on WSGI servers; a plugin of the test files that use them, which name it in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from .wsgi_hosting import SERVERS, Host, WsgiSite


@pytest.fixture(scope="session")
def wsgi_servers() -> Iterator[dict[str, Any]]:
    """Both servers, for the whole run."""
    with ExitStack() as stack:
        limits = httpx.Limits(max_keepalive_connections=0)
        client = stack.enter_context(httpx.Client(timeout=5, limits=limits, trust_env=False))
        running = {}
        for name, start in SERVERS.items():
            host = Host()
            url, wait = stack.enter_context(start(host))
            running[name] = (url, host, wait, client)
        yield running


@pytest.fixture(params=list(SERVERS))
def wsgi_site(
    request: pytest.FixtureRequest, wsgi_servers: dict[str, Any], ai: AmplitudeAI, sink: MemorySink
) -> WsgiSite:
    """Each of the servers, with nothing behind it yet."""
    url, host, wait, client = wsgi_servers[request.param]
    return WsgiSite(url, host, wait, client, sink, ai)


@pytest.fixture
def one_wsgi_site(wsgi_servers: dict[str, Any], ai: AmplitudeAI, sink: MemorySink) -> WsgiSite:
    """One of the servers, for what does not depend on it."""
    url, host, wait, client = wsgi_servers["wsgiref"]
    return WsgiSite(url, host, wait, client, sink, ai)
