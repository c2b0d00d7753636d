"""The facts in the margin of a conversation: time, tokens, cost and what people thought of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..model import Message, Score, Step, Turn
from . import words
from .shapes import model_calls
from .text import plain

_NEGATIVE_BELOW = 0.5


@dataclass(frozen=True, slots=True)
class Margin:
    """The facts beside a reply: time, tokens, cost, who and with what."""

    time: str = ""
    is_slow: bool = False
    first_token: str = ""
    tokens: str = ""
    cost: str = ""
    made_by: str = ""
    notes: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return self == Margin()


def in_out(steps: Sequence[Step]) -> str:
    """Tokens in and out of these calls, with the sign for about where they were estimated."""
    into = [step.input_tokens for step in steps if step.input_tokens is not None]
    out = [step.output_tokens for step in steps if step.output_tokens is not None]
    about = any(step.is_estimated for step in steps)
    return " · ".join(
        f"{words.tokens(sum(counts), is_estimated=about)} {way}"
        for counts, way in ((into, "in"), (out, "out"))
        if counts
    )


def step_margin(step: Step) -> Margin:
    """The figures of one model call."""
    notes, complaints = _feedback(step.scores)
    return Margin(
        time=words.duration(step.latency_ms) if step.latency_ms is not None else "",
        first_token=words.duration(step.ttfb_ms) if step.ttfb_ms is not None else "",
        tokens=in_out([step]),
        cost=words.cost(step.cost_usd, is_estimated=step.is_estimated) if step.cost_usd is not None else "",
        made_by=step.model or "",
        notes=(("copied",) if step.was_copied else ()) + notes,
        complaints=complaints,
    )


def reply_margin(step: Step, turn: Turn) -> Margin:
    """The figures of the whole turn, since that is what its user waited for."""
    calls = model_calls(turn)
    agents = {call.agent for call in calls if call.agent}
    models = list(dict.fromkeys(call.model for call in calls if call.model))
    own = step_margin(step)
    first = step.started_ms - turn.started_ms + step.ttfb_ms if step.ttfb_ms is not None else None
    return replace(
        own,
        time=words.duration(turn.reply_ms) if turn.reply_ms is not None else own.time,
        is_slow=words.is_slow(turn.reply_ms),
        first_token=words.duration(first) if first is not None else "",
        tokens=in_out(calls),
        cost=words.cost(turn.cost_usd, is_estimated=turn.is_estimated)
        if turn.cost_usd is not None
        else "cost unknown",
        made_by=f"{len(agents)} agents" if len(agents) > 1 else ", ".join(models[:2]),
    )


def user_margin(message: Message | None) -> Margin:
    """What happened to a user message, and what its author felt."""
    if message is None:
        return Margin()
    notes = (("edited",) if message.is_edit else ()) + (("asked again",) if message.is_regeneration else ())
    good, bad = _feedback(message.scores)
    return Margin(notes=notes + good, complaints=bad)


def _feedback(scores: Sequence[Score]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    good: list[str] = []
    bad: list[str] = []
    for score in standing(scores):
        (bad if is_complaint(score) else good).append(score_in_words(score))
    return tuple(good), tuple(bad)


def standing(scores: Iterable[Score]) -> tuple[Score, ...]:
    """The marks that count: the latest of each name that somebody gave to the same thing."""
    latest: dict[tuple[str | None, str, str], Score] = {}
    for score in sorted(scores, key=lambda score: score.at_ms):
        latest[score.target_id, score.name, score.source] = score
    return tuple(latest.values())


def is_complaint(score: Score) -> bool:
    """Whether a person said that something was wrong, by the rule the list counts with."""
    return score.source == "user" and score.value < _NEGATIVE_BELOW


def score_in_words(score: Score) -> str:
    """A score as people say it, with its comment."""
    if score.source == "user" and score.value in (-1, 0, 1):
        said = "thumbs up" if score.value == 1 else "thumbs down"
    else:
        said = f"{score.name} {score.value:g}"
    return f"{said}: “{plain(score.comment, 200)}”" if score.comment else said
