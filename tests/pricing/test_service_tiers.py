"""What a call costs that is served faster, slower or later than others."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import data_snapshot

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.pricing import calculate_cost
from amplitude_ai_integrations.pricing.rates import TIERS

HAS_TIERS = any(
    getattr(model, "price_variants", None)
    for seller in data_snapshot.get_snapshot().providers
    for model in seller.models
)
STANDARD = calculate_cost("gpt-5", 1_000, 1_000)


def cost(tier: Any, model: str = "gpt-5", **more: Any) -> float | None:
    return calculate_cost(model, 1_000, 1_000, service_tier=tier, **more)


@pytest.mark.parametrize("tier", [None, "default", "auto", "standard", "scale", "", 7, ["flex"], "x" * 1_000])
def test_a_tier_without_a_price_of_its_own_costs_as_much_as_none(tier: Any) -> None:
    assert cost(tier) == STANDARD


@pytest.mark.parametrize("tier", ["flex", "batch", "FLEX"])
@pytest.mark.parametrize("provider", [None, "openai", "azure"])
def test_what_may_wait_costs_half(tier: str, provider: str | None) -> None:
    assert STANDARD is not None
    assert cost(tier, provider=provider) == STANDARD / 2


def test_what_goes_before_others_costs_what_the_list_says_or_is_unknown() -> None:
    assert STANDARD is not None
    found = cost("priority")
    assert found == cost("fast")
    assert (found is not None and found > STANDARD) == HAS_TIERS


def test_what_was_paid_for_in_advance_costs_what_it_costs_otherwise() -> None:
    assert cost("priority", "claude-sonnet-4-20250514") == cost(None, "claude-sonnet-4-20250514")
    half = cost("batch", "claude-sonnet-4-20250514")
    assert half is not None
    assert 2 * half == cost(None, "claude-sonnet-4-20250514")


def test_flex_is_no_cheaper_where_the_seller_says_so() -> None:
    model = "llama-3.3-70b-versatile"
    assert cost("flex", model, provider="groq") == cost(None, model, provider="groq") != None  # noqa: E711


@pytest.mark.parametrize("tier", sorted(TIERS))
def test_each_tier_of_the_list_costs_what_the_list_says(tier: str) -> None:
    snapshot = data_snapshot.get_snapshot()
    compared, now = 0, datetime.now(timezone.utc)
    for seller in snapshot.providers:
        for model in seller.models:
            listed = [
                variant.prices.input_mtok
                for variant in getattr(model, "price_variants", None) or ()
                if variant.when in ({"service_tier": tier}, {"processing": tier}, {"speed": tier})
                and (variant.constraint is None or variant.constraint.active(now))
            ]
            found = calculate_cost(model.id, 1_000, 0, provider=seller.id, service_tier=tier)
            if found is not None and listed and isinstance(listed[0], Decimal):
                compared += 1
                assert found == float(listed[0] / 1_000), model.id
    assert bool(compared) == HAS_TIERS


def test_a_tier_told_by_hand_is_in_the_price_alone(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent(user_id="u").session() as session:
        given: Any = {"input_tokens": 1_000, "output_tokens": 1_000, "service_tier": "flex"}
        session.track_ai_message("Hi", "gpt-5", "openai", **given)
        session.track_embedding("text-embedding-3-small", "openai", input_tokens=1_000, service_tier="batch")
    answer, embedding, _end = (event["event_properties"] for event in sink)
    assert STANDARD is not None
    assert answer["[Agent] Cost USD"] == STANDARD / 2
    assert embedding["[Agent] Cost USD"] == 1e-05  # two cents a million, halved
    assert not [name for name in (*answer, *embedding) if "tier" in name.lower() and "Model" not in name]
