from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from amplitude import Amplitude, Config

from amplitude_ai_integrations import AmplitudeAI, MockAmplitudeAI, OpenAI
from amplitude_ai_integrations.exceptions import shield
from tests.conftest import Serve
from tests.fakes.collector import Collector
from tests.fakes.openai_server import OpenAIServer


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the sessions of other tests, as a new mock does, and the errors that were told already."""
    MockAmplitudeAI()
    monkeypatch.setattr(shield, "swallowed", Counter())


@pytest.fixture(scope="session")
def _openai_server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()


@pytest.fixture
def fake(_openai_server: OpenAIServer) -> Iterator[OpenAIServer]:
    """OpenAI's API; what it received is forgotten after each test."""
    yield _openai_server
    _openai_server.release()


@pytest.fixture(scope="session")
def connections() -> Iterator[Any]:
    """Connections for all synchronous clients of OpenAI."""
    with openai.DefaultHttpxClient() as connections:
        yield connections


@pytest.fixture
def client(ai: AmplitudeAI, fake: OpenAIServer, connections: Any) -> OpenAI:
    """An observed client of OpenAI, whose events `sink` keeps."""
    return OpenAI(amplitude=ai, api_key="k", base_url=fake.url, http_client=connections)


@pytest.fixture
def collector() -> Collector:
    """What Amplitude received."""
    return Collector()


@pytest.fixture
def amplitude(collector: Collector, serve: Serve) -> Iterator[Amplitude]:
    """The application's own client of Amplitude."""
    url = serve(collector.app)
    client = Amplitude("key", Config(server_url=f"{url}/2/httpapi"))
    yield client
    client.shutdown()
