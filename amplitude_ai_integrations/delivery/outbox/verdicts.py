"""What an answer of the server means for the events of a request; no I/O.

https://amplitude.com/docs/apis/analytics/http-v2 and https://amplitude.com/docs/apis/analytics/batch-event-upload
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, NamedTuple


class Answer(NamedTuple):
    """What came back: header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Kind(Enum):
    """What to do next."""

    TAKEN = auto()  # all have arrived
    REFUSED = auto()  # those with a fault never will; the rest may
    THROTTLED = auto()  # those of some people have to wait; the rest need not
    TOO_LARGE = auto()
    UNEXPLAINED = auto()  # refused, without saying which event is at fault
    LATER = auto()  # the server is not well
    CLOSED = auto()  # nothing will arrive before a person has changed something


@dataclass(frozen=True)
class Verdict:
    """The kind, the reason for people, and what the kind needs; indexes are those of the request."""

    kind: Kind
    status: int
    reason: str
    indexes: frozenset[int] = frozenset()
    people: frozenset[str] = frozenset()  # user and device ids
    is_quota: bool = False
    is_key: bool = False
    is_uncertain: bool = False  # the events may have arrived
    after: float | None = None  # seconds the server asks to wait


_BY_INDEX: Final = (
    "events_with_invalid_fields",
    "events_with_missing_fields",
    "events_with_invalid_id_lengths",
)
_BY_PEOPLE: Final = (
    "throttled_users",
    "throttled_devices",
    "exceeded_daily_quota_users",
    "exceeded_daily_quota_devices",
)
_CLOSED: Final = frozenset((401, 402, 403, 404, 405, 407, 410, 421, 451))
_MOST_WORDS: Final = 2_000  # characters
_LONGEST_AFTER: Final = 3600.0


def unreachable(error: BaseException) -> Verdict:
    """Return what a failed request means: nobody knows whether it arrived."""
    return Verdict(Kind.LATER, 0, f"{type(error).__name__}: {error}"[:200], is_uncertain=True)


def judge(answer: Answer) -> Verdict:
    """Return what an answer means."""
    status = answer.status
    told = _told(answer.body)
    error = told.get("error") if told else None
    reason = f"HTTP {status}" + (f": {error}"[:_MOST_WORDS] if error and isinstance(error, str) else "")
    if 200 <= status < 300:
        if told is not None and not told.get("error") and told.get("code", 200) == 200:
            return Verdict(Kind.TAKEN, status, reason)
        # A page of a proxy's is no receipt.
        return Verdict(Kind.LATER, status, f"{reason} without Amplitude's answer", is_uncertain=True)
    if status == 413:
        return Verdict(Kind.TOO_LARGE, status, reason)
    if status == 429:
        return _throttled(answer, told or {}, reason)
    if status == 400:
        return _refused(told or {}, reason)
    if status in _CLOSED or 300 <= status < 400:
        return Verdict(Kind.CLOSED, status, reason, after=_after(answer))
    return Verdict(Kind.LATER, status, reason, is_uncertain=status >= 500, after=_after(answer))


def _refused(told: Mapping[str, Any], reason: str) -> Verdict:
    error = told.get("error")
    if isinstance(error, str) and error.startswith("Invalid API key"):
        return Verdict(Kind.CLOSED, 400, reason, is_key=True)
    indexes: set[int] = set()
    for name in _BY_INDEX:
        fields = told.get(name)
        if isinstance(fields, Mapping):
            indexes |= _numbers(*fields.values())
    indexes |= _numbers(told.get("silenced_events"))
    if indexes:
        return Verdict(Kind.REFUSED, 400, _with_fields(told, reason), frozenset(indexes))
    return Verdict(Kind.UNEXPLAINED, 400, reason)


def _with_fields(told: Mapping[str, Any], reason: str) -> str:
    for name in _BY_INDEX:
        fields = told.get(name)
        found = [str(field) for field, at in fields.items() if at] if isinstance(fields, Mapping) else []
        if found:
            return f"{reason} ({name}: {', '.join(found)})"
    return f"{reason} (silenced_events)"


def _throttled(answer: Answer, told: Mapping[str, Any], reason: str) -> Verdict:
    indexes = _numbers(told.get("throttled_events"))
    people = {str(one) for name in _BY_PEOPLE if isinstance(told.get(name), Mapping) for one in told[name]}
    if not indexes and not people:
        return Verdict(Kind.LATER, 429, reason, after=_after(answer))
    is_quota = any(told.get(name) for name in _BY_PEOPLE[2:])
    return Verdict(
        Kind.THROTTLED,
        429,
        reason,
        frozenset(indexes),
        frozenset(people),
        is_quota=is_quota,
        after=_after(answer),
    )


def _told(body: bytes) -> Mapping[str, Any] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _numbers(*lists: object) -> set[int]:
    return {it for each in lists if isinstance(each, list) for it in each if type(it) is int and it >= 0}


def _after(answer: Answer) -> float | None:
    try:
        seconds = float(answer.headers.get("retry-after", ""))
    except ValueError:  # none, or a date, which few servers send
        return None
    return min(max(seconds, 0.0), _LONGEST_AFTER) if seconds == seconds else None  # noqa: PLR0124 - NaN
