"""Scores, what each of them is about, and which of them are complaints that stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .events import Event, Kind
from .model import Score
from .properties import Properties

_NEGATIVE_BELOW = 0.5


@dataclass(slots=True)
class Feedback:
    """Scores by the key of the event they judge, and those on the session as a whole."""

    on_events: dict[str, list[Score]] = field(default_factory=dict)
    on_session: list[Score] = field(default_factory=list)

    def of(self, event: Event) -> tuple[Score, ...]:
        return tuple(self.on_events.get(event.key, ()))


def is_negative(score: Score) -> bool:
    """Whether a person said that something was wrong."""
    return score.source == "user" and score.value < _NEGATIVE_BELOW


def latest(scores: Iterable[Score]) -> tuple[Score, ...]:
    """Return the scores that stand: a later mark of the same kind on the same thing replaces the earlier."""
    standing: dict[tuple[str, str, str | None], Score] = {}
    for score in sorted(scores, key=lambda score: score.at_ms):
        standing[score.source, score.name, score.target_id] = score
    return tuple(sorted(standing.values(), key=lambda score: score.at_ms))


def feedback(events: Sequence[Event]) -> Feedback:
    """Attach each score to the message it names, by its id or by the provider's request id."""
    known = {event.key for event in events if event.kind != Kind.SCORE}
    by_request = {event.provider_request_id: event.key for event in events if event.kind == Kind.AI_RESPONSE}
    placed = Feedback()
    for event in events:
        if event.kind != Kind.SCORE or event.score_value is None:
            continue
        target = event.target_id
        if target is None and event.provider_request_id is not None:
            target = by_request.get(event.provider_request_id, event.provider_request_id)
        if target in known and event.target_type != "session":
            placed.on_events.setdefault(target, []).append(_score(event, target))
        else:
            placed.on_session.append(_score(event, target))
    return placed


def negative(events: Sequence[Event]) -> int:
    """Count the users' complaints that stand."""
    placed = feedback(events)
    scores = [score for on_one in placed.on_events.values() for score in on_one]
    return sum(map(is_negative, latest(scores + placed.on_session)))


def _score(event: Event, target: str | None) -> Score:
    return Score(
        name=event.score_name or "score",
        value=event.score_value or 0.0,
        source=event.source or "unknown",
        comment=Properties(event.properties).text("comment"),
        target_id=target,
        at_ms=event.ts_ms,
    )
