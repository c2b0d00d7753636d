"""A processor that is told of all runs, and the SDK's models of either API before a fake."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from agents import Model, OpenAIChatCompletionsModel, OpenAIResponsesModel, set_trace_processors
from openai import AsyncOpenAI

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.frameworks.openai_agents import AmplitudeTracingProcessor

from ...fakes.openai_server import OpenAIServer

MODELS = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}
Make = Callable[..., Model]


@pytest.fixture(scope="module")
def fake() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()


@pytest.fixture
def processor(ai: AmplitudeAI) -> Iterator[AmplitudeTracingProcessor]:
    made = AmplitudeTracingProcessor(ai, user_id="user-1")
    set_trace_processors([made])  # without the exporter of the SDK's own
    yield made
    set_trace_processors([])
    assert len(made._watching.tree) == 0


@pytest.fixture(params=sorted(MODELS))
def api(request: pytest.FixtureRequest) -> str:
    """The API that a model speaks."""
    name: str = request.param
    return name


@pytest.fixture
async def make(fake: OpenAIServer) -> AsyncIterator[Make]:
    """Make a model; its connections are closed after the test."""
    clients: list[AsyncOpenAI] = []

    def model(api: str = "responses", **options: Any) -> Model:
        clients.append(AsyncOpenAI(api_key="k", base_url=fake.url, max_retries=0, **options))
        return MODELS[api](model="gpt-4o", openai_client=clients[-1])

    yield model
    fake.release()
    for client in clients:
        await client.close()


@pytest.fixture
def model(make: Make, api: str) -> Model:
    return make(api)
