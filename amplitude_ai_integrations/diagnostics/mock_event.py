"""Whether events are made, and whole, with the settings there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..config import AIConfig
from ..delivery.sinks import MemorySink
from ..schema.catalog import event_type
from ..schema.events import AIResponse, SessionEnd, UserMessage
from ..schema.needs import VERIFIED
from .exchange import client_apart, speak
from .finding import Finding

TOPIC: Final = "mock event"
EXPECTED: Final = (event_type(UserMessage), event_type(AIResponse), event_type(SessionEnd))


def make_event(config: AIConfig) -> Iterator[Finding]:
    """Record one exchange into memory, and look at what came of it."""
    sink = MemorySink()
    errors = speak(client_apart(config, sink))
    for kind in errors:
        yield Finding(
            TOPIC, "problem", f"An error was kept from your program: {kind}.", "The log has its traceback."
        )
    made = [event["event_type"] for event in sink]
    absent = [kind for kind in EXPECTED if kind not in made]
    if absent:
        fix = "before_send may have dropped them." if config.before_send else ""
        yield Finding(TOPIC, "problem", f"An exchange made no {', no '.join(absent)}.", fix)
        return
    (answer,) = (event for event in sink if event["event_type"] == EXPECTED[1])
    lacking = [need for need in VERIFIED if need.lacks(answer)]
    for need in lacking:
        yield Finding(TOPIC, "problem", f"The answer of an exchange has no {need.name}.", need.fix)
    if not lacking:
        words = (
            f"An exchange makes {len(made)} events, with all {len(VERIFIED)} values that charts are made of."
        )
        yield Finding(TOPIC, "ok", words)
