"""Flows, agents by themselves, and what goes on beside models and tools."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from crewai import Crew, Memory
from crewai.flow.flow import Flow, listen, start

from amplitude_ai_integrations import MemorySink
from amplitude_ai_integrations.frameworks.crewai import AmplitudeCrewAIHooks

from ...events import told
from ..contract.graph import graph, ids
from .making import Making, get_weather

pytestmark = pytest.mark.usefixtures("observed")

ANSWER = "answer 20+7 $0.00011"


def trip(make: Making) -> Flow[Any]:
    class Trip(Flow[Any]):
        @start()
        def plan(self) -> str:
            return str(make.crew("echo:Plan.").kickoff())

        @listen(plan)
        def check(self, _plan: str) -> str:
            return str(make.llm().call("echo:Checked."))

        @listen(check)
        async def write(self, _checked: str) -> str:
            return str((await make.agent("writer").akickoff("echo:Written.")).raw)

    return Trip()


TRIP = [
    "None",
    "  agent: echo:Checked.",
    f"  {ANSWER}: Checked.",
    "  Session End",
    "concierge",
    "  user: echo:Plan.",
    f"  {ANSWER}: Plan.",
    "writer",
    "  agent: echo:Written.",
    f"  {ANSWER}: Written.",
    "span Trip by None",
    "span answer by None in desk",
    "span check by None in Trip",
    "span concierge by concierge in answer",
    "span desk by None in plan",
    "span plan by None in Trip",
    "span write by None in Trip",
    "span writer by writer in write",
]


def test_a_flow(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    assert trip(make).kickoff() == "Written."
    hooks.flush()
    assert graph(sink.events) == TRIP
    assert len(ids(sink.events, "Trace ID") - {None}) == 1


def test_a_flow_in_a_loop(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    assert asyncio.run(trip(make).kickoff_async()) == "Written."
    hooks.flush()
    assert graph(sink.events) == TRIP


def test_a_method_fails(hooks: AmplitudeCrewAIHooks, sink: MemorySink) -> None:
    class Bad(Flow[Any]):
        @start()
        def ask(self) -> str:
            raise LookupError("nothing there")

    with pytest.raises(LookupError):
        Bad().kickoff(inputs={"city": "Paris"})
    hooks.flush()
    shown = [
        {
            name: event.get(name)
            for name in ("Span Name", "Input State", "Is Error", "Error Type", "Error Message")
        }
        for event in told(sink.events)
        if event["type"] == "Span"
    ]
    failed = {"Is Error": True, "Error Type": "LookupError", "Error Message": "nothing there"}
    assert shown == [
        {"Span Name": "ask", "Input State": "{}", **failed},
        {"Span Name": "Bad", "Input State": '{"city":"Paris"}', **failed},
    ]


class TestAgentsByThemselves:
    def test_asked_directly(self, hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
        asked = 'call:get_weather{"city":"Paris"} echo:Sunny.'
        assert make.agent(tools=[get_weather]).kickoff(asked).raw == "Sunny."
        hooks.flush()
        assert graph(sink.events) == [
            "None",
            "  Session End",
            "concierge",
            f"  user: {asked}",
            f"  {ANSWER}: get_weather",
            '  tool get_weather {"city":"Paris"} -> Sunny in Paris.',
            f"  {ANSWER}: Sunny.",
            "span concierge by concierge",
        ]

    def test_with_a_conversation(self, hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
        conversation = [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": "echo:Again."},
        ]
        make.agent().kickoff(conversation)  # type: ignore[arg-type]
        hooks.flush()
        assert graph(sink.events)[2:5] == ["concierge", "  user: echo:Again.", f"  {ANSWER}: Again."]


def test_a_guardrail_refuses(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    verdicts = iter([(False, "too short"), (True, "Hi.")])
    agent = make.agent()
    crew = make.crew("echo:Hi.", agent=agent)
    crew.tasks = [make.task("echo:Hi.", agent, guardrail=lambda _output: next(verdicts))]
    crew.kickoff()
    hooks.flush()
    assert [line for line in graph(sink.events) if "concierge" not in line] == [
        "None",
        "  Session End",
        "  user: echo:Hi.",
        f"  {ANSWER}: Hi.",
        f"  {ANSWER}: Hi.",
        "span answer by None in desk",
        "span desk by None",
        "span llm guardrail by None in answer",
        "span llm guardrail by None in answer failed",
    ]


def test_what_crewai_remembers(
    hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its memory asks the model too, in words that nobody said, and with what the fake cannot answer."""
    embedder = {"provider": "openai", "config": {"api_key": "k", "api_base": make.fake.url}}
    agent = make.agent()
    memory = Memory(llm=make.llm(), embedder=embedder)
    crew = Crew(name="desk", agents=[agent], tasks=[make.task("echo:Yes.", agent)], memory=memory)
    crew.kickoff()
    hooks.flush()
    # What looks things up is its vendor's client, which knows of no session but those of the program.
    sink.events[:] = [event for event in sink.events if event["event_type"] != "[Agent] Embedding"]
    lines = graph(sink.events)
    assert [line for line in lines if line.startswith(("  user", "  agent"))] == ["  user: echo:Yes."]
    assert {
        "span answer by None in desk",
        "span concierge by concierge in answer",
        "span desk by None",
    } < set(lines)
    assert len(ids(sink.events, "Session ID")) == 1
    assert len(ids(sink.events, "Trace ID") - {None}) == 1
