"""What dashboards are built on: asserted of every AI Response, and reported of everything."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig
from amplitude_ai_integrations.testing import MockAmplitudeAI

CALL: dict[str, Any] = {
    "user_id": "u1",
    "content": "Hi!",
    "session_id": "s1",
    "agent_id": "bot",
    "model": "gpt-4o",
    "provider": "openai",
    "latency_ms": 100.0,
    "input_tokens": 10,
    "output_tokens": 2,
}


@pytest.fixture
def mock() -> MockAmplitudeAI:
    """A mock that takes wrong arguments too, since what comes of them is what is looked at."""
    return MockAmplitudeAI(AIConfig())


def test_a_whole_answer_passes(mock: MockAmplitudeAI) -> None:
    mock.track_ai_message(**CALL)
    mock.track_ai_message(**{**CALL, "user_id": None, "device_id": "d1"})
    mock.assert_verification_fields()


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ({"session_id": None}, "[Agent] Session ID is missing: track it inside `with agent.session(...)`"),
        ({"agent_id": None}, "[Agent] Agent ID is missing: track it through ai.agent('its-name')"),
        ({"model": "", "total_cost_usd": 1.0}, "[Agent] Model Name is missing: pass model="),
        ({"provider": ""}, "[Agent] Provider is missing: pass provider="),
        ({"latency_ms": 0.0}, "[Agent] Latency Ms is missing: measure the call"),
        ({"input_tokens": None}, "[Agent] Input Tokens is missing: pass usage="),
        ({"output_tokens": 0}, "[Agent] Output Tokens is missing: pass usage="),
        (
            {"model": "gtp-4o"},
            "[Agent] Cost USD is missing: give tokens and a model name whose price is known",
        ),
    ],
)
def test_what_an_answer_lacks_is_named_with_what_to_do(
    mock: MockAmplitudeAI, lacking: dict[str, Any], told: str
) -> None:
    mock.track_ai_message(**CALL)
    mock.track_ai_message(**{**CALL, **lacking})
    with pytest.raises(AssertionError) as failure:
        mock.assert_verification_fields()
    first, *problems = str(failure.value).splitlines()
    assert first.startswith("#2 [Agent] AI Response ")
    assert len(problems) == 1
    assert problems[0].startswith(f"  {told}")


def test_an_event_of_nobody_is_named() -> None:
    mock = MockAmplitudeAI()
    mock.track_ai_message(**CALL)
    del mock.events[0]["user_id"]
    with pytest.raises(AssertionError, match="user_id or device_id is missing: pass user_id="):
        mock.assert_verification_fields()


@pytest.mark.parametrize(
    ("given", "is_excused"),
    [
        ({"is_error": True, "input_tokens": None, "output_tokens": None}, True),
        ({"was_cached": True, "latency_ms": 0.0}, True),
        ({"is_error": True, "latency_ms": 0.0}, False),
    ],
)
def test_failed_and_cached_calls_are_excused_from_what_they_cannot_have(
    mock: MockAmplitudeAI, given: dict[str, Any], is_excused: bool
) -> None:
    mock.track_ai_message(**{**CALL, **given})
    if is_excused:
        mock.assert_verification_fields()
    else:
        with pytest.raises(AssertionError, match="Latency Ms"):
            mock.assert_verification_fields()


def test_a_program_that_answers_nothing_does_not_pass(mock: MockAmplitudeAI) -> None:
    mock.track_user_message("u1", "Hello", "s1")
    with pytest.raises(AssertionError, match=r"^No \[Agent\] AI Response was tracked."):
        mock.assert_verification_fields()


def test_the_summary_counts_what_is_filled_and_says_how_to_get_the_rest(mock: MockAmplitudeAI) -> None:
    mock.simulate_error("Score")
    mock.track_user_message("u1", "Hello", "s1")
    mock.track_ai_message(**CALL)
    mock.track_ai_message(**{**CALL, "output_tokens": None})
    mock.track_tool_call("u1", "search", session_id="s1")
    mock.score("u1", "good", 1.0, "m-1")
    assert mock.summary() == (
        "4 events\n"
        "      1  [Agent] User Message\n"
        "      2  [Agent] AI Response\n"
        "      1  [Agent] Tool Call\n"
        "\n"
        "filled in all events\n"
        "   100%  user_id\n"
        "   100%  [Agent] Session ID\n"
        "    50%  [Agent] Agent ID, missing on 2 of 4: track it through ai.agent('its-name'), or pass agent_id=\n"
        "\n"
        "filled in [Agent] AI Response\n"
        "   100%  [Agent] Model Name\n"
        "   100%  [Agent] Provider\n"
        "   100%  [Agent] Latency Ms\n"
        "   100%  [Agent] Input Tokens\n"
        "    50%  [Agent] Output Tokens, missing on 1 of 2: pass usage= or output_tokens=, or wrap the client\n"
        "   100%  [Agent] Cost USD\n"
        "\n"
        "filled in [Agent] Tool Call\n"
        "     0%  [Agent] Latency Ms, missing on 1 of 1: measure the run and pass latency_ms=, or use @tool\n"
        "(refused by simulate_error(): 1)"
    )


def test_the_summary_of_nothing_says_so(mock: MockAmplitudeAI) -> None:
    assert mock.summary() == "0 events"
