"""Open pages hear of changes at once, in fragments that find their own place."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette

from .app import make_app, served
from .sample import NOW, Change, Live, Reader, calm, funnel, grown


@dataclass
class Stream:
    """An open event stream, read message by message."""

    lines: Iterator[str]
    app: Starlette
    reader: Reader

    def next(self) -> tuple[str, str]:
        """The name and data of the next message that has data."""
        name, data = "", []
        for line in self.lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data.append(line.removeprefix("data: "))
            elif not line and data:
                return name, "\n".join(data)
        raise EOFError

    def change(self, *details: object, new: tuple[str, ...] = ()) -> None:
        for detail in details:
            self.reader.put(detail)
        self.app.state.live.tell(tuple(d.row.session_id for d in details), new)


@contextmanager
def opened(reader: Reader, query: str, *, is_late: bool = False) -> Iterator[Stream]:
    app = make_app(reader)
    with (
        served(app) as address,
        httpx.Client(timeout=5) as client,
        client.stream("GET", f"{address}/live?{query}") as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        lines = answer.iter_lines()
        assert is_late or next(lines) == ": up to date"
        yield Stream(lines, app, reader)


def targets(fragments: str) -> list[str]:
    return re.findall(r'<hx-partial hx-target="#([\w-]+)" hx-swap="\w+">', fragments)


def test_a_list_hears_of_rows_and_of_new_sessions() -> None:
    with opened(Reader([calm("one")]), "events=10") as stream:
        stream.change(calm("one", turns=9, last_ms=NOW), calm("two"), new=("two",))
        name, fragments = stream.next()
        announced, names = stream.next()
    row_ids = re.findall(r'<tr id="(\w+)" role=row>', fragments)
    assert (name, targets(fragments)) == ("", [*row_ids, "sums", "whole", "count", "stored"])
    assert ">9<i> turns</i>" in fragments
    assert (announced, json.loads(names)) == ("sessions:new", [[row_ids[1], "/sessions/two"]])


def test_the_totals_of_an_open_list_follow() -> None:
    with opened(Reader([calm("one")]), "events=10") as stream:
        stream.change(calm("two"), new=("two",))
        _, fragments = stream.next()
    assert "<p id=sums class=sums><b>2</b> sessions · <b>11</b> events</p>" in fragments
    assert '<hx-partial hx-target="#whole" hx-swap="outerMorph"><span id=whole>2</span>' in fragments


@pytest.mark.parametrize("digits", ["9" * 5000, "9" * 19, "-1", "1e3", "\u0661\u00b2", ""])
def test_absurd_numbers_count_as_none(digits: str) -> None:
    app = make_app(Reader([calm("one")]))
    with (
        served(app) as address,
        httpx.Client(timeout=5) as client,
        client.stream(
            "GET",
            f"{address}/live",
            params={"events": digits},
            headers={"Last-Event-ID": digits.encode()},
        ) as answer,
    ):
        lines = answer.iter_lines()
        first = next(lines)
    assert (answer.status_code, first[:20]) == (200, "data: <hx-partial hx")


def test_a_page_that_is_up_to_date_is_left_alone_and_a_late_one_is_caught_up() -> None:
    with opened(Reader([calm("one")]), "events=9", is_late=True) as stream:
        assert targets(stream.next()[1])[1:] == ["sums", "whole", "count", "stored"]


def test_a_thread_gets_its_new_turn_at_the_end_and_nothing_else_moves() -> None:
    session = funnel()
    with opened(Reader([session]), f"events=10&tab=thread&session={quote(session.row.session_id)}") as stream:
        stream.change(calm("another"))
        stream.change(grown(session))
        _, fragments = stream.next()
        assert (stream.next()) == ("session:changed", "thread")
    assert targets(fragments) == [
        "head",
        "figures",
        "tabs",
        "turns",
        "outline-list",
        "closing",
        "count",
        "stored",
    ]
    assert '<hx-partial hx-target="#turns" hx-swap="beforeend"><section class=turn id="turn-7"' in fragments


def test_a_late_thread_is_sent_whole_once() -> None:
    session = funnel()
    with opened(
        Reader([session]), f"events=1&tab=thread&session={quote(session.row.session_id)}", is_late=True
    ) as stream:
        _, fragments = stream.next()
    assert fragments.count("<section class=turn") == 6
    assert '<hx-partial hx-target="#turns" hx-swap="innerMorph">' in fragments


@pytest.mark.parametrize(("tab", "part"), [("turns", "turn-1"), ("info", "info")])
def test_the_other_tabs_are_live_too(tab: str, part: str) -> None:
    session = calm("one")
    with opened(Reader([session]), f"events=10&tab={tab}&session=one") as stream:
        turn = replace(session.turns[0], cost_usd=0.5, reply_ms=99_000)
        stream.change(replace(session, turns=(turn, *session.turns[1:]), env="staging"))
        assert part in targets(stream.next()[1])


def test_a_gap_in_the_history_sends_everything_again() -> None:
    with opened(Reader([calm("one")]), "events=10") as stream:
        live: Live = stream.app.state.live
        deadline = time.monotonic() + 5
        while not live.queues and time.monotonic() < deadline:
            time.sleep(0.01)
        loop, queue = live.queues[0]
        loop.call_soon_threadsafe(queue.put_nowait, Change(5, (), (), is_gap=True))
        assert len(targets(stream.next()[1])) == 5


def test_the_guide_hears_of_the_first_event() -> None:
    with opened(Reader([], events=0), "guide", is_late=True) as stream:
        assert "0 events received." in stream.next()[1]
        stream.change(calm("one"), new=("one",))
        assert '<a class=button href="/sessions/one">Open the session</a>' in stream.next()[1]


def test_hostile_text_stays_within_its_message() -> None:
    session = calm("one")
    with opened(Reader([session]), "events=10&tab=thread&session=one") as stream:
        stream.change(
            grown(session, "a\n\ndata: x\n\nevent: y\r\rid: 9\x00</hx-partial><script>alert(1)</script>")
        )
        _, fragments = stream.next()
        assert stream.next()[0] == "session:changed"
    assert "<script>" not in fragments
    assert fragments.count("</hx-partial>") == len(targets(fragments))


def test_a_closed_tab_leaves_nothing_behind() -> None:
    reader = Reader([calm("one")])
    app = make_app(reader)
    with served(app) as address:
        with httpx.Client() as client, client.stream("GET", f"{address}/live?events=10") as answer:
            lines = answer.iter_lines()
            assert next(lines) == ": up to date"
            assert len(app.state.live.queues) == 1
        deadline = time.monotonic() + 5
        while app.state.live.queues and time.monotonic() < deadline:
            time.sleep(0.01)
        assert app.state.live.queues == []
