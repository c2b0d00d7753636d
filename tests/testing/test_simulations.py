"""Deliveries that fail or take long: the program under test goes on."""

from __future__ import annotations

import time
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig
from amplitude_ai_integrations.exceptions import shield
from amplitude_ai_integrations.testing import MockAmplitudeAI
from tests.events import types

Told = list[tuple[str, int, str]]


@pytest.fixture
def told() -> Told:
    """What the program's callback is told: type, status code, message."""
    return []


@pytest.fixture
def mock(told: Told) -> MockAmplitudeAI:
    def callback(event: Any, code: int, message: str | None) -> None:
        told.append((event.event_type, code, message or ""))

    return MockAmplitudeAI(AIConfig(on_event_callback=callback))


def speak(mock: MockAmplitudeAI) -> None:
    with mock.agent("bot", user_id="u1").session("s1") as session:
        session.track_user_message("Hello")
        session.track_ai_message("Hi!", "gpt-4o", "openai", 100.0)


def test_the_callback_hears_of_what_is_delivered(mock: MockAmplitudeAI, told: Told) -> None:
    speak(mock)
    assert [code for _type, code, _message in told] == [200, 200, 200]
    assert [kind for kind, _code, _message in told] == [event["event_type"] for event in mock.events]


@pytest.mark.parametrize(
    ("error_type", "code"),
    [("rate_limit", 429), ("timeout", 408), ("payload_too_large", 413), ("network", 500)],
)
def test_every_delivery_can_fail(mock: MockAmplitudeAI, told: Told, error_type: str, code: int) -> None:
    mock.simulate_error(error_type, "try later")
    speak(mock)
    mock.assert_no_events()
    names = ("User Message", "AI Response", "Session End")
    assert told == [(f"[Agent] {name}", code, "try later") for name in names]
    flushed = mock.flush()
    assert (flushed.delivered, flushed.pending, flushed.dead) == (0, 0, 3)
    assert mock.status()["events"] == {"delivered": 0, "pending": 0, "dead": 3}


@pytest.mark.parametrize("name", ["AI Response", "[Agent] AI Response"])
def test_deliveries_of_one_type_can_fail(mock: MockAmplitudeAI, told: Told, name: str) -> None:
    mock.simulate_error(name)
    speak(mock)
    assert types(mock.events) == ["User Message", "Session End"]
    assert told[1] == ("[Agent] AI Response", 400, f"simulated {name}")
    assert mock.status()["events"] == {"delivered": 2, "pending": 0, "dead": 1}
    with pytest.raises(AssertionError, match=r"\(refused by simulate_error\(\): 1\)"):
        mock.assert_event_tracked("AI Response")


@pytest.mark.parametrize("heal", [MockAmplitudeAI.clear_simulations, MockAmplitudeAI.reset])
def test_simulations_end(mock: MockAmplitudeAI, heal: Any) -> None:
    mock.simulate_error("network")
    mock.simulate_latency(5.0)
    heal(mock)
    started = time.perf_counter()
    speak(mock)
    assert time.perf_counter() - started < 5
    assert types(mock.events) == ["User Message", "AI Response", "Session End"]


def test_deliveries_can_take_long(mock: MockAmplitudeAI) -> None:
    mock.simulate_latency(0.02)
    started = time.perf_counter()
    speak(mock)
    assert time.perf_counter() - started >= 0.06
    assert types(mock.events) == ["User Message", "AI Response", "Session End"]


@pytest.mark.usefixtures("swallowing")
def test_a_callback_that_fails_takes_no_event_away() -> None:
    def callback(event: Any, code: int, message: str | None) -> None:
        raise OSError("the callback's own fault")

    shield.swallowed.clear()
    mock = MockAmplitudeAI(AIConfig(on_event_callback=callback))
    speak(mock)
    assert types(mock.events) == ["User Message", "AI Response", "Session End"]
    assert mock.status()["swallowed"] == {"on_event_callback: OSError": 3}
