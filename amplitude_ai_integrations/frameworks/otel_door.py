"""``AmplitudeAI.enable_otel``: the program's spans in, our events out, and what is said of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, cast

from ..exceptions import ConfigurationError, shielded
from ..schema.values import plain
from .opentelemetry import AmplitudeSpanProcessor
from .otel_dialects import part_of
from .otel_out.attributes import said_of
from .otel_sink import AmplitudeSpanSink

from opentelemetry import trace  # isort: skip - the door before says what is missing
from opentelemetry.context import Context  # isort: skip
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor  # isort: skip

if TYPE_CHECKING:
    from ..client.client import AmplitudeAI

_marks: ContextVar[Mapping[str, Any]] = ContextVar("amplitude_ai_marks")
_NONE: Final[Mapping[str, Any]] = {}


def enable(
    ai: AmplitudeAI,
    *,
    user_id: str | None,
    device_id: str | None,
    endpoint: str | None,
    takes_all: bool,
    provider: Any,
) -> Marks:
    """Let a tracer provider's spans become events; see ``AmplitudeAI.enable_otel``.

    Raises:
        ConfigurationError: There is no tracer provider, or an argument is wrong.
        ProviderError: The exporter's package is missing.
    """
    provider = provider if provider is not None else trace.get_tracer_provider()
    if not callable(getattr(provider, "add_span_processor", None)):
        raise ConfigurationError(
            "enable_otel() found no tracer provider: set one with opentelemetry.trace.set_tracer_provider("
            "TracerProvider()), or pass tracer_provider=."
        )
    inbound = (_Everything if takes_all else AmplitudeSpanProcessor)(ai, user_id=user_id, device_id=device_id)
    sink = AmplitudeSpanSink(endpoint=endpoint) if endpoint is not None else None
    provider.add_span_processor(_Marking())
    provider.add_span_processor(inbound)
    if sink is not None:
        ai._add_sink(sink)
    return Marks()


class Marks:
    """Says more of spans, while they are made."""

    def mark(self, said: Mapping[str, Any]) -> None:
        """Say more of the span that is current."""
        span = trace.get_current_span()
        if span.is_recording():
            span.set_attributes(said_of(plain(said)))

    @contextmanager
    def marking(self, said: Mapping[str, Any]) -> Iterator[None]:
        """Say more of the spans that begin in a block, and of the one around it."""
        self.mark(said)
        token = _marks.set({**_marks.get(_NONE), **said_of(plain(said))})
        try:
            yield
        finally:
            _marks.reset(token)


class _Everything(AmplitudeSpanProcessor):
    """Takes each span that is no part of an agent's work by its own word for a step."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A span begins, in the context of who begins it."""
        super().on_start(cast("Span", _Step(span)), parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """A span ended, in whichever context."""
        super().on_end(cast("ReadableSpan", _Step(span)))


class _Step:
    """A span that says it is a step, as long as it says nothing else."""

    def __init__(self, span: ReadableSpan) -> None:
        self._span = span

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What it says of itself."""
        own = self._span.attributes or {}
        return own if part_of(own) is not None else {**own, "openinference.span.kind": "CHAIN"}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._span, name)


class _Marking(SpanProcessor):
    """Adds what the block around says to each span that begins in it."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        marks = _marks.get(_NONE)
        if marks:
            with shielded("otel"):
                span.set_attributes(marks)
