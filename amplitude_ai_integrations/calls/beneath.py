"""A call that is watched from above too: it is told there, with what can only be seen here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .facts import RequestFacts, ResponseFacts
from .observation import Observation


class Beneath(Observation):
    """Watches a call for an observation above it, and records nothing itself."""

    above: Observation

    @property
    def asked(self) -> RequestFacts:
        """What is asked, as it is seen here."""
        return self._request

    def _said(self) -> None:
        """What the messages say is told above."""

    def _say(self) -> None:
        """As ``_said``, where it is learnt later."""

    def _end(self, facts: ResponseFacts, outcome: Mapping[str, Any] | None = None) -> None:
        if self.is_over:
            return
        self.is_over = True
        has_failed = bool(outcome and outcome.get("is_error"))
        self.above.seen_beneath(facts, self._first_at, has_failed=has_failed)
        self._payload = self._chunks = None
