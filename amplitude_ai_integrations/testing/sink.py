"""Where a mock's events go: into a list, slowly or not at all where a test wants that."""

from __future__ import annotations

import time
from typing import Final

from ..config import AIConfig
from ..delivery.flush import Counts
from ..delivery.sinks import MemorySink, WireEvent
from ..exceptions import shielded
from .matching import full_type, is_of_type
from .schema import EVENTS

_OK: Final = 200
_REFUSED: Final = 400
_SERVER_ERROR: Final = 500
_CODES: Final = {"timeout": 408, "payload_too_large": 413, "rate_limit": 429}


class MockSink(MemorySink):
    """Keeps what is delivered, and counts what a simulated failure refuses."""

    def __init__(self, config: AIConfig) -> None:
        super().__init__()
        self._callback = config.on_event_callback
        self.clear()

    def clear(self) -> None:
        """Forget events, failures and delays; the list of events stays the same object."""
        self.events.clear()
        self.refused = 0
        self.heal()

    def heal(self) -> None:
        """Deliver at once, and everything, again."""
        self.delay_s = 0.0
        self._failures: dict[str, str] = {}

    def fail(self, error_type: str, message: str | None) -> None:
        """Refuse events: those of one type if ``error_type`` names it, else all."""
        self._failures[error_type] = message or f"simulated {error_type}"

    def send(self, event: WireEvent) -> None:
        """Take the event or refuse it, and tell the configuration's callback which."""
        if self.delay_s > 0:
            time.sleep(self.delay_s)
        failure = self._failure_of(event)
        if failure is None:
            super().send(event)
        else:
            with self._lock:
                self.refused += 1
        if self._callback is not None:
            from ..delivery.official import WholeEvent  # what the callback gets in production

            with shielded("on_event_callback"):
                self._callback(WholeEvent(event, None), *(failure or (_OK, "simulated success")))

    def counts(self) -> Counts:
        """Nothing is ever pending."""
        return Counts(len(self.events), 0, self.refused)

    def _failure_of(self, event: WireEvent) -> tuple[int, str] | None:
        for error_type, message in self._failures.items():
            if is_of_type(event, error_type):
                return _REFUSED, message
            if full_type(error_type) not in EVENTS:
                return _CODES.get(error_type, _SERVER_ERROR), message
        return None
