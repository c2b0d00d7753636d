"""How Amplitude answers, well and badly: https://amplitude.com/docs/apis/analytics/http-v2 and batch-event-upload."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from typing import Any

from .faults_plan import Answer, Event, Reply, Request

_MOST_BYTES = {"/batch": 20 << 20}
_USUAL_BYTES = 1 << 20
_MOST_EVENTS = 2_000
_HTML = b"<html><body>Service Unavailable</body></html>"
_TOO_LARGE = Reply(413, {"code": 413, "error": "Payload too large"})

Chosen = Callable[[Event], bool]


def taken(request: Request) -> Reply:
    """Take everything, without a look."""
    body = {"code": 200, "events_ingested": len(request.events), "payload_size_bytes": request.size}
    return Reply(200, body, takes=True)


def ok(request: Request) -> Reply:
    """Take what is valid; one event that is not has the request refused, and is named."""
    payload, events = request.payload, request.events
    if payload is None:
        return Reply(400, {"code": 400, "error": "Invalid JSON request body"})
    for name in ("api_key", "events"):
        if not payload.get(name):
            return Reply(400, {"code": 400, "error": "Request missing required field", "missing_field": name})
    if request.size > _MOST_BYTES.get(request.path, _USUAL_BYTES) or len(events) > _MOST_EVENTS:
        return _TOO_LARGE
    shortest = payload.get("options", {}).get("min_id_length", 5)
    bad = {
        "events_with_missing_fields": {
            "event_type": _places(events, lambda event: not event.get("event_type")),
            "user_id": _places(events, lambda event: not event.get("user_id") and not event.get("device_id")),
        },
        "events_with_invalid_fields": {
            "time": _places(events, lambda event: not isinstance(event.get("time", 0), int))
        },
        "events_with_invalid_id_lengths": {
            name: _places(events, lambda event, name=name: len(event.get(name, "x" * shortest)) < shortest)
            for name in ("user_id", "device_id")
        },
    }
    if any(places for fields in bad.values() for places in fields.values()):
        return Reply(400, {"code": 400, "error": "Request has invalid events", **bad})
    return taken(request)


def _places(events: list[Event], holds: Chosen) -> list[int]:
    return [place for place, event in enumerate(events) if holds(event)]


def status(code: int, error: str = "told to", retry_after: int | None = None) -> Answer:
    """Refuse everything, with Amplitude's JSON and no word of which event is wrong."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return lambda _request: Reply(code, {"code": code, "error": error}, headers)


def html(code: int) -> Answer:
    """Answer as a proxy in between does; with 200 the events have still not arrived."""
    return lambda _request: Reply(code, _HTML)


def invalid_key(_request: Request) -> Reply:
    """Refuse the API key."""
    return Reply(400, {"code": 400, "error": "Invalid API key: 0000"})


def refusing(kind: str, chosen: Chosen) -> Answer:
    """Refuse some events for good: ``kind`` is ``invalid``, ``missing`` or ``silenced``."""

    def answer(request: Request) -> Reply:
        places = _places(request.events, chosen)
        if not places:
            return ok(request)
        body: dict[str, Any] = {"code": 400, "error": "Request has invalid events"}
        if kind == "silenced":
            body["silenced_events"] = places
        else:
            body[f"events_with_{kind}_fields"] = {"event_properties": places}
        return Reply(400, body)

    return answer


def at_most(events: int = _MOST_EVENTS, size: int = _USUAL_BYTES) -> Answer:
    """Find more events than that, or more bytes, too large."""
    return lambda request: _TOO_LARGE if len(request.events) > events or request.size > size else ok(request)


def throttling(users: Collection[str] = (), *, quota: bool = False) -> Answer:
    """Send requests back in which there are events of these users: for now, or for the day."""

    def answer(request: Request) -> Reply:
        places = _places(request.events, lambda event: event.get("user_id") in users)
        if not places:
            return ok(request)
        over = {request.events[place]["user_id"]: 500_000 if quota else 31 for place in places}
        body = {
            "code": 429,
            "error": "Too many requests for some devices and users",
            "throttled_events": places,
            "throttled_users": {} if quota else over,
            "throttled_devices": {},
            "exceeded_daily_quota_users": over if quota else {},
            "exceeded_daily_quota_devices": {},
        }
        return Reply(429, body)

    return answer


def redirect(to: str) -> Answer:
    """Point elsewhere."""
    return lambda _request: Reply(307, {"code": 307}, {"Location": to})


def hang(_request: Request) -> Reply:
    """Never answer."""
    return Reply(None, delay=3600)


def slow(seconds: float) -> Answer:
    """Take everything, and say so late."""
    return lambda request: Reply(200, taken(request).body, takes=True, delay=seconds)


def close(_request: Request) -> Reply:
    """Close the connection instead of an answer."""
    return Reply(None)


def reset(_request: Request) -> Reply:
    """Reset the connection instead of an answer."""
    return Reply(None, resets=True)


def lose_answer(_request: Request) -> Reply:
    """Take everything, and close the connection without saying so."""
    return Reply(None, takes=True)


def cut_answer(request: Request) -> Reply:
    """Take everything, and close the connection in the middle of the answer."""
    return Reply(200, taken(request).body, takes=True, cut=20)


def take_then_fail(_request: Request) -> Reply:
    """Take everything, and answer 500."""
    return Reply(500, {"code": 500, "error": "told to"}, takes=True)


def flaky(seed: int, *answers: tuple[float, Answer]) -> Answer:
    """Draw for each request which of some answers it gets, each with its chance; well otherwise."""
    dice = random.Random(seed)

    def answer(request: Request) -> Reply:
        draw = dice.random()
        for chance, other in answers:
            if draw < chance:
                return other(request)
            draw -= chance
        return ok(request)

    return answer
