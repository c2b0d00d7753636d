"""LiteLLM, told to report to `sink`, and models that answer it."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the network as it is imported

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from ..fakes.anthropic_server import AnthropicServer
from ..fakes.openai_server import OpenAIServer

# LiteLLM needs more than half of what all other tests do, so these have an environment of their own.
collect_ignore_glob = [] if find_spec("litellm") else ["test_*.py"]

Arrived = Callable[[int], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def _openai() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()


@pytest.fixture
def fake(_openai: OpenAIServer) -> Iterator[OpenAIServer]:
    """OpenAI's API."""
    yield _openai
    _openai.release()


@pytest.fixture
def claude() -> Iterator[AnthropicServer]:
    """Anthropic's API."""
    server = AnthropicServer()
    yield server
    server.stop()


@pytest.fixture
def callback(ai: AmplitudeAI, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The callback, where a program puts it."""
    import litellm

    from amplitude_ai_integrations.providers.litellm import AmplitudeLiteLLM

    own = AmplitudeLiteLLM(ai, user_id="someone")
    for name in ("success_callback", "failure_callback", "input_callback"):
        monkeypatch.setattr(litellm, name, [])
        monkeypatch.setattr(litellm, f"_async_{name}", [], raising=False)
    monkeypatch.setattr(litellm, "callbacks", [own])
    monkeypatch.setattr(litellm, "suppress_debug_info", True)
    return own


@pytest.fixture
def arrived(sink: MemorySink) -> Arrived:
    """Wait for so many events, which LiteLLM reports from a thread; then return all there are."""

    def wait(count: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 10
        while len(sink.events) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return [*sink.events]

    return wait


@pytest.fixture
def session_id() -> str:
    """An id that no other test counts turns under."""
    return f"s-{uuid.uuid4()}"
