"""Whole sessions are kept or dropped, by every process alike."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, MemorySink

PROGRAM = """
import json, sys
from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
sink = MemorySink()
ai = AmplitudeAI(sink=sink, config=AIConfig(session_sample_rate=0.25))
for number in range(400):
    ai.track_span("ann", "x", session_id=f"session-{number}")
print(json.dumps([event["event_properties"]["[Agent] Session ID"] for event in sink.events]))
"""


def _kept(rate: float, ids: range) -> set[str]:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(session_sample_rate=rate))
    for number in ids:
        ai.track_span("ann", "x", session_id=f"session-{number}")
    assert ai.status()["dropped"].get("session_sample_rate", 0) == len(ids) - len(sink.events)
    return {event["event_properties"]["[Agent] Session ID"] for event in sink.events}


def test_every_process_keeps_the_same_sessions() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, timeout=60)
    assert set(json.loads(done.stdout)) == _kept(0.25, range(400))


@pytest.mark.parametrize("rate", [0.05, 0.25, 0.5, 0.9])
def test_the_share_is_about_right(rate: float) -> None:
    deviation = (rate * (1 - rate) / 10_000) ** 0.5
    assert abs(len(_kept(rate, range(10_000))) / 10_000 - rate) < 4 * deviation


def test_a_higher_rate_keeps_what_a_lower_one_kept() -> None:
    assert _kept(0.1, range(1_000)) < _kept(0.3, range(1_000)) < _kept(1, range(1_000))


def test_sessions_stay_whole() -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(session_sample_rate=0.5))
    for number in range(50):
        with ai.agent("bot").session(f"whole-{number}", user_id="ann") as session:
            session.track_user_message("hi")
            with session.run_as(ai.agent("child")):
                answer = ai.track_ai_message(content="hello", model="m", provider="p")
        ai.score("ann", "good", 1, answer)
    by_session: dict[str, int] = {}
    for event in sink.events:
        found = event["event_properties"]["[Agent] Session ID"]
        by_session[found] = by_session.get(found, 0) + 1
    assert 10 < len(by_session) < 40
    assert set(by_session.values()) == {4}
    assert ai.status()["dropped"] == {"session_sample_rate": 4 * (50 - len(by_session))}


@pytest.mark.parametrize(("rate", "kept"), [(0, 0), (0.0, 0), (1, 20), (1.0, 20)])
def test_none_and_all(rate: float, kept: int) -> None:
    assert len(_kept(rate, range(20))) == kept


def test_what_belongs_to_no_session_is_kept() -> None:
    sink = MemorySink()
    AmplitudeAI(sink=sink, config=AIConfig(session_sample_rate=0)).track_span("ann", "x")
    assert len(sink.events) == 1


def test_a_session_keeps_to_the_rate_of_its_own_client() -> None:
    sink, other = MemorySink(), MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(session_sample_rate=0))
    with ai.agent("bot").session(user_id="ann"):
        AmplitudeAI(sink=other).track_span(span_name="x")
    assert sink.events == other.events == []
    assert ai.status()["dropped"] == {"session_sample_rate": 2}


def test_ids_are_returned_and_link_all_the_same() -> None:
    ai = AmplitudeAI(sink=MemorySink(), config=AIConfig(session_sample_rate=0))
    with ai.agent("bot").session(user_id="ann") as session:
        assert session.track_user_message("hi")
        assert session.trace_id


def test_the_rate_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_SESSION_SAMPLE_RATE", "0.25")
    assert AIConfig().session_sample_rate == 0.25
    monkeypatch.setenv("AMPLITUDE_AI_SESSION_SAMPLE_RATE", "half")
    with pytest.raises(
        ConfigurationError, match="AMPLITUDE_AI_SESSION_SAMPLE_RATE is 'half'; use a number from 0 to 1"
    ):
        AIConfig()


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), "0.5", True, None, []])
def test_what_is_no_share_is_said(rate: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"session_sample_rate is .*; use a number from 0 to 1"):
        AIConfig(session_sample_rate=rate)
