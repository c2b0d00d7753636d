"""A collector, and a client whose events go there and into a list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.frameworks.otel_sink import AmplitudeSpanSink

from ...fakes.openai_server import OpenAIServer
from ...fakes.otlp_server import OTLPServer


@pytest.fixture
def collector() -> Iterator[OTLPServer]:
    with OTLPServer() as server:
        yield server


@pytest.fixture
def spans(collector: OTLPServer) -> Iterator[AmplitudeSpanSink]:
    sink = AmplitudeSpanSink(endpoint=collector.url)
    yield sink
    sink.close(2)


@pytest.fixture
def ai(sink: MemorySink, spans: AmplitudeSpanSink) -> AmplitudeAI:
    return AmplitudeAI(sink=sink, also=spans)


@pytest.fixture
def model() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()
