"""A fake OpenAI, bare clients of it, and everything unpatched after each test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import registry
from amplitude_ai_integrations.patching import expected, process, unpatch

from ..conftest import running
from ..fakes.azure_server import AzureServer
from ..fakes.collector import Collector
from ..fakes.openai_server import OpenAIServer
from .running import Place

Connect = Callable[..., Any]


@pytest.fixture(autouse=True)
def _unpatched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_observed", Counter())  # other tests have observed clients of their own
    yield
    unpatch()
    expected._said.clear()
    process._say_once.cache_clear()


@pytest.fixture(scope="session")
def _server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()


@pytest.fixture
def fake(_server: OpenAIServer) -> Iterator[OpenAIServer]:
    """OpenAI's API; what it received is forgotten after each test."""
    yield _server
    _server.release()


@pytest.fixture(scope="session")
def _azure() -> Iterator[AzureServer]:
    server = AzureServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _connections() -> Iterator[Any]:
    with openai.DefaultHttpxClient() as connections:
        yield connections


@pytest.fixture
def connect(fake: OpenAIServer, _azure: AzureServer, _connections: Any) -> Connect:
    """Make clients of the vendor's own classes: `connect(openai.OpenAI)`; asynchronous ones are to be closed."""

    def make(kind: Any) -> Any:
        own: dict[str, Any] = {"api_key": "k", "max_retries": 0}
        if issubclass(kind, (openai.AzureOpenAI, openai.AsyncAzureOpenAI)):
            own |= {"azure_endpoint": _azure.address, "api_version": "2024-10-21"}
        else:
            own["base_url"] = fake.url
        if not issubclass(kind, openai.AsyncOpenAI):
            own["http_client"] = _connections
        return kind(**own)

    return make


@pytest.fixture
def client(connect: Connect) -> Any:
    """A client that was made before anything was patched."""
    return connect(openai.OpenAI)


@pytest.fixture(scope="session")
def _collected() -> Iterator[tuple[Collector, str]]:
    collector = Collector()
    with running(collector.app) as url:
        yield collector, url


@pytest.fixture
def place(tmp_path: Path, _collected: tuple[Collector, str], fake: OpenAIServer) -> Place:
    """Where a program is run that reports to a collector of the tests."""
    collector, url = _collected
    return Place(tmp_path, url, collector, fake.url)
