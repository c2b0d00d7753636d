"""Spans that the real libraries made, made again as they were: each begins and ends in its turn.

A recording has steps: `start` a span `in` another, say more `in` one, `end` one. `says` are the attributes that
are new since, without those that nothing is read from. What it tells of is the scenario of `contract/framework.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context

RECORDED = Path(__file__).parent / "recorded"


def replay(provider: TracerProvider, framework: str, scenario: str) -> None:
    """Make the spans of one run of a framework again."""
    spans: dict[int, Span] = {}
    for step in json.loads((RECORDED / f"{framework}.json").read_text())[scenario]:
        if "start" in step:
            around = spans.get(step["in"])
            context = set_span_in_context(around) if around is not None else None
            tracer = provider.get_tracer(step["scope"])
            spans[step["start"]] = tracer.start_span(step["name"], context, attributes=step["says"])
        elif "end" not in step:
            spans[step["in"]].set_attributes(step["says"])
        else:
            _end(spans[step["end"]], step)


def _end(span: Span, step: dict[str, Any]) -> None:
    span.set_attributes(step["says"])
    for name, attributes in step.get("events", ()):
        span.add_event(name, attributes)
    if "error" in step:
        span.set_status(Status(StatusCode.ERROR, step["error"]))
    span.end()
