from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amplitude_ai_integrations.analytics.events import COLUMNS
from amplitude_ai_integrations.analytics.model import Neighbours, SessionRow
from amplitude_ai_integrations.analytics.store import files
from amplitude_ai_integrations.analytics.store.arrival import arrive
from amplitude_ai_integrations.analytics.store.files import prepare
from amplitude_ai_integrations.analytics.store.ingest import Changes
from amplitude_ai_integrations.analytics.store.pool import Pool, ReadTooSlowError
from amplitude_ai_integrations.analytics.store.reader import Reader
from amplitude_ai_integrations.analytics.store.schema import MIGRATIONS, VERSION
from amplitude_ai_integrations.analytics.store.writer import StoreBusyError, Writer
from amplitude_ai_integrations.analytics.summary import Summary
from amplitude_ai_integrations.exceptions import ConfigurationError

from .reading import opened, stored
from .samples import NOW, conversation, event


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


def test_a_commit_says_which_sessions_changed_and_which_are_new(database: Path) -> None:
    connection = opened(database)
    first = stored(connection, *conversation("a"), event("user", session_id="b", insert_id="b-1"))
    again = stored(connection, *conversation("a"), event("ai", session_id="b"), event("user", session_id="c"))
    connection.close()
    assert first == Changes(("a", "b"), ("a", "b"), 9)
    assert again == Changes(("b", "c"), ("c",), 2)


def test_a_repeated_event_touches_no_figure(database: Path) -> None:
    connection = opened(database)
    stored(connection, *conversation())
    reader = Reader(database)
    before = reader.detail("sess-1")
    assert stored(connection, *conversation()) == Changes((), (), 0)
    assert (reader.detail("sess-1"), reader.totals().events) == (before, 8)
    reader.close()
    connection.close()


def test_an_event_sent_again_under_another_session_makes_no_empty_session(database: Path) -> None:
    connection = opened(database)
    stored(connection, event("user", session_id="a", insert_id="same"))
    stored(connection, event("user", session_id="b", insert_id="same"))
    reader = Reader(database)
    assert (reader.row("b"), reader.totals().sessions) == (None, 1)
    reader.close()
    connection.close()


def test_product_events_and_events_without_a_session_are_kept_and_counted(database: Path) -> None:
    connection = opened(database)
    product = {"event_type": "Signed Up", "user_id": "user-1234", "event_properties": {"session_id": "x"}}
    assert stored(connection, product, event("user", session_id=None)) == Changes((), (), 2)
    reader = Reader(database)
    assert (reader.totals().events, reader.totals().sessions) == (2, 0)
    assert reader.totals().bytes > 0
    reader.close()
    connection.close()


def test_list_and_page_agree_however_the_events_came(database: Path) -> None:
    connection = opened(database)
    for sent in reversed(conversation()):
        stored(connection, sent)
    stored(connection, *conversation("other", 5_000))
    reader = Reader(database)
    (older_first, row) = (reader.sessions().rows[0], reader.row("sess-1"))
    detail = reader.detail("sess-1")
    assert detail is not None
    assert row is not None
    assert (detail.row, older_first.session_id) == (row, "other")
    assert (len(detail.turns), sum(turn.tokens or 0 for turn in detail.turns)) == (row.turns, row.tokens)
    reader.close()
    connection.close()


