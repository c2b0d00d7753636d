"""Opening the file: ours alone to read, recognised, brought up to date."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...exceptions import ConfigurationError
from .schema import MIGRATIONS, VERSION

_APPLICATION_ID = 0x41474E54  # "AGNT"
_BUSY_SECONDS = 5.0


def prepare(path: Path) -> None:
    """Create the file or bring it up to date; refuse one that is not ours or cannot be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives the files it keeps beside this one the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}). {_ADVICE}") from None
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        _migrate(connection, path)
    except sqlite3.DatabaseError as error:
        raise ConfigurationError(f"{path} cannot be used as a database ({error}). {_ADVICE}") from None
    finally:
        connection.close()


_ADVICE = "Choose another file with --db."


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a prepared file; the connection may pass between threads, one at a time."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """All of it or nothing."""
    connection.execute(begin)
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def size(path: Path) -> int:
    """Return the bytes the store takes on disk, what is not yet folded in included."""
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    with transaction(connection):
        version = _version(connection, path)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        for step in MIGRATIONS[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("PRAGMA journal_mode = WAL")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != _APPLICATION_ID:
        raise ConfigurationError(f"{path} is another program's database. {_ADVICE}")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise ConfigurationError(
            f"{path} was written by a newer version of amplitude-ai-integrations: upgrade it. {_ADVICE}"
        )
    return int(version)
