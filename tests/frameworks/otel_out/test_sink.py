"""Where spans go, what stands still for it, and what becomes of them when nobody takes them."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, MemorySink
from amplitude_ai_integrations.client.variant import variant_of
from amplitude_ai_integrations.config import PrivacyConfig
from amplitude_ai_integrations.frameworks.otel_sink import AmplitudeSpanSink

from ...conftest import Serve
from ...fakes.collector import Collector
from ...fakes.otlp_server import OTLPServer


def _say(ai: AmplitudeAI) -> None:
    ai.track_ai_message("user-1", "Hi", "s-1", "gpt-4o", "openai", 5.0)


def test_to_a_collector_alone(collector: OTLPServer) -> None:
    ai = AmplitudeAI(sink=AmplitudeSpanSink(endpoint=collector.url, headers={"x-key": "k"}))
    _say(ai)
    flushed = ai.flush(5)
    assert (flushed.delivered, flushed.pending, flushed.dead) == (1, 0, 0)
    assert [span.name for span in collector.spans] == ["chat gpt-4o"]
    assert collector.headers[0]["x-key"] == "k"
    assert ai.status()["events"] == {"delivered": 1, "pending": 0, "dead": 0}
    ai.shutdown()


def test_to_amplitude_and_to_a_collector(collector: OTLPServer, serve: Serve) -> None:
    amplitude = Collector()
    config = AIConfig(server_url=serve(amplitude.app))
    ai = AmplitudeAI(
        api_key="key", config=config, also=[AmplitudeSpanSink(endpoint=f"{collector.url}/v1/traces")]
    )
    _say(ai)
    ai.shutdown(5)
    assert [event["event_type"] for event in amplitude.events] == ["[Agent] AI Response"]
    assert [span.name for span in collector.spans] == ["chat gpt-4o"]


def test_variants_of_a_client_reach_it_with_their_own_privacy(ai: AmplitudeAI, collector: OTLPServer) -> None:
    _say(variant_of(ai, PrivacyConfig(privacy_mode=True)))
    ai.flush(5)
    assert "gen_ai.output.messages" not in collector.named("chat gpt-4o").attributes


@pytest.mark.parametrize("kind", ["exporter", "processor", "provider"])
def test_to_what_the_program_has(kind: str) -> None:
    before = trace.get_tracer_provider()
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    target = {"exporter": exporter, "processor": SimpleSpanProcessor(exporter), "provider": provider}[kind]
    sink = AmplitudeSpanSink(target)
    ai = AmplitudeAI(sink=sink)
    _say(ai)
    ai.flush(5)
    (span,) = exporter.get_finished_spans()
    assert span.name == "chat gpt-4o"
    if kind == "provider":
        assert span.resource.attributes["service.name"] == "shop"
    ai.shutdown()
    with provider.get_tracer("theirs").start_as_current_span("theirs"):
        pass
    is_open = len(exporter.get_finished_spans()) == 2
    assert is_open is (kind == "provider"), "what is the program's own goes on, and what is ours is shut down"
    assert trace.get_tracer_provider() is before


def test_the_caller_does_not_wait_for_a_collector_that_hangs(collector: OTLPServer) -> None:
    collector.held.clear()
    sink = AmplitudeSpanSink(endpoint=collector.url)
    ai = AmplitudeAI(sink=sink)
    began = time.monotonic()
    for _ in range(600):
        _say(ai)
    flushing = ai.flush()
    assert flushing.pending == 600
    ai.shutdown(timeout=0.2)
    assert time.monotonic() - began < 2
    collector.held.set()


def test_what_a_collector_refuses_is_counted(collector: OTLPServer, caplog: pytest.LogCaptureFixture) -> None:
    collector.answers.append(400)
    ai = AmplitudeAI(sink=AmplitudeSpanSink(endpoint=collector.url))
    _say(ai)
    flushed = ai.flush(5)
    assert (flushed.delivered, flushed.pending, flushed.dead) == (0, 0, 1)
    ai.shutdown()


def test_what_is_silent_long_enough_is_over(sink: MemorySink, collector: OTLPServer) -> None:
    spans = AmplitudeSpanSink(endpoint=collector.url, idle_seconds=0.1)
    ai = AmplitudeAI(sink=sink, also=spans)
    ai.track_ai_message("user-1", "Hi", "s-1", "gpt-4o", "openai", trace_id="t-1")
    deadline = time.monotonic() + 5
    while spans.counts().pending < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert spans.counts().pending == 2, "the call, and the exchange"
    spans.close()
    assert sorted(span.name for span in collector.spans) == ["chat gpt-4o", "exchange"]


def test_a_program_that_ends_without_a_word_delivers(collector: OTLPServer) -> None:
    program = (
        "from amplitude_ai_integrations import AmplitudeAI\n"
        "from amplitude_ai_integrations.frameworks.otel_sink import AmplitudeSpanSink\n"
        f"ai = AmplitudeAI(sink=AmplitudeSpanSink(endpoint={collector.url!r}))\n"
        "ai.track_ai_message('user-1', 'Hi', 's-1', 'gpt-4o', 'openai', trace_id='t-1')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=30
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(span.name for span in collector.spans) == ["chat gpt-4o", "exchange"]


@pytest.mark.parametrize("mode", [{"dry_run": True}, {"review_mode": True}, {"enabled": False}])
def test_what_is_not_to_leave_does_not(mode: dict[str, bool], collector: OTLPServer) -> None:
    spans = AmplitudeSpanSink(endpoint=collector.url)
    ai = AmplitudeAI(sink=MemorySink(), config=AIConfig(**mode), also=spans)
    _say(ai)
    ai.flush(5)
    spans.close()
    assert collector.spans == []


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((), {}, "takes either"),
        ((InMemorySpanExporter(),), {"endpoint": "http://x"}, "takes either"),
        ((), {"endpoint": "collector:4317"}, "OTLP over HTTP"),
        (("http://x",), {}, "not str"),
        ((object(),), {}, "not object"),
        ((InMemorySpanExporter(),), {"idle_seconds": 0}, "above 0"),
    ],
)
def test_a_wrong_argument_is_said(arguments: Any, options: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        AmplitudeSpanSink(*arguments, **options)


def test_what_is_no_sink_is_said() -> None:
    with pytest.raises(ConfigurationError, match="also= is str"):
        AmplitudeAI(sink=MemorySink(), also="http://collector")  # type: ignore[arg-type]
