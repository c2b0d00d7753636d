"""Costs at full precision, whatever the price list's shape."""

from __future__ import annotations

import pytest
from genai_prices import Usage, calc_price

from amplitude_ai_integrations.pricing.cost import Tokens, cost_usd
from amplitude_ai_integrations.pricing.tier import model_tier
from amplitude_ai_integrations.pricing.tokens import estimate_tokens


@pytest.mark.parametrize(
    ("model", "provider", "tokens", "cost"),
    [
        ("gpt-4o", "openai", Tokens(120, 340), 0.0037),
        ("openai/gpt-4o", "openai", Tokens(1, 0), 2.5e-06),
        ("gpt-4o", "azure_openai", Tokens(120, 340), 0.0037),
        ("claude-sonnet-4-20250514", "anthropic", Tokens(5000, 200, 4500, 500), 0.006225),
        ("text-embedding-3-small", "openai", Tokens(1), 2e-08),
        ("gpt-4o", None, Tokens(0, 0), 0.0),
        ("acme-7b", "acme", Tokens(1, 1), None),
    ],
)
def test_costs(model: str, provider: str | None, tokens: Tokens, cost: float | None) -> None:
    assert cost_usd(model, provider, tokens) == cost


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gemini-2.5-pro", "claude-sonnet-4-20250514", "o3"])
@pytest.mark.parametrize(
    "tokens", [Tokens(7, 3), Tokens(900_000, 10, 100, 50), Tokens(250_000, 4_000, 1_000)]
)
def test_memoised_rates_agree_with_the_price_list(model: str, tokens: Tokens) -> None:
    usage = Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_creation,
    )
    assert cost_usd(model, None, tokens) == pytest.approx(
        float(calc_price(usage, model).total_price), rel=1e-12
    )


def test_more_cached_than_sent_is_taken_as_all_of_it() -> None:
    assert cost_usd("gpt-4o", "openai", Tokens(100, 0, 500)) == cost_usd(
        "gpt-4o", "openai", Tokens(100, 0, 100)
    )


@pytest.mark.parametrize(
    ("models", "tier"),
    [
        ("gpt-4o-mini gpt-5-mini gpt-5-nano claude-3-5-haiku-latest gemini-2.5-flash llama-3.1-8b", "fast"),
        ("gpt-4o gpt-5 claude-sonnet-4 gemini-2.5-pro minimax-m2 mistral-large llama-3-70b", "standard"),
        ("o1 o3 o3-mini openai/o4-mini deepseek-reasoner deepseek-r1 qwq-32b magistral-medium", "reasoning"),
    ],
)
def test_tiers(models: str, tier: str) -> None:
    assert {model: model_tier(model) for model in models.split()} == dict.fromkeys(models.split(), tier)


def test_estimates_are_of_the_right_size() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("x") == 1
    assert 80 <= estimate_tokens("hello world, this is text " * 20) <= 160
