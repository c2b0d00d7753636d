"""Tracer providers of the tests' own, which report to `ai`, and models to call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.calls import surroundings, tools

from ...fakes.anthropic_server import AnthropicServer
from ...fakes.openai_server import OpenAIServer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

# Whoever makes spans is not in every group of packages.
collect_ignore_glob = [] if find_spec("openinference") and find_spec("pydantic_ai") else ["test_*.py"]

Provide = Callable[..., "TracerProvider"]


@pytest.fixture(autouse=True)
def _forgetting() -> None:
    """Forget the answers and the tools of other tests: the fakes give them all the same ids."""
    surroundings.forget()
    tools.forget()


@pytest.fixture
def provide(ai: AmplitudeAI) -> Iterator[Provide]:
    """Make tracer providers that report to `ai`: `provide("processor", user_id="someone")`."""
    from opentelemetry.sdk.trace import TracerProvider

    from .spans import WAYS

    made: list[TracerProvider] = []

    def make(way: str = "processor", **options: Any) -> TracerProvider:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(WAYS[way](ai, **options))
        made.append(provider)
        return provider

    yield make
    for provider in made:
        provider.shutdown()


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
