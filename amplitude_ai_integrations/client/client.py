"""The client: where events go, and the methods that take every id by hand."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..config import ENVIRONMENT_PREFIX, AIConfig
from ..context.threads import follow_threads
from ..delivery.flush import FLUSH_SECONDS, SHUTDOWN_SECONDS, FlushResult
from ..delivery.pipeline import Pipeline
from ..delivery.sinks import ConsoleSink, MemorySink, Sink
from ..exceptions import ConfigurationError, logger, shield, shielded
from ..registry import installed, observed
from ..schema.enrichments import SessionEnrichments
from ..schema.events import (
    AIResponse,
    Embedding,
    Score,
    SessionEnd,
    SessionEnrichment,
    Span,
    ToolCall,
    UserMessage,
)
from .agent import BoundAgent
from .compound import CompoundTracking
from .default import note_client
from .options import scope_of
from .recording import Recorder, Scope
from .serverless import await_for, is_in_loop, wait_for
from .span_first import SpanFirst
from .tenant import TenantHandle

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from . import keywords
    from .options import AgentOptions

_ANYWHERE = Scope()
_MOST_REVIEWED = 10_000  # events; a review is for reading


class AmplitudeAI(SpanFirst, CompoundTracking):
    """Turns what your agents do into ``[Agent]`` events and delivers them.

    Args:
        amplitude: An ``Amplitude`` client of yours; events go through it, with its plugins.
        api_key: A project's API key, when there is no client to share; ``AMPLITUDE_AI_API_KEY`` by default.
            With ``AMPLITUDE_AI_SERVER_URL`` (or ``AIConfig(server_url=)``) alone, the key is ``local``.
        config: See ``AIConfig``.
        sink: Takes the finished events instead of Amplitude, for example a ``MemorySink``.
        also: One sink or several that take them beside Amplitude (or beside ``sink``), for example an
            ``AmplitudeSpanSink``.

    Raises:
        ConfigurationError: There is nowhere to send events to, or an argument is not of its kind.
    """

    def __init__(
        self,
        amplitude: Any = None,
        api_key: str | None = None,
        config: AIConfig | None = None,
        *,
        sink: Sink | None = None,
        also: Sink | Sequence[Sink] | None = None,
    ) -> None:
        _check(amplitude, api_key, config)
        self.config = config or AIConfig()
        self._amplitude = getattr(amplitude, "tracked_client", amplitude)
        self._reviewed = MemorySink(_MOST_REVIEWED)
        sinks = self._sinks(sink, api_key) if self.config.enabled else []
        self.recorder = Recorder(self.config, Pipeline(self.config, sinks))
        for more in _sinks_of(also):
            self._add_sink(more)
        note_client(self)
        if self.config.follow_threads:
            follow_threads()

    def _sinks(self, sink: Sink | None, api_key: str | None) -> list[Sink]:
        if self.config.review_mode:
            sinks: list[Sink] = [self._reviewed]
        elif self.config.dry_run:
            return [ConsoleSink()]
        else:
            sinks = [sink or self._official(api_key)]
        return [ConsoleSink(), *sinks] if self.config.debug else sinks

    def _add_sink(self, sink: Sink) -> None:
        """Let a sink take the events as well, if any leave."""
        config = self.config
        if config.enabled and not config.review_mode and not config.dry_run:
            self.recorder.pipeline.also.append(sink)

    def _official(self, api_key: str | None) -> Sink:
        if self._amplitude is None:
            from ..delivery.own import OutboxSink, key_for

            key = api_key or os.environ.get(ENVIRONMENT_PREFIX + "API_KEY")
            return OutboxSink(key_for(key, self.config), self.config)
        from ..delivery.official import OfficialSink

        if self.config.server_url:
            logger.warning(
                "server_url holds for a client of our own; yours sends to its configuration.server_url."
            )
        if self.config.durable:
            from ..delivery.durable import DurableSink

            return DurableSink(self._amplitude, self.config)
        return OfficialSink(self._amplitude, self.config.on_event_callback)

    @property
    def amplitude(self) -> Any:
        """The ``Amplitude`` client for your own events and plugins; a model wrapper built on it keeps this
        configuration.
        """
        from .attach import TrackedClient

        sinks = self.recorder.pipeline.sinks
        client = self._amplitude or (getattr(sinks[-1], "client", None) if sinks else None)
        return TrackedClient(client, self)

    def agent(self, agent_id: str | None = None, **options: Unpack[AgentOptions]) -> BoundAgent:
        """Return a handle that fills its options in on every event of one agent; see ``AgentOptions``.

        Raises:
            ConfigurationError: An option does not exist.
        """
        with shielded("agent"):
            return BoundAgent(self, scope_of(agent_id, options))
        return BoundAgent(self, _ANYWHERE)

    def tenant(
        self,
        customer_org_id: str | None,
        *,
        groups: Mapping[str, Any] | None = None,
        env: str | None = None,
    ) -> TenantHandle:
        """Return a maker of agents for one of your customers."""
        return TenantHandle(self, customer_org_id, groups=groups, env=env)

    def track_user_message(
        self,
        user_id: str | None = None,
        content: str = "",
        session_id: str | None = None,
        **fields: Unpack[keywords.UserMessageFields],
    ) -> str:
        """Track what a user said, and return the message's id."""
        return self._record(
            UserMessage, {"user_id": user_id, "content": content, "session_id": session_id, **fields}
        )

    def track_ai_message(
        self,
        user_id: str | None = None,
        content: str = "",
        session_id: str | None = None,
        model: str = "",
        provider: str = "",
        latency_ms: float = 0.0,
        **fields: Unpack[keywords.AIResponseFields],
    ) -> str:
        """Track a model's answer, and return the message's id; cost and tier follow from model and tokens."""
        given = {
            "user_id": user_id,
            "content": content,
            "session_id": session_id,
            "model": model,
            "provider": provider,
            "latency_ms": latency_ms,
            **fields,
        }
        return self._record(AIResponse, given)

    def track_tool_call(
        self,
        user_id: str | None = None,
        tool_name: str = "",
        latency_ms: float = 0.0,
        success: bool | None = None,
        **fields: Unpack[keywords.ToolCallFields],
    ) -> str:
        """Track a run of a tool, and return its invocation id; without ``success`` an error tells."""
        given = {
            "user_id": user_id,
            "tool_name": tool_name,
            "latency_ms": latency_ms,
            "success": success,
            **fields,
        }
        return self._record(ToolCall, given)

    def track_embedding(
        self,
        user_id: str | None = None,
        model: str = "",
        provider: str = "",
        latency_ms: float = 0.0,
        **fields: Unpack[keywords.EmbeddingFields],
    ) -> str:
        """Track an embedding call, and return its span id."""
        given = {
            "user_id": user_id,
            "model": model,
            "provider": provider,
            "latency_ms": latency_ms,
            **fields,
        }
        return self._record(Embedding, given)

    def track_span(
        self,
        user_id: str | None = None,
        span_name: str = "",
        trace_id: str | None = None,
        latency_ms: float = 0.0,
        **fields: Unpack[keywords.SpanFields],
    ) -> str:
        """Track any other step, and return its span id."""
        given = {
            "user_id": user_id,
            "span_name": span_name,
            "trace_id": trace_id,
            "latency_ms": latency_ms,
            **fields,
        }
        return self._record(Span, given)

    def track_session_end(
        self,
        user_id: str | None = None,
        session_id: str | None = None,
        **fields: Unpack[keywords.SessionEndFields],
    ) -> None:
        """Say that a session is over, so that its evaluation may begin at once."""
        self._record(SessionEnd, {"user_id": user_id, "session_id": session_id, **fields})

    def track_session_enrichment(
        self,
        user_id: str | None = None,
        session_id: str | None = None,
        enrichments: SessionEnrichments | None = None,
        **fields: Unpack[keywords.SessionEnrichmentFields],
    ) -> None:
        """Send your own classification of a session; each call adds one."""
        self._record(
            SessionEnrichment,
            {"user_id": user_id, "session_id": session_id, "enrichments": enrichments, **fields},
        )

    def score(
        self,
        user_id: str | None = None,
        name: str = "",
        value: float = 0.0,
        target_id: str = "",
        **fields: Unpack[keywords.ScoreFields],
    ) -> None:
        """Judge an answer (``target_id`` is its message id) or a session (``target_type="session"``).

        Without a session, that of the message counts, if this process tracked it not too long ago.
        """
        self._record(
            Score, {"user_id": user_id, "name": name, "value": value, "target_id": target_id, **fields}
        )

    def status(self) -> dict[str, Any]:
        """Return the configuration, what is observed, what became of the events, and errors kept from you."""
        counts = self.recorder.pipeline.counts()
        return {
            "content_mode": self.config.content_mode.value,
            "debug": self.config.debug,
            "dry_run": self.config.dry_run,
            "enabled": self.config.enabled,
            "redact_pii": self.config.redact_pii,
            "providers_available": installed(),
            "patched_providers": observed(),
            "events": counts._asdict(),
            "delivery": self.recorder.pipeline.status(),
            "dropped": dict(self.recorder.pipeline.dropped),
            "swallowed": dict(shield.swallowed),
        }

    def get_review_traffic(self) -> list[dict[str, Any]]:
        """Return what would have left so far, under ``AIConfig(review_mode=True)``: events as they would be
        sent, after redaction; the newest ten thousand.
        """
        return copy.deepcopy(self._reviewed.events)

    def clear_review_traffic(self) -> None:
        """Forget what would have left so far."""
        self._reviewed.events.clear()

    def flush(self, timeout: float | None = None) -> FlushResult:
        """Begin to deliver everything tracked so far; ``.result()`` waits for it, ten seconds at most.

        With ``timeout``, wait for as many seconds at most and return, whatever became of the events:
        ``delivered``, ``pending`` and ``dead`` say it. Inside a running event loop nothing is waited for; see
        ``aflush``.
        """
        with shielded("flush"):
            flushing = self.recorder.pipeline.flush()
            if timeout is not None:
                wait_for(flushing, timeout)
            return flushing
        return FlushResult([], self.recorder.pipeline.counts)

    async def aflush(self, timeout: float = FLUSH_SECONDS) -> FlushResult:
        """Deliver everything tracked so far, and return once it is, or after ``timeout`` seconds."""
        with shielded("flush"):
            flushing = self.recorder.pipeline.flush()
            await await_for(flushing, timeout)
            return flushing
        return FlushResult([], self.recorder.pipeline.counts)

    def shutdown(self, timeout: float | None = None) -> None:
        """Deliver what can be delivered within ``timeout`` seconds, five by default, and stop; a client that
        you passed in stays open. What is left then is kept, and sent by the next process with the same
        destination. Inside a running event loop nothing is waited for: delivery begins, and goes on.
        """
        with shielded("shutdown"):
            if is_in_loop():
                self.recorder.pipeline.flush()
            else:
                self.recorder.pipeline.close(SHUTDOWN_SECONDS if timeout is None else timeout)

    def _record(self, kind: type[Any], given: dict[str, Any], *, is_total: bool = False) -> str:
        return self.recorder.record(kind, given, _ANYWHERE, is_total=is_total)