def test_the_page_of_a_session_says_the_rest(database: Path) -> None:
    connection = opened(database)
    more = {"agent_version": "v4", "agent_description": "Helps", "env": "production", "locale": "en-US",
            "customer_org_id": "acme", "context": '{"a": 1}', "runtime": "python", "sdk_version": "1.0",
            "session_replay_id": "d/1", "tool_definitions_count": 2,
            "tool_definitions_hash": "abc"}  # fmt: skip
    secret = "mail [email] or [email], call [phone], not [agent]"
    stored(
        connection,
        *conversation(),
        event("ai", 130_000, text=secret, turn_id=9, agent_id="second", **more),
        event("tool", 131_000, tool_name="count_rows", latency_ms=100, is_error=True),
        event(
            "score",
            140_000,
            score_name="csat",
            score_value=4,
            evaluation_source="reviewer",
            target_id="sess-1",
        ),
        event("end", 150_000, session_idle_timeout_minutes=10),
    )
    reader = Reader(database)
    detail = reader.detail("sess-1")
    reader.close()
    connection.close()
    assert detail is not None
    assert (detail.closed_by, detail.idle_minutes, detail.agents) == ("explicit", 10, ("support", "second"))
    assert {name: getattr(detail, _FIELDS.get(name, name)) for name in more} == more
    assert detail.redactions == {"[email]": 2, "[phone]": 1}
    assert [(use.model, use.calls, use.input_tokens, use.latency_p50_ms) for use in detail.models] == [
        ("gpt-4o", 4, 1000, 1250.0), ("model", 1, None, None),
    ]  # fmt: skip
    assert [(use.tool, use.calls, use.failed, use.latency_p50_ms) for use in detail.tools] == [
        ("count_rows", 2, 1, 300.0)
    ]
    assert [(score.name, score.value) for score in detail.scores] == [("csat", 4.0)]


_FIELDS = {"session_replay_id": "replay_id"}


def ids(rows: tuple[SessionRow, ...]) -> list[str]:
    return [row.session_id for row in rows]


@pytest.fixture
def seven(database: Path) -> Reader:
    connection = opened(database)
    for number in range(7):
        at = 10 * min(number, 5)  # the last two share their moment
        stored(connection, event("user", at, session_id=f"s{number}"))
    connection.close()
    return Reader(database)


def test_pages_go_to_older_sessions_and_back(seven: Reader) -> None:
    first = seven.sessions(limit=3)
    second = seven.sessions(limit=3, older=first.older)
    third = seven.sessions(limit=3, older=second.older)
    back = seven.sessions(limit=3, newer=third.newer)
    pages = [(ids(page.rows), page.first, page.total) for page in (first, second, third)]
    assert pages == [(["s6", "s5", "s4"], 1, 7), (["s3", "s2", "s1"], 4, 7), (["s0"], 7, 7)]
    assert (first.newer, third.older) == (None, None)
    assert back == second
    seven.close()


def test_a_page_that_would_be_short_at_the_top_is_the_first_page(seven: Reader) -> None:
    first = seven.sessions(limit=2)
    second = seven.sessions(limit=2, older=first.older)
    assert seven.sessions(limit=3, newer=second.newer) == seven.sessions(limit=3)
    seven.close()


@pytest.mark.parametrize("cursor", ["", "x", "1_", "../..", "f" * 40 + "_1", "1_1_1", "٣_٣"])
def test_a_strange_cursor_is_the_first_page(seven: Reader, cursor: str) -> None:
    assert seven.sessions(older=cursor) == seven.sessions() == seven.sessions(newer=cursor)
    seven.close()


def test_an_empty_store_has_an_empty_first_page(database: Path) -> None:
    prepare(database)
    reader = Reader(database)
    page = reader.sessions()
    assert (page.rows, page.total, page.first, page.newer, page.older) == ((), 0, 0, None, None)
    assert (reader.row("x"), reader.detail("x"), reader.raw_events("x")) == (None, None, ([], 0))
    reader.close()


def test_a_session_knows_its_neighbours(seven: Reader) -> None:
    found = [seven.neighbours(name) for name in ("s6", "s3", "s0", "none")]
    assert found == [
        Neighbours(None, "s5", 1, 7),
        Neighbours("s4", "s2", 4, 7),
        Neighbours("s1", None, 7, 7),
        Neighbours(None, None, 0, 7),
    ]
    seven.close()


def test_raw_events_come_by_time_and_in_stretches(database: Path) -> None:
    connection = opened(database)
    sent = conversation()
    stored(connection, *reversed(sent))
    reader = Reader(database)
    assert reader.raw_events("sess-1") == (sent, 8)
    assert reader.raw_events("sess-1", offset=6, limit=5) == (sent[6:], 8)
    reader.close()
    connection.close()


