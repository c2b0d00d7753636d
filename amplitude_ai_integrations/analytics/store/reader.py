"""What the pages ask the store; none of it scans events."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import detail as details
from ..model import Neighbours, SessionDetail, SessionPage, SessionRow, Totals
from .cursors import Place, read_cursor, write_cursor
from .files import size
from .pool import Pool
from .rows import SUMMARY_COLUMNS, summary_of, whole_events


class Reader:
    """Reads sessions, newest activity first; safe to call from any thread."""

    def __init__(self, path: Path) -> None:
        self._pool = Pool(path)

    def close(self) -> None:
        self._pool.close()

    def sessions(self, *, limit: int = 50, newer: str | None = None, older: str | None = None) -> SessionPage:
        """Return the page older or newer than a cursor; without one, or with a strange one, the first."""
        with self._pool.read() as connection:
            rows = _page(connection, limit, read_cursor(newer), read_cursor(older))
            (total,) = connection.execute("SELECT sessions FROM counts").fetchone()
            above = _count(connection, _NEWER, _place(rows[0])) if rows else 0
        is_last = above + len(rows) >= total
        return SessionPage(
            rows=tuple(_session_row(row) for row in rows),
            total=total,
            first=above + 1 if rows else 0,
            newer=write_cursor(_place(rows[0])) if above else None,
            older=None if is_last else write_cursor(_place(rows[-1])),
        )

    def row(self, session_id: str) -> SessionRow | None:
        with self._pool.read() as connection:
            found = _find(connection, session_id)
        return _session_row(found) if found else None

    def detail(self, session_id: str) -> SessionDetail | None:
        with self._pool.read() as connection:
            found = _find(connection, session_id)
            if found is None:
                return None
            events = whole_events(connection, found[0])
        return details.detail(session_id, events, _now_ms())

    def neighbours(self, session_id: str) -> Neighbours:
        """Return the sessions beside this one in the list, and its place there."""
        with self._pool.read() as connection:
            (total,) = connection.execute("SELECT sessions FROM counts").fetchone()
            found = _find(connection, session_id)
            if found is None:
                return Neighbours(newer=None, older=None, position=0, total=total)
            place = _place(found)
            return Neighbours(
                newer=_beside(connection, _NEWER, place),
                older=_beside(connection, _OLDER, place),
                position=_count(connection, _NEWER, place) + 1,
                total=total,
            )

    def totals(self) -> Totals:
        with self._pool.read() as connection:
            events, sessions = connection.execute("SELECT events, sessions FROM counts").fetchone()
        return Totals(events=events, sessions=sessions, bytes=size(self._pool.path))

    def raw_events(
        self, session_id: str, *, offset: int = 0, limit: int = 50
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a stretch of a session's events as they came, by time, and how many there are."""
        with self._pool.read() as connection:
            found = _find(connection, session_id)
            if found is None:
                return [], 0
            rows = connection.execute(_RAW, (found[0], max(limit, 0), max(offset, 0))).fetchall()
        return [json.loads(raw) for (raw,) in rows], summary_of(found[3:]).events


_SELECT = f"SELECT session_pk, last_ms, session_id, {SUMMARY_COLUMNS} FROM sessions"  # noqa: S608
_NEWER = ("(last_ms, session_pk) > (?, ?)", "last_ms ASC, session_pk ASC")
_OLDER = ("(last_ms, session_pk) < (?, ?)", "last_ms DESC, session_pk DESC")
_RAW = (
    "SELECT raw FROM events JOIN event_payload USING (id) "
    "WHERE session_pk = ? ORDER BY ts_ms, events.id LIMIT ? OFFSET ?"
)
Row = Sequence[Any]


def _page(connection: sqlite3.Connection, limit: int, newer: Place | None, older: Place | None) -> list[Row]:
    side, place = (_NEWER, newer) if newer else (_OLDER, older)
    limit = max(1, limit)
    if place is None:
        return connection.execute(f"{_SELECT} ORDER BY {_OLDER[1]} LIMIT ?", (limit,)).fetchall()
    found = connection.execute(f"{_SELECT} WHERE {side[0]} ORDER BY {side[1]} LIMIT ?", (*place, limit))
    rows = found.fetchall() if side is _OLDER else found.fetchall()[::-1]
    is_page = rows if side is _OLDER else len(rows) == limit
    return rows if is_page else _page(connection, limit, None, None)


def _find(connection: sqlite3.Connection, session_id: str) -> Row | None:
    found: Row | None = connection.execute(f"{_SELECT} WHERE session_id = ?", (session_id,)).fetchone()
    return found


def _count(connection: sqlite3.Connection, side: tuple[str, str], place: Place) -> int:
    query = f"SELECT count(*) FROM sessions WHERE {side[0]}"  # noqa: S608 - our own conditions
    (number,) = connection.execute(query, place).fetchone()
    return int(number)


def _beside(connection: sqlite3.Connection, side: tuple[str, str], place: Place) -> str | None:
    query = f"SELECT session_id FROM sessions WHERE {side[0]} ORDER BY {side[1]} LIMIT 1"  # noqa: S608
    found = connection.execute(query, place).fetchone()
    return found[0] if found else None


def _place(row: Row) -> Place:
    return row[1], row[0]


def _session_row(row: Row) -> SessionRow:
    return summary_of(row[3:]).row(row[2], _now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
