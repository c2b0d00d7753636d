"""The methods that agents and sessions share: everything is bound but what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import shielded
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
from .compound import CompoundTracking
from .recording import Recorder, Scope

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from . import keywords


class BoundTracking(CompoundTracking):
    """Tracks events with the agent and the ids of ``_scope()`` filled in; explicit arguments win."""

    _recorder: Recorder

    def _scope(self) -> Scope:
        raise NotImplementedError

    def _record(self, kind: type[Any], given: dict[str, Any], *, is_total: bool = False) -> str:
        with shielded(kind.__name__):
            return self._recorder.record(kind, given, self._scope(), is_total=is_total)
        return ""

    def track_user_message(self, content: str = "", **fields: Unpack[keywords.BoundUserMessageFields]) -> str:
        """Track what the user said, and return the message's id."""
        return self._record(UserMessage, {"content": content, **fields})

    def track_ai_message(
        self,
        content: str = "",
        model: str = "",
        provider: str = "",
        latency_ms: float = 0.0,
        **fields: Unpack[keywords.BoundAIResponseFields],
    ) -> str:
        """Track a model's answer, and return the message's id; cost and tier follow from model and tokens."""
        given = {
            "content": content,
            "model": model,
            "provider": provider,
            "latency_ms": latency_ms,
            **fields,
        }
        return self._record(AIResponse, given)

    def track_tool_call(
        self,
        tool_name: str = "",
        latency_ms: float = 0.0,
        success: bool | None = None,
        **fields: Unpack[keywords.BoundToolCallFields],
    ) -> str:
        """Track a run of a tool, and return its invocation id; without ``success`` an error tells."""
        return self._record(
            ToolCall, {"tool_name": tool_name, "latency_ms": latency_ms, "success": success, **fields}
        )

    def track_embedding(
        self,
        model: str = "",
        provider: str = "",
        latency_ms: float = 0.0,
        **fields: Unpack[keywords.BoundEmbeddingFields],
    ) -> str:
        """Track an embedding call, and return its span id."""
        return self._record(
            Embedding, {"model": model, "provider": provider, "latency_ms": latency_ms, **fields}
        )

    def track_span(
        self, span_name: str = "", latency_ms: float = 0.0, **fields: Unpack[keywords.BoundSpanFields]
    ) -> str:
        """Track any other step, and return its span id."""
        return self._record(Span, {"span_name": span_name, "latency_ms": latency_ms, **fields})

    def track_session_end(self, **fields: Unpack[keywords.BoundSessionEndFields]) -> None:
        """Say that the session is over, so that its evaluation may begin at once."""
        self._record(SessionEnd, dict(fields))

    def track_session_enrichment(
        self,
        enrichments: SessionEnrichments,
        **fields: Unpack[keywords.BoundSessionEnrichmentFields],
    ) -> None:
        """Send your own classification of the session; each call adds one."""
        self._record(SessionEnrichment, {"enrichments": enrichments, **fields})

    def score(
        self,
        name: str = "",
        value: float = 0.0,
        target_id: str = "",
        **fields: Unpack[keywords.BoundScoreFields],
    ) -> None:
        """Judge an answer (``target_id`` is its message id) or a session (``target_type="session"``)."""
        self._record(Score, {"name": name, "value": value, "target_id": target_id, **fields})
