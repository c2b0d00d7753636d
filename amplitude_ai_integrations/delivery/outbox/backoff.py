"""How long to wait after a failure."""

from __future__ import annotations

import random
from typing import Final

_FIRST: Final = 0.25  # seconds
_LONGEST: Final = 30.0
_LONGEST_PARKED: Final = 600.0


class Backoff:
    """Doubles with each failure in a row, with jitter, so that many processes do not come back at once."""

    def __init__(self) -> None:
        self.failures = 0

    def next(self, *, is_parked: bool = False) -> float:
        """Return the seconds to wait now; ``is_parked`` where only a person can mend it."""
        longest = _LONGEST_PARKED if is_parked else _LONGEST
        wait = min(longest, _FIRST * 2.0 ** min(self.failures, 20))
        self.failures += 1
        return wait * random.uniform(0.75, 1.0)  # noqa: S311 - it protects nothing

    def reset(self) -> None:
        """Begin anew after a success."""
        self.failures = 0
