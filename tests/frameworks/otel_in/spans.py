"""Spans made by hand: one after the other, or within one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.trace import Status, StatusCode

from amplitude_ai_integrations.frameworks.opentelemetry import AmplitudeAgentExporter, AmplitudeSpanProcessor

WAYS: dict[str, Callable[..., Any]] = {
    "processor": AmplitudeSpanProcessor,
    "simple": lambda ai, **options: SimpleSpanProcessor(AmplitudeAgentExporter(ai, **options)),
    "batch": lambda ai, **options: BatchSpanProcessor(AmplitudeAgentExporter(ai, **options)),
}

START = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000


class Maker:
    """Makes spans of one scope."""

    def __init__(self, provider: TracerProvider, scope: str = "by-hand") -> None:
        self._tracer = provider.get_tracer(scope)

    def within(self, name: str, **attributes: Any) -> Any:
        """Begin a span around others: `with spans.within(...)`."""
        return self._tracer.start_as_current_span(name, attributes=_dotted(attributes))

    def one(
        self,
        attributes: Mapping[str, Any],
        events: Any = (),
        *,
        name: str = "span",
        took_ms: int = 250,
        error: str | None = None,
    ) -> None:
        """Make a span of a length."""
        span = self._tracer.start_span(name, attributes=dict(attributes), start_time=START)
        for event, about in events:
            span.add_event(event, about, timestamp=START + 50 * MILLISECOND)
        if error is not None:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(START + took_ms * MILLISECOND)


def _dotted(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): value for name, value in attributes.items()}
