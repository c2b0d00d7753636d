"""Where an unknown price is an error, it is one for the caller alone, and never for an observed call."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, CostCalculationError, MemorySink, OpenAI
from tests.events import one
from tests.fakes.openai_server import OpenAIServer

UNKNOWN: dict[str, Any] = {"model": "acme-7b", "provider": "acme"}


@pytest.fixture
def strict(sink: MemorySink) -> AmplitudeAI:
    return AmplitudeAI(sink=sink, config=AIConfig(strict_cost=True))


@pytest.mark.parametrize(
    "tokens",
    [
        {"input_tokens": 5},
        {"output_tokens": 5},
        {"input_tokens": 0, "output_tokens": 0},
        {"usage": {"prompt_tokens": 5, "completion_tokens": 5}},
    ],
)
@pytest.mark.parametrize("door", ["client", "agent", "session"])
def test_an_unknown_price_is_said_in_a_sentence(
    strict: AmplitudeAI, sink: MemorySink, tokens: dict[str, Any], door: str
) -> None:
    agent = strict.agent("bot", user_id="ann", session_id="of-strict")
    doors: dict[str, Any] = {"client": strict, "agent": agent, "session": agent.session()}
    with pytest.raises(
        CostCalculationError,
        match="The price of model 'acme-7b' of provider 'acme' is unknown; pass total_cost_usd=, or the model's name",
    ):
        doors[door].track_ai_message(content="x", **UNKNOWN, **tokens)
    assert sink.events == []


def test_embeddings_are_held_to_it_too(strict: AmplitudeAI) -> None:
    with pytest.raises(CostCalculationError):
        strict.track_embedding("ann", input_tokens=5, **UNKNOWN)


@pytest.mark.parametrize(
    ("given", "cost"),
    [
        ({**UNKNOWN, "input_tokens": 5, "total_cost_usd": 0.25}, 0.25),
        ({**UNKNOWN, "input_tokens": 5, "total_cost_usd": 0}, 0),
        ({**UNKNOWN, "input_tokens": 5, "was_cached": True}, 0),
        ({**UNKNOWN, "input_tokens": 5, "auto_calculate_cost": False}, None),
        (UNKNOWN, None),
        ({"model": "gpt-4o", "provider": "openai", "input_tokens": 1_000_000}, 2.5),
    ],
)
def test_what_is_known_or_not_to_be_priced_is_no_error(
    strict: AmplitudeAI, sink: MemorySink, given: dict[str, Any], cost: float | None
) -> None:
    strict.track_ai_message("ann", "x", **given)
    assert one(sink, "AI Response").get("[Agent] Cost USD") == cost


def test_nothing_else_is_held_to_it(strict: AmplitudeAI, sink: MemorySink) -> None:
    with strict.agent("bot").session(user_id="ann") as session:
        session.track_user_message("x")
        session.track_tool_call("t")
        session.track_span("s")
    assert len(sink.events) == 4


def test_an_error_leaves_the_session_as_it_was(
    strict: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    with strict.agent("bot").session(session_id, user_id="ann") as session:
        session.track_user_message("x")
        with pytest.raises(CostCalculationError):
            session.track_ai_message("x", input_tokens=5, **UNKNOWN)
        session.track_user_message("y")
    turns = [event["event_properties"].get("[Agent] Turn ID") for event in sink]
    assert turns == [1, 2, None]
    assert sink.events[-1]["event_properties"]["[Agent] Abandonment Turn"] == 0


def test_an_observed_call_never_raises_it(
    vendor: OpenAIServer, strict: AmplitudeAI, sink: MemorySink
) -> None:
    with OpenAI(amplitude=strict, api_key="k", base_url=vendor.url) as client:
        question: list[Any] = [{"role": "user", "content": "Hi"}]
        client.chat.completions.create(model="acme-7b", messages=question, amplitude_user_id="ann")
        client.embeddings.create(model="acme-embed", input="Hi", amplitude_user_id="ann")
        for _chunk in client.chat.completions.create(
            model="acme-7b", messages=question, stream=True, amplitude_user_id="ann"
        ):
            pass
    answers = [event for event in sink if event["event_type"] != "[Agent] User Message"]
    assert len(answers) == 3
    assert not any("[Agent] Cost USD" in event["event_properties"] for event in answers)


def test_without_it_an_unknown_price_is_no_cost(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_ai_message("ann", "x", input_tokens=5, **UNKNOWN)
    assert "[Agent] Cost USD" not in one(sink, "AI Response")
