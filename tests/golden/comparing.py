"""Events beside recorded ones: JSON compares by what it says, what differs from run to run by its kind."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from amplitude_ai_integrations import __version__
from amplitude_ai_integrations.schema.catalog import fields_of
from amplitude_ai_integrations.schema.events import SDK_EVENTS

Event = dict[str, Any]

PREFIX = "[Agent] "
JSON_PROPERTIES = frozenset(
    field.wire for kind in SDK_EVENTS for field in fields_of(kind) if field.about.is_json
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Some:
    """Equal to every value of a kind."""

    def __init__(self, name: str, is_one: Callable[[Any], bool]) -> None:
        self._name = name
        self._is_one = is_one

    def __eq__(self, other: object) -> bool:
        return self is other or self._is_one(other)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return self._name


def _is_uuid(value: object) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _is_now(value: object) -> bool:
    return type(value) is int and abs(value - time.time() * 1000) < 60_000


ABSENT = Some("absent", lambda _value: False)
KINDS = {
    "<library>": Some("<library>", lambda value: str(value).startswith("amplitude-python/")),
    "<measured>": Some("<measured>", lambda value: type(value) is float and 0 < value < 60_000),
    "<now>": Some("<now>", _is_now),
    "<uuid>": Some("<uuid>", _is_uuid),
    "<version>": Some("<version>", lambda value: value == __version__),
}


def recorded() -> dict[str, dict[str, Any]]:
    """Return the scenarios as `amplitude-ai` sent them: its `config`, and the `events` that left."""
    text = Path(__file__).with_name("events.json").read_text("utf-8")
    scenarios: dict[str, dict[str, Any]] = json.loads(text, object_hook=_with_kinds)
    return scenarios


def _with_kinds(value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: KINDS.get(inner, inner) if isinstance(inner, str) else inner for name, inner in value.items()
    }


def by_place(events: Iterable[Event]) -> dict[str, Event]:
    """Return events under their type and number (`AI Response 2`), without prefixes.

    Ids made up on the way are called after the place where they stand first.
    """
    seen: Counter[str] = Counter()
    ids: dict[str, str] = {}
    places = {}
    for event in events:
        kind = event["event_type"].removeprefix(PREFIX)
        seen[kind] += 1
        place = f"{kind} {seen[kind]}"
        properties = event["event_properties"]
        for name in sorted(properties):
            if _is_uuid(properties[name]):
                ids.setdefault(properties[name], f"<{name.removeprefix(PREFIX)} of {place}>")
        around = {name: value for name, value in event.items() if name != "event_properties"}
        told = {name.removeprefix(PREFIX): _told(name, properties[name], ids) for name in properties}
        places[place] = {**around, **told}
    return places


def _told(name: str, value: Any, ids: dict[str, str]) -> Any:
    if name in JSON_PROPERTIES:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return ids.get(value, value) if isinstance(value, str) else value