def _sinks_of(also: Any) -> Sequence[Sink]:
    """Return what was given beside the sink that counts.

    Raises:
        ConfigurationError: It is no sink.
    """
    sinks = also if isinstance(also, (list, tuple)) else [] if also is None else [also]
    for sink in sinks:
        if not callable(getattr(sink, "send", None)):
            raise ConfigurationError(
                f"also= is {type(sink).__name__}; pass what has send(), flush(), close() and counts()."
            )
    return sinks


def _check(amplitude: object, api_key: object, config: object) -> None:
    """Refuse what stands in the wrong place.

    Raises:
        ConfigurationError: An argument is not of its kind.
    """
    if amplitude is not None and not callable(getattr(amplitude, "track", None)):
        raise ConfigurationError(
            f"amplitude= is {type(amplitude).__name__}; pass an Amplitude client, or say config= or api_key=."
        )
    if (
        amplitude is not None
        and getattr(config, "durable", False)
        and not hasattr(amplitude, "configuration")
    ):
        raise ConfigurationError(
            f"durable=True keeps the events of an Amplitude client, not of {type(amplitude).__name__}."
        )
    if api_key is not None and not isinstance(api_key, str):
        raise ConfigurationError(f"api_key= is {type(api_key).__name__}; pass a text.")
    if config is not None and not isinstance(config, AIConfig):
        raise ConfigurationError(f"config= is {type(config).__name__}; pass an AIConfig.")
