"""A sink that drops what it takes, so that only the making of events is measured."""

from __future__ import annotations

from typing import Any

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.delivery.flush import Counts, FlushResult


class Silence:
    """Takes events and forgets them."""

    def send(self, event: dict[str, Any]) -> None:
        """Forget the event."""

    def flush(self) -> FlushResult:
        """Nothing is pending."""
        return FlushResult([], self.counts)

    def close(self, timeout: float = 0.0) -> None:
        """Nothing is open."""

    def counts(self) -> Counts:
        """Nothing was kept."""
        return Counts(0, 0, 0)


ai = AmplitudeAI(sink=Silence())
