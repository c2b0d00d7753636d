"""What events lack of what the analytics needs, and how well they are filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..delivery.sinks import WireEvent
from ..schema.catalog import event_type
from ..schema.events import AIResponse, ToolCall
from ..schema.needs import AGENT, ANSWER, SESSION, VERIFIED, Need, property_need
from .matching import is_of_type, line

AI_RESPONSE = event_type(AIResponse)
TOOL_CALL = event_type(ToolCall)

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
_TOOL = (property_need("latency_ms", "measure the run and pass latency_ms=, or use @tool"),)


def missing(events: Iterable[WireEvent]) -> list[str]:
    """Return, for each AI Response, what it lacks of the values that dashboards are built on."""
    lines = []
    for place, event in enumerate(events, 1):
        lacking = [need for need in (_SOMEBODY, *VERIFIED) if need.lacks(event)]
        if is_of_type(event, AI_RESPONSE) and lacking:
            lines += [line(place, event), *(f"  {need.name} is missing: {need.fix}" for need in lacking)]
    return lines


def report(events: list[WireEvent]) -> str:
    """Return, as text, how many events there are and how well they are filled."""
    groups = {
        "all events": ((_USER, SESSION, AGENT), events),
        AI_RESPONSE: (ANSWER, [event for event in events if is_of_type(event, AI_RESPONSE)]),
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
