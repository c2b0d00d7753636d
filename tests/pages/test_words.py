"""Numbers, times and counts read the same everywhere."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest

from amplitude_ai_integrations.analytics.pages import words

AT = 1_795_266_131_408  # 21 Nov 2026, 14:02:11.408 in Berlin


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (0.0042, "$0.0042"), (12.4, "$12.40"), (1234.5, "$1,234.50"), (0.00001, "< $0.0001"), (0, "$0"), (0.99999, "$1.00"),
        (None, "—"), (math.nan, "—"), (math.inf, "—"), (-0.5, "\u2212$0.5000"),
    ],
)  # fmt: skip
def test_costs(usd: float | None, shown: str) -> None:
    assert words.cost(usd) == shown


def test_an_estimated_cost_says_about() -> None:
    assert words.cost(0.0393, is_estimated=True) == "≈ $0.0393"


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (0, "0 ms"), (0.4, "< 1 ms"), (840, "840 ms"), (999.6, "1.0 s"), (1234, "1.2 s"), (59_940, "59.9 s"), (59_960, "1 min 0 s"),
        (192_000, "3 min 12 s"), (3_840_000, "1 h 04 min"), (200_000_000, "2 d 7 h"), (None, "—"), (-5, "—"), (math.nan, "—"),
    ],
)  # fmt: skip
def test_durations(ms: float | None, shown: str) -> None:
    assert words.duration(ms).replace("\u202f", " ").replace("<1", "< 1") == shown


def test_units_stay_with_their_number() -> None:
    assert words.duration(840) == "840\u202fms"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (4850, "4,850"), (9999, "9,999"), (10_000, "10.0k"), (12_400, "12.4k"), (999_960, "1.00M"), (1_240_000, "1.24M"), (None, "—")],
)  # fmt: skip
def test_tokens(count: int | None, shown: str) -> None:
    assert words.tokens(count) == shown


@pytest.mark.parametrize(
    ("later_s", "shown"),
    [(0, "now"), (12, "12 s ago"), (180, "3 min ago"), (7300, "2 h ago"), (86_400, "21 Nov, 14:02"), (31_622_400, "21 Nov 2026, 14:02"),
     (-30, "now"), (-600, "Today, 14:02")],
)  # fmt: skip
@pytest.mark.usefixtures("berlin")
def test_how_long_ago(later_s: int, shown: str) -> None:
    assert words.ago(AT, AT + later_s * 1000).replace("\u202f", " ") == shown


@pytest.mark.usefixtures("berlin")
def test_a_time_says_everything_when_asked() -> None:
    assert (words.full_time(AT), words.iso_time(AT)) == (
        "2026-11-21 14:02:11.408 +01:00",
        "2026-11-21T14:02:11.408+01:00",
    )


@pytest.mark.usefixtures("berlin")
def test_a_span_of_time_names_its_days() -> None:
    assert [
        words.between(AT, AT + 300_000, AT),
        words.between(AT - 86_400_000, AT, AT),
        words.between(AT, AT, AT),
    ] == [
        "Today 14:02\u201314:07",
        "20 Nov 14:02 \u2013 Today 14:02",
        "Today 14:02",
    ]


@pytest.mark.parametrize("ms", [1e18, -1e18, math.nan, math.inf])
def test_times_no_calendar_has_are_unknown(ms: float) -> None:
    assert {
        words.clock(ms),
        words.full_time(ms),
        words.date_time(ms),
        words.ago(ms, AT),
        words.day(ms, AT),
    } == {"—"}


def test_shares_sizes_and_counts() -> None:
    assert [words.percent(7, 212), words.percent(1, 2), words.percent(1, 0)] == [
        "3.3\u202f%",
        "50\u202f%",
        "0\u202f%",
    ]
    assert [words.size(512), words.size(100_000), words.size(19_400_000)] == [
        "512\u202fbytes",
        "100.0\u202fkB",
        "19.4\u202fMB",
    ]
    assert [words.counted(1, "turn"), words.counted(1200, "turn")] == ["1 turn", "1,200 turns"]


def test_short_ids_end_where_a_word_ends() -> None:
    assert [words.short_id("sess-a3f8c2e1"), words.short_id("3f2a9c1e-77d0"), words.short_id("x")] == [
        "sess-a3f8",
        "3f2a9c1e",
        "x",
    ]


@pytest.mark.usefixtures("berlin")
def test_the_zone_has_its_offset() -> None:
    assert words.zone() in ("CET (UTC+01:00)", "CEST (UTC+02:00)")
