"""The turns of one session, with their steps nested, from its events."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .events import Event
from .exchanges import Exchange, exchanges
from .feedback import Feedback, feedback
from .figures import figures
from .model import Message, Turn
from .properties import Properties
from .steps import step_tree


def turns(events: Sequence[Event]) -> tuple[Turn, ...]:
    """Return the exchanges of a session, numbered from 1."""
    marks = feedback(events)
    return tuple(_turn(number, exchange, marks) for number, exchange in enumerate(exchanges(events), 1))


def _turn(number: int, exchange: Exchange, marks: Feedback) -> Turn:
    measured = figures(exchange)
    everything = exchange.events
    return Turn(
        number=number,
        trace_id=next((event.trace_id for event in everything if event.trace_id), None),
        user=_message(exchange.user, marks) if exchange.user else None,
        delegated=tuple(_message(event, marks) for event in exchange.delegated),
        steps=step_tree(exchange.work, marks, _leading_agent(everything)),
        started_ms=measured.started_ms,
        ended_ms=measured.ended_ms,
        reply_ms=measured.reply_ms,
        model_ms=measured.model_ms,
        tool_ms=measured.tool_ms,
        tokens=measured.tokens,
        cost_usd=measured.cost_usd,
        errors=measured.errors,
        is_failed=measured.is_failed,
        is_stopped=measured.is_stopped,
        is_estimated=measured.is_estimated,
    )


def _leading_agent(events: Sequence[Event]) -> str | None:
    """The agent the user spoke to; where nobody says, the first one that nobody delegated to."""
    named = [event for event in events if event.agent_id]
    leading = next((event for event in named if event.parent_agent_id is None), named[0] if named else None)
    return leading.agent_id if leading else None


def _message(event: Event, marks: Feedback) -> Message:
    given = Properties(event.properties)
    return Message(
        event_id=event.id,
        message_id=event.message_id,
        text=given.message(),
        at_ms=event.ts_ms,
        source=event.source or "user",
        is_regeneration=given.flag("is_regeneration"),
        is_edit=given.flag("is_edit"),
        attachments=_attachments(given),
        scores=marks.of(event),
    )


def _attachments(given: Properties) -> tuple[str, ...]:
    """Return what each attachment is called, or else its type."""
    try:
        listed = json.loads(given.text("attachments") or "[]")
    except (ValueError, RecursionError):
        return ()
    if not isinstance(listed, list):
        return ()
    called = (one.get("name") or one.get("type") for one in listed if isinstance(one, dict))
    return tuple(name for name in called if isinstance(name, str))
