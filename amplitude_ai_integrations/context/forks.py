"""Locks that a forked child does not find held by a thread it does not have."""

from __future__ import annotations

import os
import threading
from typing import Any
from weakref import WeakSet

_holders: WeakSet[Guarded] = WeakSet()


class Guarded:
    """Has a lock of its own, ``_lock``, and a new one in each forked child."""

    def __init__(self) -> None:
        self._lock: Any = threading.RLock()
        _holders.add(self)


def _renew() -> None:
    for holder in tuple(_holders):
        holder._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
