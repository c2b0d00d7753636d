from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amplitude_ai_integrations.analytics.store.arrival import arrive
from amplitude_ai_integrations.analytics.store.files import prepare
from amplitude_ai_integrations.analytics.store.ingest import Changes
from amplitude_ai_integrations.analytics.store.pool import Pool, ReadTooSlowError
from amplitude_ai_integrations.analytics.store.reader import Reader
from amplitude_ai_integrations.analytics.store.writer import StoreBusyError, Writer

from .reading import opened, stored
from .samples import NOW, conversation, event


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
