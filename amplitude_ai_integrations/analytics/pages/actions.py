"""The work between messages: tool calls, hand-offs, sub-agents' answers, as one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from ..model import Message, SessionRow, Step
from . import words
from .json_view import parsed
from .shapes import leaves
from .text import plain

_MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class ActionView:
    """One row of work: a tool call, a hand-off, a failed or sub-agent's model call."""

    key: str
    kind: str
    name: str
    preview: str
    result: str
    time: str
    is_error: bool
    error: str
    steps: tuple[Step, ...]  # more than one where equal calls in a row were folded
    text: str | None = None
    inside: str = ""  # the calls made within this one, which only the waterfall shows


def folded(work: list[ActionView]) -> tuple[ActionView, ...]:
    """The rows of a block, equal calls in a row as one, very many cut short."""
    rows = [_as_one(list(group)) for _, group in groupby(work, key=_likeness)]
    shown, rest = rows[:_MOST_ROWS], rows[_MOST_ROWS:]
    failed = [row for row in rest if row.is_error][:_MOST_ROWS]
    more = sum(max(len(row.steps), 1) for row in rest) - len(failed)
    if more > 0:
        told = f"and {words.counted(more, 'more step')}, see the Turns tab"
        shown.append(
            ActionView(f"{rest[0].key}-more", "step", told, "", "", "", is_error=False, error="", steps=())
        )
    return (*shown, *failed)


def _likeness(action: ActionView) -> tuple[str, str]:
    folds = action.kind in ("tool", "retrieval") and not action.is_error
    return (action.kind, action.name) if folds else ("", action.key)


def _as_one(calls: list[ActionView]) -> ActionView:
    if len(calls) == 1:
        return calls[0]
    steps = tuple(step for call in calls for step in call.steps)
    measured = [step.latency_ms for step in steps if step.latency_ms is not None]
    total = sum(measured) if len(measured) == len(steps) else None
    return replace(
        calls[-1],
        key=calls[0].key,
        preview=calls[0].preview,
        steps=steps,
        time=words.duration(total),
        inside=_inside(steps),
    )


def _inside(steps: Sequence[Step]) -> str:
    within = sum(1 for step in steps if step.kind in ("tool", "retrieval") for _ in leaves(step.children))
    return words.counted(within, "call") + " inside" if within else ""


def key_of_step(step: Step) -> str:
    """A name for a step that no other has, though an agent's step bears its first child's number."""
    above, inner = 0, step
    while first := next((child for child in inner.children if child.event_id == step.event_id), None):
        above, inner = above + 1, first
    return f"a{step.event_id}-{above}" if above else f"a{step.event_id}"


def action_of(step: Step, row: SessionRow) -> ActionView | None:
    """The row of a step, or None for what is no work of its own: a plan, a silent step."""
    if step.kind == "agent":
        who = f"{step.parent_agent or row.agent or 'agent'} → {step.name}"
        return _action_view(step, name=who, preview=plain(step.input or "", 120), result="accepted")
    if step.kind == "model":
        if step.is_error:
            return _action_view(step, name=step.model or step.name, preview="", result="failed")
        if step.text and step.parent_agent:
            sign = words.ABOUT if step.is_estimated else ""
            known = step.output_tokens is not None
            result = sign + words.counted(step.output_tokens or 0, "token") if known else ""
            name = f"{step.agent} answered"
            return _action_view(step, name=name, preview=plain(step.text, 120), result=result, text=step.text)
        return None
    if step.kind == "step" and not (step.is_error or step.input or step.output):
        return None
    return _action_view(
        step, name=step.name, preview=_preview(step.input), result=result_in_words(step.output)
    )


def _action_view(step: Step, *, name: str, preview: str, result: str, text: str | None = None) -> ActionView:
    error = ""
    if step.is_error:
        error = (
            ": ".join(part for part in (step.error_type, step.error_message) if part)
            or "No reason was recorded"
        )
    return ActionView(
        key=key_of_step(step),
        kind=step.kind,
        name=name,
        preview=preview,
        result="failed" if step.is_error else result,
        time=words.duration(step.latency_ms),
        is_error=step.is_error,
        error=error,
        steps=(step,),
        text=text,
        inside=_inside((step,)),
    )


def delegation(message: Message) -> ActionView:
    """What one agent asked another."""
    return ActionView(
        key=f"a{message.event_id}",
        kind="agent",
        name="hand-off",
        preview=plain(message.text, 120) if message.text else "Content not recorded",
        result="",
        time=words.UNKNOWN,
        is_error=False,
        error="",
        steps=(),
        text=message.text,
    )


def _preview(value: str | None) -> str:
    return plain(value, 120) if value else ""


def result_in_words(output: str | None) -> str:
    """What a call brought, in two words: ``14 rows``, ``1 chart``, ``nothing``."""
    if output is None:
        return ""
    value: Any = parsed(output)
    if value is None or value in ("", [], {}):
        return "nothing" if value is None or value == "" else "0 items"
    if isinstance(value, list):
        return words.counted(len(value), "item")
    if isinstance(value, dict):
        lists = [(key, item) for key, item in value.items() if isinstance(item, list)]
        if len(lists) == 1:
            key, items = plain(lists[0][0], 20), lists[0][1]
            return f"{len(items)} {key.removesuffix('s') if len(items) == 1 else key}"
        return words.counted(len(value), "field")
    text = str(value)
    return plain(text, 24) if len(text) <= 24 else words.counted(len(text), "character")
