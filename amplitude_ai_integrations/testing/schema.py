"""Whether an event on the wire is one that the schema knows, whole and with each value of its type."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, TypedDict, get_args

import msgspec

from ..config import ContentMode
from ..schema.base import AgentEvent
from ..schema.catalog import Field, event_type, fields_of
from ..schema.events import SDK_EVENTS
from ..schema.names import wire_name
from ..schema.server_events import SERVER_EVENTS

PREFIX: Final = "[Agent] "
EVENTS: Final[Mapping[str, type[AgentEvent]]] = {
    event_type(kind): kind for kind in (*SDK_EVENTS, *SERVER_EVENTS)
}
# Amplitude's own terms, beside the properties.
_AROUND: Final = {
    "insert_id": str,
    "time": int,
    "user_id": str,
    "device_id": str,
    "session_id": int,
    "groups": dict[str, str | list[str]],
}
_YEAR_2000_MS = 946_684_800_000
_SIGNED: Final = ("score_value", "session_idle_timeout_minutes")  # every other number counts or measures


class _Message(TypedDict):
    text: str


def problems_of(event: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with an event as it leaves, one sentence each; nothing where all is well.

    Properties of yours, without the prefix ``[Agent]``, may hold any JSON.
    """
    name = str(event.get("event_type"))
    kind = EVENTS.get(name)
    if kind is None:
        return [f"There is no event type {name!r}{meant(name, EVENTS)}."]
    properties = event.get("event_properties")
    if not isinstance(properties, Mapping):
        return [f"event_properties is {type(properties).__name__}, not an object."]
    return [*_around(event), *_not_json(event), *_missing(kind, properties), *_wrong(kind, properties)]


def meant(name: str, names: Iterable[str]) -> str:
    """Return, in brackets, the name that was probably meant; nothing where none comes near."""
    bare = {known.removeprefix(PREFIX): known for known in names}
    close = difflib.get_close_matches(name.removeprefix(PREFIX), bare, n=1)
    return f" (did you mean {bare[close[0]]!r}?)" if close else ""


def _around(event: Mapping[str, Any]) -> Iterator[str]:
    for name, kind in _AROUND.items():
        if name in event:
            yield from _of_type(name, event[name], kind)
    if not event.get("user_id") and not event.get("device_id"):
        yield "It has neither user_id nor device_id."
    if not event.get("insert_id"):
        yield "It has no insert_id, by which Amplitude tells events apart."
    at_ms = event.get("time")
    if at_ms is None:
        yield "It has no time."
    elif type(at_ms) is int and at_ms < _YEAR_2000_MS:
        yield f"time is {at_ms}, long ago; it is in milliseconds since the epoch."


def _not_json(event: Mapping[str, Any]) -> Iterator[str]:
    try:
        json.dumps(event, allow_nan=False)
    except (TypeError, ValueError) as error:
        yield f"It is not JSON: {error}."


def _missing(kind: type[AgentEvent], properties: Mapping[str, Any]) -> Iterator[str]:
    is_whole = properties.get(wire_name("content_mode")) == ContentMode.FULL.value
    for field in _owed(kind):
        if field.wire in properties:
            if properties[field.wire] == "":
                yield f"{field.wire} is empty."
        elif is_whole or field.about.content is None:
            yield f"{field.wire} is missing."


@cache
def _owed(kind: type[AgentEvent]) -> list[Field]:
    """Return the fields no event can be without: required, and with no way to be unset."""
    may_lack = {
        info.name
        for info in msgspec.structs.fields(kind)
        if msgspec.UnsetType in get_args(get_args(info.type)[0])
    }
    return [field for field in fields_of(kind) if field.name not in may_lack]


def _wrong(kind: type[AgentEvent], properties: Mapping[str, Any]) -> Iterator[str]:
    fields = {field.wire: field for field in fields_of(kind)}
    for name, value in properties.items():
        if name in fields:
            yield from _of_field(fields[name], value)
        elif str(name).startswith(PREFIX):
            yield f"There is no property {name!r} of {event_type(kind)}{meant(name, fields)}."


def _of_field(field: Field, value: Any) -> Iterator[str]:
    if field.about.is_json:
        yield from _of_type(field.wire, value, str) or _of_json(field, value)
    else:
        yield from _of_type(field.wire, value, _Message if field.name == "llm_message" else field.type)
    if isinstance(value, (int, float)) and value < 0 and field.name not in _SIGNED:
        yield f"{field.wire} is {value}, below 0."


def _of_type(name: str, value: Any, kind: Any) -> list[str]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return [f"{name} is {shown(value)}: {error}."]
    return []


def _of_json(field: Field, value: str) -> list[str]:
    if field.about.accepts == "Any":
        return []  # a text stands for itself there
    try:
        is_right = isinstance(json.loads(value), (dict, list))
    except ValueError:
        is_right = False
    return [] if is_right else [f"{field.wire} is {shown(value)}, no JSON object or array."]


def shown(value: object, longest: int = 200) -> str:
    """Return a value as Python writes it, cut to ``longest`` characters."""
    text = repr(value)
    return text if len(text) <= longest else text[:longest] + "..."
