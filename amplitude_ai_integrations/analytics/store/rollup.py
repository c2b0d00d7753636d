"""The roll-up of a session, made anew from its events."""

from __future__ import annotations

import sqlite3

from ..summary import Summary, summarise
from .rows import SUMMARY_COLUMNS, narrow_events, summary_values


def roll_up(connection: sqlite3.Connection, session_pk: int) -> None:
    """Write what the events of a session say of it now."""
    summary = summarise(narrow_events(connection, session_pk))
    connection.execute(_UPDATE_SESSION, (*summary_values(summary), session_pk))


def roll_up_all(connection: sqlite3.Connection) -> None:
    """Bring every session to what this version says of it."""
    for (session_pk,) in connection.execute("SELECT session_pk FROM sessions").fetchall():
        roll_up(connection, session_pk)


_UPDATE_SESSION = (
    f"UPDATE sessions SET ({SUMMARY_COLUMNS}) "  # noqa: S608 - our own column names
    f"= ({', '.join('?' * len(Summary.__struct_fields__))}) WHERE session_pk = ?"
)
