"""What came to the collector, for whoever wonders why nothing arrives."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Counts since the start, and the last refusal."""

    requests: int = 0
    events: int = 0
    last_refusal: str | None = None
    last_refusal_at_ms: int | None = None

    def accepted(self, events: int) -> None:
        self.requests += 1
        self.events += events

    def refused(self, why: str) -> None:
        self.requests += 1
        self.last_refusal = why
        self.last_refusal_at_ms = time.time_ns() // 1_000_000
