"""Turn numbers: ours in memory, or yours, from whatever several processes share."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, MemorySink
from amplitude_ai_integrations.exceptions import shield
from tests.events import told


class Shared:
    """Numbers sessions as a store that several processes share would."""

    def __init__(self) -> None:
        self.numbers: Counter[str] = Counter()
        self.asked: list[tuple[str, int | None]] = []

    def take(self, session_id: str, explicit: int | None = None) -> int:
        self.asked.append((session_id, explicit))
        self.numbers[session_id] = max(self.numbers[session_id], explicit or self.numbers[session_id] + 1)
        return explicit or self.numbers[session_id]


class Failing:
    """Answers with what it is given; raises that, if it is an error."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def take(self, _session_id: str, _explicit: int | None = None) -> int:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]


def _turns(sink: MemorySink) -> list[Any]:
    return [event.get("Turn ID") for event in told(sink)]


def test_two_clients_share_a_counter(session_id: str) -> None:
    shared, sink = Shared(), MemorySink()
    shared.numbers[session_id] = 40  # another process's
    first, second = (AmplitudeAI(sink=sink, config=AIConfig(turn_counter=shared)) for _ in range(2))
    first.track_user_message("ann", "hi", session_id)
    second.track_ai_message("ann", "hello", session_id, "m", "p")
    second.track_tool_call("ann", "t", session_id=session_id, turn_id=100)
    first.track_user_message("ann", "and?", session_id)
    assert _turns(sink) == [41, 42, 100, 101]
    assert shared.asked == [(session_id, None), (session_id, None), (session_id, 100), (session_id, None)]


def test_only_what_is_numbered_asks(session_id: str) -> None:
    shared, sink = Shared(), MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(turn_counter=shared))
    with ai.agent("bot").session(session_id, user_id="ann") as session:
        session.track_span("s")
        session.track_embedding("e", "p")
        session.score("good", 1, "m-1")
    ai.track_user_message("ann", "outside any session")
    assert shared.asked == []
    assert _turns(sink) == [None] * 5


def test_inside_a_session_its_own_clients_counter_counts(session_id: str) -> None:
    shared, sink = Shared(), MemorySink()
    outer = AmplitudeAI(sink=sink, config=AIConfig(turn_counter=shared))
    with outer.agent("bot").session(session_id, user_id="ann", track_session_end=False):
        AmplitudeAI(sink=MemorySink()).track_user_message(content="hi")
    assert shared.asked == [(session_id, None)]


@pytest.mark.usefixtures("swallowing")
@pytest.mark.parametrize(
    "junk", [RuntimeError("down"), "abc", None, [], float("nan"), float("inf"), -5, 0, 10**30, object()]
)
def test_a_counter_that_fails_is_stood_in_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, session_id: str, junk: Any
) -> None:
    monkeypatch.setattr(shield, "swallowed", Counter())
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(turn_counter=Failing(junk)))
    with caplog.at_level(logging.WARNING, logger="amplitude_ai_integrations"):
        for turn_id in (None, None, 7, None):
            ai.track_user_message("ann", "hi", session_id, turn_id=turn_id)
    assert _turns(sink) == [1, 2, 7, 8]
    assert sum(shield.swallowed.values()) == 4
    assert len(caplog.records) == 1


@pytest.mark.usefixtures("swallowing")
def test_a_counter_that_fails_for_a_while_is_followed_upwards(session_id: str) -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(turn_counter=Failing(57, RuntimeError("down"), 59)))
    for _ in range(3):
        ai.track_user_message("ann", "hi", session_id)
    assert _turns(sink) == [57, 58, 59]


@pytest.mark.parametrize("junk", [object(), 5, "take", type("Odd", (), {"take": 5})()])
def test_what_is_no_counter_is_said_at_once(junk: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"turn_counter must have a method take\(session_id, explicit\)"
    ):
        AIConfig(turn_counter=junk)
