"""Finding events by what they carry, and saying how those that come nearest differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final

from ..delivery.sinks import WireEvent
from ..schema.catalog import Field, fields_of
from ..schema.names import wire_name
from .schema import EVENTS, PREFIX, meant, shown

_AROUND: Final = ("user_id", "device_id", "groups", "insert_id", "time")  # beside the properties
_TOLD: Final = ("session_id", "agent_id", "model_name", "tool_name")
_NEAREST = 3


def full_type(name: str) -> str:
    """Return an event type with its prefix: ``AI Response`` is ``[Agent] AI Response``."""
    return PREFIX + name if PREFIX + name in EVENTS else name


def is_of_type(event: WireEvent, name: str) -> bool:
    """Tell whether an event is of a type, which may be given without its prefix."""
    return bool(event["event_type"] == full_type(name))


def differences(event: WireEvent, wanted: Mapping[str, Any]) -> list[str]:
    """Return, in words, where an event is not as wanted.

    A key is a property's name on the wire (``[Agent] Model Name``), its name in Python (``model_name``) or
    the keyword that fills it (``model``). Message text counts as text, JSON as what it says, and ``None``
    asks that there be no value.
    """
    return [words for name, value in wanted.items() if (words := _difference(event, name, value))]


def not_found(name: str, wanted: Mapping[str, Any], events: list[WireEvent]) -> str:
    """Return why ``events`` do not hold what was wanted of a type."""
    candidates = [(place, event) for place, event in enumerate(events, 1) if is_of_type(event, name)]
    if not candidates:
        hint = "" if full_type(name) in EVENTS else meant(name, EVENTS)
        return f"No {full_type(name)} was tracked{hint}. Tracked: {tally(events)}."
    asked = ", ".join(f"{key}={shown(value)}" for key, value in wanted.items())
    lines = [f"No {full_type(name)} has {asked}. Nearest of {len(candidates)}:"]
    for place, event in sorted(candidates, key=lambda it: len(differences(it[1], wanted)))[:_NEAREST]:
        lines += [f"  {line(place, event)}", *(f"    {words}" for words in differences(event, wanted))]
    return "\n".join(lines)


def tally(events: Iterable[WireEvent]) -> str:
    """Return how many events there are of each type, in words."""
    counts = Counter(event["event_type"] for event in events)
    return ", ".join(f"{count} x {name}" for name, count in counts.items()) or "nothing"


def line(place: int, event: WireEvent) -> str:
    """Return an event in one line; ``place`` counts from 1."""
    properties = event["event_properties"]
    facts = {"user_id": event.get("user_id"), **{name: properties.get(wire_name(name)) for name in _TOLD}}
    told = (f"{name}={shown(value)}" for name, value in facts.items() if value is not None)
    return f"#{place} {event['event_type']} {' '.join(told)}"


def _difference(event: WireEvent, name: str, wanted: Any) -> str | None:
    if name in _AROUND:
        key, field, found = name, None, event.get(name)
    else:
        properties = event["event_properties"]
        names = _names(event["event_type"])
        field = names.get(name)
        key = field.wire if field is not None and name not in properties else name
        if field is None and key not in properties:
            return f"there is no {name}{meant(name, (*names, *properties))}"
        found = properties.get(key)
    if any(wanted == reading for reading in _readings(field, found)):
        return None
    return f"{key} is {'missing' if found is None else shown(found)}, not {shown(wanted)}"


@cache
def _names(event_type: str) -> Mapping[str, Field]:
    """Return the fields of an event type by each of their names."""
    kind = EVENTS.get(event_type)
    fields = fields_of(kind) if kind is not None else ()
    return {
        name: field
        for field in fields
        for name in (field.about.argument or field.name, field.wire, field.name)
    }


def _readings(field: Field | None, found: Any) -> Iterator[Any]:
    yield found
    if isinstance(found, Mapping) and "text" in found:
        yield found["text"]
    if field is not None and field.about.is_json and isinstance(found, str):
        with suppress(ValueError):
            yield json.loads(found)
