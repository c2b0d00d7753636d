"""An id nobody else uses, and the vendor's own client, observed, before a fake of its API."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from amplitude_ai_integrations import AmplitudeAI, AsyncOpenAI, OpenAI

from ..fakes.openai_server import OpenAIServer


@pytest.fixture
def session_id() -> str:
    """A session that no other test has left anything in."""
    return f"s-{uuid.uuid4()}"


@pytest.fixture(scope="session")
def _vendor() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()


@pytest.fixture
def vendor(_vendor: OpenAIServer) -> Iterator[OpenAIServer]:
    """OpenAI's API; what it received is forgotten after each test."""
    yield _vendor
    _vendor.release()


@pytest.fixture
def model(vendor: OpenAIServer, ai: AmplitudeAI) -> Iterator[OpenAI]:
    """An observed client whose events `sink` keeps."""
    with OpenAI(amplitude=ai, api_key="k", base_url=vendor.url, max_retries=0) as client:
        yield client


@pytest.fixture
async def async_model(vendor: OpenAIServer, ai: AmplitudeAI) -> AsyncIterator[AsyncOpenAI]:
    """The asynchronous kind of the same."""
    async with AsyncOpenAI(amplitude=ai, api_key="k", base_url=vendor.url, max_retries=0) as client:
        yield client
