"""Where finished events go: one protocol, and the sinks that need no network."""

from __future__ import annotations

import os
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

from ..schema.names import wire_name
from .flush import Counts, FlushResult

WireEvent = dict[str, Any]


class Sink(Protocol):
    """Takes finished events: redacted, bounded, plain JSON values.

    ``send`` is called in the caller's thread and returns at once; what a sink does with the event
    afterwards, and how it survives an outage, is its own affair.
    """

    def send(self, event: WireEvent) -> None:
        """Take one event."""

    def flush(self) -> FlushResult:
        """Begin to deliver everything taken so far."""

    def close(self, timeout: float) -> None:
        """Deliver what is pending within ``timeout`` seconds and stop."""

    def counts(self) -> Counts:
        """Say how many events arrived, are pending, and are lost."""


class PlacingSink(ABC):
    """A sink that puts each event in its place, and so wants to know the step that it is a part of; what
    leaves for Amplitude says that of steps alone.
    """

    @abstractmethod
    def send_within(self, event: WireEvent, span_id: str | None) -> None:
        """Take one event, which is a part of the step with this Span ID."""


class MemorySink:
    """Keeps events in a list, for tests and for looking at what would leave; at most the last ``limit``."""

    def __init__(self, limit: int | None = None) -> None:
        self.events: list[WireEvent] = []
        self._limit = limit
        self._lock = threading.RLock()

    def send(self, event: WireEvent) -> None:
        """Append the event."""
        with self._lock:
            self.events.append(event)
            if self._limit is not None and len(self.events) > self._limit:
                del self.events[0]

    def flush(self) -> FlushResult:
        """Nothing is ever pending."""
        return FlushResult([], self.counts)

    def close(self, timeout: float = 0.0) -> None:
        """Nothing is held open."""

    def counts(self) -> Counts:
        """Every event has arrived."""
        return Counts(len(self.events), 0, 0)

    def __iter__(self) -> Iterator[WireEvent]:
        return iter(self.events)


class ConsoleSink(MemorySink):
    """Prints one line an event to stderr and keeps nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._printed = 0

    def send(self, event: WireEvent) -> None:
        """Print the event's summary."""
        self._printed += 1
        print(_colored(summary(event)), file=sys.stderr)  # noqa: T201 - printing is what this sink is for

    def counts(self) -> Counts:
        """Every event has been printed."""
        return Counts(self._printed, 0, 0)


_LONG_ID = 20  # ids that a person chose are shorter, and shown whole
_SHOWN = {
    "session": "session_id",
    "agent": "agent_id",
    "model": "model_name",
    "tool": "tool_name",
    "span": "span_name",
    "score": "score_name",
    "value": "score_value",
    "tokens": "total_tokens",
    "cost": "cost_usd",
    "latency": "latency_ms",
    "error": "error_type",
}
_FORMATS = {"tokens": "{:,}", "cost": "${:.4f}", "latency": "{:,.0f}ms"}


def summary(event: WireEvent) -> str:
    """Return an event as one line: type, user, session and the figures it has."""
    properties = event["event_properties"]
    parts = [f"[amplitude-ai] {event['event_type']}"]
    if "user_id" in event:
        parts.append(f"user={event['user_id']}")
    for label, field in _SHOWN.items():
        value = properties.get(wire_name(field))
        if value is not None:
            parts.append(f"{label}={_shown(label, value)}")
    return " | ".join(parts)


def _shown(label: str, value: Any) -> str:
    if type(value) in (int, float):
        return _FORMATS.get(label, "{}").format(value)
    text = str(value)  # whatever `before_send` made of it
    return f"{text[:8]}..." if label == "session" and len(text) > _LONG_ID else text


def _colored(line: str) -> str:
    """Return a line with its type in colour, where a person reads it."""
    if not sys.stderr.isatty() or "NO_COLOR" in os.environ:
        return line
    head, bar, rest = line.partition(" | ")
    return f"\033[36m{head}\033[0m{bar}{rest}"