def test_no_page_scans_events(database: Path) -> None:
    connection = opened(database)
    stored(connection, *conversation())
    seen: list[str] = []
    reader = Reader(database)
    with reader._pool.read() as lent:
        lent.set_trace_callback(seen.append)
    reader.sessions(), reader.row("sess-1"), reader.detail("sess-1"), reader.totals()
    reader.neighbours("sess-1"), reader.raw_events("sess-1")
    plans = [
        row[3]
        for query in seen
        if query.startswith("SELECT")
        for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")
    ]
    reader.close()
    connection.close()
    assert len(plans) > 8
    assert [plan for plan in plans if "SCAN events" in plan or "SCAN event_payload" in plan] == []
    assert [plan for plan in plans if "SCAN sessions" in plan and "USING" not in plan] == []


def test_a_read_past_its_deadline_is_stopped_and_the_connection_lives(database: Path) -> None:
    prepare(database)
    pool = Pool(database, seconds=0.05)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    stopped = pytest.raises(ReadTooSlowError, match=r"Read took longer than 0.05 s and was stopped\.")
    with stopped, pool.read() as connection:
        connection.execute(endless).fetchone()
    with pool.read() as connection:
        assert connection.execute("SELECT events FROM counts").fetchone() == (0,)
    pool.close()


def test_readers_cannot_write(database: Path) -> None:
    prepare(database)
    pool = Pool(database)
    with pytest.raises(sqlite3.OperationalError, match="readonly"), pool.read() as connection:
        connection.execute("DELETE FROM events")
    pool.close()


def test_another_process_may_read_while_the_writer_is_open(database: Path) -> None:
    connection = opened(database)
    stored(connection, *conversation())
    script = (
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT * FROM counts').fetchone())"
    )
    other = subprocess.run(
        [sys.executable, "-c", script, database], capture_output=True, text=True, check=True
    )
    stored(connection, event("user", session_id="after"))
    connection.close()
    assert other.stdout == "(8, 1)\n"


def test_what_waits_together_is_written_together(database: Path) -> None:
    prepare(database)
    blocker = sqlite3.connect(database, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    commits: list[Changes] = []
    writer = Writer(database, commits.append)
    waiting = [writer.submit([arrive(event("user", session_id=f"s{n}"), NOW)]) for n in range(50)]
    time.sleep(0.05)
    blocker.execute("COMMIT")
    blocker.close()
    for future in waiting:
        future.result(5)
    writer.close()
    assert (sum(each.events for each in commits), len(commits) <= 2) == (50, True)


def test_a_request_that_cannot_be_written_takes_no_other_along(database: Path) -> None:
    prepare(database)
    blocker = sqlite3.connect(database, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    writer = Writer(database, lambda changes: None)
    bad = arrive(event("user", session_id="bad"), NOW)
    bad.event.ts_ms = 2**70
    good = [arrive(event("user", session_id="good"), NOW)]
    waiting = [writer.submit(good), writer.submit([*good, bad]), writer.submit(good)]
    blocker.execute("COMMIT")
    blocker.close()
    outcomes = [type(future.exception(5)) for future in waiting]
    writer.close()
    reader = Reader(database)
    assert outcomes == [type(None), OverflowError, type(None)]
    assert (reader.totals().events, reader.row("bad")) == (2, None)
    reader.close()


def test_closing_writes_what_was_submitted_and_takes_no_more(database: Path) -> None:
    prepare(database)
    writer = Writer(database, lambda changes: None)
    waiting = [writer.submit([arrive(sent, NOW)]) for sent in conversation()]
    writer.close()
    assert [future.result(0) for future in waiting] == [None] * 8
    with pytest.raises(StoreBusyError):
        writer.submit([])


def test_a_long_session_fed_in_small_batches_stays_cheap(database: Path) -> None:
    connection = opened(database)
    long = [event("tool", n, tool_name="t", latency_ms=1, trace_id="t", turn_id=n) for n in range(600)]
    started = time.perf_counter()
    for start in range(0, len(long), 10):
        stored(connection, *long[start : start + 10])
    seconds = time.perf_counter() - started
    connection.close()
    assert seconds < 5
