"""The schema as data: for the docs, the data catalog, and whoever sends these events without us."""

from __future__ import annotations

import types
import typing
from functools import cache
from typing import Any, TypedDict, Union, get_args, get_origin

import msgspec

from .base import AgentEvent
from .events import SDK_EVENTS
from .fields import About
from .server_events import SERVER_EVENTS


class Property(TypedDict):
    """One property of an event, in the terms of a data catalog."""

    name: str
    type: str
    is_array: bool
    required: bool
    description: str
    content: str | None


class Event(TypedDict):
    """One event type with all its properties."""

    name: str
    description: str
    server_side: bool
    properties: list[Property]


class Field(typing.NamedTuple):
    """A field of an event struct with everything it says of itself; without a default, that is ``None``."""

    name: str
    wire: str
    about: About
    type: Any
    required: bool
    default: Any


@cache
def fields_of(event: type[AgentEvent]) -> tuple[Field, ...]:
    """Return the fields of an event struct, in order, with their descriptions."""
    return tuple(_field(info) for info in msgspec.structs.fields(event))


def catalog() -> list[Event]:
    """Return every event this package or its evaluation can emit, as plain data."""
    return [
        {
            "name": event_type(event),
            "description": event.summary,
            "server_side": event.is_server_side,
            "properties": [_property(field) for field in fields_of(event)],
        }
        for event in (*SDK_EVENTS, *SERVER_EVENTS)
    ]


def event_type(event: type[AgentEvent]) -> str:
    """Return an event's type on the wire, for example ``[Agent] User Message``."""
    return event.__struct_config__.tag  # type: ignore[return-value]  # each has one


def _field(info: msgspec.structs.FieldInfo) -> Field:
    kind, note = get_args(info.type)[0], info.type.__metadata__[0]
    is_optional = info.default is msgspec.UNSET
    default = None if info.default in (msgspec.NODEFAULT, msgspec.UNSET) else info.default
    return Field(info.name, info.encode_name, note, _without_unset(kind), not is_optional, default)


def _without_unset(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (part for part in get_args(kind) if part is not msgspec.UnsetType)
    return kind


_TYPE_NAMES = {str: "string", bool: "boolean", int: "number", float: "number", Any: "string"}


def _property(field: Field) -> Property:
    is_array = get_origin(field.type) is list
    element = get_args(field.type)[0] if is_array else field.type
    is_object = field.name == "llm_message"
    return {
        "name": field.wire,
        "type": "object" if is_object else _TYPE_NAMES[element],
        "is_array": is_array,
        "required": field.required,
        "description": field.about.description,
        "content": field.about.content.value if field.about.content else None,
    }
