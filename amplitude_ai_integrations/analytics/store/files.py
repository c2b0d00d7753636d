"""Opening the file: ours alone to read, recognised, brought up to date."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...exceptions import ConfigurationError
from .rollup import roll_up_all
from .schema import MIGRATIONS, VERSION

_APPLICATION_ID = 0x41474E54  # "AGNT"
_BUSY_SECONDS = 5.0
_OWNER_ONLY = 0o600


def prepare(path: Path) -> None:
    """Create the file or bring it up to date; refuse one that is not ours or cannot be written."""
    if path.is_dir():
        raise ConfigurationError(f"'{path}' is a folder, not a file. {_ADVICE}")
    with _explained(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY))
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        _migrate(connection, path)
    except sqlite3.DatabaseError as error:
        raise ConfigurationError(f"{path} cannot be used as a database ({error}). {_ADVICE}") from None
    finally:
        connection.close()
    with _explained(path):
        _make_private(path)


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
    files = (path, _beside(path, "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}). {_ADVICE}") from None


def _make_private(path: Path) -> None:
    """Close a file to others; SQLite gives those it adds beside it the same mode."""
    for file in (path, _beside(path, "-wal"), _beside(path, "-shm")):
        with suppress(FileNotFoundError):
            file.chmod(_OWNER_ONLY)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    with transaction(connection):
        version = _version(connection, path)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        for step in MIGRATIONS[version:]:
            for statement in step:
                connection.execute(statement)
        if 0 < version < VERSION:
            roll_up_all(connection)
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
