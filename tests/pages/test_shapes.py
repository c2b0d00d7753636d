"""Small drawings say where time went."""

from __future__ import annotations

from dataclasses import replace

from amplitude_ai_integrations.analytics.model import TurnShape
from amplitude_ai_integrations.analytics.pages.shapes import Bar, Shape, bar, session_shape

from .sample import Script, session_row


def test_a_session_is_four_paths_and_a_sentence() -> None:
    shape = (
        TurnShape(900, 900, 0),
        TurnShape(30_000, 15_000, 15_000, is_error=True),
        TurnShape(4000, 4000, 0, is_stopped=True),
        TurnShape(None, 0, 0),
    )
    assert session_shape(session_row("s", shape=shape, turns=4, slowest_ms=30_000)) == Shape(
        model="M0 16h5v4h-5zM7 10h5v10h-5zM21 18h5v1h-5z",
        tool="M7 0h5v10h-5z",
        error="M7 21h5v3h-5z",
        stopped="M14.5 9.5h4v10h-4z",
        width=28,
        words="4 turns, slowest reply 30.0\u202fs, 1 with errors",
    )


def test_many_turns_share_seventeen_bars() -> None:
    shape = tuple(TurnShape(1000, 1000, 0, is_error=n == 99) for n in range(100))
    drawn = session_shape(session_row("s", shape=shape, turns=100))
    assert (drawn.model.count("M"), drawn.error.count("M"), drawn.width) == (17, 1, 119)


def test_a_bar_has_its_pale_part_and_stays_on_its_scale() -> None:
    script = Script(1000.0)
    call = script.model(1500.0, 1000, ttfb_ms=250)
    assert bar(call, 1000.0, 2000) == Bar(x=25.0, width=50.0, kind="model", pale=12.5)
    assert bar(replace(call, latency_ms=9e12), 1000.0, 2000) == Bar(
        x=25.0, width=75.0, kind="model", pale=0.0
    )
    assert bar(replace(call, started_ms=-9e15), 1000.0, 2000) == Bar(x=0.0, width=0.0, kind="model", pale=0.0)
    assert bar(replace(call, latency_ms=None), 1000.0, 2000) is None
