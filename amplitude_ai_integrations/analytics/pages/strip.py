"""The session strip: turns side by side to scale, and where the time of each went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ..model import StepKind, Turn
from .shapes import Bar, busy_ms, chunks, clamped, leaves
from .words import counted, duration

_MOST_TURNS = 40
_PAUSE = 3.0  # per cent of the strip's width
_MOST_STEPS = 60  # a call a sixtieth of its turn apart from the next of its kind is drawn as one with it
_CHARACTER, _GAP = 1.2, 0.8  # per cent of the narrowest strip, for its labels
Stretch: TypeAlias = tuple[StepKind, float, float]  # a kind of call, from when to when on a scale to 1


@dataclass(frozen=True, slots=True)
class StripTurn:
    """One turn, or one bin of turns, on the strip."""

    number: int
    label: str
    x: float
    width: float
    time: str
    is_error: bool
    is_stopped: bool
    words: str
    bars: tuple[Bar, ...] = field(default=())
    has_room: bool = True  # for its label, after the labels before it

    @property
    def has_room_for_time(self) -> bool:
        """Whether label and time stand side by side."""
        return self.width >= _CHARACTER * (len(self.label) + len(self.time)) + 3 * _GAP


def strip(turns: Sequence[Turn]) -> tuple[StripTurn, ...]:
    """All turns side by side to scale, the pauses between them cut short; nothing where no call was timed."""
    if all(step.latency_ms is None for turn in turns for step in leaves(turn.steps)):
        return ()
    groups = [turns[part] for part in chunks(len(turns), _MOST_TURNS)]
    lengths = [max(sum(busy_ms(turn) for turn in group), 1.0) for group in groups]
    pause = min(_PAUSE, 30 / len(groups)) if groups else 0.0
    room = 100 - pause * (len(groups) - 1)
    floor = room * 0.2 / max(len(groups), 1)
    scale = (room - floor * len(groups)) / sum(lengths) if groups else 0.0
    drawn: list[StripTurn] = []
    x = free = 0.0
    for group, length in zip(groups, lengths, strict=True):
        width = floor + length * scale
        turn = _strip_turn(group, round(x, 1), round(width, 1), length)
        drawn.append(replace(turn, has_room=x >= free))
        if x >= free:
            free = x + _CHARACTER * len(turn.label) + _GAP
        x += width + pause
    return tuple(drawn)


def _strip_turn(group: Sequence[Turn], x: float, width: float, length: float) -> StripTurn:
    first, last = group[0], group[-1]
    errors = sum(turn.errors for turn in group)
    label = str(first.number) if first is last else f"{first.number}–{last.number}"  # noqa: RUF001
    words = [f"Turn {label}", duration(length)]
    if errors:
        words.append(counted(errors, "error"))
    is_stopped = any(turn.is_stopped for turn in group)
    if is_stopped:
        words.append("stopped")
    bars = _strip_bars(first, x, width) if first is last else _shares(group, x, width, length)
    return StripTurn(
        number=first.number,
        label=label,
        x=x,
        width=width,
        time=duration(length),
        is_error=errors > 0,
        is_stopped=is_stopped,
        words=", ".join(words),
        bars=bars,
    )


def _strip_bars(turn: Turn, x: float, width: float) -> tuple[Bar, ...]:
    total = max(busy_ms(turn), 1.0)
    stretches = [
        (step.kind, *clamped(step.started_ms - turn.started_ms, step.latency_ms, total))
        for step in leaves(turn.steps)
        if step.latency_ms is not None
    ]
    if len(stretches) > _MOST_STEPS:
        stretches = list(_joined(stretches))
    return tuple(
        Bar(round(x + width * start, 1), round(max(width * (end - start), 0.2), 1), kind)
        for kind, start, end in stretches
    )


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Calls of one kind as one stretch where the pause between them is too short to be seen."""
    begun: Stretch | None = None
    for kind, start, end in sorted(stretches):
        if begun is not None and begun[0] == kind and start - begun[2] < 1 / _MOST_STEPS:
            begun = (kind, begun[1], max(begun[2], end))
            continue
        if begun is not None:
            yield begun
        begun = (kind, start, end)
    if begun is not None:
        yield begun


def _shares(group: Sequence[Turn], x: float, width: float, length: float) -> tuple[Bar, ...]:
    """How much of many turns' time went to models and how much to tools, side by side."""
    model, tool = sum(turn.model_ms for turn in group), sum(turn.tool_ms for turn in group)
    scale = width / max(length, model + tool)
    parts = ((x, model * scale, "model"), (x + model * scale, tool * scale, "tool"))
    return tuple(Bar(round(at, 1), round(wide, 1), kind) for at, wide, kind in parts if wide >= 0.05)
