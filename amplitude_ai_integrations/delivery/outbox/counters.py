"""What became of events, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..flush import Counts


@dataclass
class Counters:
    """Events of this process's own, unless it says otherwise."""

    appended: int = 0
    sent: int = 0
    retried: int = 0  # times an event was put off, adopted ones too
    adopted: int = 0  # events that ended processes had left
    adopted_sent: int = 0
    bad: int = 0  # records that could not be read
    dead: Counter[str] = field(default_factory=Counter)
    adopted_dead: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    adopted_dropped: Counter[str] = field(default_factory=Counter)

    @property
    def waiting(self) -> int:
        """How many are on the way, adopted ones too."""
        gone = self.adopted_sent + self.adopted_dead.total() + self.adopted_dropped.total()
        return self.counts().pending + max(0, self.adopted - gone)

    def counts(self) -> Counts:
        """Return what callers ask for: arrived, on the way, and never to arrive."""
        lost = self.dead.total() + self.dropped.total()
        return Counts(self.sent, max(0, self.appended - self.sent - lost), lost)
