"""Crews, their tasks, and agents that delegate."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

import pytest
from crewai import Agent, Crew, Process

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.frameworks.crewai import AmplitudeCrewAIHooks

from ...events import told
from ..contract.graph import graph, ids
from .making import Making, book_table, get_weather

pytestmark = pytest.mark.usefixtures("observed")

ANSWER = "answer 20+7 $0.00011"
ASKS_BOTH = 'call:get_weather{"city":"Paris"} call:book_table{"restaurant":"Chez Nous"} echo:All done.'


def two_roles(make: Making) -> Crew:
    researcher, writer = make.agent("researcher"), make.agent("writer")
    tasks = [make.task("echo:Facts.", researcher, "research"), make.task("echo:Text.", writer, "write")]
    return Crew(name="desk", agents=[researcher, writer], tasks=tasks)


def test_tools_and_tasks(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    make.crew(ASKS_BOTH, tools=[get_weather, book_table]).kickoff()
    hooks.flush()
    assert graph(sink.events) == [
        "None",
        "  Session End",
        "concierge",
        f"  user: {ASKS_BOTH}",
        f"  {ANSWER}: get_weather",
        '  tool get_weather {"city":"Paris"} -> Sunny in Paris.',
        f"  {ANSWER}: book_table",
        '  tool book_table {"restaurant":"Chez Nous"} failed',
        f"  {ANSWER}: All done.",
        "span answer by None in desk",
        "span concierge by concierge in answer",
        "span desk by None",
    ]
    assert len(ids(sink.events, "Trace ID") - {None}) == 1
    assert len(ids(sink.events, "Session ID")) == 1
    assert {event["user_id"] for event in sink.events} == {"user-1"}


def test_whole_events(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    crew = make.crew('call:get_weather{"city":"{city}"} echo:Yes.', tools=[get_weather])
    crew.kickoff(inputs={"city": "Paris"})
    hooks.flush()
    events = told(sink.events)
    by_type: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        by_type.setdefault(event["type"], []).append(event)
    (question,) = by_type["User Message"]
    assert question["$llm_message"] == {"text": 'call:get_weather{"city":"Paris"} echo:Yes.'}
    asked, answered = by_type["AI Response"]
    assert asked["Model Name"] == "gpt-4o"
    assert asked["Provider"] == "openai"
    assert asked["Provider Request ID"] == "chatcmpl-1"
    assert asked["System Prompt"] == "You are concierge. You help people plan.\nYour personal goal is: Help."
    counts = ("Input Tokens", "Output Tokens", "Total Tokens", "Cache Read Tokens", "Reasoning Tokens")
    assert [asked[name] for name in counts] == [20, 7, 27, 8, 3]
    (definition,) = json.loads(asked["Tool Definitions"])
    assert definition["parameters"]["properties"] == {"city": {"title": "City", "type": "string"}}
    assert answered["Finish Reason"] == "stop"
    (call,) = by_type["Tool Call"]
    assert call["Parent Message ID"] == asked["Message ID"]
    spans = {span["Span Name"]: span for span in by_type["Span"]}
    assert json.loads(spans["desk"]["Input State"]) == {"city": "Paris"}
    assert json.loads(spans["answer"]["Input State"]) == {
        "description": 'call:get_weather{"city":"Paris"} echo:Yes.',
        "expected_output": "A text.",
    }
    for span in spans.values():
        assert json.loads(span["Output State"]) == {"value": "Yes."}


def test_roles_are_agents_of_their_own(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    two_roles(make).kickoff()
    hooks.flush()
    assert graph(sink.events) == [
        "None",
        "  Session End",
        "researcher",
        "  user: echo:Facts.",
        f"  {ANSWER}: Facts.",
        "writer",
        "  agent: echo:Text.",
        f"  {ANSWER}: Text.",
        "span desk by None",
        "span research by None in desk",
        "span researcher by researcher in research",
        "span write by None in desk",
        "span writer by writer in write",
    ]
    assert len(ids(sink.events, "Trace ID") - {None}) == 1


PLANNER = [
    "researcher of planner",
    "  user: echo:Facts.",
    f"  {ANSWER}: Facts.",
    "writer of planner",
    "  agent: echo:Text.",
    f"  {ANSWER}: Text.",
    "span desk by planner",
    "span research by planner in desk",
    "span researcher by researcher of planner in research",
    "span write by planner in desk",
    "span writer by writer of planner in write",
]


def test_a_crew_is_the_sessions_agent(
    hooks: AmplitudeCrewAIHooks, make: Making, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("planner").session(user_id="user-2", track_session_end=False):
        two_roles(make).kickoff()
        hooks.flush()
    assert graph(sink.events) == PLANNER


def test_a_crew_is_the_doors_agent(make: Making, ai: AmplitudeAI, sink: MemorySink) -> None:
    with AmplitudeCrewAIHooks(ai, user_id="user-1", agent_id="planner", session_id="session-1"):
        two_roles(make).kickoff()
    assert graph(sink.events) == PLANNER
    assert ids(sink.events, "Session ID") == {"session-1"}


def test_the_second_kickoff_is_another_trace(
    hooks: AmplitudeCrewAIHooks, make: Making, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent().session("session-1", user_id="user-2", track_session_end=False):
        make.crew("echo:One.").kickoff()
        make.crew("echo:Two.").kickoff()
        hooks.flush()
    traces = {
        event["event_properties"]["[Agent] Trace ID"]: event["event_properties"]["$llm_message"]["text"]
        for event in sink.events
        if "$llm_message" in event["event_properties"]
    }
    assert list(traces.values()) == ["One.", "Two."]


class TestDelegation:
    def test_one_asks_another(self, hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
        asked = '{"question":"echo:Museums.","context":"Paris","coworker":"Researcher"}'
        lead, researcher = make.agent(allow_delegation=True), make.agent("Researcher")
        task = make.task(f"call:ask_question_to_coworker{asked} echo:Done.", lead)
        Crew(name="desk", agents=[lead, researcher], tasks=[task]).kickoff()
        hooks.flush()
        assert graph(sink.events) == self.expected("concierge", "ask_question_to_coworker", asked)

    def test_a_manager_hands_work_over(
        self, hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink
    ) -> None:
        asked = '{"task":"echo:Museums.","context":"Paris","coworker":"Researcher"}'
        task = make.task(f"call:delegate_work_to_coworker{asked} echo:Done.")
        crew: dict[str, Any] = {"process": Process.hierarchical, "manager_llm": make.llm()}
        Crew(name="desk", agents=[make.agent("Researcher")], tasks=[task], **crew).kickoff()
        hooks.flush()
        assert graph(sink.events) == self.expected("Crew Manager", "delegate_work_to_coworker", asked)

    def expected(self, lead: str, tool: str, asked: str) -> list[str]:
        agents = {
            lead: [
                f"  user: call:{tool}{asked} echo:Done.",
                f"  {ANSWER}: {tool}",
                f"  tool {tool} {asked} -> Museums.",
                f"  {ANSWER}: Done.",
            ],
            f"Researcher of {lead}": ["  agent: echo:Museums.", f"  {ANSWER}: Museums."],
            "None": ["  Session End"],
        }
        lines = [line for agent in sorted(agents) for line in (agent, *agents[agent])]
        spans = [
            f"span Researcher by Researcher of {lead} in {lead}",
            f"span {lead} by {lead} in answer",
            "span answer by None in desk",
            "span desk by None",
        ]
        return [*lines, *sorted(spans)]


def test_a_role_is_written_over_several_lines(
    hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink
) -> None:
    make.crew("echo:Hi.", role="Senior Researcher\n").kickoff()
    hooks.flush()
    assert "Senior Researcher" in ids(sink.events, "Agent ID")


class TestForEach:
    @pytest.mark.parametrize("kickoff", ["kickoff_for_each", "kickoff_for_each_async", "akickoff_for_each"])
    def test_each_input_is_a_run(
        self, hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink, kickoff: str
    ) -> None:
        runs = getattr(make.crew("echo:{word}"), kickoff)([{"word": "one"}, {"word": "two"}])
        if inspect.iscoroutine(runs):
            asyncio.run(runs)
        hooks.flush()
        assert len(ids(sink.events, "Session ID")) == 2
        for session in ids(sink.events, "Session ID"):
            own = [
                event for event in sink.events if event["event_properties"]["[Agent] Session ID"] == session
            ]
            said = [
                line.rpartition(":")[2].strip() for line in graph(own) if "echo:" in line or ANSWER in line
            ]
            assert len(own) == 6
            assert said in (["one", "one"], ["two", "two"])


def test_an_agent_that_was_at_work_before(make: Making, ai: AmplitudeAI, sink: MemorySink) -> None:
    agent: Agent = make.agent()
    crew = make.crew("echo:Hi.", agent=agent)
    crew.kickoff()
    sink.events.clear()
    with AmplitudeCrewAIHooks(ai, user_id="user-1"):
        crew.kickoff()
    assert [line for line in graph(sink.events) if "user:" in line or "answer" in line] == [
        "  user: echo:Hi.",
        f"  {ANSWER}: Hi.",
        "span answer by None in desk",
        "span concierge by concierge in answer",
    ]
