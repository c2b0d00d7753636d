"""The narrow, typed form of one event: what roll-ups need, and one column of the store each."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from msgspec import Struct, field

from ..schema import events as schema


class Kind(IntEnum):
    """The numbers are written to disk and never change."""

    PRODUCT = 0
    USER_MESSAGE = 1
    AI_RESPONSE = 2
    TOOL_CALL = 3
    EMBEDDING = 4
    SPAN = 5
    SESSION_END = 6
    SESSION_ENRICHMENT = 7
    SCORE = 8
    OTHER_AGENT = 9


KINDS = {
    str(kind_of.__struct_config__.tag): kind
    for kind_of, kind in (
        (schema.UserMessage, Kind.USER_MESSAGE),
        (schema.AIResponse, Kind.AI_RESPONSE),
        (schema.ToolCall, Kind.TOOL_CALL),
        (schema.Embedding, Kind.EMBEDDING),
        (schema.Span, Kind.SPAN),
        (schema.SessionEnd, Kind.SESSION_END),
        (schema.SessionEnrichment, Kind.SESSION_ENRICHMENT),
        (schema.Score, Kind.SCORE),
    )
}

MODEL_CALLS = frozenset({Kind.AI_RESPONSE, Kind.EMBEDDING})  # what costs tokens and money
STEPS = MODEL_CALLS | {Kind.TOOL_CALL, Kind.SPAN}
ACTIVITY = STEPS | {Kind.USER_MESSAGE}
CONVERSATION = ACTIVITY | {Kind.SESSION_END}  # without what is said about it, often much later


class Event(Struct):
    """One event as roll-ups see it; ``properties`` are there only where texts are wanted."""

    kind: int
    event_type: str
    ts_ms: int
    server_ms: int
    user_id: str | None = None
    device_id: str | None = None
    agent_id: str | None = None
    parent_agent_id: str | None = None
    trace_id: str | None = None
    turn_id: int | None = None
    message_id: str | None = None
    parent_message_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    name: str | None = None
    span_kind: str | None = None
    provider: str | None = None
    source: str | None = None
    latency_ms: float | None = None
    ttfb_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    is_error: bool = False
    is_stopped: bool = False
    error_type: str | None = None
    score_name: str | None = None
    score_value: float | None = None
    target_id: str | None = None
    target_type: str | None = None
    provider_request_id: str | None = None
    idle_minutes: int | None = None
    abandonment_turn: int | None = None
    content_mode: str | None = None
    headline: str | None = None
    is_estimated: bool = False
    id: int = 0
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def started_ms(self) -> float:
        """Events are stamped when the work ended."""
        return self.ts_ms - (self.latency_ms or 0)

    @property
    def key(self) -> str:
        """The id by which other events refer to this one."""
        own = self.message_id if self.kind in _NAMED_BY_MESSAGE else self.span_id
        return own or self.message_id or f"event-{self.id}"


_NAMED_BY_MESSAGE = (Kind.USER_MESSAGE, Kind.AI_RESPONSE)
COLUMNS = tuple(name for name in Event.__struct_fields__ if name not in ("id", "properties"))
