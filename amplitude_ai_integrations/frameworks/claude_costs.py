"""What a run of Claude's cost, of the running totals that its results tell.

``total_cost_usd`` and ``model_usage`` of a result are those of the whole process so far, and the truth: they
hold what no message shows, such as titles and summaries that another model writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add, sub
from typing import Any, Final, NamedTuple

from ..calls.facts import Usage, count, peek
from ..context.memory import Spent
from ..providers.anthropic_messages import usage_of
from ..schema.facts import number

LEAST_USD: Final = 1e-6  # below this, a total and its parts differ by rounding alone
_NOTHING: Final = Spent()

Shares = Mapping[str, Spent]


class RunCost(NamedTuple):
    """What one run took, and each model's share of it where that is said."""

    whole: Spent
    shares: Shares


class Totals:
    """The running totals of one process."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew: another process, or a conversation that was cleared."""
        self._cost = 0.0
        self._shares: Shares = {}

    def take(self, result: Any) -> RunCost | None:
        """Return what was spent since the last result; ``None`` where it does not say."""
        cost = number(peek(result, "total_cost_usd"))
        if cost is None:
            return None
        if cost < self._cost - LEAST_USD:
            self.reset()
        now = _shares(peek(result, "model_usage"))
        shares = {model: _minus(share, self._shares.get(model, _NOTHING)) for model, share in now.items()}
        shares = {model: share for model, share in shares.items() if any(share)}
        tokens = total(shares.values()) if now else _spent(usage_of(peek(result, "usage")))
        spent = tokens._replace(cost_usd=max(0.0, cost - self._cost))
        self._cost, self._shares = cost, now
        return RunCost(spent, shares)


def rests(run: RunCost, told: Shares, model: str) -> list[tuple[str, Spent]]:
    """Return what of a run is not told yet, by model; that of nobody in particular is ``model``'s."""
    if run.shares and set(told) <= set(run.shares):
        parts = {name: _minus(share, told.get(name, _NOTHING)) for name, share in run.shares.items()}
        if total(parts.values()).cost_usd <= run.whole.cost_usd and _are_whole(parts.values()):
            return [(name, _above(part)) for name, part in parts.items() if part.cost_usd > LEAST_USD]
    rest = _minus(run.whole, total(told.values()))
    return [(model, _above(rest))] if rest.cost_usd > LEAST_USD else []


def total(parts: Iterable[Spent]) -> Spent:
    """Return the sum of parts."""
    return reduce(lambda one, other: Spent(*map(add, one, other)), parts, _NOTHING)


def _are_whole(parts: Iterable[Spent]) -> bool:
    return all(part.cost_usd > -LEAST_USD for part in parts)


def _minus(whole: Spent, part: Spent) -> Spent:
    return Spent(*map(sub, whole, part))


def _above(part: Spent) -> Spent:
    return Spent(max(0.0, part.cost_usd), *(max(0, value) for value in part[1:]))


def _shares(usages: Any) -> Shares:
    if not isinstance(usages, dict):
        return {}
    return {str(model): _share(usage) for model, usage in usages.items()}


def _share(usage: Any) -> Spent:
    names = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
    sent, written, read, created = (count(peek(usage, name)) or 0 for name in names)
    cost = number(peek(usage, "costUSD")) or 0.0
    return Spent(cost, sent + read + created, written, cache_read_tokens=read, cache_creation_tokens=created)


def _spent(usage: Usage | None) -> Spent:
    return _NOTHING if usage is None else spent_of(usage, 0.0)


def spent_of(usage: Usage, cost: float | None) -> Spent:
    """Return what an answer took."""
    return Spent(
        cost or 0.0,
        usage.input or 0,
        usage.output or 0,
        usage.reasoning or 0,
        usage.cache_read or 0,
        usage.cache_creation or 0,
    )
