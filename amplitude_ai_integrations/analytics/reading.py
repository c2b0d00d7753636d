"""From an event as it came to its narrow form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .events import KINDS, Event, Kind
from .properties import Properties

_CLOCK_SKEW_MS = 24 * 3_600_000
_LONGEST_HEADLINE = 200
_NINETY_DAYS = 90 * 24 * 60


def read_event(raw: Mapping[str, Any], server_ms: int) -> Event:
    """Return the narrow form of an event that the collector has accepted."""
    event_type = str(raw.get("event_type"))
    values = raw.get("event_properties") or {}
    event = Event(
        kind=KINDS.get(event_type, Kind.OTHER_AGENT if _is_agent(event_type) else Kind.PRODUCT),
        event_type=event_type,
        ts_ms=_trusted_time(raw.get("time"), server_ms),
        server_ms=server_ms,
        user_id=raw.get("user_id"),
        device_id=raw.get("device_id"),
    )
    if event.kind != Kind.PRODUCT:
        _read_properties(event, Properties(values))
    return event


def session_of(raw: Mapping[str, Any]) -> str | None:
    """Return the agent session an event belongs to; ordinary product events belong to none."""
    if not _is_agent(str(raw.get("event_type"))):
        return None
    return Properties(raw.get("event_properties") or {}).name("session_id")


def _read_properties(event: Event, given: Properties) -> None:
    event.agent_id = given.name("agent_id")
    event.parent_agent_id = given.name("parent_agent_id")
    event.trace_id = given.name("trace_id")
    event.turn_id = given.integer("turn_id")
    event.message_id = given.name("message_id")
    event.parent_message_id = given.name("parent_message_id")
    event.span_id = given.name("span_id") or given.name("invocation_id")
    event.parent_span_id = given.name("parent_span_id")
    event.name = _name(given)
    event.span_kind = given.name("span_kind")
    event.provider = given.name("provider")
    event.source = _source(event.kind, given)
    event.latency_ms = _latency(event.kind, given)
    event.ttfb_ms = given.duration("ttfb_ms")
    event.input_tokens = given.count("input_tokens")
    event.output_tokens = given.count("output_tokens")
    event.tokens = _tokens(event, given)
    event.cost_usd = given.cost("cost_usd")
    event.is_error = given.flag("is_error") or given.is_denied("tool_success")
    event.is_stopped = given.flag("stream_abandoned")
    event.error_type = given.name("error_type")
    event.score_name = given.name("score_name")
    event.score_value = given.number("score_value")
    event.target_id = given.name("target_id")
    event.target_type = given.name("target_type")
    event.provider_request_id = given.name("provider_request_id")
    event.idle_minutes = _idle_minutes(given)
    event.abandonment_turn = given.integer("abandonment_turn")
    event.content_mode = given.name("content_mode")
    event.headline = _headline(event, given)
    event.is_estimated = given.flag("usage_estimated")


def _is_agent(event_type: str) -> bool:
    return event_type.startswith("[Agent] ")


def _trusted_time(given: object, server_ms: int) -> int:
    """A clock more than a day ahead would hold its session at the top of the list."""
    if not isinstance(given, int) or given > server_ms + _CLOCK_SKEW_MS:
        return server_ms
    return given


def _name(given: Properties) -> str | None:
    own = given.name("tool_name") or given.name("span_name")
    return own or given.name("model_name") or given.name("model")


def _source(kind: int, given: Properties) -> str | None:
    if kind == Kind.USER_MESSAGE:
        return given.name("message_source") or "user"
    return given.name("evaluation_source")


def _latency(kind: int, given: Properties) -> float | None:
    latency = given.duration("latency_ms")
    # A tool call read from message history carries 0: nobody measured it.
    return None if kind == Kind.TOOL_CALL and latency == 0 else latency


def _tokens(event: Event, given: Properties) -> int | None:
    total = given.count("total_tokens")
    if total is not None:
        return total
    known = [count for count in (event.input_tokens, event.output_tokens) if count is not None]
    return sum(known) if known else None


def _idle_minutes(given: Properties) -> int | None:
    minutes = given.integer("session_idle_timeout_minutes")
    if minutes == -1:
        return _NINETY_DAYS
    return min(minutes, _NINETY_DAYS) if minutes is not None and minutes > 0 else None


def _headline(event: Event, given: Properties) -> str | None:
    if event.kind != Kind.USER_MESSAGE or event.source != "user":
        return None
    lines = (given.message() or "").strip().splitlines()
    if not lines:
        return None
    line = lines[0].strip()
    return line if len(line) <= _LONGEST_HEADLINE else line[: _LONGEST_HEADLINE - 1] + "…"
