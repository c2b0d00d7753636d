"""From where spans are to go to what takes them: an exporter, a processor, a tracer provider, an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ...exceptions import ConfigurationError
from ...registry import AGENT_FRAMEWORKS, Integration

try:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
except ImportError as error:
    raise AGENT_FRAMEWORKS["opentelemetry"].missing() from error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

OTLP: Final = Integration(
    "OTLP",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry-exporter-otlp-proto-http",
    None,
)
_TRACES: Final = "/v1/traces"


class Outlet:
    """Takes spans that have ended; what it was made of is asked only for what it can do.

    ``is_ours`` tells whether it is to be shut down with the sink: a tracer provider goes on.
    """

    def __init__(self, processor: Any, provider: Any = None, counted: Counted | None = None) -> None:
        self.processor = processor
        self.provider = provider
        self.counted = counted
        self.is_ours = provider is None
        self.resource: Any = provider.resource if provider is not None else Resource.create()

    def force_flush(self, timeout_ms: int) -> None:
        """Deliver what waits."""
        (self.provider or self.processor).force_flush(timeout_ms)


class Counted(SpanExporter):
    """An exporter, and how many spans it has delivered and lost."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.delivered = self.dead = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export, and count what became of it."""
        try:
            result = self._exporter.export(spans)
        except Exception:
            self.dead += len(spans)
            raise
        if result is SpanExportResult.SUCCESS:
            self.delivered += len(spans)
        else:
            self.dead += len(spans)
        return result

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter."""
        return self._exporter.force_flush(timeout_millis)


def outlet_of(target: Any, endpoint: str | None, headers: Any) -> Outlet:
    """Return what takes the spans.

    Raises:
        ConfigurationError: Nothing that takes spans was given, or more than one thing.
        ProviderError: An address was given, and the package of the exporter is missing.
    """
    if (target is None) == (endpoint is None):
        raise ConfigurationError(
            "AmplitudeSpanSink() takes either a span exporter, a span processor or a tracer provider, or "
            'endpoint="http://..." of a collector.'
        )
    if endpoint is not None:
        return _batching(_otlp(endpoint, headers))
    if isinstance(target, SpanExporter):
        return _batching(target)
    if isinstance(target, SpanProcessor):
        return Outlet(target)
    processor = getattr(target, "_active_span_processor", None)
    if callable(getattr(processor, "on_end", None)) and hasattr(target, "resource"):
        return Outlet(processor, target)
    raise ConfigurationError(
        f"AmplitudeSpanSink() takes a span exporter, a span processor or a tracer provider of "
        f"opentelemetry.sdk, not {type(target).__name__}."
    )


def _batching(exporter: SpanExporter) -> Outlet:
    counted = Counted(exporter)
    return Outlet(BatchSpanProcessor(counted), counted=counted)


def _otlp(endpoint: str, headers: Any) -> SpanExporter:
    if not isinstance(endpoint, str) or urlsplit(endpoint).scheme not in ("http", "https"):
        raise ConfigurationError(
            f"endpoint is {endpoint!r}; give a collector's address for OTLP over HTTP, for example "
            '"http://localhost:4318".'
        )
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise OTLP.missing() from error
    is_whole = urlsplit(endpoint).path.strip("/")
    return OTLPSpanExporter(endpoint if is_whole else endpoint.rstrip("/") + _TRACES, headers=headers)
