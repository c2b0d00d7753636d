"""What an answer needs for the analytics to work on it, and how to get what is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from .names import wire_name

WireEvent = dict[str, Any]

_UNCOUNTED: Final = ("is_error", "was_cached")


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


def property_need(field: str, fix: str, *excuses: str) -> Need:
    """Return the need of one property, by the name of its field."""
    wire = wire_name(field)
    return Need(wire, lambda event: bool(event["event_properties"].get(wire)), fix, excuses)


SESSION: Final = property_need("session_id", "track it inside `with agent.session(...)`, or pass session_id=")
AGENT: Final = property_need("agent_id", "track it through ai.agent('its-name'), or pass agent_id=")
ANSWER: Final = (
    property_need("model_name", "pass model=, as the provider names it"),
    property_need("provider", "pass provider=, for example 'openai', or wrap the client"),
    property_need("latency_ms", "measure the call and pass latency_ms=, or wrap the client", "was_cached"),
    property_need("input_tokens", "pass usage= or input_tokens=, or wrap the client", *_UNCOUNTED),
    property_need("output_tokens", "pass usage= or output_tokens=, or wrap the client", *_UNCOUNTED),
    property_need(
        "cost_usd", "give tokens and a model name whose price is known, or total_cost_usd=", *_UNCOUNTED
    ),
)
VERIFIED: Final = (SESSION, AGENT, *ANSWER)
