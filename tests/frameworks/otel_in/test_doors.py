"""The exporter and the processor as objects of OpenTelemetry's SDK: options, scopes, privacy, ends."""

from __future__ import annotations

import gc
import uuid
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, PrivacyConfig
from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.frameworks.opentelemetry import (
    AmplitudeAgentExporter,
    AmplitudeGenAIExporter,
    AmplitudeSpanProcessor,
)

from ...events import one, told, types
from .conftest import Provide
from .spans import WAYS, Maker
from .test_agents import CHAT

DOORS: list[Any] = [AmplitudeAgentExporter, AmplitudeSpanProcessor]
TEXT = {**CHAT, "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Yes."}]}]'}


def test_the_exporter_has_two_names() -> None:
    assert AmplitudeGenAIExporter is AmplitudeAgentExporter
    assert issubclass(AmplitudeAgentExporter, SpanExporter)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"user": "u"}, "takes no 'user'"),
        ({"allowed_scopes": "openai"}, "allowed_scopes= is 'openai'"),
        ({"blocked_scopes": 5}, "blocked_scopes= is 5"),
        ({"privacy_config": "full"}, "pass a PrivacyConfig"),
        ({"content_mode": "some"}, "content_mode"),
    ],
)
def test_wrong_options_are_told(door: Any, options: dict[str, Any], words: str, ai: AmplitudeAI) -> None:
    with pytest.raises(ConfigurationError, match=words):
        door(ai, **options)


@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_client_is_told(door: Any) -> None:
    with pytest.raises(ConfigurationError, match="amplitude= is str"):
        door("key")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("options", "scopes"),
    [
        ({}, ["openai", "fastapi", "other"]),
        ({"allowed_scopes": {"openai"}}, ["openai"]),
        ({"blocked_scopes": {"fastapi"}}, ["openai", "other"]),
        ({"allowed_scopes": ["openai", "fastapi"], "blocked_scopes": ("fastapi",)}, ["openai"]),
    ],
)
def test_scopes(
    way: str, options: dict[str, Any], scopes: list[str], provide: Provide, sink: MemorySink
) -> None:
    provider = provide(way, user_id="u", **options)
    for scope in ("openai", "fastapi", "other"):
        Maker(provider, scope).one({**CHAT, "gen_ai.input.messages": "[]", "gen_ai.request.model": scope})
    provider.force_flush()
    assert [event["Model Name"] for event in told(sink.events)] == scopes


def test_blocked_scopes_are_no_agents(provide: Provide, sink: MemorySink) -> None:
    provider = provide(user_id="u", blocked_scopes={"noise"})
    with Maker(provider, "noise").within("x", **{"gen_ai.operation.name": "invoke_agent"}):
        Maker(provider).one(CHAT)
    assert types(sink.events) == ["User Message", "AI Response"]
    assert "[Agent] Agent ID" not in one(sink.events, "AI Response")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "options",
    [{"privacy_config": PrivacyConfig(content_mode="metadata_only")}, {"content_mode": "metadata_only"}],
)
def test_the_second_gate_keeps_texts_back(
    way: str, options: dict[str, Any], provide: Provide, sink: MemorySink
) -> None:
    provider = provide(way, user_id="u", **options)
    Maker(provider).one(TEXT)
    provider.force_flush()
    asked, answer = told(sink.events)
    assert "$llm_message" not in asked
    assert "$llm_message" not in answer
    assert answer["Input Tokens"] == 100


def test_the_clients_gate_holds_too(sink: MemorySink) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode="metadata_only"))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(AmplitudeSpanProcessor(ai, user_id="u"))
    Maker(provider).one(TEXT)
    assert not any("$llm_message" in event["event_properties"] for event in sink.events)


def test_texts_are_redacted(provide: Provide, sink: MemorySink) -> None:
    said = '[{"role":"user","parts":[{"type":"text","content":"I am a@example.com"}]}]'
    Maker(provide(user_id="u")).one({**CHAT, "gen_ai.input.messages": said})
    assert told(sink.events)[0]["$llm_message"] == {"text": "I am [email]"}


