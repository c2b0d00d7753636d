from __future__ import annotations

from pathlib import Path

import pytest

from amplitude_ai_integrations.analytics.model import Neighbours, SessionRow
from amplitude_ai_integrations.analytics.store.files import prepare
from amplitude_ai_integrations.analytics.store.reader import Reader

from .reading import opened, stored
from .samples import conversation, event


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


def test_row_turns_and_models_count_embeddings_alike(database: Path) -> None:
    connection = opened(database)
    stored(
        connection,
        *conversation(),
        event("embedding", 120_500, trace_id="t3", model_name="small", input_tokens=12, cost_usd=0.25),
    )
    reader = Reader(database)
    detail = reader.detail("sess-1")
    reader.close()
    connection.close()
    assert detail is not None
    assert [(use.model, use.calls, use.is_embedding, use.is_estimated) for use in detail.models] == [
        ("gpt-4o", 4, False, True), ("small", 1, True, False),
    ]  # fmt: skip
    assert detail.row.model_calls == sum(use.calls for use in detail.models if not use.is_embedding) == 4
    by_model = sum((use.input_tokens or 0) + (use.output_tokens or 0) for use in detail.models)
    assert detail.row.tokens == sum(turn.tokens or 0 for turn in detail.turns) == by_model == 1074
    spent = [use.cost_usd or 0 for use in detail.models], [turn.cost_usd or 0 for turn in detail.turns]
    assert [detail.row.cost_usd, *map(sum, spent)] == [pytest.approx(0.26)] * 3


def test_a_late_mark_moves_no_session_up_the_list(database: Path) -> None:
    connection = opened(database)
    stored(connection, *conversation("old"), *conversation("new", 5_000))
    stored(connection, event("score", 86_400_000, session_id="old", score_value=1, target_id="m2"))
    reader = Reader(database)
    assert ids(reader.sessions().rows) == ["new", "old"]
    reader.close()
    connection.close()


@pytest.mark.parametrize(
    "session_id", ["..", ".", "a/b", "x/events", "\u202eid", "  spaces  ", "tab\tnl\n", "%2e%2e", "q?a=1#f"]
)
def test_a_session_is_found_by_whatever_id_it_has(database: Path, session_id: str) -> None:
    connection = opened(database)
    stored(connection, *conversation(session_id))
    reader = Reader(database)
    row, detail = reader.row(session_id), reader.detail(session_id)
    assert row is not None
    assert detail is not None
    assert (row.session_id, detail.row, reader.raw_events(session_id)[1]) == (session_id, row, 8)
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
