"""A fake Anthropic, the doors of its clients, and the ways to run a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

from amplitude_ai_integrations import AmplitudeAI, patch, unpatch, wrap
from amplitude_ai_integrations.providers.anthropic import Anthropic, AsyncAnthropic

from ...fakes.anthropic_server import AnthropicServer
from ...providers.contract.anthropic import connections, tls

Connect = Callable[..., Any]


@pytest.fixture(scope="session")
def _server() -> Iterator[AnthropicServer]:
    server = AnthropicServer()
    yield server
    server.stop()


@pytest.fixture
def fake(_server: AnthropicServer) -> Iterator[AnthropicServer]:
    """Anthropic's API; what it received is forgotten after each test."""
    yield _server
    _server.release()


@pytest.fixture
def connect(fake: AnthropicServer, ai: AmplitudeAI) -> Iterator[Connect]:
    """Make a client: `connect("bare")`, `connect("wrapped", is_async=True)`; an asynchronous one is to be closed."""
    is_patched = []

    def make(door: str = "bare", *, is_async: bool = False) -> Any:
        http: Any = anthropic.DefaultAsyncHttpxClient(verify=tls()) if is_async else connections()
        given = {"api_key": "k", "base_url": fake.address, "max_retries": 0, "http_client": http}
        if door == "swapped":
            return (AsyncAnthropic if is_async else Anthropic)(amplitude=ai, **given)
        client = (anthropic.AsyncAnthropic if is_async else anthropic.Anthropic)(**given)
        if door == "wrapped":
            return wrap(client, ai)
        if door == "patched":
            patch(amplitude=ai)
            is_patched.append(True)
        return client

    yield make
    if is_patched:
        unpatch()
