"""Connections for reading, apart from the writer's, each read with a deadline."""

from __future__ import annotations

import queue
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .files import connect, transaction
from .presence import Presence

_READ_SECONDS = 2.0
_STEPS_BETWEEN_LOOKS = 20_000
_MOST_IDLE = 8


class ReadTooSlowError(Exception):
    """A read took longer than a page may wait, and was stopped."""


class Pool:
    """Lends a connection to whoever reads; threads may come and go."""

    def __init__(self, path: Path, seconds: float = _READ_SECONDS) -> None:
        self.path = path
        self._presence = Presence(path)
        self._seconds = seconds
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue(_MOST_IDLE)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one moment of the file."""
        self._presence.check()
        connection = self._take()
        deadline = time.monotonic() + self._seconds
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
        try:
            with transaction(connection, "BEGIN"):
                yield connection
        except sqlite3.OperationalError as error:
            if time.monotonic() > deadline:
                raise ReadTooSlowError(
                    f"Read took longer than {self._seconds:g} s and was stopped."
                ) from error
            raise
        finally:
            connection.set_progress_handler(None, 0)
            self._give_back(connection)

    def close(self) -> None:
        """Close what is not lent."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return connect(self.path, read_only=True)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()
