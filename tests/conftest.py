"""What every test stands on: swallowed errors are raised again, and servers end with their test."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.calls import covering
from amplitude_ai_integrations.context import push_context
from amplitude_ai_integrations.exceptions import shield

Serve = Callable[..., Any]


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is not delivered in a folder of the tests', also that of processes they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def _reraise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise what the shield would swallow, count anew what it does, and let no setting of the machine in."""
    monkeypatch.setattr(shield, "reraise", True)
    monkeypatch.setattr(shield, "swallowed", Counter())
    for name in ("API_KEY", "SERVER_URL", "SPOOL", "CONTENT_MODE", "DEBUG", "DRY_RUN", "ENABLED"):
        monkeypatch.delenv(f"AMPLITUDE_AI_{name}", raising=False)


@pytest.fixture(autouse=True)
def _nowhere() -> None:
    """Begin outside any session and any call, whatever the test before this one left open."""
    push_context(None)
    covering.begin_anew()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Let no client of a test whose server has ended go on trying, and say so in the log of the next."""
    yield
    ending = sys.modules.get("amplitude_ai_integrations.delivery.outbox.ending")
    for sender in tuple(ending._all) if ending is not None else ():
        carrier = getattr(sender, "carrier", None)
        if carrier is not None and carrier.failures:
            sender.stop()


@pytest.fixture
def swallowing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Swallow our own errors, as in production."""
    monkeypatch.setattr(shield, "reraise", False)


@pytest.fixture
def sink() -> MemorySink:
    """Takes the events of `ai`."""
    return MemorySink()


@pytest.fixture
def ai(sink: MemorySink) -> AmplitudeAI:
    """A client whose events can be looked at."""
    return AmplitudeAI(sink=sink)


@contextmanager
def running(app: Any, **options: Any) -> Iterator[str]:
    """Run an ASGI application on a real uvicorn on 127.0.0.1, and yield its URL."""
    # With its protocol named, asyncio sends small answers at once (TCP_NODELAY).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    settings = {"log_level": "error", "lifespan": "auto", "timeout_graceful_shutdown": 1, **options}
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert thread.is_alive(), "the server ended before it was up"
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Run ASGI applications for the length of a test: `url = serve(app)`."""
    open_servers: list[Any] = []

    def start(app: Any, **options: Any) -> str:
        server = running(app, **options)
        url = server.__enter__()
        open_servers.append(server)
        return url

    yield start
    for server in reversed(open_servers):
        server.__exit__(None, None, None)
