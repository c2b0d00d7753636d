"""A session to take away: Markdown for people and models, JSON for programs."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator

import msgspec

from ..model import Message, SessionDetail, Step, Turn
from . import words
from .shapes import leaves


def as_json(detail: SessionDetail) -> bytes:
    """The whole session with the names of the model."""
    return json.dumps(msgspec.to_builtins(detail)).encode()


def as_markdown(detail: SessionDetail) -> str:
    """The conversation with its tool calls and errors."""
    row = detail.row
    lines = [
        f"# {row.title or 'Content not recorded'}",
        "",
        f"Session {row.session_id}, agent {row.agent or 'unknown'}",
    ]
    for turn in detail.turns:
        lines += ["", f"## Turn {turn.number}, {words.full_time(turn.started_ms)}", *_turn(turn)]
    return "\n".join(lines) + "\n"


def _turn(turn: Turn) -> Iterator[str]:
    if turn.user is not None:
        yield from ("", f"**User:** {turn.user.text or '(content not recorded)'}")
    asked = deque(sorted(turn.delegated, key=lambda message: message.at_ms))
    for step in leaves(turn.steps):
        while asked and asked[0].at_ms <= step.started_ms:
            yield from _delegated(asked.popleft())
        yield from _step(step)
    for message in asked:
        yield from _delegated(message)


def _delegated(message: Message) -> Iterator[str]:
    yield from ("", f"**Hand-off:** {message.text or '(content not recorded)'}")


def _step(step: Step) -> Iterator[str]:
    if step.is_error:
        yield from (
            "",
            f"- failed: {step.name}: {step.error_type or ''} {step.error_message or ''}".rstrip(),
        )
    elif step.kind != "model":
        yield from ("", f"- {step.name} {step.input or ''} -> {step.output or ''}".rstrip())
    if step.kind == "model" and step.text:
        yield from ("", f"**{step.agent or 'Agent'}:** {step.text}")
