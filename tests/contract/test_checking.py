"""The mock of the testing section, and what the reference page asks of every AI Response."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ContentMode, MemorySink, MockAmplitudeAI, OpenAI
from tests.events import types
from tests.fakes.openai_server import OpenAIServer

from .expected import seen

NEEDED = ("Session ID", "Agent ID", "Model Name", "Provider")
COUNTED = ("Latency Ms", "Input Tokens", "Output Tokens", "Cost USD")


@pytest.fixture
def mock() -> MockAmplitudeAI:
    return MockAmplitudeAI()


def converse(mock: MockAmplitudeAI) -> None:
    with mock.agent("test-bot", user_id="u1").session("s1") as s:
        s.new_trace()
        s.track_user_message(content="Hello")
        s.track_ai_message(
            content="Hi!",
            model="gpt-4o",
            provider="openai",
            latency_ms=100.0,
            usage={"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
        )


def test_the_mock_captures_and_asserts(mock: MockAmplitudeAI) -> None:
    converse(mock)
    assert len(mock.events) == 3
    mock.assert_event_tracked("[Agent] User Message", user_id="u1")
    mock.assert_event_tracked("[Agent] AI Response", **{"[Agent] Model Name": "gpt-4o"})
    assert mock.events_for_session("s1") == mock.events_for_agent("test-bot") == mock.events
    mock.assert_session_closed("s1")
    mock.reset()
    assert mock.events == []


def test_every_answer_carries_the_fields_that_verification_asks_for(mock: MockAmplitudeAI) -> None:
    converse(mock)
    answers = seen(mock.events_of_type("[Agent] AI Response"))
    assert len(answers) == 1
    for told in answers:
        assert told.get("user_id") or told.get("device_id")
        assert all(told[name] for name in NEEDED)
        assert all(told[name] > 0 for name in COUNTED)
    mock.assert_verification_fields()


def test_an_observed_call_carries_them_by_itself(
    mock: MockAmplitudeAI, fake: OpenAIServer, connections: Any
) -> None:
    client = OpenAI(amplitude=mock, api_key="k", base_url=fake.url, http_client=connections)
    with mock.agent("chat-handler", description="Customer support chatbot").session(user_id="u1"):
        messages: Any = [{"role": "user", "content": "Can I return this?"}]
        client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    mock.assert_verification_fields()


def test_a_mock_can_do_without_content(fake: OpenAIServer) -> None:
    mock = MockAmplitudeAI(AIConfig(content_mode=ContentMode.METADATA_ONLY))
    converse(mock)
    assert [one.get("$llm_message") for one in seen(mock.events)] == [None] * 3
    mock.assert_verification_fields()


def test_a_delegated_question_is_an_agents(ai: AmplitudeAI, sink: MemorySink, client: OpenAI) -> None:
    orchestrator = ai.agent("shopping-agent", description="Orchestrates shopping requests")
    recipes = orchestrator.child("recipe-agent", description="Finds recipes")
    delegated = "Find a recipe for lentils"
    with orchestrator.session(user_id="u1") as s:
        s.track_user_message("What shall I cook?")
        with s.run_as(recipes) as cs:
            cs.track_user_message(delegated)
            messages: Any = [{"role": "user", "content": delegated}]
            client.chat.completions.create(model="gpt-4o", messages=messages)
    told = seen(sink)
    assert [(one["type"], one["Agent ID"], one.get("Message Source")) for one in told] == [
        ("User Message", "shopping-agent", "user"),
        ("User Message", "recipe-agent", "agent"),
        ("AI Response", "recipe-agent", None),
        ("Session End", "shopping-agent", None),
    ]
    assert len({(one["Session ID"], one["Trace ID"]) for one in told}) == 1
    assert told[2]["Agent Description"] == "Finds recipes"


@pytest.mark.parametrize("placeholder", ["anonymous", "", None])
def test_a_placeholder_is_no_user(placeholder: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session("s-1", user_id=placeholder, device_id="device-1") as s:
        s.track_user_message("Hello")
    assert [(one.get("user_id"), one["device_id"]) for one in seen(sink)] == [(None, "device-1")] * 2


def test_a_session_may_never_be_idle(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session("s-1", user_id="u1", idle_timeout_minutes=-1) as s:
        s.track_user_message("Hello")
    assert [one["Session Idle Timeout Minutes"] for one in seen(sink)] == [-1, -1]


def test_a_document_is_said_in_words_with_its_facts_beside(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("bot", user_id="u1", session_id="s-1")
    agent.track_user_message("Summarize the design doc", context={"structuredPayload": {"pages": 12}})
    (told,) = seen(sink)
    assert told["$llm_message"] == {"text": "Summarize the design doc"}
    assert told["Context"] == '{"structuredPayload":{"pages":12}}'


def test_tracking_can_be_switched_off(sink: MemorySink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_TRACKING_DISABLED", "true")
    off = AmplitudeAI(sink=sink)
    with off.agent("bot").session(user_id="u1") as s:
        assert s.track_user_message("Hello")
    assert types(sink) == []
