"""Rows to values and back, for the two tables that are read as one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict, astuple

from ..events import COLUMNS, Event
from ..model import TurnShape
from ..summary import Summary

EVENT_COLUMNS = ", ".join(COLUMNS)
SUMMARY_COLUMNS = ", ".join(Summary.__struct_fields__)


def event_values(event: Event) -> tuple[Any, ...]:
    return astuple(event)[: len(COLUMNS)]


def summary_values(summary: Summary) -> tuple[Any, ...]:
    bars = [(bar.reply_ms, bar.model_ms, bar.tool_ms, bar.is_error, bar.is_stopped) for bar in summary.shape]
    values = asdict(summary) | {"shape": json.dumps(bars, separators=(",", ":"))}
    return tuple(values.values())


def summary_of(row: Sequence[Any]) -> Summary:
    """Return a roll-up from its columns, as ``SUMMARY_COLUMNS`` names them."""
    values = dict(zip(Summary.__struct_fields__, row, strict=True))
    for name in _FLAGS:
        values[name] = bool(values[name])
    values["shape"] = tuple(TurnShape(*bar) for bar in json.loads(values["shape"]))
    return Summary(**values)


_FLAGS = ("has_ended", "is_price_known", "last_turn_failed", "is_estimated")


_EVENT_FLAGS = ("is_error", "is_stopped", "is_estimated")


def narrow_events(connection: sqlite3.Connection, session_pk: int) -> list[Event]:
    """Return a session's events without their properties."""
    rows = connection.execute(f"SELECT {EVENT_COLUMNS}, id FROM events WHERE session_pk = ?", (session_pk,))  # noqa: S608
    return [_event(row) for row in rows]


def whole_events(connection: sqlite3.Connection, session_pk: int) -> list[Event]:
    """Return a session's events with their properties."""
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS}, id, raw FROM events JOIN event_payload USING (id) WHERE session_pk = ?",  # noqa: S608
        (session_pk,),
    )
    return [_event((*row[:-1], json.loads(row[-1]).get("event_properties") or {})) for row in rows]


def _event(row: Sequence[Any]) -> Event:
    event = Event(*row)
    for name in _EVENT_FLAGS:
        setattr(event, name, bool(getattr(event, name)))
    return event
