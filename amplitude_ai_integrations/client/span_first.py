"""Saying more of what happens here, of a block, a step or a trace; and spans of OpenTelemetry's as events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict, cast

from ..context.current import added, get_active_context
from ..context.identity import usable_id
from ..exceptions import ConfigurationError, logger, shielded
from ..schema.values import plain
from .options import AgentOptions, check
from .updates import update
from .using import Using, facts_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .client import AmplitudeAI

# A door, which this floor knows by name alone; it imports OpenTelemetry.
_DOOR: Final = "amplitude_ai_integrations.frameworks.otel_door"
_FILTERS: Final = ("genai", "all")


class UsingAttributes(AgentOptions, total=False):
    """What may be said of all events of a block: an agent's options, and these."""

    agent_id: str | None
    tags: Sequence[str] | None
    event_properties: Mapping[str, Any] | None


class TraceAttributes(TypedDict, total=False):
    """What may be said of a trace that is under way."""

    user_id: str | None
    device_id: str | None
    browser_session_id: str | int | None
    customer_org_id: str | None
    context: Mapping[str, Any] | None
    env: str | None
    locale: str | None
    tags: Sequence[str] | None
    groups: Mapping[str, Any] | None
    event_properties: Mapping[str, Any] | None


class SpanAttributes(TypedDict, total=False):
    """What may be said of a step that is under way."""

    input_state: Any
    output_state: Any
    context: Mapping[str, Any] | None
    tags: Sequence[str] | None
    event_properties: Mapping[str, Any] | None


class Spans(Protocol):
    """OpenTelemetry's spans, where they are watched."""

    def mark(self, said: Mapping[str, Any]) -> None:
        """Say more of the span that is current."""

    def marking(self, said: Mapping[str, Any]) -> AbstractContextManager[None]:
        """Say more of the spans of a block."""


class SpanFirst:
    """What the client offers programs that think in spans."""

    _spans: Spans | None = None

    @property
    def otel_enabled(self) -> bool:
        """Whether spans of OpenTelemetry's become events of this client."""
        return self._spans is not None

    def enable_otel(
        self,
        default_user_id: str | None = None,
        default_device_id: str | None = None,
        otel_endpoint: str | None = None,
        otel_span_filter: str = "genai",
        *,
        tracer_provider: Any = None,
    ) -> None:
        """Make events of the spans that the program's instrumentation makes, from now on.

        They are taken from the tracer provider that the program has set, or from ``tracer_provider``;
        neither is replaced. A second call changes nothing.

        Args:
            default_user_id: Whose spans they are, outside any session and where they do not say.
            default_device_id: The same for the device.
            otel_endpoint: A collector's address for OTLP over HTTP, to which the events of this client go
                as spans, beside Amplitude.
            otel_span_filter: ``"genai"`` for spans that say they are of a model, a tool or an agent;
                ``"all"`` to make a step of any other span too.
            tracer_provider: A ``TracerProvider`` of ``opentelemetry.sdk``.

        Raises:
            ConfigurationError: There is no tracer provider, or an argument is wrong.
            ProviderError: A package is missing; the message says how to install it.
        """
        if otel_span_filter not in _FILTERS:
            raise ConfigurationError(f'otel_span_filter is {otel_span_filter!r}; give "genai" or "all".')
        ai = cast("AmplitudeAI", self)
        if self.otel_enabled or not ai.config.enabled:
            return
        self._spans = import_module(_DOOR).enable(
            ai,
            user_id=default_user_id,
            device_id=default_device_id,
            endpoint=otel_endpoint,
            takes_all=otel_span_filter == "all",
            provider=tracer_provider,
        )

    def using_attributes(self, **attributes: Unpack[UsingAttributes]) -> AbstractContextManager[None]:
        """Say something of all events of a ``with`` block, whoever tracks them.

        ``event_properties``, ``context``, ``tags`` and ``groups`` are added to what holds around it; another
        ``agent_id`` works for the agent around. Outside any session, and with another ``session_id``, the
        block is that session, or a new one, which it does not end. See ``UsingAttributes``.

        Raises:
            ConfigurationError: An attribute does not exist.
        """
        check(attributes, UsingAttributes, "using_attributes()")
        marking = self._spans.marking(attributes) if self._spans is not None else None
        return Using(cast("AmplitudeAI", self), attributes, marking)

    def update_current_trace(self, **attributes: Unpack[TraceAttributes]) -> None:
        """Say something of the events that are still to come in the trace that is current here.

        What a block or an event says itself wins. See ``TraceAttributes``.

        Raises:
            ConfigurationError: An attribute does not exist.
        """
        check(attributes, TraceAttributes, "update_current_trace()")
        with shielded("update_current_trace"):
            active = get_active_context()
            if active is not None:
                trace = active.trace
                trace.facts = added(facts_of(attributes), trace.facts)
                ids = ("user_id", "device_id", "browser_session_id")
                active.conversation.learn(*(usable_id(attributes.get(name), name) for name in ids))
            self._mark(attributes, active is not None, "update_current_trace()")

    def update_current_span(self, **attributes: Unpack[SpanAttributes]) -> None:
        """Say something of the step around this place of the program, a function under ``@observe``.

        With OpenTelemetry on, its current span is told too. See ``SpanAttributes``.

        Raises:
            ConfigurationError: An attribute does not exist.
        """
        check(attributes, SpanAttributes, "update_current_span()")
        with shielded("update_current_span"):
            active = get_active_context()
            span_id = active.span_id if active is not None else None
            if span_id is not None:
                given = {name: plain(value) for name, value in attributes.items() if value is not None}
                update(span_id, given)
            self._mark(attributes, span_id is not None, "update_current_span()")

    def _mark(self, attributes: Mapping[str, Any], is_told: bool, method: str) -> None:
        if self._spans is not None:
            self._spans.mark(attributes)
        elif not is_told:
            _warn_nowhere(method)


@cache
def _warn_nowhere(method: str) -> None:
    logger.warning("%s was called where nothing is under way that it could say more of.", method)
