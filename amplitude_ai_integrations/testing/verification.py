"""What an event needs for the analytics to work on it, and how to get what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ..delivery.sinks import WireEvent
from ..schema.catalog import event_type
from ..schema.events import AIResponse, ToolCall
from ..schema.names import wire_name
from .matching import is_of_type, line

AI_RESPONSE = event_type(AIResponse)
TOOL_CALL = event_type(ToolCall)
_UNCOUNTED = ("is_error", "was_cached")


class Need(NamedTuple):
    """One value, and the keyword or door that provides it; flags that are true excuse its absence."""

    name: str
    is_met: Callable[[WireEvent], bool]
    fix: str
    excuses: tuple[str, ...] = ()

    def lacks(self, event: WireEvent) -> bool:
        """Tell whether an event should have the value and has none, or 0."""
        excused = any(event["event_properties"].get(wire_name(flag)) for flag in self.excuses)
        return not excused and not self.is_met(event)


def _property(field: str, fix: str, *excuses: str) -> Need:
    wire = wire_name(field)
    return Need(wire, lambda event: bool(event["event_properties"].get(wire)), fix, excuses)


_USER = Need(
    "user_id",
    lambda event: bool(event.get("user_id")),
    "pass user_id= to agent() or session(), or user_id_resolver= to the middleware",
)
_SOMEBODY = Need(
    "user_id or device_id",
    lambda event: bool(event.get("user_id") or event.get("device_id")),
    "pass user_id= or device_id= to agent() or session()",
)
_SESSION = _property("session_id", "track it inside `with agent.session(...)`, or pass session_id=")
_AGENT = _property("agent_id", "track it through ai.agent('its-name'), or pass agent_id=")
_ANSWER = (
    _property("model_name", "pass model=, as the provider names it"),
    _property("provider", "pass provider=, for example 'openai', or wrap the client"),
    _property("latency_ms", "measure the call and pass latency_ms=, or wrap the client", "was_cached"),
    _property("input_tokens", "pass usage= or input_tokens=, or wrap the client", *_UNCOUNTED),
    _property("output_tokens", "pass usage= or output_tokens=, or wrap the client", *_UNCOUNTED),
    _property(
        "cost_usd", "give tokens and a model name whose price is known, or total_cost_usd=", *_UNCOUNTED
    ),
)
_TOOL = (_property("latency_ms", "measure the run and pass latency_ms=, or use @tool"),)


def missing(events: Iterable[WireEvent]) -> list[str]:
    """Return, for each AI Response, what it lacks of the values that dashboards are built on."""
    lines = []
    for place, event in enumerate(events, 1):
        lacking = [need for need in (_SOMEBODY, _SESSION, _AGENT, *_ANSWER) if need.lacks(event)]
        if is_of_type(event, AI_RESPONSE) and lacking:
            lines += [line(place, event), *(f"  {need.name} is missing: {need.fix}" for need in lacking)]
    return lines


def report(events: list[WireEvent]) -> str:
    """Return, as text, how many events there are and how well they are filled."""
    groups = {
        "all events": ((_USER, _SESSION, _AGENT), events),
        AI_RESPONSE: (_ANSWER, [event for event in events if is_of_type(event, AI_RESPONSE)]),
        TOOL_CALL: (_TOOL, [event for event in events if is_of_type(event, TOOL_CALL)]),
    }
    lines = [f"{len(events)} event{'s' if len(events) != 1 else ''}"]
    lines += [f"  {count:>5}  {name}" for name, count in Counter(e["event_type"] for e in events).items()]
    for title, (needs, members) in groups.items():
        if members:
            lines += ["", f"filled in {title}", *(_rate(need, members) for need in needs)]
    return "\n".join(lines)


def _rate(need: Need, events: list[WireEvent]) -> str:
    lacking = sum(map(need.lacks, events))
    rate = f"  {1 - lacking / len(events):>5.0%}  {need.name}"
    return f"{rate}, missing on {lacking} of {len(events)}: {need.fix}" if lacking else rate
