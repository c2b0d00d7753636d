"""A fake OpenAI, and clients of it, observed and bare."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from ..fakes.openai_server import OpenAIServer

MakeClient = Callable[..., Any]

VENDOR = "http://api.openai.com/v1"


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
def _connections() -> Iterator[Any]:
    """Connections for all synchronous clients: to prepare for TLS takes longer than most of these tests."""
    with openai.DefaultHttpxClient() as connections:
        yield connections


@pytest.fixture(scope="session")
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@pytest.fixture
def connect(fake: OpenAIServer, _connections: Any, _tls: ssl.SSLContext) -> MakeClient:
    """Make clients of the fake: `connect(openai.OpenAI)`; an asynchronous one is to be closed."""

    def make(kind: Any, **options: Any) -> Any:
        is_async = issubclass(kind, openai.AsyncOpenAI)
        connections = openai.DefaultAsyncHttpxClient(verify=_tls) if is_async else _connections
        given = {"api_key": "k", "base_url": fake.url, "max_retries": 0, "http_client": connections}
        return kind(**{**given, **options})

    return make


@pytest.fixture
def dial(connect: MakeClient, fake: OpenAIServer, ai: AmplitudeAI) -> Iterator[MakeClient]:
    """Make clients that believe to be at the vendor's host: without TLS a proxy can answer in its place."""
    opened: list[Any] = []

    def make(kind: Any) -> Any:
        is_async = issubclass(kind, openai.AsyncOpenAI)
        transport: Any = openai.DefaultAsyncHttpxClient if is_async else openai.DefaultHttpxClient
        given = {"amplitude": ai} if kind in (OpenAI, AsyncOpenAI) else {}
        connections = transport(proxy=fake.address)
        if not is_async:
            opened.append(connections)
        return connect(kind, base_url=VENDOR, http_client=connections, **given)

    yield make
    for connections in opened:
        connections.close()


@pytest.fixture
def client(connect: MakeClient, ai: AmplitudeAI) -> OpenAI:
    """An observed client whose events `sink` keeps."""
    observed: OpenAI = connect(OpenAI, amplitude=ai)
    return observed


@pytest.fixture
def bare(connect: MakeClient) -> openai.OpenAI:
    """The vendor's own client."""
    plain: openai.OpenAI = connect(openai.OpenAI)
    return plain


@pytest.fixture
def session_id() -> str:
    """An id that no other test counts turns under; `seen` shows it as `s`."""
    return f"s-{uuid.uuid4()}"
