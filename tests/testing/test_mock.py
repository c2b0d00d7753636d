"""What the mock records, and how events are found in it."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ValidationError
from amplitude_ai_integrations.testing import MockAmplitudeAI
from tests.events import told, types

WHO = {"user_id": "u1", "Session ID": "s1", "Agent ID": "test-bot", "Trace ID": "id-2"}


@pytest.fixture
def mock() -> MockAmplitudeAI:
    return MockAmplitudeAI()


def converse(ai: AmplitudeAI, session_id: str = "s1", agent_id: str = "test-bot") -> None:
    with ai.agent(agent_id, user_id="u1").session(session_id) as session:
        session.track_user_message("Hello", context={"plan": "pro"}, event_properties={"shop": "north"})
        session.track_ai_message("Hi!", "gpt-4o", "openai", 100.0, input_tokens=10, output_tokens=2)
        session.track_tool_call("search", 5.0, True, input={"q": 1}, output="found")


def test_the_specifications_example_holds(mock: MockAmplitudeAI) -> None:
    agent = mock.agent("test-bot", user_id="u1")
    with agent.session("s1") as session:
        session.new_trace()
        session.track_user_message(content="Hello")
        session.track_ai_message(content="Hi!", model="gpt-4o", provider="openai", latency_ms=100.0)
    assert len(mock.events) == 3
    mock.assert_event_tracked("[Agent] User Message", user_id="u1")
    mock.assert_event_tracked("[Agent] AI Response", **{"[Agent] Model Name": "gpt-4o"})
    mock.assert_session_closed("s1")
    assert mock.events_for_session("s1") == mock.events_for_agent("test-bot") == mock.events
    assert told(mock.events) == [
        {
            "type": "User Message",
            **WHO,
            "Turn ID": 1,
            "Message ID": "id-1",
            "Component Type": "user_input",
            "Message Source": "user",
            "$llm_message": {"text": "Hello"},
        },
        {
            "type": "AI Response",
            **WHO,
            "Turn ID": 2,
            "Message ID": "id-3",
            "Component Type": "llm",
            "Model Name": "gpt-4o",
            "Model Tier": "standard",
            "Provider": "openai",
            "Latency Ms": 100.0,
            "Is Error": False,
            "$llm_message": {"text": "Hi!"},
        },
        {"type": "Session End", **WHO},
    ]
    mock.reset()
    assert mock.events == []


def test_events_are_found_by_type_session_and_agent(mock: MockAmplitudeAI) -> None:
    events = mock.events
    converse(mock)
    converse(mock, "s2", "other")
    for name in ("AI Response", "[Agent] AI Response"):
        assert mock.events_of_type(name) == mock.get_events(name) == [events[1], events[5]]
    assert mock.get_events() == events
    assert mock.get_events() is not events
    assert mock.events is events
    assert mock.events_for_session("s2") == mock.events_for_agent("other") == events[4:]
    assert mock.events_for_session("s3") == []


@pytest.mark.parametrize(
    ("event_type", "asked"),
    [
        ("User Message", {"user_id": "u1"}),
        ("User Message", {"content": "Hello"}),
        ("User Message", {"llm_message": {"text": "Hello"}}),
        ("User Message", {"context": {"plan": "pro"}, "[Agent] Context": '{"plan":"pro"}'}),
        ("User Message", {"shop": "north"}),
        ("User Message", {"device_id": None, "agent_version": None}),
        ("AI Response", {"model": "gpt-4o", "model_name": "gpt-4o", "[Agent] Model Name": "gpt-4o"}),
        ("AI Response", {"cost_usd": pytest.approx(0.000045), "total_tokens": 12}),
        ("Tool Call", {"input": {"q": 1}, "tool_output": "found", "success": True}),
    ],
)
def test_a_value_is_asked_for_under_any_of_its_names(
    mock: MockAmplitudeAI, event_type: str, asked: dict[str, Any]
) -> None:
    converse(mock)
    event = mock.assert_event_tracked(event_type, **asked)
    assert [event] == mock.events_of_type(event_type)


def test_a_missing_event_is_shown_beside_those_that_come_nearest(mock: MockAmplitudeAI) -> None:
    converse(mock)
    converse(mock, "s2")
    with pytest.raises(AssertionError) as failure:
        mock.assert_event_tracked(
            "AI Response", user_id="u1", session_id="s2", model="gpt-5", env="dev", modle_name="x"
        )
    assert str(failure.value) == (
        "No [Agent] AI Response has user_id='u1', session_id='s2', model='gpt-5', env='dev', modle_name='x'."
        " Nearest of 2:\n"
        "  #6 [Agent] AI Response user_id='u1' session_id='s2' agent_id='test-bot' model_name='gpt-4o'\n"
        "    [Agent] Model Name is 'gpt-4o', not 'gpt-5'\n"
        "    [Agent] Env is missing, not 'dev'\n"
        "    there is no modle_name (did you mean 'model_name'?)\n"
        "  #2 [Agent] AI Response user_id='u1' session_id='s1' agent_id='test-bot' model_name='gpt-4o'\n"
        "    [Agent] Session ID is 's1', not 's2'\n"
        "    [Agent] Model Name is 'gpt-4o', not 'gpt-5'\n"
        "    [Agent] Env is missing, not 'dev'\n"
        "    there is no modle_name (did you mean 'model_name'?)"
    )


@pytest.mark.parametrize("asked", [{"user_id": "u2"}, {"customer_org_id": 1}, {"content": {"text": "H"}}])
def test_what_only_resembles_an_event_is_not_it(mock: MockAmplitudeAI, asked: dict[str, Any]) -> None:
    mock.track_user_message("u1", "Hello", "s1", customer_org_id="1")
    mock.assert_event_tracked("User Message", user_id="u1")
    with pytest.raises(AssertionError, match=r"Nearest of 1"):
        mock.assert_event_tracked("User Message", **asked)


def test_a_type_that_was_not_tracked_is_told_from_one_that_does_not_exist(mock: MockAmplitudeAI) -> None:
    with pytest.raises(AssertionError, match=r"^No \[Agent\] Score was tracked. Tracked: nothing.$"):
        mock.assert_event_tracked("Score")
    mock.track_user_message("u1", "Hello", "s1")
    with pytest.raises(AssertionError) as failure:
        mock.assert_event_tracked("User Mesage")
    assert str(failure.value) == (
        "No User Mesage was tracked (did you mean '[Agent] User Message'?). Tracked: 1 x [Agent] User Message."
    )


def test_a_session_is_closed_by_its_own_end_alone(mock: MockAmplitudeAI) -> None:
    mock.track_user_message("u1", "Hello", "s2")
    converse(mock)
    assert mock.assert_session_closed("s1") == mock.events[-1]
    with pytest.raises(AssertionError) as failure:
        mock.assert_session_closed("s2")
    assert str(failure.value) == (
        "Session 's2' is not closed. It has: 1 x [Agent] User Message. Closed: 's1'."
    )


def test_that_nothing_was_tracked_can_be_asserted(mock: MockAmplitudeAI) -> None:
    mock.assert_no_events()
    mock.track_user_message("u1", "Hello", "s1")
    with pytest.raises(AssertionError) as failure:
        mock.assert_no_events()
    assert str(failure.value) == (
        "Tracked: 1 x [Agent] User Message.\n  #1 [Agent] User Message user_id='u1' session_id='s1'"
    )


def test_events_are_as_they_would_leave() -> None:
    def before_send(event: dict[str, Any]) -> dict[str, Any] | None:
        return None if event["event_type"] == "[Agent] Tool Call" else {**event, "platform": "test"}

    mock = MockAmplitudeAI(AIConfig(content_mode="metadata_only", before_send=before_send))  # type: ignore[arg-type]
    converse(mock)
    assert types(mock.events) == ["User Message", "AI Response", "Session End"]
    assert all(event["platform"] == "test" for event in mock.events)
    mock.assert_event_tracked("User Message", content=None, context=None, content_mode="metadata_only")
    with pytest.raises(AssertionError, match=r"\n\(before_send: 1\)$"):
        mock.assert_event_tracked("Tool Call")
    mock.reset()
    assert mock.status()["dropped"] == {}


def test_wrong_arguments_raise_unless_the_configuration_says_otherwise(mock: MockAmplitudeAI) -> None:
    with pytest.raises(ValidationError, match="latency_ms"):
        mock.track_ai_message("u1", "Hi", "s1", "gpt-4o", "openai", -1.0)
    mock.assert_no_events()
    lenient = MockAmplitudeAI(AIConfig())
    lenient.track_ai_message("u1", "Hi", "s1", "gpt-4o", "openai", -1.0)
    assert types(lenient.events) == ["AI Response"]


def test_no_setting_of_the_machine_hides_or_changes_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_TRACKING_DISABLED", "true")
    monkeypatch.setenv("AMPLITUDE_AI_SESSION_SAMPLE_RATE", "0")
    monkeypatch.setenv("AMPLITUDE_AI_DRY_RUN", "true")
    monkeypatch.setenv("AMPLITUDE_AI_REVIEW", "true")
    monkeypatch.setenv("GITHUB_SHA", "abc")
    for mock in (MockAmplitudeAI(), MockAmplitudeAI(AIConfig(git_ref="main"))):
        converse(mock)
        assert types(mock.events) == ["User Message", "AI Response", "Tool Call", "Session End"]
        mock.assert_event_tracked("User Message", git_sha=None)
    mock.assert_event_tracked("User Message", git_ref="main")


def test_the_programs_own_switch_is_obeyed_and_named() -> None:
    mock = MockAmplitudeAI(AIConfig(enabled=False))
    converse(mock)
    mock.assert_no_events()
    with pytest.raises(AssertionError, match=r"\(tracking is off: AIConfig\(enabled=False\)\)"):
        mock.assert_event_tracked("User Message")


@pytest.mark.parametrize("renew", [lambda mock: mock.reset(), lambda _mock: MockAmplitudeAI()])
def test_nothing_is_remembered_of_sessions_of_earlier_tests(mock: MockAmplitudeAI, renew: Any) -> None:
    mock.track_user_message("u1", "Hello", "s1", message_id="m-1")
    converse(mock)
    first = told(mock.events[1:])
    mock = renew(mock) or mock
    mock.score("u1", "good", 1.0, "m-1")
    mock.assert_event_tracked("Score", session_id=None)
    mock.track_user_message("u1", "Hello", "s1", message_id="m-1")
    converse(mock)
    assert told(mock.events[2:]) == first
