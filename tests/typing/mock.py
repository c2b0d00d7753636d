"""What type checkers say of the package for tests; checked by mypy and basedpyright, never run."""

from __future__ import annotations

from typing import Any

import pytest
from typing_extensions import assert_type

from amplitude_ai_integrations import AIConfig, AmplitudeAI, BoundAgent, ContentMode, OpenAI
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from amplitude_ai_integrations.testing import MockAmplitudeAI, frozen, problems_of


@pytest.fixture
def amplitude_ai_config() -> AIConfig:
    return AIConfig(content_mode=ContentMode.METADATA_ONLY)


def test_typed(amplitude_ai: MockAmplitudeAI, amplitude_ai_frozen: MockAmplitudeAI) -> None:
    client: AmplitudeAI = amplitude_ai
    assert_type(client.agent("bot"), BoundAgent)
    assert_type(amplitude_ai.agent("bot"), BoundAgent)
    assert_type(amplitude_ai_frozen.events, list[dict[str, Any]])
    assert_type(amplitude_ai.get_events(), list[dict[str, Any]])
    assert_type(amplitude_ai.get_events("AI Response"), list[dict[str, Any]])
    assert_type(amplitude_ai.events_of_type("AI Response"), list[dict[str, Any]])
    assert_type(
        amplitude_ai.events_for_session("s1") + amplitude_ai.events_for_agent("bot"), list[dict[str, Any]]
    )
    assert_type(
        amplitude_ai.assert_event_tracked(
            "AI Response", user_id="u1", model="gpt-4o", **{"[Agent] Provider": "openai"}
        ),
        dict[str, Any],
    )
    assert_type(amplitude_ai.assert_session_closed("s1"), dict[str, Any])
    amplitude_ai.assert_no_events()
    amplitude_ai.assert_verification_fields()
    assert_type(amplitude_ai.summary(), str)
    amplitude_ai.simulate_error("rate_limit", "try later")
    amplitude_ai.simulate_latency(0.1)
    amplitude_ai.clear_simulations()
    amplitude_ai.reset()
    amplitude_ai.simulate_latency("slow")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    OpenAI(amplitude=amplitude_ai, api_key="k")
    AmplitudeAIMiddleware(_app, amplitude_ai=amplitude_ai)


async def _app(scope: Any, receive: Any, send: Any) -> None: ...


with frozen(at_ms=0):
    assert_type(problems_of({"event_type": "[Agent] Score"}), list[str])
assert_type(MockAmplitudeAI(AIConfig()).config, AIConfig)
