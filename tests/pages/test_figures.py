"""Figures say when they are an estimate, and marks count by one rule everywhere."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from amplitude_ai_integrations.analytics.model import Score
from amplitude_ai_integrations.analytics.pages import words
from amplitude_ai_integrations.analytics.pages.margins import is_complaint, standing
from amplitude_ai_integrations.analytics.pages.rows import row_view

from .app import make_app
from .sample import Reader, Script, calm, session_row


@pytest.fixture
def client() -> TestClient:
    """One session whose only reply broke off."""
    script = Script(0.0, "bot")
    script.turn(
        "Hi",
        [
            script.model(
                0.0, 10, text="Once", input_tokens=40, output_tokens=61, cost_usd=0.0393, is_estimated=True
            )
        ],
        10,
    )
    detail = calm("s", tokens=101, cost_usd=0.0393, is_estimated=True)
    use = replace(detail.models[0], is_estimated=True, input_tokens=40, output_tokens=61, cost_usd=0.0393)
    return TestClient(make_app(Reader([replace(detail, turns=tuple(script.turns), models=(use,))])))


@pytest.mark.parametrize(
    ("address", "signs"),
    [
        ("/sessions", 2),
        ("/sessions/s", 3 + 3),
        ("/sessions/s?tab=info", 3 + 6),
        ("/sessions/s?tab=turns", 3 + 6),
    ],
)
def test_every_estimated_figure_has_its_sign(client: TestClient, address: str, signs: int) -> None:
    html = client.get(address).text
    assert html.count("\u2248 ") == signs
    assert not re.findall(r"(?<!\u2248 )\$0\.0393", html)


def test_the_least_cost_keeps_its_sign() -> None:
    assert words.cost(0.00001, is_estimated=True) == "\u2248 < $0.0001"


@pytest.mark.parametrize(
    ("value", "is_bad"), [(-1, True), (0, True), (0.3, True), (0.5, False), (1, False), (4, False)]
)
def test_a_low_mark_of_a_user_is_a_complaint(value: float, is_bad: bool) -> None:
    assert is_complaint(Score("thumbs", value, "user", None, "m", 0)) is is_bad
    assert not is_complaint(Score("thumbs", value, "ai", None, "m", 0))


def test_the_latest_mark_of_a_name_counts() -> None:
    down, up = (Score("thumbs", value, "user", None, "m", at) for value, at in ((0, 1), (1, 2)))
    other, judged = Score("speed", 0, "user", None, "m", 0), Score("thumbs", 0, "ai", None, "m", 0)
    assert set(standing([up, down, other, judged])) == {up, other, judged}


def test_a_mark_that_was_replaced_is_nowhere() -> None:
    marks = tuple(Score("thumbs", value, "user", None, "m", at) for value, at in ((0, 1), (1, 2)))
    detail = calm("s")
    turn = replace(detail.turns[0], steps=(replace(detail.turns[0].steps[0], scores=marks),))
    client = TestClient(make_app(Reader([replace(detail, turns=(turn,))])))
    step = turn.steps[0].step_id
    shown = [client.get(f"/sessions/s?tab={tab}").text for tab in ("thread", "info", f"turns&step={step}")]
    assert [html.count("thumbs up") for html in shown] == [1, 1, 1]
    assert ["thumbs down" in html for html in shown] == [False, False, False]


def test_a_title_that_may_be_cut_says_itself_whole() -> None:
    title = "Why does " + "my funnel " * 18 + "end?"
    assert row_view(session_row("s", title=title)).whole_title == title
    assert row_view(session_row("s", title="Why?")).whole_title == ""
    html = TestClient(make_app(Reader([calm("s", title=title)]))).get("/sessions/s").text
    assert f'<h1 title="{title}">' in html


@pytest.mark.parametrize(("ms", "bars"), [(1, 2), (99, 2), (100, 1)])
def test_a_short_call_is_two_pixels_at_least(ms: float, bars: int) -> None:
    script = Script(0.0)
    script.turn("Hi", [script.call("look", 0.0, ms), script.call("wait", 0.0, 10_000)], 10_000)
    html = (
        TestClient(make_app(Reader([replace(calm("s"), turns=tuple(script.turns))])))
        .get("/sessions/s?tab=turns")
        .text
    )
    row = re.search(r"<bdi>look</bdi></a><td><svg aria-hidden=true>(.*?)</svg>", html)
    assert row
    assert (row[1].count("<rect"), "width=2 />" in row[1]) == (bars, bars == 2)


def test_names_keep_their_chips_in_line() -> None:
    script = Script(0.0, "bot")
    script.turn("Hi", [replace(script.model(0.0, 10, text="Yes", agent="a\u202eb"), model="m\u202en")], 10)
    html = (
        TestClient(make_app(Reader([replace(calm("s"), turns=tuple(script.turns))]))).get("/sessions/s").text
    )
    chip = '<span class=chip title="U+202E RIGHT-TO-LEFT OVERRIDE">RLO</span>'
    assert (f"<bdi>a{chip}b</bdi></b>" in html, f"<bdi>m{chip}n</bdi></p>" in html) == (True, True)
