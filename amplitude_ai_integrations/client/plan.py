"""What the recorder has to know of each kind of event, worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from ..schema.base import AgentEvent
from ..schema.catalog import event_type, fields_of
from ..schema.events import (
    AIResponse,
    Embedding,
    Score,
    SessionEnd,
    SessionEnrichment,
    Span,
    ToolCall,
    UserMessage,
)
from ..schema.facts import Shape, shape_of

# Keywords of every method that say what stands around an event's properties.
ENVELOPE: Final = frozenset(
    {
        "user_id",
        "device_id",
        "browser_session_id",
        "groups",
        "event_properties",
        "user_properties",
        "timestamp_ms",
    }
)
_ID_FIELDS: Final[dict[type[AgentEvent], str]] = {
    UserMessage: "message_id",
    AIResponse: "message_id",
    ToolCall: "invocation_id",
    Embedding: "span_id",
    Span: "span_id",
}
# Keywords that are no field, but say how to make some.
_EXTRAS: Final[dict[type[AgentEvent], frozenset[str]]] = {
    AIResponse: frozenset({"usage", "auto_calculate_cost", "service_tier", "omit_repeated_content"}),
    Embedding: frozenset({"usage", "auto_calculate_cost", "service_tier"}),
}
_STAMPED: Final = ("session_id", "content_mode", "sdk_version", "runtime")  # by the recorder and the gate
_BLANK: Final[dict[Any, Any]] = {str: "", int: 0, float: 0.0, bool: False, Any: UNSET}


class Slot(NamedTuple):
    """The field a keyword fills, and what brings a value into its type; words are left to the gate."""

    name: str
    shape: Shape | None


class Plan(NamedTuple):
    """One kind of event.

    ``blanks`` stand in for required fields that were not given. A *numbered* event carries a turn id; a
    *judgement* belongs to a trace, but never begins one; a *linked* one depends on those before it.
    """

    kind: type[AgentEvent]
    type: str
    id_field: str | None
    slots: Mapping[str, Slot]
    extras: frozenset[str]
    blanks: Mapping[str, Any]
    is_numbered: bool
    is_judgement: bool
    is_linked: bool

    def takes(self, keyword: str) -> bool:
        """Whether the event's method takes this keyword."""
        return keyword in self.slots or keyword in ENVELOPE or keyword in self.extras


@cache
def plan_of(kind: type[AgentEvent]) -> Plan:
    """Return the plan of one kind of event."""
    fields = fields_of(kind)
    return Plan(
        kind,
        event_type(kind),
        _ID_FIELDS.get(kind),
        {
            field.about.argument or field.name: Slot(field.name, shape_of(field))
            for field in fields
            if not field.about.derived
        },
        _EXTRAS.get(kind, frozenset()),
        {
            field.name: _blank(field.default, field.type)
            for field in fields
            if field.required and field.name not in _STAMPED
        },
        kind in (UserMessage, AIResponse, ToolCall),
        kind in (Score, SessionEnd, SessionEnrichment),
        kind in (UserMessage, AIResponse, SessionEnd),
    )


def _blank(default: Any, kind: Any) -> Any:
    return default if default is not None else _BLANK[kind]
