"""Anthropic's clients make spans themselves, beneath what we observe; OpenLLMetry makes some above."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NoOpTracerProvider

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.calls import surroundings
from amplitude_ai_integrations.providers.anthropic import Anthropic

from ...events import told
from ...fakes.anthropic_server import AnthropicServer
from .conftest import Provide
from .instrumentations import unwrap_all

MODEL = "claude-haiku-4-5"


@contextmanager
def _openllmetry(provider: Any) -> Iterator[None]:
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

    instrumentor = AnthropicInstrumentor()  # type: ignore[no-untyped-call]
    instrumentor.instrument(tracer_provider=provider, skip_dep_check=True)
    try:
        yield
    finally:
        instrumentor.uninstrument()
        unwrap_all("anthropic.resources")


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let clients make spans of their own for a provider, which they ask the process for."""

    def use(provider: Any) -> None:
        monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", provider)

    use(NoOpTracerProvider())
    return use


@pytest.fixture
def clients(claude: AnthropicServer, ai: AmplitudeAI) -> Any:
    options: Any = {"api_key": "k", "base_url": claude.address, "max_retries": 0}

    def make(*, is_observed: bool) -> Any:
        return Anthropic(amplitude=ai, **options) if is_observed else anthropic.Anthropic(**options)

    return make


def _converse(client: Any, ai: AmplitudeAI) -> None:
    with ai.agent("bot").session(uuid.uuid4().hex, user_id="someone", track_session_end=False):
        tools: Any = [{"name": "get_weather", "description": "Tells.", "input_schema": {"type": "object"}}]
        messages: Any = [{"role": "user", "content": "think tool Hi"}]
        asked = _ask(client, messages, tools=tools, system="Be kind.")
        call_id = next(block.id for block in asked.content if block.type == "tool_use")
        result = {"type": "tool_result", "tool_use_id": call_id, "content": "sunny"}
        blocks = [block.model_dump() for block in asked.content]
        _ask(
            client,
            [*messages, {"role": "assistant", "content": blocks}, {"role": "user", "content": [result]}],
            tools=tools,
        )
        list(_ask(client, [{"role": "user", "content": "Hi"}], stream=True))
        with pytest.raises(anthropic.InternalServerError):
            _ask(client, [{"role": "user", "content": "error500"}])


def _ask(client: Any, messages: Any, **more: Any) -> Any:
    return client.messages.create(model=MODEL, max_tokens=50, messages=messages, **more)


def _events(sink: MemorySink, but: Any = ()) -> list[dict[str, Any]]:
    left_out = {*but, "Session ID", "Latency Ms", "TTFB Ms"}
    events = [
        {name: value for name, value in event.items() if name not in left_out} for event in told(sink.events)
    ]
    sink.events.clear()
    surroundings.forget()
    return events


WAYS = ["processor", "simple"]


@pytest.mark.parametrize("way", WAYS)
def test_what_the_client_tells_itself(
    way: str, own: Any, provide: Provide, clients: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    own(provide(way))
    _converse(clients(is_observed=False), ai)
    events = told(sink.events)
    assert [event["type"] for event in events] == ["AI Response"] * 4  # it tells nothing that was said
    first, _second, streamed, failed = events
    assert 0 < streamed.pop("TTFB Ms") <= streamed.pop("Latency Ms")
    assert streamed["Is Streaming"] is True
    assert failed["Is Error"] is True
    assert failed["Error Type"] == "api_error"
    first.pop("Latency Ms")
    session_id, cost = first.pop("Session ID"), first.pop("Cost USD")
    assert session_id
    assert cost == pytest.approx(4.88e-05)
    assert first == {
        "type": "AI Response",
        "user_id": "someone",
        "Message ID": "id-1",
        "Component Type": "llm",
        "Model Name": MODEL,
        "Model Tier": "fast",
        "Provider": "anthropic",
        "Is Error": False,
        "Input Tokens": 20,
        "Output Tokens": 7,
        "Total Tokens": 27,
        "Reasoning Tokens": 3,
        "Has Reasoning": True,
        "Cache Read Tokens": 8,
        "Cache Creation Tokens": 4,
        "Finish Reason": "tool_use",
        "Max Output Tokens": 50,
        "Provider Request ID": "msg_1",
        "Trace ID": "id-2",
        "Agent ID": "bot",
        "Turn ID": 1,
    }


@pytest.mark.parametrize("way", [*WAYS, "batch"])
def test_beneath_an_observed_client(
    way: str, own: Any, provide: Provide, clients: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    _converse(clients(is_observed=True), ai)
    alone = _events(sink)
    provider = provide(way)
    own(provider)
    _converse(clients(is_observed=True), ai)
    if way == "batch":  # where nothing but the answer's id tells
        provider.force_flush()
        assert [event["type"] for event in _events(sink)] == [
            *(event["type"] for event in alone),
            "AI Response",
        ]
    else:
        assert _events(sink) == alone


def test_all_at_once(own: Any, provide: Provide, clients: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    _converse(clients(is_observed=True), ai)
    alone = _events(sink)
    provider = provide()
    own(provider)
    with _openllmetry(provider):
        _converse(clients(is_observed=True), ai)
    assert _events(sink) == alone


def test_with_openllmetry_beside(
    own: Any, provide: Provide, clients: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    """OpenLLMetry's spans are not above the client's own: what ends first tells of an answer."""
    provider = provide()
    own(provider)
    with _openllmetry(provider):
        _converse(clients(is_observed=False), ai)
    answers = [event for event in _events(sink) if event["type"] == "AI Response" and not event["Is Error"]]
    assert [event["Turn ID"] for event in answers] == [1, 2, 3]


@pytest.mark.parametrize("way", WAYS)
def test_with_openllmetry_alone(
    way: str, own: Any, provide: Provide, clients: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    provider: TracerProvider = provide(way, blocked_scopes={"com.anthropic.sdk.python"})
    own(provider)
    with _openllmetry(provider):
        _converse(clients(is_observed=False), ai)
    events = _events(sink)
    assert [event["type"] for event in events] == [
        *("User Message", "AI Response", "Tool Call", "AI Response"),
        *("User Message", "AI Response", "User Message", "AI Response"),
    ]
    assert events[1]["Finish Reason"] == "tool_calls"
    assert events[1]["System Prompt"] == "Be kind."
    assert events[1]["Reasoning Content"] == "Let me think."
    assert events[2]["Tool Input"] == '{"city":"Paris"}'
    assert events[2]["Tool Output"] == "sunny"
    assert events[2]["Parent Message ID"] == events[1]["Message ID"]
