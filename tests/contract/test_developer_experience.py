"""Seeing events in the terminal, checking them in CI, and what follows from a model's name."""

from __future__ import annotations

from typing import Any

import pytest
from amplitude import Amplitude

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, OpenAI, ValidationError
from tests.events import one, types
from tests.fakes.collector import Collector

CALL: dict[str, Any] = {"model": "gpt-4o", "provider": "openai", "latency_ms": 1203.4}
COUNTED: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 247, "total_cost_usd": 0.00891}
LINE = (
    "[amplitude-ai] [Agent] AI Response | user=u1 | session=a3f81f60... | model=gpt-4o | tokens=1,247 "
    "| cost=$0.0089 | latency=1,203ms\n"
)
SESSION = "a3f81f60-0f0e-4d0c-8a51-5a3e7b1f2c3d"


def test_debug_prints_a_line_an_event_and_sends_it_too(
    capsys: pytest.CaptureFixture[str], amplitude: Amplitude, collector: Collector
) -> None:
    ai = AmplitudeAI(amplitude=amplitude, config=AIConfig(debug=True))
    ai.track_ai_message("u1", "Hi", SESSION, **CALL, **COUNTED)
    ai.flush().result(5)
    assert capsys.readouterr().err == LINE
    assert types(collector.events) == ["AI Response"]


def test_a_dry_run_prints_and_sends_nothing(
    capsys: pytest.CaptureFixture[str], amplitude: Amplitude, collector: Collector
) -> None:
    ai = AmplitudeAI(amplitude=amplitude, config=AIConfig(dry_run=True))
    ai.track_ai_message("u1", "Hi", SESSION, **CALL, **COUNTED)
    ai.flush().result(5)
    assert capsys.readouterr().err == LINE
    assert collector.events == []


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("track_user_message", {"user_id": "", "content": "Hi", "session_id": "s"}, "user_id is empty"),
    ("track_ai_message", {"user_id": "u1", **CALL, "latency_ms": -1.0}, "must not be negative"),
    ("score", {"user_id": "u1", "name": "n", "value": "good", "target_id": "m"}, "must be a number"),
]


@pytest.mark.parametrize(("method", "given", "words"), BAD)
def test_validation_raises_where_production_goes_on(
    method: str, given: dict[str, Any], words: str, ai: AmplitudeAI, sink: MemorySink
) -> None:
    strict = AmplitudeAI(api_key="unused", config=AIConfig(dry_run=True, validate=True))
    with pytest.raises(ValidationError, match=words):
        getattr(strict, method)(**given)
    getattr(ai, method)(**given)
    assert len(sink.events) == 1


def test_all_three_together_print_what_is_right_and_raise_on_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ai = AmplitudeAI(api_key="unused", config=AIConfig(debug=True, dry_run=True, validate=True))
    ai.track_ai_message("u1", "Hi", SESSION, **CALL, **COUNTED)
    with pytest.raises(ValidationError):
        ai.track_ai_message("", "Hi", SESSION, **CALL)
    assert capsys.readouterr().err == LINE


def test_the_status_says_how_it_is_configured_and_what_is_observed(ai: AmplitudeAI, client: OpenAI) -> None:
    assert client.api_key
    status = ai.status()
    promised = {
        "content_mode": "full",
        "debug": False,
        "dry_run": False,
        "redact_pii": True,
    }
    assert promised.items() <= status.items()
    assert "openai" in status["patched_providers"]  # beside those that other tests have observed here
    assert "openai" in status["providers_available"]


TIERS = {
    "fast": ("gpt-4o-mini", "claude-3-5-haiku-20241022", "gemini-2.0-flash"),
    "standard": ("gpt-4o", "claude-sonnet-4-20250514", "gemini-1.5-pro"),
    "reasoning": ("o1", "o3", "deepseek-r1"),
}


@pytest.mark.parametrize(("tier", "model"), [(tier, model) for tier in TIERS for model in TIERS[tier]])
def test_the_tier_follows_from_the_models_name(
    tier: str, model: str, ai: AmplitudeAI, sink: MemorySink
) -> None:
    ai.track_ai_message("u1", "Hi", "s-1", model, "any", 1.0)
    assert one(sink, "AI Response")["[Agent] Model Tier"] == tier


def test_a_tier_that_is_given_counts(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_ai_message("u1", "Hi", "s-1", **CALL, model_tier="reasoning")
    assert one(sink, "AI Response")["[Agent] Model Tier"] == "reasoning"


def test_an_answer_from_a_cache_says_so_and_cost_nothing(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_ai_message("u1", "Hi", "s-1", **CALL, input_tokens=100, output_tokens=10, was_cached=True)
    answer = one(sink, "AI Response")
    assert (answer["[Agent] Was Cached"], answer["[Agent] Cost USD"]) == (True, 0.0)
