"""What a token of each model costs, from the price list of ``genai-prices``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from math import lcm
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .names import candidates

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

_REMEMBERED: Final = 512  # models


class Rates(NamedTuple):
    """What each token, and a call itself, costs where there are more than ``above`` input tokens.

    In parts of a dollar, small enough that all rates are whole: sums of whole numbers are exact, and faster
    than those of decimals. ``None`` is what the list has no price for.
    """

    above: int
    parts: int  # to a dollar
    input: int | None
    output: int | None
    cache_read: int | None
    cache_creation: int | None
    call: int


TIERS: Final = frozenset({"batch", "fast", "flex", "priority"})  # those that may have a price of their own
# Where the list has no price of a tier, the seller's word for it counts: https://openai.com/api/pricing,
# https://learn.microsoft.com/azure/foundry/openai/how-to/flex-processing, https://ai.google.dev/gemini-api/docs/optimization,
# https://platform.claude.com/docs/en/build-with-claude/batch-processing, https://aws.amazon.com/bedrock/pricing.
_HALVED: Final = {
    "anthropic": {"batch"},
    "aws": {"batch"},
    "azure": {"batch", "flex"},
    "google": {"batch", "flex"},
    "openai": {"batch", "flex"},
}
# At Anthropic it is what was paid for in advance; https://console.groq.com/docs/flex-processing.
_AT_THE_STANDARD_PRICE: Final = {"anthropic": {"priority"}, "groq": {"flex"}}
_PER: Final = {
    "input_mtok": 1_000_000,
    "output_mtok": 1_000_000,
    "cache_read_mtok": 1_000_000,
    "cache_write_mtok": 1_000_000,
    "requests_kcount": 1_000,
}
_FREE: Final = Rates(-1, 1, 0, 0, 0, 0, 0)


class Prices:
    """One price list, and the rates that were worked out from it.

    Finding a model takes about a hundred microseconds, so the last ones are remembered.
    """

    def __init__(self, snapshot: DataSnapshot) -> None:
        self.snapshot = snapshot
        self._sellers = {seller.id.replace("_", "-"): seller for seller in snapshot.providers}
        self._find = lru_cache(_REMEMBERED)(self._look_up)
        self.rates = lru_cache(_REMEMBERED)(self._rates_at)

    def _rates_at(
        self, model: str, provider: str | None, minute: int, tier: str | None = None
    ) -> tuple[Rates, ...]:
        """Return a model's rates, those of the largest calls first; none where the price is unknown.

        ``minute`` is since 1970: prices may depend on the time of day, and change on whole minutes.
        ``tier`` is one of ``TIERS``.
        """
        host, found = self._find(model, provider)
        if found is None:
            return ()
        if found.id.endswith(":free"):
            return (_FREE,)
        at = datetime.fromtimestamp(minute * 60, timezone.utc)
        if tier is None or tier in _AT_THE_STANDARD_PRICE.get(host, ()):
            return tuple(_rates(found.get_prices(at)))
        if _is_listed(found, tier, at):
            return tuple(_rates(found.get_prices(at, dict.fromkeys(_CONTEXT, tier))))
        if tier not in _HALVED.get(host, ()):
            return ()
        return tuple(rates._replace(parts=rates.parts * 2) for rates in _rates(found.get_prices(at)))

    def _look_up(self, model: str, provider: str | None) -> tuple[str, ModelInfo | None]:
        for host, name in candidates(model, provider):
            seller = self._sellers.get(host)
            found = seller.find_model(name, all_providers=self.snapshot.providers) if seller else None
            if found is not None:
                return host, found
        return "", None


class _Current:
    prices: Prices | None = None


def current_prices() -> Prices:
    """Return the prices in force; the list is loaded at the first call, and may be replaced while we run."""
    snapshot = _library().get_snapshot()
    prices = _Current.prices
    if prices is None or prices.snapshot is not snapshot:
        prices = _Current.prices = Prices(snapshot)
    return prices


@cache
def _library() -> Any:
    from genai_prices import data_snapshot

    return data_snapshot


_CONTEXT: Final = ("service_tier", "processing", "speed")  # under which the list has tiers


def _is_listed(model: ModelInfo, tier: str, at: datetime) -> bool:
    """Tell whether the list has prices of a model's tier; older versions of it have none."""
    return any(
        variant.when.keys() <= set(_CONTEXT)
        and set(variant.when.values()) == {tier}
        and (variant.constraint is None or variant.constraint.active(at))
        for variant in getattr(model, "price_variants", None) or ()
    )


def _rates(price: ModelPrice) -> Iterator[Rates]:
    listed = {key: getattr(price, key, None) for key in _PER}
    if listed["input_mtok"] is None and listed["output_mtok"] is None:
        return
    starts = {tier.start for item in listed.values() for tier in getattr(item, "tiers", ())}
    for above in (*sorted(starts, reverse=True), -1):
        dollars = {
            key: Fraction(_price_above(above, item)) / _PER[key]
            for key, item in listed.items()
            if item is not None
        }
        parts = lcm(*(price.denominator for price in dollars.values()))
        whole = {key: int(price * parts) for key, price in dollars.items()}
        sent = whole.get("input_mtok")  # without a price of its own, what is cached costs as much as the rest
        yield Rates(
            above,
            parts,
            sent,
            whole.get("output_mtok"),
            whole.get("cache_read_mtok", sent),
            whole.get("cache_write_mtok", sent),
            whole.get("requests_kcount", 0),
        )


def _price_above(above: int, item: Decimal | TieredPrices) -> Decimal:
    if isinstance(item, Decimal):
        return item
    return next((tier.price for tier in reversed(item.tiers) if tier.start <= above), item.base)
