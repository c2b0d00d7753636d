"""Words to the log about delivery, of each kind one line a minute at most."""

from __future__ import annotations

import time
from typing import Any, Final

from ...exceptions import logger

A_MINUTE: Final = 60.0


class Saying:
    """Says something again only after a while."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def say(self, kind: str, level: int, words: str, *values: Any, every: float = A_MINUTE) -> None:
        """Log a sentence unless one of its kind was logged in the last ``every`` seconds."""
        now = time.monotonic()
        if now - self._said.get(kind, -every) >= every:
            self._said[kind] = now
            logger.log(level, words, *values)
