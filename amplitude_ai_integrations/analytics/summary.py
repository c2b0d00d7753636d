"""The roll-up of one session, made from its own events and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct

from .events import ACTIVITY, CONVERSATION, MODEL_CALLS, Event, Kind
from .exchanges import exchanges, ordered
from .feedback import negative
from .figures import Figures, figures, total
from .model import SessionRow, State, TurnShape

DEFAULT_IDLE_MINUTES = 30


class Summary(Struct, kw_only=True):
    """One row of the store's table of sessions, a column each."""

    title: str | None
    agent: str | None
    agents: int
    user_id: str | None
    device_id: str | None
    has_ended: bool
    last_active_ms: int
    idle_minutes: int
    first_ms: int
    last_ms: int
    events: int
    turns: int
    tools: int
    model_calls: int
    tokens: int | None
    cost_usd: float | None
    is_price_known: bool
    slowest_ms: float | None
    errors: int
    last_turn_failed: bool
    abandoned_turn: int | None
    negative_feedback: int
    content_mode: str | None
    shape: tuple[TurnShape, ...]
    is_estimated: bool

    def closed_by(self, now_ms: int) -> Literal["explicit", "idle"] | None:
        """Return what closed the session; idleness counts from when the last event was received."""
        if self.has_ended:
            return "explicit"
        return "idle" if now_ms >= self.last_active_ms + self.idle_minutes * 60_000 else None

    def row(self, session_id: str, now_ms: int) -> SessionRow:
        """Return the session as the pages show it."""
        state: State = "closed" if self.closed_by(now_ms) else "live"
        same = {name: getattr(self, name) for name in _SHOWN}
        return SessionRow(session_id=session_id, state=state, **same)


_SHOWN = [name for name in Summary.__struct_fields__ if name in SessionRow.__dataclass_fields__]


def summarise(events: Iterable[Event]) -> Summary:
    """Return the roll-up of a session's events, in whatever order they arrived."""
    line = ordered(events)
    turns = [figures(exchange) for exchange in exchanges(line)]
    answers = [event for event in line if event.kind == Kind.AI_RESPONSE]
    activity = [event for event in line if event.kind in ACTIVITY]
    own = [event for event in line if event.kind in CONVERSATION] or line
    ends = [event for event in line if event.kind == Kind.SESSION_END]
    failed_ends = sum(event.is_error for event in ends)
    return Summary(
        title=_first(line, _headline),
        agent=_first(line, lambda event: event.agent_id),
        agents=len({event.agent_id for event in line if event.agent_id}),
        user_id=_first(line, lambda event: event.user_id),
        device_id=_first(line, lambda event: event.device_id),
        has_ended=_has_ended(ends, activity),
        last_active_ms=max(event.server_ms for event in activity or line),
        idle_minutes=_last(line, lambda event: event.idle_minutes) or DEFAULT_IDLE_MINUTES,
        first_ms=min(event.ts_ms for event in own),
        last_ms=max(event.ts_ms for event in own),
        events=len(line),
        turns=len(turns),
        tools=sum(event.kind == Kind.TOOL_CALL for event in line),
        model_calls=len(answers),
        tokens=total(turn.tokens for turn in turns),
        cost_usd=total(turn.cost_usd for turn in turns),
        is_price_known=not any(map(_lacks_price, line)),
        slowest_ms=max((turn.reply_ms for turn in turns if turn.reply_ms is not None), default=None),
        errors=sum(turn.errors for turn in turns) + failed_ends,
        last_turn_failed=bool(turns and turns[-1].is_failed) or bool(ends and ends[-1].is_error),
        abandoned_turn=_last(ends, lambda event: event.abandonment_turn),
        negative_feedback=negative(line),
        content_mode=_last(line, lambda event: event.content_mode),
        shape=tuple(_shape(turn) for turn in turns),
        is_estimated=any(turn.is_estimated for turn in turns),
    )


def _has_ended(ends: Sequence[Event], activity: Sequence[Event]) -> bool:
    """An event from before the end may arrive after it; only one from later opens the session again."""
    if not ends:
        return False
    end = max(event.ts_ms for event in ends)
    return all(event.ts_ms <= end for event in activity)


def _lacks_price(event: Event) -> bool:
    return event.kind in MODEL_CALLS and bool(event.tokens) and event.cost_usd is None


def _shape(turn: Figures) -> TurnShape:
    return TurnShape(turn.reply_ms, turn.model_ms, turn.tool_ms, turn.errors > 0, turn.is_stopped)


def _headline(event: Event) -> str | None:
    return event.headline


def _first(events: Iterable[Event], fact: Callable[[Event], Any]) -> Any:
    return next((known for known in map(fact, events) if known is not None), None)


def _last(events: Sequence[Event], fact: Callable[[Event], Any]) -> Any:
    return _first(reversed(events), fact)
