"""What callbacks were told, and patience."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

LONGEST = 20.0  # seconds for which a machine may be slow before something counts as stuck


class Told:
    """An ``on_event_callback`` that remembers what it was told of which event."""

    def __init__(self) -> None:
        self.codes: list[tuple[str, int]] = []
        self.messages: dict[str, str | None] = {}
        self.threads: set[str] = set()

    def __call__(self, event: Any, code: int, message: str | None) -> None:
        name = name_of(event)
        self.codes.append((name, code))
        self.messages[name] = message
        self.threads.add(threading.current_thread().name)

    @property
    def often(self) -> Counter[str]:
        """How often each event was told of."""
        return Counter(name for name, _ in self.codes)


def name_of(event: Any) -> str:
    """Return the name of the span that an event is, whether it is JSON or an object."""
    properties = event["event_properties"] if isinstance(event, dict) else event.event_properties
    return str(properties["[Agent] Span Name"])


def names(events: Any) -> list[str]:
    """Return the names of spans in order."""
    return sorted(map(name_of, events))


def until(holds: Callable[[], object], seconds: float = LONGEST) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.005)
