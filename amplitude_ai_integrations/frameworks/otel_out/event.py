"""A finished event, read as what it says, whatever a hook made of it."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from ...delivery.sinks import WireEvent
from ...schema.facts import number
from ...schema.names import wire_name

_NS: Final = 1_000_000  # in a millisecond
_LAST: Final = 2**64 - 1  # nanoseconds; OTLP has no later time
_OWN: Final = "[Agent] "


class Event:
    """One finished event; its fields go by their names in Python, and each is read once.

    What nobody has read by the end is ``rest``.
    """

    def __init__(self, wire: WireEvent) -> None:
        self._wire = wire
        self._properties: dict[str, Any] = dict(wire["event_properties"])
        self.kind: str = wire["event_type"].removeprefix(_OWN)
        self.insert_id = str(wire.get("insert_id", ""))
        # Out of range, a time would cost all spans that leave with it.
        self.ended = min(_LAST, max(0, int((number(wire.get("time")) or 0) * _NS)))
        latency_ms = min(_LAST, max(0.0, number(self.take("latency_ms")) or 0.0))
        self.started = max(0, self.ended - int(latency_ms * _NS))
        self.session_id = self.text("session_id")
        self.trace_id = self.text("trace_id")
        self.agent_id = self.text("agent_id")
        self.is_error = self.take("is_error") is True

    def get(self, field: str) -> Any:
        """Return a field, and leave it to be read again."""
        return self._properties.get(wire_name(field))

    def text(self, field: str) -> str | None:
        """Return a field that holds a name or an id, and leave it to be read again."""
        value = self.get(field)
        return value if isinstance(value, str) and value else None

    def take(self, field: str) -> Any:
        """Return a field that is not to be read again."""
        return self._properties.pop(wire_name(field), None)

    def copy(self) -> Event:
        """Return the event with all its fields still to be read."""
        return Event(self._wire)

    def words(self) -> str:
        """Return what was said."""
        said = self.take("llm_message")
        text = said.get("text") if isinstance(said, dict) else said
        return text if isinstance(text, str) else ""

    def around(self, name: str) -> Any:
        """Return what stands around the properties, in Amplitude's own terms."""
        return self._wire.get(name)

    def rest(self) -> dict[str, Any]:
        """Return what was not taken: fields under their names in Python, and the caller's own properties."""
        return {_short(name): value for name, value in self._properties.items()}


def parsed(value: Any) -> Any:
    """Return what a JSON text says, or the value as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def written(value: Any) -> str:
    """Return what is plain JSON already as a text, whole however long."""
    return msgspec.json.encode(value).decode()


def _short(name: str) -> str:
    for prefix in (_OWN, "[Amplitude] "):
        if name.startswith(prefix):
            return name.removeprefix(prefix).lower().replace(" ", "_")
    return f"event_properties.{name}"
