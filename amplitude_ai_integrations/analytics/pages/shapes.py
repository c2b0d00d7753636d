"""Geometry of the small drawings: the shape of a session, the bars of the waterfall."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..model import SessionRow, Step, Turn, TurnShape
from .words import counted, duration

_MOST_BARS = 17
_FASTEST_S, _SLOWEST_S = 0.9, 30.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A session in four paths: model time, tool time, errors, stops; and the same in words."""

    model: str
    tool: str
    error: str
    stopped: str
    width: int
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time on a scale from 0 to 100."""

    x: float
    width: float
    kind: str
    pale: float = 0.0  # how much of the width passed before the first token
    is_error: bool = False


def session_shape(row: SessionRow) -> Shape:
    """One five-pixel bar a turn, its height the logarithm of the reply time."""
    paths: dict[str, list[str]] = {"model": [], "tool": [], "error": [], "stopped": []}
    turns = list(_binned(row.shape))
    for index, turn in enumerate(turns):
        x = 7 * index
        if turn.is_error:
            paths["error"].append(f"M{x} 21h5v3h-5z")
        if turn.reply_ms is None and not turn.is_stopped:
            paths["model"].append(f"M{x} 18h5v1h-5z")
            continue
        height = _height(turn.reply_ms)
        if turn.is_stopped:
            paths["stopped"].append(f"M{x}.5 {19.5 - height + 1:g}h4v{height - 1}h-4z")
            continue
        busy = turn.model_ms + turn.tool_ms
        tool = round(height * turn.tool_ms / busy) if busy > 0 else 0
        if height > tool:
            paths["model"].append(f"M{x} {20 - height + tool}h5v{height - tool}h-5z")
        if tool:
            paths["tool"].append(f"M{x} {20 - height}h5v{tool}h-5z")
    drawn = {name: "".join(parts) for name, parts in paths.items()}
    return Shape(**drawn, width=max(7 * len(turns), 7), words=_shape_words(row))


def _height(reply_ms: float | None) -> int:
    seconds = min(max((reply_ms or 0) / 1000, _FASTEST_S), _SLOWEST_S)
    return 4 + round(16 * math.log(seconds / _FASTEST_S) / math.log(_SLOWEST_S / _FASTEST_S))


def _shape_words(row: SessionRow) -> str:
    words = counted(row.turns, "turn")
    if row.slowest_ms is not None:
        words += f", slowest reply {duration(row.slowest_ms)}"
    failed = sum(turn.is_error for turn in row.shape)
    return words + (f", {failed} with errors" if failed else "")


def chunks(count: int, most: int) -> Iterator[slice]:
    """Cut so many into equal parts, no more than ``most``."""
    step = math.ceil(count / most) if count > most else 1
    for start in range(0, count, step):
        yield slice(start, start + step)


def _binned(turns: Sequence[TurnShape]) -> Iterator[TurnShape]:
    for part in chunks(len(turns), _MOST_BARS):
        group = turns[part]
        replies = [turn.reply_ms for turn in group if turn.reply_ms is not None]
        yield TurnShape(
            reply_ms=max(replies) if replies else None,
            model_ms=sum(turn.model_ms for turn in group),
            tool_ms=sum(turn.tool_ms for turn in group),
            is_error=any(turn.is_error for turn in group),
            is_stopped=any(turn.is_stopped for turn in group),
        )


def leaves(steps: Sequence[Step]) -> Iterator[Step]:
    """Every step that did work itself, in tree order."""
    stack = list(reversed(steps))
    while stack:
        step = stack.pop()
        if step.kind in ("model", "tool", "retrieval"):
            yield step
        stack.extend(reversed(step.children))


def model_calls(turn: Turn) -> list[Step]:
    """The model calls of a turn, sub-agents' included."""
    return [step for step in leaves(turn.steps) if step.kind == "model"]


def busy_ms(turn: Turn) -> float:
    """How long a turn took, as far as its events say."""
    return max(turn.reply_ms or 0.0, turn.ended_ms - turn.started_ms, 0.0)


def clamped(offset: float, length: float, total: float) -> tuple[float, float]:
    """Where a stretch begins and ends on a scale to 1, whatever its clock said."""
    start = min(max(offset / total, 0.0), 1.0)
    return start, min(max((offset + length) / total, start), 1.0)


def bar(step: Step, origin_ms: float, total_ms: float) -> Bar | None:
    """The bar of one step on its turn's scale; None where its time was not measured."""
    if step.latency_ms is None:
        return None
    start, end = clamped(step.started_ms - origin_ms, step.latency_ms, max(total_ms, 1.0))
    pale = 0.0
    if step.kind == "model" and step.ttfb_ms and step.latency_ms:
        pale = (end - start) * min(step.ttfb_ms / step.latency_ms, 1.0)
    return Bar(
        x=round(100 * start, 2),
        width=round(100 * (end - start), 2),
        kind=step.kind,
        pale=round(100 * pale, 2),
        is_error=step.is_error,
    )


def start_of(step: Step, origin_ms: float, total_ms: float) -> float:
    """Where on the scale a step without a measured time began."""
    return round(100 * clamped(step.started_ms - origin_ms, 0.0, max(total_ms, 1.0))[0], 2)
