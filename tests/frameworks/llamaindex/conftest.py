"""A handler that observes everything, and a fake model for LlamaIndex."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.exceptions import shield
from amplitude_ai_integrations.frameworks.llamaindex import AmplitudeLlamaIndexHandler

from ...fakes.openai_server import OpenAIServer
from .chat_model import ChatModel

Make = Callable[..., ChatModel]


@pytest.fixture(autouse=True)
def _none_swallowed(_reraise: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Look at what was swallowed: what is raised again, LlamaIndex's dispatcher swallows itself."""
    monkeypatch.setattr(shield, "reraise", False)
    yield
    assert not shield.swallowed


@pytest.fixture(scope="module")
def fake() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()


@pytest.fixture
def handler(ai: AmplitudeAI) -> Iterator[AmplitudeLlamaIndexHandler]:
    with AmplitudeLlamaIndexHandler(ai, user_id="user-1") as handler:
        yield handler
    tree = handler._spans._told._watching.tree
    assert len(tree) == 0, "a run was left open"


@pytest.fixture
def model(fake: OpenAIServer) -> Iterator[Make]:
    """Make a model of OpenAI's."""
    made: list[ChatModel] = []

    def make(**options: Any) -> ChatModel:
        made.append(ChatModel(fake.url, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
    fake.release()


@pytest.fixture
async def llm(model: Make) -> AsyncIterator[ChatModel]:
    """A model of OpenAI's for asynchronous calls."""
    made = model()
    yield made
    await made.aclose()
