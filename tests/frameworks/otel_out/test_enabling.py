"""`enable_otel`: the program's own spans become events, and nothing of its set-up is replaced."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, MemorySink, ProviderError

from ...events import one, types
from ...fakes.otlp_server import OTLPServer

_CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 2,
}


@pytest.fixture
def ai(sink: MemorySink) -> AmplitudeAI:
    return AmplitudeAI(sink=sink)


@pytest.fixture
def theirs() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(theirs: InMemorySpanExporter) -> Iterator[TracerProvider]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    yield provider
    provider.shutdown()


def _chat(provider: TracerProvider) -> None:
    with provider.get_tracer("theirs").start_as_current_span("chat gpt-4o", attributes=_CHAT):
        pass


def test_spans_become_events(ai: AmplitudeAI, sink: MemorySink, provider: TracerProvider) -> None:
    before = trace.get_tracer_provider()
    assert not ai.otel_enabled
    ai.enable_otel("user-1", "device-1", tracer_provider=provider)
    ai.enable_otel("user-2", tracer_provider=provider)
    _chat(provider)
    assert ai.otel_enabled
    assert types(sink) == ["AI Response"], "once, however often it is asked for"
    assert (sink.events[0]["user_id"], sink.events[0]["device_id"]) == ("user-1", "device-1")
    assert trace.get_tracer_provider() is before


def test_the_global_provider_is_used_and_kept(
    ai: AmplitudeAI, sink: MemorySink, provider: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    ai.enable_otel()
    _chat(provider)
    assert types(sink) == ["AI Response"]
    assert trace.get_tracer_provider() is provider


def test_without_a_provider_it_says_what_to_do(ai: AmplitudeAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    with pytest.raises(ConfigurationError, match="set_tracer_provider"):
        ai.enable_otel()
    assert not ai.otel_enabled


def test_without_the_package_it_says_how_to_install_it(
    ai: AmplitudeAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith(("amplitude_ai_integrations.frameworks.o", "opentelemetry")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ProviderError, match=r"pip install 'amplitude-ai-integrations\[otel\]'"):
        ai.enable_otel()


def test_a_filter_that_is_none_is_said(ai: AmplitudeAI, provider: TracerProvider) -> None:
    with pytest.raises(ConfigurationError, match='give "genai" or "all"'):
        ai.enable_otel(otel_span_filter="everything", tracer_provider=provider)


@pytest.mark.parametrize(("chosen", "steps"), [("genai", []), ("all", ["rank", "GET /answer"])])
def test_other_spans_are_steps_if_asked_for(
    chosen: str, steps: list[str], ai: AmplitudeAI, sink: MemorySink, provider: TracerProvider
) -> None:
    ai.enable_otel(otel_span_filter=chosen, tracer_provider=provider)
    tracer = provider.get_tracer("theirs")
    with ai.agent("bot").session("s-1", user_id="user-1"), tracer.start_as_current_span("GET /answer"):
        with tracer.start_as_current_span("rank"):
            pass
        _chat(provider)
    told = [event["event_properties"] for event in sink if event["event_type"] == "[Agent] Span"]
    assert [span["[Agent] Span Name"] for span in told] == steps
    if steps:
        assert told[0]["[Agent] Parent Span ID"] == told[1]["[Agent] Span ID"]
    assert types(sink).count("AI Response") == 1


def test_a_collector_beside_amplitude(
    ai: AmplitudeAI, sink: MemorySink, provider: TracerProvider, collector: OTLPServer
) -> None:
    ai.enable_otel("user-1", otel_endpoint=collector.url, tracer_provider=provider)
    _chat(provider)
    ai.track_ai_message("user-1", "Hi", "s-1", "gpt-5", "openai")
    ai.flush(5)
    assert types(sink) == ["AI Response", "AI Response"]
    assert sorted(span.name for span in collector.spans if span.kind == "CLIENT") == [
        "chat gpt-4o",
        "chat gpt-5",
    ]
    ai.shutdown()


def test_what_is_switched_off_stays_off(provider: TracerProvider) -> None:
    ai = AmplitudeAI(config=AIConfig(enabled=False))
    ai.enable_otel(tracer_provider=provider)
    assert not ai.otel_enabled


def test_attributes_are_on_spans_and_on_events(
    ai: AmplitudeAI, sink: MemorySink, provider: TracerProvider, theirs: InMemorySpanExporter
) -> None:
    ai.enable_otel(tracer_provider=provider)
    with ai.using_attributes(session_id="s-1", user_id="user-1", event_properties={"plan": "pro"}):
        _chat(provider)
    _chat(provider)
    inside, outside = theirs.get_finished_spans()
    assert inside.attributes is not None
    assert outside.attributes is not None
    assert {name: value for name, value in inside.attributes.items() if name not in _CHAT} == {
        "gen_ai.conversation.id": "s-1",
        "session.id": "s-1",
        "user.id": "user-1",
        "amplitude.event_properties.plan": "pro",
    }
    assert dict(outside.attributes) == _CHAT
    assert sink.events[0]["user_id"] == "user-1"
    assert sink.events[0]["event_properties"]["plan"] == "pro"
    assert "plan" not in sink.events[1]["event_properties"]


def test_the_current_span_is_told_more(
    ai: AmplitudeAI, sink: MemorySink, provider: TracerProvider, theirs: InMemorySpanExporter
) -> None:
    ai.enable_otel(tracer_provider=provider)
    with provider.get_tracer("theirs").start_as_current_span("chat gpt-4o", attributes=_CHAT):
        ai.update_current_span(output_state={"n": 1}, event_properties={"cache": "hit"})
        ai.update_current_trace(user_id="user-7")
    (span,) = theirs.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["output.value"] == '{"n":1}'
    assert span.attributes["amplitude.event_properties.cache"] == "hit"
    assert span.attributes["user.id"] == "user-7"
    assert one(sink, "AI Response")["[Agent] Model Name"] == "gpt-4o"
