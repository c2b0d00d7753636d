"""Model tiers, told from a model's name."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Words count as a whole: gemini, minimax and nanobot are not small. "fast" and "turbo" mostly name a quicker
# service of a large model, so they count in the few names where they do not.
_REASONING: Final = re.compile(
    r"(?<![a-z0-9])(?:o\d|r1(?:t2?)?|qwq|qvq|magistral|reasoner|deep-?research"
    r"|(?<!non-)reasoning|(?<!non-)(?<!no-)thinking|thinker)(?![a-z0-9])"
)
_FAST: Final = re.compile(
    r"(?<![a-z0-9])(?:airx?|flashx?|haiku|instant|light|lite|micro|mini|ministral|nano|small|tiny"
    r"|gpt-?3\.?5|qwen-turbo|grok-(?:4|4-1|code)-fast"
    r"|(?<!\d\.)[er]?\d(?:\.\d+)?b|\d{2,3}m"  # fewer than ten billion parameters
    r")(?![a-z0-9])"
)
_LONGEST_NAME: Final = 200  # characters; what is longer names no model, and is not worth remembering


def model_tier(model: str) -> str:
    """Return ``reasoning``, ``fast`` or ``standard``; a small reasoning model counts as reasoning."""
    return _tier(model[:_LONGEST_NAME])


@lru_cache(maxsize=1024)
def _tier(model: str) -> str:
    name = model.lower()
    if _REASONING.search(name):
        return "reasoning"
    return "fast" if _FAST.search(name) else "standard"
