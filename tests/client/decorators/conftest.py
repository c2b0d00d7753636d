"""No client but the test's own, and a clock that ticks once a look."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from weakref import WeakSet

import pytest

from amplitude_ai_integrations.client import default
from amplitude_ai_integrations.client.decorators import target
from amplitude_ai_integrations.client.tracker import ToolCallTracker
from amplitude_ai_integrations.context import stamps


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(default, "_clients", WeakSet())
    target._warn_nowhere.cache_clear()
    yield
    ToolCallTracker.clear()


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one second pass between any two looks at the stopwatch."""
    seconds = count()
    monkeypatch.setattr(stamps, "seconds", lambda: float(next(seconds)))
