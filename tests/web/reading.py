"""Events as these tests compare them, and the events they expect, both whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from amplitude_ai_integrations.context.identity import device_for
from amplitude_ai_integrations.schema.names import wire_name
from amplitude_ai_integrations.version import __version__

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LABELS = {wire_name(f"{label}_id"): label for label in ("session", "trace", "message", "invocation", "span")}
_LATENCY = wire_name("latency_ms")

AGENT = "concierge"


def told(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events flat; made-up ids are numbered by kind, times are checked and left out."""
    events = list(events)
    insert_ids = [event["insert_id"] for event in events]
    assert len(set(insert_ids)) == len(insert_ids)
    assert all(_UUID.fullmatch(one) for one in insert_ids)
    assert all(type(event["time"]) is int for event in events)
    numbered: dict[str, list[str]] = {}
    return [_flat(event, numbered) for event in events]


def _flat(event: dict[str, Any], numbered: dict[str, list[str]]) -> dict[str, Any]:
    outer = {
        name: value for name, value in event.items() if name not in ("insert_id", "time", "event_properties")
    }
    properties = event["event_properties"]
    session = properties.get(wire_name("session_id"))
    if outer.get("device_id") == device_for(session):
        outer["device_id"] = "of the session"
    return {**outer, **{name: _label(name, value, numbered) for name, value in properties.items()}}


def _label(name: str, value: Any, numbered: dict[str, list[str]]) -> Any:
    if name in _LABELS and _UUID.fullmatch(str(value)):
        seen = numbered.setdefault(_LABELS[name], [])
        seen += [value] if value not in seen else []
        return f"{_LABELS[name]} {seen.index(value) + 1}"
    if name == _LATENCY and value > 0 and value != 5.0:
        return "ms"
    return value


class Expected:
    """Builds the events of one session in order, counting turns, traces and messages as it goes."""

    def __init__(
        self, session: str = "session 1", *, turn: int = 0, trace: int = 0, message: int = 0
    ) -> None:
        self.session, self.turn, self.trace, self.message = session, turn, trace, message
        self.always: dict[str, Any] = {"agent_id": AGENT}
        self.around: dict[str, Any] = {"device_id": "of the session"}

    def of_user(self, user_id: str) -> Expected:
        """The session is this user's."""
        self.around = {"user_id": user_id}
        return self

    def saying(self, **fields: Any) -> Expected:
        """All events carry these fields too."""
        self.always.update(fields)
        return self

    def exchange(self, text: str = "hello") -> list[dict[str, Any]]:
        """A user's message and the answer, in a trace of their own."""
        self.trace += 1
        return [self.question(text), self.answer(f"you said {text}")]

    def question(self, text: str) -> dict[str, Any]:
        return self._message("User Message", text, component_type="user_input", message_source="user")

    def answer(self, text: str) -> dict[str, Any]:
        model = {"model_name": "gpt-4o-mini", "model_tier": "fast", "provider": "openai"}
        return self._message(
            "AI Response", text, component_type="llm", latency_ms=5.0, is_error=False, **model
        )

    def end(self, **fields: Any) -> list[dict[str, Any]]:
        """The Session End."""
        return [self.event("Session End", **fields)]

    def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        own = {"session_id": self.session, "trace_id": f"trace {self.trace}"}
        stamps = {"content_mode": "full", "sdk_version": __version__, "runtime": "python"}
        properties = {**own, **self.always, **stamps, **fields}
        named = {wire_name(name): value for name, value in properties.items() if value is not None}
        return {"event_type": f"[Agent] {kind}", **self.around, **named}

    def _message(self, kind: str, text: str, **fields: Any) -> dict[str, Any]:
        self.turn += 1
        self.message += 1
        ids = {"turn_id": self.turn, "message_id": f"message {self.message}"}
        return self.event(kind, **ids, llm_message={"text": text}, **fields)