@pytest.mark.parametrize("way", WAYS)
def test_whose_spans_they_are(way: str, provide: Provide, sink: MemorySink) -> None:
    own = {"enduser.id": "end-user", "gen_ai.conversation.id": f"c-{uuid.uuid4()}"}
    provider = provide(way)
    Maker(provider).one({**CHAT, **own})
    named = provide(way, user_id="door", device_id="d", agent_id="bot", env="test")
    Maker(named).one({**CHAT, **own})
    provider.force_flush(), named.force_flush()
    first, second = told(sink.events)[0], told(sink.events)[2]
    assert (first["user_id"], first["Session ID"]) == ("end-user", own["gen_ai.conversation.id"])
    assert (second["user_id"], second["device_id"], second["Agent ID"]) == ("door", "d", "bot")
    assert second["Env"] == "test"


@pytest.mark.parametrize("way", ["processor", "simple"])
def test_the_session_around_goes_before_what_a_span_says(
    way: str, provide: Provide, ai: AmplitudeAI, sink: MemorySink
) -> None:
    spans = Maker(provide(way, user_id="door"))
    session_id = uuid.uuid4().hex
    with ai.agent("bot").session(session_id, user_id="u", track_session_end=False) as session:
        session.track_user_message("Hi")
        trace_id = session.trace_id
        spans.one({**CHAT, "enduser.id": "e", "gen_ai.conversation.id": "c"})
    _asked, answer = told(sink.events)  # what was said by hand is not told again
    assert (answer["user_id"], answer["Session ID"], answer["Agent ID"]) == ("u", session_id, "bot")
    assert sink.events[1]["event_properties"]["[Agent] Trace ID"] == trace_id


def test_calls_of_one_trace_outside_any_session_share_it(provide: Provide, sink: MemorySink) -> None:
    spans = Maker(provide(user_id="u"))
    with spans.within("GET /"):
        spans.one(CHAT)
        spans.one(CHAT)  # tried again: the same words are said once
        other = '[{"role":"user","parts":[{"type":"text","content":"And then?"}]}]'
        spans.one({**CHAT, "gen_ai.input.messages": other})
    events = told(sink.events)
    assert [event["type"] for event in events] == [
        *("User Message", "AI Response", "AI Response", "User Message", "AI Response")
    ]
    (trace_id,) = {event["Trace ID"] for event in events}
    assert len(trace_id) == 32


@pytest.mark.parametrize("way", WAYS)
def test_nothing_after_the_end_nor_where_tracking_is_off(
    way: str, provide: Provide, sink: MemorySink
) -> None:
    provider = provide(way, user_id="u")
    spans = Maker(provider)
    span = spans._tracer.start_span("chat", attributes=CHAT)
    provider.shutdown()
    span.end()
    off = AmplitudeAI(sink=sink, config=AIConfig(enabled=False))
    silent = TracerProvider(shutdown_on_exit=False)
    silent.add_span_processor(WAYS[way](off))
    Maker(silent).one(CHAT)
    silent.shutdown()
    assert sink.events == []


def test_an_exporter_answers_as_the_sdk_asks(ai: AmplitudeAI) -> None:
    exporter = AmplitudeAgentExporter(ai)
    assert exporter.export([]) is SpanExportResult.SUCCESS
    assert exporter.force_flush(100) is True
    exporter.shutdown()


@pytest.mark.usefixtures("swallowing")
def test_our_faults_are_not_the_programs(
    ai: AmplitudeAI, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(AmplitudeSpanProcessor(ai))
    provider.add_span_processor(SimpleSpanProcessor(AmplitudeAgentExporter(ai)))

    def fail(*_given: Any) -> Any:
        raise RuntimeError("ours")

    monkeypatch.setattr("amplitude_ai_integrations.frameworks.otel_telling.SpanFacts", fail)
    Maker(provider).one(CHAT)
    assert sink.events == []


def test_spans_that_never_end_are_forgotten(provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    processor = AmplitudeSpanProcessor(ai, user_id="u")
    provider.add_span_processor(processor)
    spans = Maker(provider)
    first = spans._tracer.start_span("chat", attributes=CHAT)
    for _number in range(10_000):
        spans._tracer.start_span("chat", attributes=CHAT)
    first.end()
    assert len(processor._open) == 10_000
    assert sink.events == []
    processor.shutdown()
    assert len(processor._open) == 0
    gc.collect()


def test_no_provider_is_installed(provide: Provide) -> None:
    before = trace.get_tracer_provider()
    provide()
    assert trace.get_tracer_provider() is before
