"""A conversation as a document: what was said, what was done for it, and the facts in the margin."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..model import Message, SessionDetail, SessionRow, Step, Turn
from . import words
from .actions import ActionView, action_of, delegation, folded
from .margins import Margin, reply_margin, step_margin, user_margin
from .shapes import model_calls
from .text import plain

_PLANNING = frozenset({"tool_calls", "tool_use", "function_call"})
_PAUSE_MS = 60_000


@dataclass(frozen=True, slots=True)
class ReplyView:
    """Something an agent said, or the place where it would stand."""

    key: str
    agent: str
    asked_by: str | None
    at_ms: float
    step: Step
    margin: Margin
    prompt: str | None = None  # where it differs from the turn before
    missing: str = ""
    stopped: str = ""


Part: TypeAlias = ReplyView | tuple[ActionView, ...]


@dataclass(frozen=True, slots=True)
class TurnView:
    """One exchange: a user message, blocks of work and replies in the order they happened."""

    turn: Turn
    user_margin: Margin
    user_missing: str
    parts: tuple[Part, ...]
    failure: str
    pause: str = ""


def thread(detail: SessionDetail) -> tuple[TurnView, ...]:
    """Every turn of a session, with the pause before the next said."""
    prompts = [_prompt(turn) for turn in detail.turns]
    views = [
        _turn_view(turn, detail.row, prompt if prompt != before else None)
        for turn, prompt, before in zip(detail.turns, prompts, [None, *prompts], strict=False)
    ]
    for index, following in enumerate(detail.turns[1:]):
        gap = following.started_ms - detail.turns[index].ended_ms
        if gap >= _PAUSE_MS:
            views[index] = replace(views[index], pause=f"{words.duration(gap)} without activity")
    return tuple(views)


def _prompt(turn: Turn) -> str | None:
    return next((call.system_prompt for call in model_calls(turn) if call.system_prompt), None)


def _turn_view(turn: Turn, row: SessionRow, prompt: str | None) -> TurnView:
    return TurnView(
        turn=turn,
        user_margin=user_margin(turn.user),
        user_missing=_user_missing(turn.user, row),
        parts=tuple(_parts(turn, row, prompt)),
        failure=_failure(turn),
    )


def _parts(turn: Turn, row: SessionRow, prompt: str | None) -> Iterator[Part]:
    last = _last_reply(turn, row)
    asked = deque(sorted(turn.delegated, key=lambda message: message.at_ms))
    work: list[ActionView] = []
    for step in _in_order(turn.steps, last):
        while asked and asked[0].at_ms <= step.started_ms:
            work.append(delegation(asked.popleft()))
        if step is last or (_is_reply(step, row) and (step.text or step.is_stopped)):
            if work:
                yield folded(work)
                work = []
            yield _reply(step, turn, row, prompt if step is last else None, is_last=step is last)
        elif (action := action_of(step, row)) is not None:
            work.append(action)
    work.extend(map(delegation, asked))
    if work:
        yield folded(work)


def _last_reply(turn: Turn, row: SessionRow) -> Step | None:
    """What the user got: the main agent's last words, else those of whoever it handed over to."""
    calls = model_calls(turn)
    replies = [step for step in calls if _is_reply(step, row)] or [step for step in calls if step.text]
    return replies[-1] if replies else None


def _in_order(steps: Sequence[Step], last: Step | None) -> Iterator[Step]:
    """Steps in tree order; of what happens inside a call, for the waterfall to show, only what failed."""
    stack = [(step, False) for step in reversed(steps)]
    while stack:
        step, is_inside = stack.pop()
        if not is_inside or step.is_error or step is last:
            yield step
        is_call = step.kind in ("tool", "retrieval")
        stack.extend((child, is_inside or is_call) for child in reversed(step.children))


def _is_reply(step: Step, row: SessionRow) -> bool:
    """Whether the user saw it: not a plan to call tools, a sub-agent's answer or an error."""
    if step.kind != "model" or (step.is_error and not step.text):
        return False
    if step.parent_agent and step.agent != row.agent:
        return False
    return bool(step.text) or not (step.tool_calls or (step.finish_reason or "") in _PLANNING)


def _reply(step: Step, turn: Turn, row: SessionRow, prompt: str | None, *, is_last: bool) -> ReplyView:
    missing = ""
    if not (step.text or "").strip():
        known = step.output_tokens is not None
        sign = words.ABOUT if step.is_estimated else ""
        count = sign + words.counted(step.output_tokens or 0, "token") if known else "size unknown"
        missing = f"Agent reply, {count}. {_why_missing(step.text, row)}"
    return ReplyView(
        key=f"m{step.event_id}",
        agent=step.agent or row.agent or "Agent",
        asked_by=step.parent_agent,
        at_ms=step.started_ms,
        step=step,
        margin=reply_margin(step, turn) if is_last else step_margin(step),
        prompt=prompt,
        missing=missing,
        stopped=_stopped(step) if step.is_stopped else "",
    )


def _why_missing(text: str | None, row: SessionRow) -> str:
    if text:
        return "Its text is blank."
    mode = (row.content_mode or "full").replace("_", " ")
    return "No text was recorded." if mode == "full" else f"Content not recorded ({plain(mode, 24)})."


def _user_missing(message: Message | None, row: SessionRow) -> str:
    if message is None or (message.text or "").strip():
        return ""
    return f"User message. {_why_missing(message.text, row)}"


def _stopped(step: Step) -> str:
    sentences = ["The stream stopped here."]
    if step.latency_ms is not None:
        arrived = f"; {words.counted(step.output_tokens, 'token')} had arrived" if step.output_tokens else ""
        sentences.append(f"The client stopped reading after {words.duration(step.latency_ms)}{arrived}.")
    if step.is_estimated:
        sentences.append("Tokens and cost are estimated.")
    return " ".join(sentences)


def _failure(turn: Turn) -> str:
    if not turn.is_failed:
        return ""
    was_answered = any(step.text for step in model_calls(turn))
    return "The turn ended in an error." if was_answered else "The turn ended without a reply."
