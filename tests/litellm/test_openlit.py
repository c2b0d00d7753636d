"""OpenLIT's spans of OpenAI's clients give the events that observed clients give."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openlit._config import OpenlitConfig
from openlit.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from wrapt import FunctionWrapper

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.calls import surroundings, tools
from amplitude_ai_integrations.frameworks.opentelemetry import AmplitudeSpanProcessor
from amplitude_ai_integrations.providers.openai import OpenAI

from ..events import told
from ..fakes.openai_server import OpenAIServer

TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
# It tells no tools, counts no reasoning, and what was not asked for it takes to be 1.
UNTOLD = {
    *("Tool Definitions", "Tool Definitions Count", "Tool Definitions Hash", "Reasoning Tokens"),
    *("Temperature", "Top P", "Has Reasoning", "Provider Request ID"),
    *("Latency Ms", "TTFB Ms", "Session ID"),
}


@pytest.fixture
def _openlit(ai: AmplitudeAI, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """OpenLIT, which takes the process's tracer provider, and never goes away by itself."""
    surroundings.forget()
    tools.forget()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(AmplitudeSpanProcessor(ai))
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", provider)
    config: Any = OpenlitConfig()  # type: ignore[no-untyped-call]
    config.disable_metrics = True
    OpenAIInstrumentor().instrument(capture_message_content=True, disable_metrics=True, pricing_info={})
    yield
    OpenAIInstrumentor().uninstrument()
    for name, module in tuple(sys.modules.items()):
        if name.startswith("openai.resources"):
            _unwrap(module)
    provider.shutdown()


def _unwrap(module: Any) -> None:
    for kind in tuple(vars(module).values()):
        for name, value in tuple(vars(kind).items()) if isinstance(kind, type) else ():
            if isinstance(value, FunctionWrapper):
                setattr(kind, name, value.__wrapped__)


def _converse(client: Any, ai: AmplitudeAI, sink: MemorySink) -> list[dict[str, Any]]:
    def ask(messages: Any, **more: Any) -> Any:
        return client.chat.completions.create(model="gpt-4o", messages=messages, **more)

    with ai.agent("bot").session(uuid.uuid4().hex, user_id="someone", track_session_end=False):
        messages: Any = [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "think tool Hi"},
        ]
        asked = ask(messages, tools=TOOLS, max_tokens=9)
        messages.append(asked.choices[0].message.model_dump(exclude_none=True))
        messages.append({"role": "tool", "tool_call_id": "call_1", "content": "sunny"})
        ask(messages, tools=TOOLS)
        list(ask([{"role": "user", "content": "Hi"}], stream=True, stream_options={"include_usage": True}))
        client.embeddings.create(model="text-embedding-3-small", input="Hi")
    events = told(sink.events)
    sink.events.clear()
    surroundings.forget()
    return events


def _compared(events: list[dict[str, Any]], but: set[str]) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if name not in but} for event in events]


@pytest.mark.usefixtures("_openlit")
def test_the_same_events_as_observed(fake: OpenAIServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    options: Any = {"api_key": "k", "base_url": fake.url, "max_retries": 0}
    observed = _converse(OpenAI(amplitude=ai, **options), ai, sink)  # and told once, by who observes
    by_spans = _converse(openai.OpenAI(**options), ai, sink)
    assert _compared(by_spans, UNTOLD) == _compared(observed, UNTOLD)
    streamed = by_spans[5]
    assert streamed["Is Streaming"] is True
    assert 0 < streamed["TTFB Ms"] <= streamed["Latency Ms"]


@pytest.mark.usefixtures("_openlit")
def test_a_failure(fake: OpenAIServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    client = openai.OpenAI(api_key="k", base_url=fake.url, max_retries=0)
    said: Any = [{"role": "user", "content": "error500"}]
    session = ai.agent().session(uuid.uuid4().hex, user_id="someone", track_session_end=False)
    with session, pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="gpt-4o", messages=said)
    (answer,) = told(sink.events)  # it does not tell what was sent
    assert (answer["Is Error"], answer["Error Type"]) == (True, "InternalServerError")
    assert "refused" in answer["Error Message"]
