"""What is said of a session as a whole is true whenever it is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from amplitude_ai_integrations.analytics.pages.ending import Closing, closing, findings

from .sample import calm, funnel

AT = 1_795_266_131_408  # 21 Nov 2026, 14:02:11 in Berlin
MINUTE = 60_000


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


LIVE = calm("s", state="live", last_ms=AT)


def test_a_session_that_just_spoke_says_nothing() -> None:
    assert closing(LIVE, AT + MINUTE / 2) == Closing()


def test_a_quiet_session_says_when_it_closes() -> None:
    assert closing(LIVE, AT + 12.5 * MINUTE) == Closing(
        "No event for 12\u202fmin", ", closes at 14:32", AT + 30 * MINUTE
    )


def test_a_closing_time_on_another_day_has_its_day() -> None:
    long = replace(LIVE, idle_minutes=24 * 60)
    assert closing(long, AT + 2 * MINUTE).ahead == ", closes 22 Nov, 14:02"


@pytest.mark.parametrize(
    ("later", "text"), [(30, "30\u202fmin"), (60, "1\u202fh"), (3 * 24 * 60, "3\u202fd")]
)
def test_a_closing_time_that_has_passed_is_not_said(later: int, text: str) -> None:
    assert closing(LIVE, AT + later * MINUTE) == Closing(f"No event for {text}")


def test_who_ended_it_and_when() -> None:
    left = replace(funnel(), row=replace(funnel().row, last_ms=AT))
    assert closing(left, AT + 60 * MINUTE).text == (
        "User left after turn 5. Closed after 30 min without activity, last event 14:02"
    )
    app = replace(calm("s", last_ms=AT), closed_by="explicit")
    assert closing(app, AT + 60 * MINUTE).text == "Closed by the app, 14:02"
    assert closing(app, AT + 48 * 60 * MINUTE).text == "Closed by the app, 21 Nov, 14:02"


UNPRICED = ("Price of model acme-7b is unknown.", "Tokens are counted, cost is not.")


def test_what_the_data_lacks() -> None:
    detail = calm("s", user_id=None)
    turn = detail.turns[0]
    unpriced = replace(turn, steps=(replace(turn.steps[0], model="acme-7b", cost_usd=None),))
    assert findings(replace(detail, turns=(unpriced,))) == (
        ("Price of model acme-7b is unknown.", "Tokens are counted, cost is not."),
        (
            "No user id on this session.",
            "It counts for its device only. Give the session a user id to follow the user.",
        ),
    )
    assert findings(funnel()) == (
        (
            "1 of 10 tool calls carries no latency.",
            "It was read from message history, not measured. Wrap the tools with @tool to time them.",
        ),
    )


@pytest.mark.parametrize("given", [{"input_tokens": 4000, "output_tokens": None}, {"input_tokens": None}])
def test_a_price_that_is_missing_is_said_whatever_was_counted(given: dict[str, int | None]) -> None:
    detail = calm("s", is_price_known=False)
    step = replace(detail.turns[0].steps[0], model="acme-7b", cost_usd=None, **given)
    assert findings(replace(detail, turns=(replace(detail.turns[0], steps=(step,)),))) == (UNPRICED,)


def test_a_tag_without_a_named_model_has_its_banner_too() -> None:
    assert findings(calm("s", is_price_known=False)) == (
        ("Price of some model calls is unknown.", "Tokens are counted, cost is not."),
    )
