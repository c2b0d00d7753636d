"""Events as tests compare them: whole, with what differs from run to run put into order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

STAMPS = {"[Agent] SDK Version", "[Agent] Runtime", "[Agent] Content Mode"}


def told(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events flat, under short names, without insert ids, times and stamps; ids as `id-1`, `id-2`."""
    ids: dict[str, str] = {}
    return [_one(event, ids) for event in events]


def _one(event: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    flat = {"type": event["event_type"].removeprefix("[Agent] ")}
    for name in ("user_id", "device_id", "session_id", "groups"):
        if name in event:
            flat[name] = event[name]
    for name, value in event["event_properties"].items():
        if name not in STAMPS:
            flat[name.removeprefix("[Agent] ")] = _stable(name, value, ids)
    return flat


def _stable(name: str, value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str) and len(value) == 36 and value.count("-") == 4:
        return ids.setdefault(value, f"id-{len(ids) + 1}")
    return value


def types(events: Iterable[dict[str, Any]]) -> list[str]:
    """Return the types of events without their prefix."""
    return [event["event_type"].removeprefix("[Agent] ") for event in events]


def one(events: Iterable[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the properties of the only event of a kind."""
    (event,) = [event for event in events if event["event_type"] == f"[Agent] {kind}"]
    properties: dict[str, Any] = event["event_properties"]
    return properties
