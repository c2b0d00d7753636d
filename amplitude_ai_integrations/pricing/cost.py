"""What a call cost, by the prices of the ``genai-prices`` package (https://github.com/pydantic/genai-prices)."""

from __future__ import annotations

import time
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

_ONE_HOUR = 3_600
_PROVIDERS = {"azure_openai": "azure", "azure-openai": "azure", "bedrock": "aws", "gemini": "google"}


class Tokens(NamedTuple):
    """Token counts of one call. ``input`` includes what was read from and written to the cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_creation: int = 0


class _Rates(NamedTuple):
    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_creation: Decimal


def cost_usd(model: str, provider: str | None, tokens: Tokens) -> float | None:
    """Return the cost in US dollars at full precision, or ``None`` where the price is unknown.

    A look-up takes about a hundred microseconds, so the rates of each model are worked out once an hour
    (prices may depend on the time of day); models whose price depends on the size of the call are looked
    up each time.
    """
    reads = min(tokens.cache_read, tokens.input)
    tokens = tokens._replace(
        cache_read=reads, cache_creation=min(tokens.cache_creation, tokens.input - reads)
    )
    rates = _rates(model, provider, int(time.time()) // _ONE_HOUR)
    if rates is None:
        return None
    if isinstance(rates, _Rates):
        plain = tokens.input - tokens.cache_read - tokens.cache_creation
        amounts = (plain, tokens.output, tokens.cache_read, tokens.cache_creation)
        return float(sum((rate * amount for rate, amount in zip(rates, amounts, strict=True)), Decimal()))
    price = _price(*rates, tokens)
    return None if price is None else float(price)


@lru_cache(maxsize=512)
def _rates(model: str, provider: str | None, _hour: int) -> _Rates | tuple[str, str | None] | None:
    """Return a model's price per token, its name in the price list if that is not linear, or nothing."""
    for name, vendor in _candidates(model, provider):
        small, large = (_probe(name, vendor, size) for size in (1_000, 1_000_000))
        if small is not None and large is not None:
            return small if small == large else (name, vendor)
    return None


def _candidates(model: str, provider: str | None) -> list[tuple[str, str | None]]:
    vendor = _PROVIDERS.get(provider or "", provider)
    bare = model.rpartition("/")[2]
    return list(dict.fromkeys([(model, vendor), (model, None), (bare, vendor), (bare, None)]))


def _probe(model: str, provider: str | None, size: int) -> _Rates | None:
    probes = (
        Tokens(input=size),
        Tokens(output=size),
        Tokens(input=size, cache_read=size),
        Tokens(input=size, cache_creation=size),
    )
    prices = [_price(model, provider, probe) for probe in probes]
    if any(price is None for price in prices):
        return None
    return _Rates(*(price / size for price in prices if price is not None))


def _price(model: str, provider: str | None, tokens: Tokens) -> Decimal | None:
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_creation,
    )
    try:
        return calc_price(usage, model, provider_id=provider).total_price
    except LookupError:
        return None
