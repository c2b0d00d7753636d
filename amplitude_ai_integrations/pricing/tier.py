"""Model tiers, told from a model's name."""

from __future__ import annotations

import re
from functools import lru_cache

_REASONING = re.compile(
    r"(^|[/.-])o[1-9]($|[.-])|deepseek-?r\d|reasoner|reasoning|thinking|qwq|magistral|(^|[/-])r1($|-)"
)
_FAST = re.compile(
    r"(?<![a-z])(mini(?!max)|nano|haiku|flash|lite|instant|small|tiny|micro)|(^|[-_:])[1-9]b($|[-_])"
)


@lru_cache(maxsize=1024)
def model_tier(model: str) -> str:
    """Return ``reasoning``, ``fast`` or ``standard``; a small reasoning model counts as reasoning."""
    name = model.lower()
    if _REASONING.search(name):
        return "reasoning"
    return "fast" if _FAST.search(name) else "standard"
