"""A handler, and a fake model for LangChain's own clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.frameworks.langchain import AmplitudeCallbackHandler

from ...fakes.openai_server import OpenAIServer


@pytest.fixture(scope="module")
def fake() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()


@pytest.fixture
def handler(ai: AmplitudeAI) -> AmplitudeCallbackHandler:
    return AmplitudeCallbackHandler(ai, user_id="user-1")


@pytest.fixture
def model(fake: OpenAIServer) -> Iterator[Callable[..., ChatOpenAI]]:
    """Make a model of OpenAI's; its connections are closed after the test."""
    made: list[ChatOpenAI] = []

    def make(**options: Any) -> ChatOpenAI:
        url = f"{fake.address}/v1"
        made.append(ChatOpenAI(model="gpt-4o", api_key="k", base_url=url, max_retries=0, **options))
        return made[-1]

    yield make
    fake.release()
