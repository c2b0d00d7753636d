"""Which arguments of the public methods are positional, in the specification's order."""

from __future__ import annotations

from typing import Final

from ..schema.base import AgentEvent
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

Names = tuple[str, ...]

POSITIONAL: Final[dict[type[AgentEvent], tuple[Names, Names]]] = {
    # event: (on the client, on agents and sessions)
    UserMessage: (("user_id", "content", "session_id"), ("content",)),
    AIResponse: (
        ("user_id", "content", "session_id", "model", "provider", "latency_ms"),
        ("content", "model", "provider", "latency_ms"),
    ),
    ToolCall: (("user_id", "tool_name", "latency_ms", "success"), ("tool_name", "latency_ms", "success")),
    Embedding: (("user_id", "model", "provider", "latency_ms"), ("model", "provider", "latency_ms")),
    Span: (("user_id", "span_name", "trace_id", "latency_ms"), ("span_name", "latency_ms")),
    SessionEnd: (("user_id", "session_id"), ()),
    SessionEnrichment: (("user_id", "session_id", "enrichments"), ("enrichments",)),
    Score: (("user_id", "name", "value", "target_id"), ("name", "value", "target_id")),
}
