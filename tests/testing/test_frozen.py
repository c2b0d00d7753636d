"""Two runs of the same program make the same events, byte for byte."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from amplitude_ai_integrations.context import stamps
from amplitude_ai_integrations.testing import MockAmplitudeAI, frozen

PROGRAM = """
from amplitude_ai_integrations.testing import MockAmplitudeAI, frozen

def run():
    mock = MockAmplitudeAI()
    with mock.agent("bot").session() as session:
        session.track_user_message("Hello", context={"b": 1, "a": {3, 1, 2}})
        session.track_ai_message("Hi!", "gpt-4o", "openai", 5.0)
    mock.track_span(span_name="outside")
    return mock.events

with frozen():
    events = run()
"""
SHOW = PROGRAM + "import json; print(json.dumps(events))"


def _events() -> bytes:
    return subprocess.run([sys.executable, "-c", SHOW], capture_output=True, check=True).stdout


def test_two_processes_make_the_same_bytes() -> None:
    first = _events()
    assert first == _events()
    events = json.loads(first)
    assert len(events) == 4
    assert events[0]["event_properties"]["[Agent] Session ID"] == "00000000-0000-4000-8000-000000000001"


def test_two_runs_in_one_process_make_the_same_events() -> None:
    mock = MockAmplitudeAI()

    def run() -> list[object]:
        mock.events.clear()
        with mock.agent("bot", user_id="u1").session("s1") as session:
            session.track_user_message("Hello")
            session.track_ai_message("Hi!", "gpt-4o", "openai", 5.0)
        return list(mock.events)

    with frozen():
        first = run()
    with frozen():
        assert run() == first


@pytest.fixture
def _still() -> Iterator[None]:
    with frozen():
        yield


@pytest.mark.usefixtures("_still")
def test_ids_count_up_and_clocks_go_on_by_a_millisecond() -> None:
    assert [stamps.new_id()[-3:] for _ in range(3)] == ["001", "002", "003"]
    assert [stamps.now_ms() for _ in range(2)] == [1_735_689_600_000, 1_735_689_600_001]
    assert stamps.seconds() < stamps.seconds()


def test_the_clock_starts_where_it_is_told_and_goes_on_afterwards() -> None:
    with frozen(at_ms=5):
        assert stamps.now_ms() == 5
    assert abs(stamps.now_ms() - time.time() * 1000) < 60_000
    assert stamps.new_id() != stamps.new_id()
