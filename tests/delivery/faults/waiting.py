"""Waiting for something, with a bound."""

from __future__ import annotations

import time
from collections.abc import Callable

LONG = 60.0  # seconds a machine may be slow for before something counts as stuck


def until(holds: Callable[[], bool], timeout: float = LONG) -> bool:
    """Wait until something holds, and tell whether it does."""
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
