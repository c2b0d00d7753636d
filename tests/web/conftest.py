from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from starlette.middleware import Middleware

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from tests.conftest import running

from .applications import BUILDERS, Outer
from .hosting import Host, Site
from .reading import AGENT

OpenSite = Callable[..., Site]


@pytest.fixture(autouse=True)
def _quiet_server() -> None:
    """Let the server not log the errors that handlers raise on purpose; any server started sets the level."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def hosted() -> Iterator[tuple[str, Host, httpx.Client]]:
    """One server for the whole run."""
    host = Host()
    with ExitStack() as stack:
        url = stack.enter_context(running(host, log_level="critical", lifespan="off"))
        # A new connection each: on one kept alive, each response waits 40 ms for a delayed acknowledgement.
        limits = httpx.Limits(max_keepalive_connections=0)
        yield url, host, stack.enter_context(httpx.Client(timeout=5, limits=limits))


@pytest.fixture(scope="session")
def hosted_service() -> Iterator[tuple[str, Host]]:
    """A second server, for a service that the first one calls."""
    host = Host()
    with running(host, log_level="critical", lifespan="off") as url:
        yield url, host


@pytest.fixture(params=list(BUILDERS))
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_site(
    hosted: tuple[str, Host, httpx.Client], ai: AmplitudeAI, sink: MemorySink, framework: str
) -> OpenSite:
    """Put an application behind the server: `open_site(**options)`, options being the middleware's.

    `order` places a BaseHTTPMiddleware ("outer") and ours ("ours"), outermost first.
    """
    url, host, client = hosted

    def install(
        order: tuple[str, ...] = ("ours",), client_of_events: Any = None, more: Any = None, **options: Any
    ) -> Site:
        chosen = client_of_events or ai
        ours = Middleware(AmplitudeAIMiddleware, amplitude_ai=chosen, **{"agent_id": AGENT, **options})
        layers = {"ours": ours, "outer": Middleware(Outer)}
        host.app = BUILDERS[framework]([layers[name] for name in order], more)
        host.ai = chosen
        host.errors = []
        return Site(url, host, client, sink, chosen, host.app)

    return install


@pytest.fixture
def thread() -> str:
    """The id of a conversation that nobody has had yet."""
    return f"thread-{uuid.uuid4()}"


@pytest.fixture
def site(open_site: OpenSite) -> Site:
    """The application with no option but the agent's name."""
    return open_site()
