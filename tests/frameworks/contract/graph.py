"""What the events of a run say together: who did what, in which order, as part of what."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

Event = dict[str, Any]


def graph(events: Iterable[Event], layers: frozenset[str] = frozenset()) -> list[str]:
    """Return a line for each event under the line of its agent, and then the spans with what they are in."""
    told = [Node(event) for event in events]
    spans = {node.get("Span ID"): node for node in told if node.kind == "Span"}
    agents: dict[str, list[Node]] = defaultdict(list)
    for node in told:
        if node.kind != "Span":
            agents[node.agent].append(node)
    asked = {node.get("Message ID"): node.asks for node in told if node.kind == "AI Response"}
    lines = []
    for agent in sorted(agents):
        lines.append(agent)
        ordered = sorted(agents[agent], key=lambda node: node.get("Turn ID") or 10**6)
        lines.extend(f"  {node.line(asked)}" for node in ordered)
    lines.extend(sorted(_span(node, spans, layers) for node in spans.values() if node.name not in layers))
    return lines


class Node:
    """One event."""

    def __init__(self, event: Event) -> None:
        self.kind = event["event_type"].removeprefix("[Agent] ")
        self._properties = event["event_properties"]

    def get(self, name: str) -> Any:
        return self._properties.get(f"[Agent] {name}")

    @property
    def agent(self) -> str:
        above = self.get("Parent Agent ID")
        return f"{self.get('Agent ID')} of {above}" if above else str(self.get("Agent ID"))

    @property
    def name(self) -> str:
        return str(self.get("Span Name"))

    @property
    def text(self) -> str:
        return str(self._properties.get("$llm_message", {}).get("text", ""))

    @property
    def asks(self) -> list[str]:
        return [call["function"]["name"] for call in json.loads(self.get("Tool Calls") or "[]")]

    @property
    def outcome(self) -> str:
        failed = " failed" if self.get("Is Error") or self.get("Tool Success") is False else ""
        left = " left" if self.get("Stream Abandoned") else ""
        stopped = f" {self.get('Error Type')}" if not failed and self.get("Error Type") else ""
        return failed + left + stopped

    def line(self, asked: dict[Any, list[str]]) -> str:
        if self.kind == "User Message":
            return f"{self.get('Message Source')}: {self.text}"
        if self.kind == "Tool Call":
            name, before = self.get("Tool Name"), asked.get(self.get("Parent Message ID"), [])
            linked = "" if name in before else " (not linked)"
            shown = f"{self.get('Tool Input')} -> {self.get('Tool Output')}"
            return (
                f"tool {name} {shown if not self.outcome else self.get('Tool Input')}{self.outcome}{linked}"
            )
        if self.kind == "AI Response":
            return f"answer {self._counts()}: {' '.join(self.asks) or self.text}{self.outcome}"
        return self.kind

    def _counts(self) -> str:
        parts = [f"{self.get('Input Tokens')}+{self.get('Output Tokens')}", f"${self.get('Cost USD')}"]
        if self.get("Usage Estimated"):
            parts = ["estimated"]
        parts.extend(word for word, name in _MARKS.items() if self.get(name))
        return " ".join(parts)


_MARKS = {"streamed": "Is Streaming", "first token": "TTFB Ms", "cached": "Was Cached"}


def _span(node: Node, spans: dict[Any, Node], layers: frozenset[str]) -> str:
    around = spans.get(node.get("Parent Span ID"))
    while around is not None and around.name in layers:
        around = spans.get(around.get("Parent Span ID"))
    inside = f" in {around.name}" if around is not None else ""
    return f"span {node.name} by {node.agent}{inside}{node.outcome}"


def ids(events: Iterable[Event], name: str) -> set[Any]:
    """Return the values of one property over events."""
    return {event["event_properties"].get(f"[Agent] {name}") for event in events}
