"""The tables, as the steps that lead to them; a step once released is never edited."""

from __future__ import annotations

from typing import Final

from ...schema.names import wire_name

_EVENTS = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    session_pk INTEGER,
    dedup_hash INTEGER UNIQUE,
    kind INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    ts_ms INTEGER NOT NULL,
    server_ms INTEGER NOT NULL,
    user_id TEXT,
    device_id TEXT,
    agent_id TEXT,
    parent_agent_id TEXT,
    trace_id TEXT,
    turn_id INTEGER,
    message_id TEXT,
    parent_message_id TEXT,
    span_id TEXT,
    parent_span_id TEXT,
    name TEXT,
    span_kind TEXT,
    provider TEXT,
    source TEXT,
    latency_ms REAL,
    ttfb_ms REAL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    tokens INTEGER,
    cost_usd REAL,
    is_error INTEGER NOT NULL,
    is_stopped INTEGER NOT NULL,
    error_type TEXT,
    score_name TEXT,
    score_value REAL,
    target_id TEXT,
    target_type TEXT,
    provider_request_id TEXT,
    idle_minutes INTEGER,
    abandonment_turn INTEGER,
    content_mode TEXT,
    headline TEXT
)
"""

_SESSIONS = """
CREATE TABLE sessions (
    session_pk INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE,
    title TEXT,
    agent TEXT,
    agents INTEGER,
    user_id TEXT,
    device_id TEXT,
    has_ended INTEGER,
    last_active_ms INTEGER,
    idle_minutes INTEGER,
    first_ms INTEGER,
    last_ms INTEGER,
    events INTEGER,
    turns INTEGER,
    tools INTEGER,
    model_calls INTEGER,
    tokens INTEGER,
    cost_usd REAL,
    is_price_known INTEGER,
    slowest_ms REAL,
    errors INTEGER,
    last_turn_failed INTEGER,
    abandoned_turn INTEGER,
    negative_feedback INTEGER,
    content_mode TEXT,
    shape TEXT
)
"""

_KNOW_ESTIMATES = f"""
UPDATE events SET is_estimated = 1 WHERE id IN (
    SELECT id FROM event_payload
    WHERE json_extract(CAST(raw AS TEXT), '$.event_properties."{wire_name("usage_estimated")}"') = 1
)
"""  # noqa: S608 - our own name

MIGRATIONS: Final = (
    (
        _EVENTS,
        "CREATE INDEX events_of_session ON events (session_pk, ts_ms) WHERE session_pk IS NOT NULL",
        "CREATE TABLE event_payload (id INTEGER PRIMARY KEY, raw BLOB NOT NULL)",
        _SESSIONS,
        "CREATE INDEX sessions_by_activity ON sessions (last_ms, session_pk)",
        "CREATE TABLE counts (events INTEGER NOT NULL, sessions INTEGER NOT NULL)",
        "INSERT INTO counts VALUES (0, 0)",
    ),
    (
        "ALTER TABLE events ADD COLUMN is_estimated INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE sessions ADD COLUMN is_estimated INTEGER",
        _KNOW_ESTIMATES,
    ),
)
VERSION: Final = len(MIGRATIONS)
