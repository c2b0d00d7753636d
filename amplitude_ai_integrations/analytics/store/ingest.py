"""One transaction: events in, and the roll-up of every session they touch."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..events import COLUMNS
from .arrival import Arrival
from .files import transaction
from .rollup import roll_up
from .rows import EVENT_COLUMNS, event_values

Keep = Callable[[Sequence[Arrival]], None]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a commit changed."""

    session_ids: tuple[str, ...]
    new_session_ids: tuple[str, ...]
    events: int


def ingest(connection: sqlite3.Connection, arrivals: Iterable[Arrival], keep: Keep | None = None) -> Changes:
    """Store what is new and say which sessions changed; a failure stores nothing.

    ``keep`` gets what is new while it can still be sent again, as it must where it is kept and not stored.
    """
    with transaction(connection):
        work = _Ingest(connection)
        for arrival in arrivals:
            if not work.has_seen(arrival):
                work.add(arrival)
        work.roll_up()
        if keep is not None:
            keep(work.added)
    return Changes(tuple(work.touched), tuple(work.new), len(work.added))


class _Ingest:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.touched: dict[str, int] = {}
        self.new: list[str] = []
        self.added: list[Arrival] = []

    def has_seen(self, arrival: Arrival) -> bool:
        if arrival.dedup_hash is None:
            return False
        found = self.connection.execute(_FIND_EVENT, (arrival.dedup_hash,)).fetchone()
        return found is not None

    def add(self, arrival: Arrival) -> None:
        session_pk = self.session_pk(arrival.session_id) if arrival.session_id else None
        values = (session_pk, arrival.dedup_hash, *event_values(arrival.event))
        row = self.connection.execute(_ADD_EVENT, values).lastrowid
        self.connection.execute("INSERT INTO event_payload (id, raw) VALUES (?, ?)", (row, arrival.raw))
        self.added.append(arrival)

    def session_pk(self, session_id: str) -> int:
        if session_id not in self.touched:
            found = self.connection.execute(_FIND_SESSION, (session_id,)).fetchone()
            self.touched[session_id] = found[0] if found else self._open(session_id)
        return self.touched[session_id]

    def roll_up(self) -> None:
        for session_pk in self.touched.values():
            roll_up(self.connection, session_pk)
        self.connection.execute(
            "UPDATE counts SET events = events + ?, sessions = sessions + ?", (len(self.added), len(self.new))
        )

    def _open(self, session_id: str) -> int:
        self.new.append(session_id)
        opened = self.connection.execute("INSERT INTO sessions (session_id) VALUES (?)", (session_id,))
        return opened.lastrowid or 0


_FIND_EVENT = "SELECT 1 FROM events WHERE dedup_hash = ?"
_FIND_SESSION = "SELECT session_pk FROM sessions WHERE session_id = ?"
_ADD_EVENT = (
    f"INSERT INTO events (session_pk, dedup_hash, {EVENT_COLUMNS}) "  # noqa: S608 - our own column names
    f"VALUES ({', '.join('?' * (len(COLUMNS) + 2))})"
)
