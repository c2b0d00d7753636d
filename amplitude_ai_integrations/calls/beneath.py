"""A call that is watched from above too: it is told there, with what can only be seen here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .facts import ResponseFacts
from .observation import Observation


class Beneath(Observation):
    """Watches a call for an observation above it, and records nothing itself."""

    above: Observation

    def finds(self, above: Sequence[Observation], known: Observation | None) -> bool:
        """Find out which of these watches this call from above; one that asks just this goes before."""
        if known is not None and known.takes_beneath(self._request, is_known=True):
            self.above = known
            return True
        for is_exact in (True, False):
            for other in above:
                if other.takes_beneath(self._request, is_exact=is_exact):
                    self.above = other
                    return True
        return False

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
        if outcome and outcome.get("error_type") == "CancelledError":
            self.above.left("CancelledError")  # of which not every framework speaks
        self._payload = self._chunks = None
