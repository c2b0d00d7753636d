from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from amplitude_ai_integrations.analytics.events import COLUMNS
from amplitude_ai_integrations.analytics.store import files
from amplitude_ai_integrations.analytics.store.files import prepare
from amplitude_ai_integrations.analytics.store.reader import Reader
from amplitude_ai_integrations.analytics.store.schema import MIGRATIONS, VERSION
from amplitude_ai_integrations.analytics.summary import Summary
from amplitude_ai_integrations.exceptions import ConfigurationError

from .reading import opened, stored
from .samples import conversation, event


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def test_the_tables_have_a_column_for_every_field(database: Path) -> None:
    connection = opened(database)
    assert columns(connection, "events") == ["id", "session_pk", "dedup_hash", *COLUMNS]
    assert columns(connection, "sessions") == ["session_pk", "session_id", *Summary.__struct_fields__]
    connection.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_only_the_owner_may_read_the_files(database: Path) -> None:
    connection = opened(database)
    stored(connection, *conversation())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()}
    connection.close()
    assert modes == dict.fromkeys(["analytics.db", "analytics.db-wal", "analytics.db-shm"], 0o600)


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_files_that_others_could_read_are_closed_to_them(database: Path) -> None:
    open_elsewhere = opened(database)
    stored(open_elsewhere, *conversation())
    for path in database.parent.iterdir():
        path.chmod(0o644)
    prepare(database)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()}
    open_elsewhere.close()
    assert modes == dict.fromkeys(["analytics.db", "analytics.db-wal", "analytics.db-shm"], 0o600)


def test_every_commit_is_on_disk(database: Path) -> None:
    connection = opened(database)
    pragmas = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    connection.close()
    assert pragmas == ["wal", 2]


def test_opening_twice_changes_nothing(database: Path) -> None:
    connection = opened(database)
    stored(connection, *conversation())
    connection.close()
    prepare(database)
    reader = Reader(database)
    assert reader.totals().events == 8
    reader.close()


def test_a_file_that_is_no_database_is_refused(database: Path) -> None:
    database.write_bytes(b"shopping list\n" * 100)
    with pytest.raises(ConfigurationError, match=r"cannot be used as a database .*--db"):
        prepare(database)
    assert database.read_bytes() == b"shopping list\n" * 100


def test_another_programs_database_is_refused_and_left_alone(database: Path) -> None:
    other = sqlite3.connect(database)
    other.execute("CREATE TABLE recipes (name)")
    other.close()
    before = database.read_bytes()
    with pytest.raises(ConfigurationError, match=r"another program's database.*--db"):
        prepare(database)
    assert database.read_bytes() == before


def test_a_file_of_a_newer_version_is_refused(database: Path) -> None:
    connection = opened(database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigurationError, match="newer version"):
        prepare(database)


def test_an_older_file_is_brought_forward_and_keeps_what_it_holds(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = opened(database)
    stored(connection, *conversation())
    connection.close()
    monkeypatch.setattr(files, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE notes (words TEXT)",)))
    monkeypatch.setattr(files, "VERSION", VERSION + 1)
    connection = opened(database)
    found = [
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("notes", "events")
    ]
    assert [*found, connection.execute("PRAGMA user_version").fetchone()[0]] == [0, 8, VERSION + 1]
    connection.close()


def test_a_step_forward_that_fails_leaves_the_file_as_it_was(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(database)
    broken = (*MIGRATIONS, ("CREATE TABLE notes (words TEXT)", "CREATE TABLE nonsense"))
    monkeypatch.setattr(files, "MIGRATIONS", broken)
    monkeypatch.setattr(files, "VERSION", VERSION + 1)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        prepare(database)
    monkeypatch.undo()
    connection = opened(database)
    assert columns(connection, "notes") == []
    connection.close()


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        prepare(tmp_path / "file" / "analytics.db")


@pytest.mark.parametrize("path", ["", "somewhere"])
def test_a_folder_is_no_place_for_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "somewhere").mkdir()
    with pytest.raises(ConfigurationError, match=r"'(\.|somewhere)' is a folder, not a file\. .*--db"):
        prepare(Path(path))


def test_a_file_of_the_first_version_learns_what_was_estimated(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = opened(database)
    stored(connection, *conversation(), event("score", 10**8, score_value=1))
    stored(connection, *conversation("exact")[:6])
    reader = Reader(database)
    now = [reader.row("sess-1"), reader.row("exact")]
    reader.close()
    connection.execute("UPDATE sessions SET last_ms = 0, title = NULL")
    for table in ("events", "sessions"):
        connection.execute(f"ALTER TABLE {table} DROP COLUMN is_estimated")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    prepare(database)
    reader = Reader(database)
    assert [reader.row("sess-1"), reader.row("exact")] == now
    assert [row.is_estimated for row in now if row] == [True, False]
    reader.close()
