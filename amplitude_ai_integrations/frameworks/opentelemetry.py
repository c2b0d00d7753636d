"""OpenTelemetry: spans of model calls, tools and agents become events, whoever makes them.

A program adds one of the two to the tracer provider it has; none is installed here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..calls import surroundings
from ..context.current import SessionContext
from ..context.forks import Guarded
from ..exceptions import ConfigurationError, shielded
from ..registry import AGENT_FRAMEWORKS
from .options import FrameworkOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

try:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
except ImportError as error:
    raise AGENT_FRAMEWORKS["opentelemetry"].missing() from error

from .otel_out.told import SCOPE
from .otel_places import Place
from .otel_sink import AmplitudeSpanSink
from .otel_telling import Telling

__all__ = ["AmplitudeAgentExporter", "AmplitudeGenAIExporter", "AmplitudeSpanProcessor", "AmplitudeSpanSink"]

_MOST: Final = 10_000  # spans under way at once; of more, the one that began first is no longer known


class AmplitudeAgentExporter(SpanExporter):
    """Makes ``[Agent]`` events of finished spans, as any exporter of OpenTelemetry's SDK is used.

    With ``SimpleSpanProcessor`` a span is exported where it ends, so that the session there is its own. With
    ``BatchSpanProcessor`` it is exported elsewhere, and its session is the one it names itself
    (``gen_ai.conversation.id``, ``session.id``). ``AmplitudeSpanProcessor`` knows more: prefer it.

    Args:
        amplitude: An ``AmplitudeAI`` or an ``Amplitude`` client; by default the only ``AmplitudeAI``.
        user_id: Whose spans they are, outside any session.
        allowed_scopes: The instrumentation scopes to listen to; by default all.
        blocked_scopes: Those not to listen to.
        options: ``FrameworkOptions``; ``privacy_config`` is a second gate behind what the spans capture.

    Raises:
        ConfigurationError: An option does not exist or has a wrong value, or it is not clear where to report.
    """

    def __init__(
        self,
        amplitude: Any = None,
        user_id: str | None = None,
        *,
        allowed_scopes: Collection[str] | None = None,
        blocked_scopes: Collection[str] | None = None,
        **options: Unpack[FrameworkOptions],
    ) -> None:
        self._scopes = _Scopes(allowed_scopes, blocked_scopes)
        self._telling = Telling(f"{type(self).__name__}()", amplitude, {**options, "user_id": user_id})
        self._is_over = False
        surroundings.watch(self)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Tell of spans that ended."""
        for span in spans:
            with shielded("opentelemetry"):
                if not self._is_over and self._telling.is_enabled:
                    self._telling.ended(
                        Place(span, None, None, is_ours=self._scopes.has(span), is_followed=False)
                    )
        return SpanExportResult.SUCCESS

    def call_begins(self) -> SessionContext | None:
        """A call that is observed begins; the span it begins in is told by who observes it."""
        with shielded("opentelemetry"):
            around = trace.get_current_span().get_span_context()
            if around.is_valid:
                self._telling.call_begins(around.trace_id, around.span_id)
        return None

    def shutdown(self) -> None:
        """Tell of no more spans."""
        self._is_over = True
        surroundings.unwatch(self)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what was told so far."""
        return _flush(self._telling, timeout_millis)


AmplitudeGenAIExporter = AmplitudeAgentExporter


class AmplitudeSpanProcessor(SpanProcessor, Guarded):
    """Makes ``[Agent]`` events of spans: ``provider.add_span_processor(AmplitudeSpanProcessor(...))``.

    It sees a span begin, so that it knows its session wherever the span ends, which agents and steps it is
    part of, and which of the calls beneath are observed already.

    It takes what ``AmplitudeAgentExporter`` takes.

    Raises:
        ConfigurationError: An option does not exist or has a wrong value, or it is not clear where to report.
    """

    def __init__(
        self,
        amplitude: Any = None,
        user_id: str | None = None,
        *,
        allowed_scopes: Collection[str] | None = None,
        blocked_scopes: Collection[str] | None = None,
        **options: Unpack[FrameworkOptions],
    ) -> None:
        self._scopes = _Scopes(allowed_scopes, blocked_scopes)
        self._telling = Telling(f"{type(self).__name__}()", amplitude, {**options, "user_id": user_id})
        Guarded.__init__(self)
        self._open: OrderedDict[tuple[int, int], Place] = OrderedDict()
        self._is_over = False
        surroundings.watch(self)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A span begins, in the context of who begins it."""
        with shielded("opentelemetry"):
            if self._is_over or not self._telling.is_enabled:
                return
            around = span.parent
            parent = self._open.get((around.trace_id, around.span_id)) if around is not None else None
            call = surroundings.observed_here()
            place = Place(span, parent, call, is_ours=self._scopes.has(span), is_followed=True)
            with self._lock:
                self._open[place.trace_id, place.id] = place
                if len(self._open) > _MOST:
                    self._open.popitem(last=False)

    def on_end(self, span: ReadableSpan) -> None:
        """A span ended, in whichever context."""
        with shielded("opentelemetry"):
            own = span.context
            if own is None:
                return
            with self._lock:
                place = self._open.pop((own.trace_id, own.span_id), None)
            if place is not None and not self._is_over:
                place.ended(span)
                self._telling.ended(place)

    def call_begins(self) -> SessionContext | None:
        """A call that is observed begins; return the agent and the step it belongs to."""
        with shielded("opentelemetry"):
            around = trace.get_current_span().get_span_context()
            if not around.is_valid:
                return None
            self._telling.call_begins(around.trace_id, around.span_id)
            place = self._open.get((around.trace_id, around.span_id))
            return self._telling.place_of_call(place) if place is not None else None
        return None

    def shutdown(self) -> None:
        """Tell of no more spans."""
        self._is_over = True
        surroundings.unwatch(self)
        self._open.clear()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what was told so far."""
        return _flush(self._telling, timeout_millis)


class _Scopes:
    """Which instrumentation scopes are listened to."""

    def __init__(self, allowed: Collection[str] | None, blocked: Collection[str] | None) -> None:
        self._allowed = _names(allowed, "allowed_scopes")
        self._blocked = _names(blocked, "blocked_scopes") or frozenset()

    def has(self, span: ReadableSpan) -> bool:
        scope = span.instrumentation_scope
        name = scope.name if scope is not None else ""
        if self._allowed is None:
            return name not in self._blocked and name != SCOPE  # what came from events is told already
        return name not in self._blocked and name in self._allowed


def _names(given: Any, option: str) -> frozenset[str] | None:
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Collection):
        raise ConfigurationError(f'{option}= is {given!r}; pass a set of scope names, as in {{"openai"}}.')
    return frozenset(given)


def _flush(telling: Telling, timeout_millis: int) -> bool:
    with shielded("opentelemetry"):
        telling.reporting.client.flush(timeout=timeout_millis / 1000)
    return True
