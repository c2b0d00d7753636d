"""Finished ``[Agent]`` events out to OpenTelemetry, as spans of its GenAI conventions."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Final

from ..delivery.flush import FLUSH_SECONDS, SHUTDOWN_SECONDS, Counts, FlushResult
from ..delivery.sinks import PlacingSink, WireEvent
from ..exceptions import ConfigurationError, shielded
from ..version import __version__
from .otel_out.export import outlet_of
from .otel_out.told import SCOPE, Told
from .otel_out.tree import Trees

from opentelemetry.sdk.trace import Event, ReadableSpan  # isort: skip - says first what is missing
from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # isort: skip
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags  # isort: skip

_EXIT_SECONDS: Final = 1.5


class AmplitudeSpanSink(PlacingSink):
    """Sends finished events as spans to any OpenTelemetry back end.

    ``AmplitudeAI(sink=AmplitudeSpanSink(...))`` sends them there alone, ``AmplitudeAI(api_key=...,
    also=AmplitudeSpanSink(...))`` there as well. They have passed the privacy gate: a span says nothing that
    its event does not, but which step it is a part of.

    A span is told as soon as its event is there. The exchange as a whole, and agents that work in a session
    without a run of their own, have no event; their spans (``amplitude.derived``) follow when the session
    ends, when the trace was silent for ``idle_seconds``, or with ``flush`` and ``close``.

    Args:
        target: A span exporter, which gets a ``BatchSpanProcessor`` of its own; a span processor; or a
            tracer provider, whose processors are used and which is never shut down. The global provider is
            neither asked for nor changed.
        endpoint: A collector's address for OTLP over HTTP, instead of a target:
            ``"http://localhost:4318"``. Needs the package ``opentelemetry-exporter-otlp-proto-http``.
        headers: What goes along with each request to the endpoint.
        idle_seconds: After how long a silence a trace counts as over.

    Raises:
        ConfigurationError: Nothing that takes spans was given, or more than one thing.
        ProviderError: A package is missing.
    """

    def __init__(
        self,
        target: Any = None,
        *,
        endpoint: str | None = None,
        headers: Mapping[str, str] | None = None,
        idle_seconds: float = 60.0,
    ) -> None:
        if isinstance(idle_seconds, bool) or not isinstance(idle_seconds, (int, float)) or idle_seconds <= 0:
            raise ConfigurationError(f"idle_seconds is {idle_seconds!r}; give seconds above 0.")
        self._outlet = outlet_of(target, endpoint, headers)
        self._idle_seconds = float(idle_seconds)
        self._trees = Trees()
        self._scope = InstrumentationScope(SCOPE, __version__)
        self._lock = threading.Lock()
        self._taken = self._lost = 0
        self._is_closed = False
        self._sweeper: threading.Thread | None = None
        atexit.register(_at_exit, weakref.ref(self))

    def send(self, event: WireEvent) -> None:
        """Take one event."""
        self.send_within(event, None)

    def send_within(self, event: WireEvent, span_id: str | None) -> None:
        """Take one event, which is a part of the step with this Span ID."""
        if self._is_closed:
            return
        self._tell(self._trees.take(event, span_id))
        if len(self._trees) and (self._sweeper is None or not self._sweeper.is_alive()):
            self._begin_to_sweep()

    def flush(self) -> FlushResult:
        """Begin to deliver everything taken so far."""
        self._tell(self._trees.finish())
        if self._is_closed or not self.counts().pending:
            return FlushResult([], self.counts)
        return FlushResult([_in_thread(self._flush_now)], self.counts)

    def close(self, timeout: float = SHUTDOWN_SECONDS) -> None:
        """Deliver what can be delivered within ``timeout`` seconds, and stop."""
        if self._is_closed:
            return
        self._tell(self._trees.finish())
        self._is_closed = True
        work = self._shut_down if self._outlet.is_ours else self._flush_now
        closing = _in_thread(work)
        with shielded("close"):
            _await(closing, timeout)

    def counts(self) -> Counts:
        """Say how many spans arrived, wait, and are lost; what is handed to a processor or a provider of
        somebody else's counts as arrived.
        """
        counted = self._outlet.counted
        if counted is None:
            return Counts(self._taken, 0, 0)
        dead = counted.dead + self._lost
        return Counts(counted.delivered, max(0, self._taken - counted.delivered - dead), dead)

    def _tell(self, told: Iterable[Told]) -> None:
        for span in told:
            with self._lock:
                self._taken += 1
            self._outlet.processor.on_end(self._span(span))

    def _span(self, told: Told) -> ReadableSpan:
        error = told.error
        status = Status(StatusCode.UNSET) if error is None else Status(StatusCode.ERROR, error or None)
        link = told.link
        return ReadableSpan(
            told.name,
            context=_context(told.trace, told.span),
            parent=_context(told.trace, told.parent) if told.parent is not None else None,
            resource=self._outlet.resource,
            attributes=told.attributes,
            events=[Event(name, attributes, told.ended) for name, attributes in told.events],
            links=[Link(_context(told.trace, link))] if link is not None else (),
            kind=SpanKind.CLIENT if told.is_client else SpanKind.INTERNAL,
            status=status,
            start_time=told.started,
            end_time=told.ended,
            instrumentation_scope=self._scope,
        )

    def _flush_now(self) -> None:
        taken = self._taken
        self._outlet.force_flush(int(FLUSH_SECONDS * 1000))
        self._settle(taken)

    def _shut_down(self) -> None:
        self._outlet.processor.shutdown()
        self._settle(self._taken)

    def _settle(self, taken: int) -> None:
        """Count what a full queue has let go of: after a flush nothing that was taken before it waits."""
        counted = self._outlet.counted
        if counted is not None:
            self._lost = max(self._lost, taken - counted.delivered - counted.dead)

    def _begin_to_sweep(self) -> None:
        arguments = (weakref.ref(self), self._idle_seconds)
        sweeper = threading.Thread(target=_sweep, args=arguments, name="amplitude-ai-traces", daemon=True)
        self._sweeper = sweeper
        try:
            sweeper.start()
        except RuntimeError:  # the interpreter is ending, and the end finishes the rest
            self._sweeper = None

    def _sweep(self) -> bool:
        """Tell of traces that are over by now, and whether any is still open."""
        with shielded("otel"):
            self._tell(self._trees.finish(self._idle_seconds))
        return bool(len(self._trees)) and not self._is_closed


def _sweep(reference: weakref.ref[AmplitudeSpanSink], idle_seconds: float) -> None:
    while True:
        time.sleep(idle_seconds / 2)
        sink = reference()
        if sink is None or not sink._sweep():
            return
        del sink


def _at_exit(reference: weakref.ref[AmplitudeSpanSink]) -> None:
    sink = reference()
    if sink is not None:
        sink.close(_EXIT_SECONDS)


def _context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _in_thread(work: Callable[[], None]) -> Future[None]:
    """Do what may wait for a network in a thread; the future is done when it is, however it ended."""
    done: Future[None] = Future()

    def run() -> None:
        try:
            with shielded("otel"):
                work()
        finally:
            done.set_result(None)

    try:
        threading.Thread(target=run, name="amplitude-ai-spans", daemon=True).start()
    except RuntimeError:  # the interpreter is ending
        done.set_result(None)
    return done


def _await(done: Future[None], timeout: float) -> None:
    try:
        done.result(timeout)
    except TimeoutError:
        return
    except Exception as error:
        if type(error).__name__ != "TimeoutError":  # before Python 3.11 it is another class
            raise
