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
        self.failures += 1
        return delay(self.failures - 1, _LONGEST_PARKED if is_parked else _LONGEST)

    def reset(self) -> None:
        """Begin anew after a success."""
        self.failures = 0


def delay(failures: int, longest: float = _LONGEST) -> float:
    """Return the seconds to wait after so many failures before this one."""
    wait = min(longest, _FIRST * 2.0 ** min(failures, 20))
    return wait * random.uniform(0.75, 1.0)  # noqa: S311 - it protects nothing
