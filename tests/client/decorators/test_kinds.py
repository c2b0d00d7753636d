"""What an observed function can be: a step, a tool, a model call, an agent."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.decorators import observe, tool

from ...events import one, told, types
from .ways import facts


@pytest.mark.parametrize(("kind", "event"), [("span", "Span"), ("llm", "Span"), ("tool", "Tool Call")])
def test_a_kind_says_what_is_recorded(kind: Any, event: str, ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe(type=kind, amplitude=ai)
    def work(q: int) -> int:
        return q

    work(1)
    assert types(sink.events) == [event, "Session End"]
    told_of = one(sink.events, event)
    assert told_of.get("[Agent] Span Kind") == ("llm" if kind == "llm" else None)
    assert (told_of.get("[Agent] Tool Output") or told_of["[Agent] Output State"]) == (
        "1" if kind == "tool" else '{"value":1}'
    )


def test_an_observed_tool_is_no_step(ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe
    def leaf() -> None:
        return None

    @observe(type="tool")
    def search() -> None:
        leaf()

    @observe(amplitude=ai)
    def answer() -> None:
        search()

    answer()
    inner, _, outer, _ = told(sink.events)
    assert inner["Parent Span ID"] == outer["Span ID"]


def test_an_agent_has_what_happens_inside_and_its_caller_as_parent(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    def search() -> None:
        return None

    @observe(type="agent")
    def writer() -> None:
        search()

    @observe(type="agent", agent_id="research-v2", amplitude=ai)
    def researcher() -> None:
        search()
        writer()
        search()

    researcher()
    assert facts(sink, "Agent ID", "Parent Agent ID", "Span Kind") == [
        ("Tool Call", "research-v2", None, None),
        ("Tool Call", "writer", "research-v2", None),
        ("Span", "writer", "research-v2", "agent"),
        ("Tool Call", "research-v2", None, None),
        ("Span", "research-v2", None, "agent"),
        ("Session End", "research-v2", None, None),
    ]


def test_an_agent_that_calls_itself_stays_one_agent(ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe(type="agent", amplitude=ai)
    def planner(depth: int) -> None:
        if depth:
            planner(depth - 1)

    with ai.agent("boss").session(track_session_end=False):
        planner(2)
    assert facts(sink, "Agent ID", "Parent Agent ID") == [("Span", "planner", "boss")] * 3
