"""Turns as waterfalls: every step a row with its place in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..model import SessionDetail, Step, Turn
from . import words
from .shapes import Bar, bar, busy_ms, start_of

_DEEPEST_INDENT = 8
_MOST_ROWS = 200
_KIND_WORDS = {
    "model": "Model call",
    "tool": "Tool",
    "retrieval": "Retrieval",
    "step": "Step",
    "agent": "Agent",
}


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a turn, with its depth and its bar; ``at`` is where an unmeasured one began."""

    step_id: str
    kind: str
    kind_words: str
    name: str
    depth: int
    deeper: int
    bar: Bar | None
    at: float
    time: str
    tokens: str
    cost: str
    is_error: bool
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class TurnCard:
    """A turn with its rows, its scale and whether it is open."""

    turn: Turn
    rows: tuple[StepRow, ...]
    more: int
    marks: tuple[str, ...]
    time: str
    tokens: str
    cost: str
    is_open: bool


def turn_cards(
    detail: SessionDetail, *, step_id: str | None, on_one_scale: bool, all_rows: bool
) -> tuple[TurnCard, ...]:
    """All turns; open is the one asked for, else the first with an error, else the last."""
    longest = max((busy_ms(turn) for turn in detail.turns), default=0.0)
    opened = _opened(detail.turns, step_id)
    return tuple(
        _card(turn, detail, longest if on_one_scale else busy_ms(turn), turn.number == opened, all_rows)
        for turn in detail.turns
    )


def _opened(turns: tuple[Turn, ...], step_id: str | None) -> int | None:
    if step_id is not None:
        for turn in turns:
            if find_step(turn, step_id):
                return turn.number
    failed = next((turn.number for turn in turns if turn.errors), None)
    return failed if failed is not None else turns[-1].number if turns else None


def find_step(turn: Turn, step_id: str) -> Step | None:
    """The step of a turn with this id."""
    return next((step for step, _ in walk(turn) if step.step_id == step_id), None)


def walk(turn: Turn) -> Iterator[tuple[Step, int]]:
    """The steps of a turn in tree order, each with its depth."""
    stack = [(step, 0) for step in reversed(turn.steps)]
    while stack:
        step, depth = stack.pop()
        yield step, depth
        stack.extend((child, depth + 1) for child in reversed(step.children))


def _card(turn: Turn, detail: SessionDetail, scale_ms: float, is_open: bool, all_rows: bool) -> TurnCard:
    rows = []
    has_root = len(turn.steps) == 1 and turn.steps[0].kind == "agent"
    if not has_root and turn.steps:
        rows.append(_root(turn, detail.row.agent, scale_ms))
    steps = list(walk(turn))
    shown = steps if all_rows else steps[:_MOST_ROWS]
    rows.extend(_step_row(step, depth + (not has_root), turn, scale_ms) for step, depth in shown)
    return TurnCard(
        turn=turn,
        rows=tuple(rows),
        more=len(steps) - len(shown),
        marks=("0", *(words.duration(scale_ms * part / 4) for part in (1, 2, 3))),
        time=words.duration(turn.reply_ms),
        tokens=words.tokens(turn.tokens, is_estimated=turn.is_estimated),
        cost=words.cost(turn.cost_usd, is_estimated=turn.is_estimated),
        is_open=is_open,
    )


def _root(turn: Turn, agent: str | None, scale_ms: float) -> StepRow:
    width = min(100 * busy_ms(turn) / scale_ms, 100.0) if scale_ms else 100.0
    return StepRow(
        step_id="",
        kind="agent",
        kind_words="Agent",
        name=agent or "agent",
        depth=0,
        deeper=0,
        bar=Bar(0, round(width, 2), "agent"),
        at=0,
        time=words.duration(turn.reply_ms),
        tokens="" if turn.tokens is None else words.tokens(turn.tokens, is_estimated=turn.is_estimated),
        cost="" if turn.cost_usd is None else words.cost(turn.cost_usd, is_estimated=turn.is_estimated),
        is_error=False,
        is_stopped=turn.is_stopped,
    )


def _step_row(step: Step, depth: int, turn: Turn, scale_ms: float) -> StepRow:
    both = [count for count in (step.input_tokens, step.output_tokens) if count is not None]
    cost = "" if step.cost_usd is None else words.cost(step.cost_usd, is_estimated=step.is_estimated)
    if step.kind == "model" and step.cost_usd is None and both:
        cost = words.UNKNOWN
    return StepRow(
        step_id=step.step_id,
        kind=step.kind,
        kind_words=_KIND_WORDS[step.kind],
        name=step_name(step),
        depth=min(depth, _DEEPEST_INDENT),
        deeper=depth if depth > _DEEPEST_INDENT else 0,
        bar=bar(step, turn.started_ms, scale_ms),
        at=start_of(step, turn.started_ms, scale_ms),
        time="not measured" if step.latency_ms is None else words.duration(step.latency_ms),
        tokens=words.tokens(sum(both), is_estimated=step.is_estimated) if both else "",
        cost=cost,
        is_error=step.is_error,
        is_stopped=step.is_stopped,
    )


def step_name(step: Step) -> str:
    """A step's name: the model for model calls, with what it did where that shows."""
    if step.kind != "model":
        return step.name
    name = step.model or step.name
    if step.tool_calls:
        return f"{name}, plan"
    return f"{name}, answer" if step.text else name
