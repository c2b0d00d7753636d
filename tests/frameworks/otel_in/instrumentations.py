"""Whoever makes spans of OpenAI's clients: each asked for all it can tell, and for a provider of ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from wrapt import FunctionWrapper


@contextmanager
def conventions(provider: TracerProvider) -> Iterator[None]:
    """OpenTelemetry's own, in today's GenAI conventions."""
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")
        patch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
        with _instrumented(OpenAIInstrumentor(), provider):
            yield


@contextmanager
def openllmetry(provider: TracerProvider) -> Iterator[None]:
    """Traceloop's OpenLLMetry."""
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    with _instrumented(OpenAIInstrumentor(), provider):
        yield


@contextmanager
def openinference(provider: TracerProvider) -> Iterator[None]:
    """Arize's OpenInference."""
    from openinference.instrumentation.openai import OpenAIInstrumentor

    with _instrumented(OpenAIInstrumentor(), provider):
        yield


@contextmanager
def _instrumented(instrumentor: Any, provider: TracerProvider) -> Iterator[None]:
    instrumentor.instrument(tracer_provider=provider, skip_dep_check=True)
    try:
        yield
    finally:
        instrumentor.uninstrument()
        unwrap_all("openai.resources", "anthropic.resources")


def unwrap_all(*packages: str) -> None:
    """Take away what instrumentors leave behind: OpenLLMetry's and OpenLIT's do not end what they began."""
    modules = [module for name, module in tuple(sys.modules.items()) if name.startswith(packages)]
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    for kind in kinds:
        for name, value in tuple(vars(kind).items()):
            inner = value
            while isinstance(inner, FunctionWrapper):
                inner = inner.__wrapped__
            if inner is not value:
                setattr(kind, name, inner)


INSTRUMENTATIONS = {
    "conventions": conventions,
    "openllmetry": openllmetry,
    "openinference": openinference,
}
