"""A call that LiteLLM makes through a client we observe is one event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import litellm
import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.calls.replacing import undo_all
from amplitude_ai_integrations.calls.reporting import Reporting
from amplitude_ai_integrations.providers.openai import OpenAI, patch_async_openai, patch_openai

from ..fakes.openai_server import OpenAIServer
from ..providers.expected import kinds
from .conftest import Arrived
from .test_litellm import WAYS, ask

pytestmark = pytest.mark.usefixtures("callback")


@pytest.fixture
def _patched(ai: AmplitudeAI) -> Iterator[None]:
    reporting = Reporting(ai)
    undos = [*patch_openai(reporting), *patch_async_openai(reporting)]
    yield
    undo_all(undos)


@pytest.mark.usefixtures("_patched")
@pytest.mark.parametrize("way", WAYS)
def test_with_patched_classes(way: str, fake: OpenAIServer, arrived: Arrived) -> None:
    WAYS[way][0](fake, "Hi")
    arrived(2)
    openai.OpenAI(api_key="k", base_url=fake.url).chat.completions.create(
        model="gpt-4o", messages=_said("Hi")
    )
    assert kinds(arrived(4)) == ["user", "answer"] * 2


@pytest.mark.usefixtures("_patched")
def test_an_embedding_with_patched_classes(fake: OpenAIServer, arrived: Arrived) -> None:
    litellm.embedding(model="openai/text-embedding-3-small", input=["Hi"], api_base=fake.url, api_key="k")
    openai.OpenAI(api_key="k", base_url=fake.url).embeddings.create(model="m", input="Hi")
    assert kinds(arrived(2)) == ["embedding"] * 2


def test_with_an_observed_client(ai: AmplitudeAI, fake: OpenAIServer, arrived: Arrived) -> None:
    client = OpenAI(amplitude=ai, api_key="k", base_url=fake.url)
    litellm.completion(**ask(fake, "Hi", client=client))
    arrived(2)
    client.chat.completions.create(model="gpt-4o", messages=_said("Hi"))
    assert kinds(arrived(4)) == ["user", "answer"] * 2


def _said(words: str) -> Any:
    return [{"role": "user", "content": words}]
