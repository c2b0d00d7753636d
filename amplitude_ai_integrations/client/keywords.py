"""Typed keywords of the public methods. Made by `scripts/generate.py` from the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from ..schema.enrichments import MessageLabel, SessionEnrichments


class EnvelopeFields(TypedDict, total=False):
    """What every method takes besides the event's own properties."""

    device_id: str | None
    browser_session_id: str | int | None
    groups: Mapping[str, str | Sequence[str]] | None
    event_properties: Mapping[str, Any] | None
    user_properties: Mapping[str, Any] | None
    timestamp_ms: int | None


class CommonFields(EnvelopeFields, total=False):
    """What every event takes."""

    turn_id: int | None
    agent_id: str | None
    agent_name: str | None
    parent_agent_id: str | None
    customer_org_id: str | None
    agent_version: str | None
    description: str | None
    context: Mapping[str, Any] | None
    env: str | None
    tags: Sequence[str] | None
    locale: str | None
    span_kind: str | None


class UserMessageFields(CommonFields, total=False):
    """A message from the user, or from one agent to another."""

    trace_id: str | None
    attachments: Sequence[Mapping[str, Any]] | None
    labels: Sequence[MessageLabel] | None
    message_id: str | None
    is_regeneration: bool | None
    is_edit: bool | None
    edited_message_id: str | None
    message_source: str | None
    idle_timeout_minutes: int | None


class BoundUserMessageFields(UserMessageFields, total=False):
    """The same, where a session or an agent is bound."""

    session_id: str | None
    user_id: str | None


class AIResponseFields(CommonFields, total=False):
    """A model's answer: text, tokens, cost, latency, how it ended."""

    trace_id: str | None
    attachments: Sequence[Mapping[str, Any]] | None
    labels: Sequence[MessageLabel] | None
    message_id: str | None
    is_error: bool | None
    error_message: str | None
    error_type: str | None
    error_source: str | None
    stack_trace: str | None
    ttfb_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    reasoning_tokens: int | None
    cache_read_tokens: int | None
    cache_creation_tokens: int | None
    usage_estimated: bool | None
    total_cost_usd: float | None
    finish_reason: str | None
    tool_calls: Sequence[Mapping[str, Any]] | None
    reasoning_content: str | None
    system_prompt: str | None
    tool_definitions: Sequence[Mapping[str, Any]] | None
    temperature: float | None
    max_output_tokens: int | None
    top_p: float | None
    is_streaming: bool | None
    stream_abandoned: bool | None
    prompt_id: str | None
    was_copied: bool | None
    was_cached: bool | None
    model_tier: str | None
    provider_request_id: str | None
    usage: Any
    auto_calculate_cost: bool
    service_tier: str | None
    omit_repeated_content: bool


class BoundAIResponseFields(AIResponseFields, total=False):
    """The same, where a session or an agent is bound."""

    session_id: str | None
    user_id: str | None


class ToolCallFields(CommonFields, total=False):
    """A tool the agent ran: arguments, result, latency, success."""

    session_id: str | None
    trace_id: str | None
    is_error: bool | None
    error_message: str | None
    error_type: str | None
    error_source: str | None
    stack_trace: str | None
    invocation_id: str | None
    tool_type: str | None
    tool_owner: str | None
    input_schema: Mapping[str, Any] | None
    input: Any | None
    output: Any | None
    parent_message_id: str | None


class BoundToolCallFields(ToolCallFields, total=False):
    """The same, where a session or an agent is bound."""

    user_id: str | None


class EmbeddingFields(CommonFields, total=False):
    """An embedding call: model, tokens, dimensions, cost."""

    session_id: str | None
    trace_id: str | None
    is_error: bool | None
    error_message: str | None
    error_type: str | None
    error_source: str | None
    stack_trace: str | None
    span_id: str | None
    input_tokens: int | None
    dimensions: int | None
    total_cost_usd: float | None
    usage: Any
    auto_calculate_cost: bool
    service_tier: str | None


class BoundEmbeddingFields(EmbeddingFields, total=False):
    """The same, where a session or an agent is bound."""

    user_id: str | None


class SpanFields(CommonFields, total=False):
    """Any other step of an agent's work."""

    session_id: str | None
    is_error: bool | None
    error_message: str | None
    error_type: str | None
    error_source: str | None
    stack_trace: str | None
    span_id: str | None
    parent_span_id: str | None
    input_state: Any | None
    output_state: Any | None


class BoundSpanFields(SpanFields, total=False):
    """The same, where a session or an agent is bound."""

    trace_id: str | None
    user_id: str | None


class SessionEndFields(CommonFields, total=False):
    """The end of a session; its evaluation may begin."""

    trace_id: str | None
    is_error: bool | None
    error_type: str | None
    enrichments: SessionEnrichments | None
    abandonment_turn: int | None
    idle_timeout_minutes: int | None


class BoundSessionEndFields(SessionEndFields, total=False):
    """The same, where a session or an agent is bound."""

    session_id: str | None
    user_id: str | None


class SessionEnrichmentFields(CommonFields, total=False):
    """Your own classification of a session: topics, rubrics, outcome."""

    trace_id: str | None


class BoundSessionEnrichmentFields(SessionEnrichmentFields, total=False):
    """The same, where a session or an agent is bound."""

    session_id: str | None
    user_id: str | None


class ScoreFields(CommonFields, total=False):
    """A judgement of an answer or a session, by a user, a model or a reviewer."""

    session_id: str | None
    trace_id: str | None
    target_type: str | None
    source: str | None
    comment: str | None
    taxonomy_version: str | None
    evaluated_at: int | None
    provider_request_id: str | None


class BoundScoreFields(ScoreFields, total=False):
    """The same, where a session or an agent is bound."""

    user_id: str | None
