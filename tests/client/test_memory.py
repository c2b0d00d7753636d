"""A score finds what it judges by the message's id alone; what is remembered for that is bounded."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.context.identity import device_for
from amplitude_ai_integrations.context.memory import SessionMemory, memory_of
from amplitude_ai_integrations.context.recent import Recent
from tests.events import told

SCORE: dict[str, Any] = {
    "type": "Score",
    "Score Name": "helpful",
    "Score Value": 1,
    "Target Type": "message",
    "Evaluation Source": "user",
}


def _scored(sink: MemorySink) -> list[dict[str, Any]]:
    scores = [event for event in sink if event["event_type"] == "[Agent] Score"]
    return [{name: value for name, value in event.items() if name != "Target ID"} for event in told(scores)]


def _answer(ai: AmplitudeAI, session_id: str, **options: Any) -> str:
    """Return the id of an answer in trace-1 of a session."""
    given: dict[str, Any] = {"user_id": "ann", "device_id": "d-1", **options}
    session = ai.agent("bot", env="prod").session(session_id, **given)
    return session.track_ai_message("x", "m", "p", 1.0, trace_id="trace-1")


def test_a_score_finds_session_trace_agent_and_user(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    answer = _answer(ai, session_id)
    ai.score(name="helpful", value=1, target_id=answer)
    assert _scored(sink) == [
        {
            **SCORE,
            "user_id": "ann",
            "device_id": "d-1",
            "Session ID": session_id,
            "Trace ID": "trace-1",
            "Agent ID": "bot",
        }
    ]


def test_a_users_message_is_found_too(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    said = ai.agent("bot").session(session_id, user_id="ann").track_user_message("x")
    ai.score(name="helpful", value=1, target_id=said)
    (score,) = _scored(sink)
    assert (score["Session ID"], score["user_id"], score["Agent ID"]) == (session_id, "ann", "bot")


def test_what_is_explicit_wins(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    answer = _answer(ai, session_id)
    ai.score("reviewer-1", "helpful", 1, answer, source="reviewer")
    ai.score("reviewer-1", "helpful", 1, answer, session_id="other", trace_id="trace-9", agent_id="judge")
    by_reviewer, elsewhere = _scored(sink)
    assert by_reviewer == {
        **SCORE,
        "Evaluation Source": "reviewer",
        "user_id": "reviewer-1",
        "Session ID": session_id,
        "Trace ID": "trace-1",
        "Agent ID": "bot",
    }
    assert elsewhere == {
        **SCORE,
        "user_id": "reviewer-1",
        "Session ID": "other",
        "Trace ID": "trace-9",
        "Agent ID": "judge",
    }


def test_what_a_judge_is_bound_to_wins(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    answer = _answer(ai, session_id)
    ai.agent("judge", user_id="reviewer-1").score("helpful", 1, answer)
    assert _scored(sink) == [
        {
            **SCORE,
            "user_id": "reviewer-1",
            "Session ID": session_id,
            "Trace ID": "trace-1",
            "Agent ID": "judge",
        }
    ]


def test_a_score_in_the_session_itself_is_of_the_answers_trace(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    around: dict[str, Any] = {"user_id": "ann", "device_id": "d-1", "browser_session_id": 1700000000000}
    with ai.agent("bot").session(session_id, **around, track_session_end=False) as session:
        session.track_user_message("one")
        answer, trace = session.track_ai_message("x", "m", "p", 1.0), session.trace_id
        session.track_user_message("two")
        session.score("helpful", 1, answer)
        session.score("helpful", 1, "unknown")
    of_answer, of_unknown = (event["event_properties"]["[Agent] Trace ID"] for event in sink.events[-2:])
    assert of_answer == trace != of_unknown == session.trace_id
    assert {event["session_id"] for event in sink} == {1700000000000}


def test_a_score_inside_another_session_is_of_the_answers(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    answer = _answer(ai, session_id)
    around: dict[str, Any] = {"user_id": "bob", "device_id": "d-2", "browser_session_id": 1700000000000}
    with ai.agent("other", env="test").session(**around) as session:
        for door in (ai, session):
            door.score(name="helpful", value=1, target_id=answer)
    for score in _scored(sink):
        assert (score["user_id"], score["device_id"]) == ("ann", "d-1")
        assert (score["Session ID"], score["Trace ID"]) == (session_id, "trace-1")
        assert not {"session_id", "[Amplitude] Session Replay ID"} & set(score)


def test_a_device_is_not_given_to_another_user(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    of_a_device = _answer(ai, session_id, user_id=None)
    with ai.agent("other").session(user_id="bob"):
        ai.score(name="helpful", value=1, target_id=of_a_device)
    (score,) = _scored(sink)
    assert score["device_id"] == "d-1"
    assert "user_id" not in score


def test_the_score_of_a_session(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    ai.score("ann", "helpful", 1, session_id, target_type="session")
    ai.score(name="helpful", value=1, target_id=session_id, target_type="session")
    ours = {**SCORE, "Target Type": "session", "Session ID": session_id}
    assert _scored(sink) == [{**ours, "user_id": "ann"}, {**ours, "device_id": device_for(session_id)}]


@pytest.mark.parametrize("target", ["unknown", "", None, 5, [], "x" * 5_000])
def test_a_score_of_nothing_known_stays_where_it_is(
    ai: AmplitudeAI, sink: MemorySink, session_id: str, target: Any
) -> None:
    ai.score("ann", "helpful", 1, target)
    with ai.agent("bot").session(session_id, user_id="ann") as session:
        session.score("helpful", 1, target)
    nowhere, inside = _scored(sink)
    assert "Session ID" not in nowhere
    assert nowhere["user_id"] == inside["user_id"] == "ann"
    assert inside["Session ID"] == session_id


def test_messages_outside_any_session_are_no_ones(ai: AmplitudeAI, sink: MemorySink) -> None:
    answer = ai.track_ai_message("ann", "x", None, "m", "p")
    ai.score(name="helpful", value=1, target_id=answer)
    (score,) = _scored(sink)
    assert not {"Session ID", "user_id"} & set(score)


def test_the_last_ten_thousand_messages_are_remembered(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    agent = ai.agent("bot", session_id=session_id, user_id="ann")
    ids = [
        agent.track_user_message(f"{number}", message_id=f"{session_id}-{number}") for number in range(10_001)
    ]
    for target in (ids[0], ids[1], ids[-1]):
        ai.score("reviewer", "helpful", 1, target)
    sessions = [event["event_properties"].get("[Agent] Session ID") for event in sink.events[-3:]]
    assert sessions == [None, session_id, session_id]


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    recent: Recent[str, int] = Recent(limit=2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]
    assert recent.made("d", lambda: 4) == 4
    assert [recent.get(key) for key in "acd"] == [None, 3, 4]


def test_the_last_ten_thousand_sessions_are_remembered(session_id: str) -> None:
    first, second = memory_of(session_id), memory_of(session_id + "x")
    assert isinstance(first, SessionMemory)
    assert first is memory_of(session_id) is not second
    for number in range(9_999):
        memory_of(f"{session_id}-{number}")
    assert memory_of(session_id) is first
    assert memory_of(session_id + "x") is not second
