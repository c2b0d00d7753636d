"""Costs at full precision, or none at all."""

from __future__ import annotations

import math
import random
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import pytest
from genai_prices import Usage, calc_price, data_snapshot

from amplitude_ai_integrations.exceptions import CostCalculationError
from amplitude_ai_integrations.pricing import calculate_cost
from amplitude_ai_integrations.pricing.cost import Tokens, cost_usd
from amplitude_ai_integrations.pricing.rates import current_prices

SIZES = [
    Tokens(7, 3),
    Tokens(900_000, 10, 100, 50),
    Tokens(250_000, 4_000, 1_000),
    Tokens(128_000, 1),
    Tokens(128_001, 1),
    Tokens(1_000_003, 999_983, 333_331, 111_111),
]
MODELS = ["gpt-4o", "gpt-4o-mini", "gemini-2.5-pro", "claude-sonnet-4-20250514", "o3", "grok-4", "sonar-pro"]


@pytest.mark.parametrize(
    ("model", "counts", "cost"),
    [
        ("gpt-4o", (120, 340), 0.0037),
        ("gpt-4o", (1, 0), 2.5e-06),
        ("gpt-4o", (0, 0), 0.0),
        ("claude-sonnet-4-20250514", (5000, 200, 4500, 500), 0.006225),
        ("text-embedding-3-small", (45_000, 0), 0.0009),
        ("text-embedding-3-small", (1, None), 2e-08),
        ("my-own-model", (1, 1), None),
    ],
)
def test_costs_are_exact(model: str, counts: tuple[int, ...], cost: float | None) -> None:
    assert calculate_cost(model, *counts) == cost


@pytest.mark.parametrize("tokens", SIZES)
def test_each_price_of_the_list_agrees_with_its_own_arithmetic(tokens: Tokens) -> None:
    usage = usage_of(tokens)
    compared = 0
    for seller in data_snapshot.get_snapshot().providers:
        for model in seller.models:
            ours = cost_usd(model.id, seller.id, tokens)
            with suppress(LookupError):  # the id of a model is not always one of its names
                theirs = calc_price(usage, model.id, provider_id=seller.id).total_price
                assert ours in (None, float(theirs)), model.id
                compared += ours is not None
    assert compared > 1_000


def test_prices_of_the_day_and_of_the_night_change_on_the_minute() -> None:
    prices = current_prices()
    model = prices.snapshot.find_provider_model("deepseek-chat", None, "deepseek", None)[1]
    rates = []
    for hour, minute in [(0, 29), (0, 30), (16, 29), (16, 30)]:
        at = datetime(2025, 6, 1, hour, minute, tzinfo=timezone.utc)
        found = prices.rates("deepseek-chat", "deepseek", int(at.timestamp()) // 60)[0]
        listed = model.get_prices(at)
        assert found.input is not None
        assert found.input / found.parts == float(listed.input_mtok / 1_000_000)
        rates.append(found.input / found.parts)
    night, day, late_day, night_again = rates
    assert night == night_again < day == late_day


@pytest.mark.parametrize(
    "count", [-1, math.nan, math.inf, True, "120", [], {}, 10**400, 1e300, -0.5], ids=repr
)
@pytest.mark.parametrize("place", range(4))
def test_what_is_no_count_leaves_the_cost_unknown(place: int, count: Any) -> None:
    counts: list[Any] = [100, 100, 10, 10]
    counts[place] = count
    assert calculate_cost("gpt-4o", *counts) is None
    with pytest.raises(CostCalculationError, match="gpt-4o"):
        calculate_cost("gpt-4o", *counts, strict=True)


@pytest.mark.parametrize("model", [None, 7, b"gpt-4o", [], "", " ", "x" * 1_000_000, "a/" * 100_000], ids=str)
def test_what_is_no_model_has_no_cost(model: Any) -> None:
    assert calculate_cost(model, 1, 1) is None
    with pytest.raises(CostCalculationError):
        calculate_cost(model, 1, 1, strict=True)


def test_only_what_may_be_a_name_is_remembered() -> None:
    rates = current_prices().rates
    for number in range(2_000):
        cost_usd(f"model-{number}", None, Tokens(1, 1))
    assert rates.cache_info().currsize <= 512
    before = rates.cache_info().misses
    cost_usd("x" * 1_000, None, Tokens(1, 1))
    cost_usd("gpt-4o", "x" * 1_000, Tokens(1, 1))
    assert rates.cache_info().misses == before


def test_counts_that_are_missing_are_zero_and_whole_floats_are_counts() -> None:
    nothing: Any = None
    assert calculate_cost("gpt-4o", 120, 340, nothing, nothing) == 0.0037
    floats: Any = (120.0, 340.0)
    assert calculate_cost("gpt-4o", *floats) == 0.0037
    no_name: Any = ["openai"]
    assert calculate_cost("gpt-4o", 120, 340, provider=no_name) == 0.0037


def test_strict_returns_what_is_known() -> None:
    assert calculate_cost("gpt-4o", 120, 340, strict=True) == 0.0037


def test_a_kind_of_token_without_a_price_is_not_free() -> None:
    assert calculate_cost("text-embedding-3-small", 10, 10) is None


def test_more_cached_than_sent_is_taken_as_all_of_it() -> None:
    assert calculate_cost("gpt-4o", 100, 0, 500) == calculate_cost("gpt-4o", 100, 0, 100)
    most = calculate_cost("claude-sonnet-4-20250514", 100, 0, 60, 40)
    assert calculate_cost("claude-sonnet-4-20250514", 100, 0, 60, 500) == most


@pytest.mark.parametrize("model", MODELS)
def test_a_call_costs_what_its_parts_cost(model: str) -> None:
    chance = random.Random(model)
    for _ in range(200):
        tokens = call(chance, most=100_000)  # below the size from which any of them is dearer
        parts = [
            Tokens(tokens.input - tokens.cache_read - tokens.cache_creation),
            Tokens(0, tokens.output),
            Tokens(tokens.cache_read, 0, tokens.cache_read),
            Tokens(tokens.cache_creation, 0, 0, tokens.cache_creation),
        ]
        asked = cost(model, Tokens())  # some take a price for each call
        assert math.isclose(
            sum(cost(model, part) - asked for part in parts) + asked, cost(model, tokens), rel_tol=1e-12
        )


@pytest.mark.parametrize("model", MODELS)
def test_more_tokens_never_cost_less_and_cached_ones_never_more(model: str) -> None:
    chance = random.Random(model)
    for _ in range(200):
        tokens = call(chance)
        more = chance.randint(1, 300_000)
        assert cost(model, tokens._replace(input=tokens.input + more)) >= cost(model, tokens)
        assert cost(model, tokens._replace(output=tokens.output + more)) > cost(model, tokens)
        assert cost(model, tokens) <= cost(model, tokens._replace(cache_read=0))


def call(chance: random.Random, most: int = 1_000_000) -> Tokens:
    sent = chance.choice([0, 1, chance.randint(0, most)])
    read = chance.randint(0, sent)
    return Tokens(sent, chance.randint(0, 20_000), read, chance.randint(0, sent - read))


def cost(model: str, tokens: Tokens) -> float:
    found = cost_usd(model, None, tokens)
    assert found is not None
    return found


def usage_of(tokens: Tokens) -> Usage:
    return Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_creation,
    )
