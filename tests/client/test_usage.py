"""Token counts from every vendor's own usage object: one meaning, and parts that add up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import openai.types
import openai.types.responses
import pydantic
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.usage import tokens_of
from amplitude_ai_integrations.pricing.cost import Tokens, cost_usd
from tests.client.test_hostile import HOSTILE, LyingMapping, Raising
from tests.events import one

CHAT = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 128, "accepted_prediction_tokens": 0},
}
RESPONSES = {
    "input_tokens": 75,
    "input_tokens_details": {"cached_tokens": 32, "cache_write_tokens": 8},
    "output_tokens": 1186,
    "output_tokens_details": {"reasoning_tokens": 1024},
    "total_tokens": 1261,
}
ANTHROPIC = {
    "input_tokens": 50,
    "cache_creation_input_tokens": 248,
    "cache_read_input_tokens": 1800,
    "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 503,
    "server_tool_use": None,
    "service_tier": "standard",
}
GEMINI = {
    "prompt_token_count": 100,
    "cached_content_token_count": 60,
    "candidates_token_count": 40,
    "thoughts_token_count": 25,
    "tool_use_prompt_token_count": 10,
    "total_token_count": 175,
    "traffic_type": None,
}
BEDROCK = {
    "inputTokens": 10,
    "outputTokens": 20,
    "totalTokens": 2097,
    "cacheReadInputTokens": 2000,
    "cacheWriteInputTokens": 67,
}
MISTRAL = {"prompt_tokens": 15, "completion_tokens": 5, "total_tokens": 20, "prompt_audio_seconds": None}
OURS = {"input_tokens": 100, "output_tokens": 50, "cache_read_tokens": 80, "reasoning_tokens": 20}
THROUGH_A_PROXY = {**CHAT, "cache_read_input_tokens": 1920, "cache_creation_input_tokens": 0}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


def _as_object(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    return SimpleNamespace(**{name: _as_object(value) for name, value in given.items()})


class Counted(pydantic.BaseModel):
    input_tokens: int = 7
    output_tokens: int | None = None
    details: dict[str, int] = {}


class HalfRaising:
    output_tokens = 3

    @property
    def input_tokens(self) -> int:
        raise RuntimeError("not counted yet")


SHAPES: dict[str, tuple[Any, dict[str, int]]] = {
    "chat completions": (
        CHAT,
        {"input_tokens": 2006, "output_tokens": 300, "total_tokens": 2306, "reasoning_tokens": 128,
         "cache_read_tokens": 1920},
    ),
    "responses": (
        RESPONSES,
        {"input_tokens": 75, "output_tokens": 1186, "total_tokens": 1261, "reasoning_tokens": 1024,
         "cache_read_tokens": 32, "cache_creation_tokens": 8},
    ),
    "anthropic": (
        ANTHROPIC,
        {"input_tokens": 2098, "output_tokens": 503, "cache_read_tokens": 1800, "cache_creation_tokens": 248},
    ),
    "gemini": (
        GEMINI,
        {"input_tokens": 110, "output_tokens": 65, "total_tokens": 175, "reasoning_tokens": 25,
         "cache_read_tokens": 60},
    ),
    "gemini, as it travels": (
        {_camel(name): value for name, value in GEMINI.items()},
        {"input_tokens": 110, "output_tokens": 65, "total_tokens": 175, "reasoning_tokens": 25,
         "cache_read_tokens": 60},
    ),
    "gemini, cut off while thinking": (
        {"prompt_token_count": 100, "candidates_token_count": None, "thoughts_token_count": 25},
        {"input_tokens": 100, "output_tokens": 25, "reasoning_tokens": 25},
    ),
    "bedrock": (
        BEDROCK,
        {"input_tokens": 2077, "output_tokens": 20, "total_tokens": 2097, "cache_read_tokens": 2000,
         "cache_creation_tokens": 67},
    ),
    "mistral": (MISTRAL, {"input_tokens": 15, "output_tokens": 5, "total_tokens": 20}),
    "ours": (
        OURS,
        {"input_tokens": 100, "output_tokens": 50, "cache_read_tokens": 80, "reasoning_tokens": 20},
    ),
    "a proxy that writes both vendors' names": (
        THROUGH_A_PROXY,
        {"input_tokens": 2006, "output_tokens": 300, "total_tokens": 2306, "reasoning_tokens": 128,
         "cache_read_tokens": 1920, "cache_creation_tokens": 0},
    ),
    "only one side": ({"completion_tokens": 3}, {"output_tokens": 3}),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_each_vendors_counts_mean_the_same(shape: str) -> None:
    given, expected = SHAPES[shape]
    assert tokens_of(given) == expected
    assert tokens_of(_as_object(given)) == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_parts_add_up_to_totals(shape: str, ai: AmplitudeAI, sink: MemorySink) -> None:
    given, expected = SHAPES[shape]
    ai.track_ai_message("ann", "x", "of-usage", "gpt-4o", "openai", 1.0, usage=given)
    event = one(sink, "AI Response")
    total = expected.get("input_tokens", 0) + expected.get("output_tokens", 0)
    assert event["[Agent] Total Tokens"] == total
    assert event.get("[Agent] Has Reasoning", False) is ("reasoning_tokens" in expected)
    kept = expected.get("input_tokens", 0), expected.get("output_tokens", 0)
    cached = expected.get("cache_read_tokens", 0), expected.get("cache_creation_tokens", 0)
    assert event["[Agent] Cost USD"] == cost_usd("gpt-4o", "openai", Tokens(*kept, *cached))


def test_the_vendors_own_objects() -> None:
    assert tokens_of(openai.types.CompletionUsage.model_validate(CHAT)) == SHAPES["chat completions"][1]
    assert tokens_of(openai.types.responses.ResponseUsage.model_validate(RESPONSES)) == SHAPES["responses"][1]
    assert tokens_of(Counted()) == {"input_tokens": 7}


def test_what_is_explicit_wins(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_ai_message("ann", "x", "of-usage", "m", "p", usage=CHAT, input_tokens=5, cache_read_tokens=0)
    event = one(sink, "AI Response")
    assert (event["[Agent] Input Tokens"], event["[Agent] Output Tokens"]) == (5, 300)
    assert event["[Agent] Cache Read Tokens"] == 0


@pytest.mark.parametrize("garbage", [*HOSTILE, "lying", "mock", "no numbers", "half"])
def test_garbage_counts_nothing_and_breaks_nothing(ai: AmplitudeAI, sink: MemorySink, garbage: str) -> None:
    others: dict[str, Any] = {
        "lying": LyingMapping(input_tokens=3),
        "mock": MagicMock(),
        "no numbers": {"input_tokens": "5", "output_tokens": -1, "total_tokens": True, "prompt_tokens": 2.5},
        "half": HalfRaising(),
    }
    made = others[garbage] if garbage in others else HOSTILE[garbage]()
    ai.track_ai_message("ann", "x", "of-usage", "m", "p", usage=made)
    event = one(sink, "AI Response")
    counted = {name: value for name, value in event.items() if name.endswith("Tokens")}
    expected = {"lying": {"[Agent] Input Tokens": 3, "[Agent] Total Tokens": 3},
                "half": {"[Agent] Output Tokens": 3, "[Agent] Total Tokens": 3}}  # fmt: skip
    assert counted == expected.get(garbage, {})


@pytest.mark.parametrize(
    ("method", "extra"),
    [
        ("track_user_message", {"usage": CHAT}),
        ("track_tool_call", {"auto_calculate_cost": False}),
        ("track_embedding", {"omit_repeated_content": True}),
        ("track_embedding", {"usage": {"prompt_tokens": 3, "total_tokens": 3}}),
        ("track_span", {"usage": Raising()}),
        ("track_session_end", {"usage": CHAT}),
        ("score", {"usage": CHAT}),
    ],
)
def test_what_only_an_answer_takes_loses_no_other_event(
    ai: AmplitudeAI, sink: MemorySink, method: str, extra: dict[str, Any]
) -> None:
    getattr(ai, method)(user_id="ann", session_id="of-usage", **extra)
    assert len(sink.events) == 1
