"""What a call cost, by the prices of the ``genai-prices`` package (https://github.com/pydantic/genai-prices)."""

from __future__ import annotations

from numbers import Real
from time import time
from typing import Any, Final, NamedTuple

from ..exceptions import CostCalculationError, shielded
from .rates import TIERS, Rates, current_prices

_MOST_TOKENS: Final = 10**15  # no call has more
_LONGEST_NAMES: Final = 300  # characters; what is longer names no model, and is not worth remembering


class Tokens(NamedTuple):
    """Token counts of one call. ``input`` includes what was read from and written to the cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_creation: int = 0


def calculate_cost(
    model_name: str,
    input_tokens: int | None,
    output_tokens: int | None,
    cache_read_input_tokens: int | None = 0,
    cache_creation_input_tokens: int | None = 0,
    *,
    provider: str | None = None,
    strict: bool = False,
    service_tier: str | None = None,
) -> float | None:
    """Return what a model call costs in US dollars at full precision, or ``None`` where that is unknown.

    ``input_tokens`` includes the cached ones; ``None`` counts as zero, and what is no count at all (negative,
    not a number) leaves the cost unknown. Without a ``provider`` the seller is told from the model's name.
    ``service_tier`` is ``"flex"``, ``"priority"``, ``"fast"``, ``"batch"``, or what a provider calls its
    standard.

    Raises:
        CostCalculationError: The cost is unknown, with ``strict`` only.
    """
    cost = None
    with shielded("calculate_cost"):
        given = (input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens)
        counts = [count for value in given if (count := _count(value)) is not None]
        if isinstance(model_name, str) and len(counts) == len(given):
            seller = provider if isinstance(provider, str) else None
            cost = cost_usd(model_name, seller, Tokens(*counts), service_tier)
    if cost is None and strict:
        raise CostCalculationError(
            f"What {model_name!r} costs is unknown; pass the cost, or try enable_live_price_updates()."
        )
    return cost


def cost_usd(model: str, provider: str | None, tokens: Tokens, service_tier: Any = None) -> float | None:
    """Return the cost in US dollars at full precision, or ``None`` where the price is unknown."""
    if len(model) + len(provider or "") > _LONGEST_NAMES:
        return None
    for rates in current_prices().rates(model, provider, int(time()) // 60, _tier(service_tier)):
        if tokens.input > rates.above:
            return _cost(rates, tokens)
    return None


def _cost(rates: Rates, tokens: Tokens) -> float | None:
    _, parts, sent, written, read, created, call = rates
    if (sent is None and tokens.input) or (written is None and tokens.output):
        return None
    reads = min(tokens.cache_read, tokens.input)
    creations = min(tokens.cache_creation, tokens.input - reads)
    plain = tokens.input - reads - creations
    return (
        call
        + plain * (sent or 0)
        + tokens.output * (written or 0)
        + reads * (read or 0)
        + creations * (created or 0)
    ) / parts


def _tier(value: Any) -> str | None:
    name = value.lower() if isinstance(value, str) else None
    return name if name in TIERS else None


def _count(value: Any) -> int | None:
    if value is None:
        return 0
    is_number = type(value) is int or (isinstance(value, Real) and not isinstance(value, bool))
    return int(value) if is_number and 0 <= value <= _MOST_TOKENS else None
