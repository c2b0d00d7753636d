"""Django projects on real servers; a plugin of the test files that use them, which name it in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import connections
from django.test import override_settings

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.web import resolving

from .django_hosting import SERVERS, DjangoSite, OpenDjango, Server
from .django_site import User
from .reading import AGENT


@pytest.fixture(scope="session")
def django_servers() -> Iterator[dict[str, Server]]:
    """The servers, for the whole run."""
    with ExitStack() as stack:
        # A new connection each: on one kept alive, each response waits 40 ms for a delayed acknowledgement.
        limits = httpx.Limits(max_keepalive_connections=0)
        client = stack.enter_context(httpx.Client(timeout=5, limits=limits, trust_env=False))
        found = {}
        for name, (start, host_of, handler) in SERVERS.items():
            host = host_of()
            url, wait_until_idle = stack.enter_context(start(host))
            found[name] = Server(url, host, wait_until_idle, handler, client)
        yield found


@pytest.fixture(params=["wsgiref", "uvicorn"])
def django_server(request: pytest.FixtureRequest, django_servers: dict[str, Server]) -> Server:
    return django_servers[request.param]


@pytest.fixture
def override() -> Iterator[Callable[..., None]]:
    """Change Django's settings until the test ends: `override(AMPLITUDE_AI={...})`."""
    with ExitStack() as stack:
        yield lambda **changed: stack.enter_context(override_settings(**changed))


@pytest.fixture
def open_django(
    django_server: Server, ai: AmplitudeAI, sink: MemorySink, override: Callable[..., None]
) -> OpenDjango:
    """Start a project on each server: `open_django(**names of AMPLITUDE_AI)`; `changed` are other settings."""

    def start(changed: dict[str, Any] | None = None, client: Any = None, **options: Any) -> DjangoSite:
        chosen = client or ai
        override(**{"AMPLITUDE_AI": {"CLIENT": chosen, "AGENT_ID": AGENT, **options}, **(changed or {})})
        django_server.load()
        return DjangoSite(django_server, chosen, sink)

    return start


@pytest.fixture
def django_site(open_django: OpenDjango) -> DjangoSite:
    """The project with no setting but the agent's name."""
    return open_django()


@pytest.fixture
def ada() -> Iterator[Any]:
    """A user with an account."""
    user = User.objects.create_user(f"ada-{uuid4().hex[:8]}", password="secret")
    yield user
    user.delete()
    connections.close_all()


@pytest.fixture
def nothing_logged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each failing resolver be said again."""
    monkeypatch.setattr(resolving, "_logged", set())
