"""From a request's JSON to its events, or to Amplitude's refusal; no I/O."""

from __future__ import annotations

from typing import Any

from ...schema.values import clean
from .answers import INVALID_EVENT, INVALID_JSON, INVALID_KEY, MISSING_FIELD, TOO_LARGE, Faults, RefusalError
from .fields import CHECKS
from .values import TooDeepError, bounded

MOST_EVENTS = 2_000
_SHORTEST_ID = 5
_ZERO = "00000000-0000-0000-0000-000000000000"
_REFUSED_IDS = frozenset(
    (
        "",
        "-1",
        "0",
        "anonymous",
        "lmy47d",
        "n/a",
        "na",
        "nil",
        "none",
        "null",
        "undefined",
        "unknown",
        "{}",
        _ZERO,
    )
)
_IDS = ("user_id", "device_id")

Event = dict[str, Any]


def checked(body: Any) -> list[Event]:
    """Return the events of a request as they are to be stored; one bad event refuses them all."""
    if not isinstance(body, dict):
        raise RefusalError(400, INVALID_JSON)
    _check_key(body)
    given = body.get("events")
    if given is None:
        raise RefusalError(400, MISSING_FIELD, missing_field="events")
    if not isinstance(given, list):
        raise RefusalError(400, INVALID_EVENT)
    if len(given) > MOST_EVENTS:
        raise RefusalError(413, TOO_LARGE)
    shortest = _shortest_id(body.get("options"))
    faults = Faults()
    events = [_checked_event(event, index, faults, shortest) for index, event in enumerate(given)]
    faults.raise_if_any()
    return events


def _check_key(body: dict[str, Any]) -> None:
    key = body.get("api_key")
    if key is None:
        raise RefusalError(400, MISSING_FIELD, missing_field="api_key")
    if not isinstance(key, str) or not key.strip():
        raise RefusalError(400, INVALID_KEY + str(key)[:64])


def _shortest_id(options: Any) -> int:
    length = options.get("min_id_length") if isinstance(options, dict) else None
    if isinstance(length, int) and not isinstance(length, bool) and length > 0:
        return length
    return _SHORTEST_ID


def _checked_event(given: Any, index: int, faults: Faults, shortest: int) -> Event:
    if not isinstance(given, dict):
        faults.broken(index)
        return {}
    event: Event = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in CHECKS and not CHECKS[name](value):
            faults.invalid(name, index)
            continue
        try:
            event[clean(name)] = bounded(value)
        except TooDeepError:
            faults.invalid(name, index)
    if given.get("event_type") in (None, ""):
        faults.missing("event_type", index)
    _check_ids(given, event, index, faults, shortest)
    return event


def _check_ids(given: Event, event: Event, index: int, faults: Faults, shortest: int) -> None:
    """Remove ids that are too short; an event needs one that remains."""
    short = []
    for name in _IDS:
        value = event.get(name)
        if value is None:
            continue
        if name == "device_id" and value == _ZERO:
            del event[name]
        elif value.strip().casefold() in _REFUSED_IDS:
            faults.invalid(name, index)
        elif len(value) < shortest:
            short.append(name)
            del event[name]
    if any(name in event for name in _IDS) or _has_invalid_id(given):
        return
    for name in short:
        faults.short(name, index)
    if not short:
        for name in _IDS:
            faults.missing(name, index)


def _has_invalid_id(given: Event) -> bool:
    return any(given.get(name) is not None and not isinstance(given[name], str) for name in _IDS)
