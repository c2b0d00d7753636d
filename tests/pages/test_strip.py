"""The strip shows all of a session's time, and its labels stand apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from starlette.testclient import TestClient

from amplitude_ai_integrations.analytics.model import Turn
from amplitude_ai_integrations.analytics.pages.shapes import Bar
from amplitude_ai_integrations.analytics.pages.strip import strip

from .app import make_app
from .sample import Reader, Script, calm, funnel


def test_the_strip_fills_the_width_to_scale() -> None:
    drawn = strip(funnel().turns)
    assert [
        (turn.label, turn.time.replace("\u202f", " "), turn.is_error, turn.is_stopped) for turn in drawn
    ] == [
        ("1", "3.1 s", False, False),
        ("2", "8.2 s", False, False),
        ("3", "5.6 s", False, False),
        ("4", "18.4 s", True, False),
        ("5", "11.9 s", True, False),
        ("6", "2.1 s", False, True),
    ]
    assert (drawn[0].x, round(drawn[-1].x + drawn[-1].width)) == (0, 100)
    assert all(
        turn.x <= b.x and b.x + b.width <= turn.x + turn.width + 0.2 for turn in drawn for b in turn.bars
    )


def test_more_than_forty_turns_are_binned() -> None:
    turns = [replace(funnel().turns[0], number=n + 1) for n in range(100)]
    drawn = strip(turns)
    assert (len(drawn), drawn[0].label, drawn[-1].label) == (34, "1\u20133", "100")


def test_no_turn_draws_nothing() -> None:
    assert strip([]) == ()


def busy_turn(count: int) -> Turn:
    """One turn of so many calls, a tool then a model, without a pause."""
    script = Script(0.0)
    steps = [script.call("look", 10.0 * n, 10) if n % 2 else script.model(10.0 * n, 10) for n in range(count)]
    return script.turn("Do it", steps, 10.0 * count)


@pytest.mark.parametrize("count", [60, 61, 3000])
def test_every_call_of_a_turn_is_drawn_to_its_end(count: int) -> None:
    [turn] = strip([busy_turn(count)])
    drawn = {kind: [bar for bar in turn.bars if bar.kind == kind] for kind in ("model", "tool")}
    ends = {kind: round(max(bar.x + bar.width for bar in bars)) for kind, bars in drawn.items()}
    assert len(turn.bars) <= 122
    assert (ends["model"] >= 98, ends["tool"] >= 98) == (True, True)


def test_calls_with_no_visible_pause_are_one_stretch() -> None:
    assert strip([busy_turn(3000)])[0].bars == (Bar(0.0, 100.0, "model"), Bar(0.0, 100.0, "tool"))


def test_turns_drawn_as_one_share_their_time_out() -> None:
    script = Script(0.0)
    for _ in range(100):
        script.turn("Hi", [script.model(script.at, 250), script.call("look", script.at + 250, 750)], 1000)
    first = strip(script.turns)[0]
    shares = [(bar.kind, round(bar.width / first.width, 1)) for bar in first.bars]
    assert shares == [("model", 0.2), ("tool", 0.8)]


@pytest.mark.parametrize("count", [20, 40, 60, 400])
def test_labels_do_not_overlap(count: int) -> None:
    drawn = strip([replace(funnel().turns[0], number=n + 1) for n in range(count)])
    labelled = [turn for turn in drawn if turn.has_room]
    spans = [(turn.x, turn.x + 1.2 * len(turn.label)) for turn in labelled]
    assert len(labelled) >= 8
    assert all(end < start for (_, end), (start, _) in pairwise(spans))


def test_a_session_without_any_latency_says_so() -> None:
    script = Script(0.0)
    script.turn("Hi", [replace(script.model(0.0, 1), latency_ms=None)], 1000)
    client = TestClient(make_app(Reader([replace(calm("s"), turns=tuple(script.turns))])))
    html = client.get("/sessions/s").text
    assert "<svg class=strip" not in html
    assert "No call in this session has a measured time." in html
