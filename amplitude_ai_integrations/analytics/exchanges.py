"""Events of one session, put in order and divided into exchanges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .events import ACTIVITY, STEPS, Event, Kind

_REORDERED_MS = 3_000  # clocks of several machines, and work that ends in another order than it began


@dataclass(slots=True)
class Exchange:
    """A message of the user and all that answers it."""

    user: Event | None
    delegated: list[Event] = field(default_factory=list)
    work: list[Event] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        asked = [self.user] if self.user else []
        return asked + self.delegated + self.work


def ordered(events: Iterable[Event]) -> list[Event]:
    """Sort by Turn ID where the session's Turn IDs can be trusted, and by time.

    An event without a Turn ID stays behind the one that preceded it in time. Turn IDs that start again,
    as they do when a conversation moves to another process or its own restarts, order nothing.
    """
    by_time = sorted(events, key=lambda event: (event.ts_ms, event.turn_id or 0, event.id))
    if not _are_turn_ids_sound(by_time):
        return by_time
    in_arrival = sorted(by_time, key=lambda event: (event.ts_ms, event.id))
    turn_ids: dict[int, int] = {}
    current = 0
    for event in in_arrival:
        current = current if event.turn_id is None else event.turn_id
        turn_ids[id(event)] = current
    return sorted(in_arrival, key=lambda event: turn_ids[id(event)])


def exchanges(events: Iterable[Event]) -> list[Exchange]:
    """Divide a session: each message of the user begins an exchange; Trace IDs keep theirs together."""
    line = [event for event in ordered(events) if event.kind in STEPS or event.kind == Kind.USER_MESSAGE]
    opening = _traces_by_opening(line)
    before = Exchange(None)
    found = [before]
    by_trace: dict[str, Exchange] = {}
    early: dict[str, list[Event]] = {}
    for event in line:
        if _is_opening(event):
            found.append(_opened(event, by_trace, early))
        elif event.trace_id is None:
            _join(event, found[-1])
        elif event.trace_id in opening and event.trace_id not in by_trace:
            early.setdefault(event.trace_id, []).append(event)
        else:
            _join(event, by_trace.setdefault(event.trace_id, found[-1]))
    return [exchange for exchange in found if exchange.events]


def _opened(event: Event, by_trace: dict[str, Exchange], early: dict[str, list[Event]]) -> Exchange:
    exchange = Exchange(event)
    if event.trace_id:
        by_trace[event.trace_id] = exchange
        for waiting in early.pop(event.trace_id, ()):
            _join(waiting, exchange)
    return exchange


def _join(event: Event, exchange: Exchange) -> None:
    (exchange.work if event.kind in STEPS else exchange.delegated).append(event)


def _is_opening(event: Event) -> bool:
    return event.kind == Kind.USER_MESSAGE and event.source == "user"


def _traces_by_opening(events: Iterable[Event]) -> set[str | None]:
    return {event.trace_id for event in events if _is_opening(event) and event.trace_id}


def _are_turn_ids_sound(events: Iterable[Event]) -> bool:
    known = [
        (event.turn_id, event) for event in events if event.turn_id is not None and event.kind in ACTIVITY
    ]
    openings = Counter(turn_id for turn_id, event in known if _is_opening(event))
    return all(times == 1 for times in openings.values()) and _agree_with_time(known)


def _agree_with_time(known: Iterable[tuple[int, Event]]) -> bool:
    """Whether nothing ended well before what its Turn ID puts in front of it began."""
    latest_start = before = float("-inf")
    current: int | None = None
    for turn_id, event in sorted(known, key=lambda each: each[0]):
        if turn_id != current:
            current, before = turn_id, latest_start
        if event.ts_ms < before - _REORDERED_MS:
            return False
        latest_start = max(latest_start, event.started_ms)
    return True
