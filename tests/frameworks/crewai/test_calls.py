"""Model calls and tools, whoever serves the model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from crewai import LLM, Crew
from crewai.tools import tool

from amplitude_ai_integrations import MemorySink
from amplitude_ai_integrations.calls.facts import Usage
from amplitude_ai_integrations.frameworks.crewai import AmplitudeCrewAIHooks
from amplitude_ai_integrations.frameworks.crewai_messages import tool_calls, usage_of, whole

from ...events import one, told, types
from ...fakes.anthropic_server import AnthropicServer
from ...fakes.model_server import Json, ModelServer, Script
from ...fakes.openai_server import OpenAIServer, _Handler, _script
from ..contract.graph import graph
from .making import Making, get_weather

ANSWER = "answer 20+7 $0.00011"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


@pytest.mark.usefixtures("observed")
class TestByItself:
    def test_a_model_is_called(self, hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
        assert make.llm(temperature=0.5, max_tokens=50).call("echo:Yes.") == "Yes."
        hooks.flush()
        assert types(sink.events) == ["User Message", "AI Response"]
        answer = one(sink.events, "AI Response")
        asked = ("Temperature", "Max Output Tokens", "Is Streaming", "Provider Request ID")
        assert [answer[f"[Agent] {name}"] for name in asked] == [0.5, 50, False, "chatcmpl-1"]

    def test_streamed(self, hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
        make.llm(stream=True).call("echo:Yes.")
        hooks.flush()
        assert graph(sink.events)[2] == f"  {ANSWER} streamed first token: Yes."

    def test_streamed_tool_calls(self, hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
        asked = 'call:get_weather{"city":"Paris"} echo:Yes.'
        make.crew(asked, llm=make.llm(stream=True), tools=[get_weather]).kickoff()
        hooks.flush()
        assert [line for line in graph(sink.events) if ANSWER in line] == [
            f"  {ANSWER} streamed first token: get_weather",
            f"  {ANSWER} streamed first token: Yes.",
        ]

    def test_it_runs_its_tools_itself(
        self, hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink, request: pytest.FixtureRequest
    ) -> None:
        asked = 'call:get_weather{"city":"Paris"}'
        functions = {"get_weather": lambda city: f"Sunny in {city}."}
        make.llm().call(asked, tools=[TOOL], available_functions=functions)
        hooks.flush()
        is_observed = request.node.callspec.id == "observed"
        # CrewAI tells no counts of such a call, which the client of the model's vendor knows.
        assert graph(sink.events) == [
            "None",
            f"  user: {asked}",
            '  tool get_weather {"city":"Paris"} -> Sunny in Paris. (not linked)',
            f"  {ANSWER if is_observed else 'answer estimated'}: get_weather",
        ]


class TestReAct:
    """Models that know of no tools are told of them in words; only of those does CrewAI tell what its cache answered."""

    STEPS = (
        'Thought: I look.\nAction: get_weather\nAction Input: {"city": "Paris"}',
        "Thought: I now know the final answer\nFinal Answer: Sunny.",
    )

    @pytest.fixture
    def words(self) -> Iterator[OpenAIServer]:
        class Words(_Handler):
            def script(self, body: Json) -> Script:
                script = _script(body)
                script.words = f"echo:{TestReAct.STEPS['Observation: ' in str(body['messages'][2:])]}"
                return script

        server = OpenAIServer.__new__(OpenAIServer)
        ModelServer.__init__(server, Words)
        yield server
        server.stop()

    def test_a_tool_that_two_agents_ask_for(
        self, hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink, words: OpenAIServer
    ) -> None:
        class Wordy(type(make.llm())):  # type: ignore[misc]
            def supports_function_calling(self) -> bool:
                return False

        llm = Wordy(model="gpt-4o", base_url=f"{words.address}/v1", api_key="k", max_retries=0)
        agents = [make.agent(role, llm=llm, tools=[get_weather]) for role in ("first", "second")]
        tasks = [make.task("Weather?", agent) for agent in agents]
        Crew(name="desk", agents=agents, tasks=tasks, cache=True).kickoff()
        hooks.flush()
        assert graph(sink.events)[2:10] == [
            "first",
            "  user: Weather?",
            f"  {ANSWER}: {self.STEPS[0]}",
            '  tool get_weather {"city":"Paris"} -> Sunny in Paris. (not linked)',
            f"  {ANSWER}: {self.STEPS[1]}",
            "second",
            f"  {ANSWER}: {self.STEPS[0]}",
            '  tool get_weather {"city":"Paris"} -> Sunny in Paris. (not linked)',
        ]
        calls = [event["event_properties"] for event in sink.events if "Tool Call" in event["event_type"]]
        assert [call.get("from_cache") for call in calls] == [None, True]


def test_anthropics_models(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    fake = AnthropicServer()
    try:
        model = LLM(model="anthropic/claude-sonnet-4-5", base_url=fake.address, api_key="k", max_tokens=100)
        make.crew("tool", llm=model, tools=[get_weather]).kickoff()
    finally:
        fake.stop()
    hooks.flush()
    asked, answered = (event for event in told(sink.events) if event["type"] == "AI Response")
    assert asked["Provider"] == answered["Provider"] == "anthropic"
    (call,) = json.loads(asked["Tool Calls"])
    assert call["function"] == {"name": "get_weather", "arguments": '{"city":"Paris"}'}
    (run,) = (event for event in told(sink.events) if event["type"] == "Tool Call")
    assert run["Tool Output"] == "Sunny in Paris."


def test_a_tool_says_that_it_failed(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    from crewai.tools.tool_failure import ToolFailure

    @tool
    def search(query: str) -> Any:
        """Search."""
        return ToolFailure(message="Nothing found.")

    make.crew('call:search{"query":"x"} echo:Sorry.', tools=[search]).kickoff()
    hooks.flush()
    call = one(sink.events, "Tool Call")
    assert call["[Agent] Tool Success"] is False
    assert call["[Agent] Error Message"] == "Nothing found."


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({"total_tokens": 0}, None),
        (
            {"prompt_tokens": 20, "completion_tokens": 7, "cached_prompt_tokens": 8, "reasoning_tokens": 3},
            Usage(20, 7, 27, 3, 8),
        ),
        (
            {"input_tokens": 150, "output_tokens": 7, "cached_prompt_tokens": 40, "cache_creation_tokens": 8},
            Usage(150, 7, 157, None, 40, 8),
        ),
        (
            {"input_tokens": 100, "output_tokens": 7, "cache_read_input_tokens": 40},
            Usage(140, 7, 147, None, 40),
        ),
        (
            {
                "prompt_token_count": 20,
                "candidates_token_count": 4,
                "completion_tokens": 7,
                "cached_prompt_tokens": 0,
                "reasoning_tokens": 3,
            },
            Usage(20, 7, 27, 3, 0),
        ),
        (
            {"inputTokens": 100, "outputTokens": 7, "totalTokens": 107, "cacheReadInputTokens": 40},
            Usage(140, 7, 147, None, 40),
        ),
    ],
)
def test_counts(usage: Any, expected: Usage | None) -> None:
    assert usage_of(usage) == expected


@pytest.mark.parametrize(
    "call",
    [
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        SimpleNamespace(id="1", type="function", function=SimpleNamespace(name="f", arguments='{"a":1}')),
        {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
        {"toolUse": {"toolUseId": "1", "name": "f", "input": {"a": 1}}},
        {"id": "1", "function_call": {"id": "1", "name": "f", "args": {"a": 1}}},
    ],
)
def test_tool_calls_of_each_vendor(call: Any) -> None:
    assert tool_calls([call, "no call"]) == [
        {"type": "function", "id": "1", "function": {"name": "f", "arguments": '{"a":1}'}}
    ]


def test_what_events_write_as_python() -> None:
    deep = {
        "function": {"parameters": {"properties": {"city": "{'type': 'string'}"}, "required": ["'city'"]}}
    }
    assert whole(deep) == {
        "function": {"parameters": {"properties": {"city": {"type": "string"}}, "required": ["city"]}}
    }
    assert whole({"content": "{'type': 'string'}"}) == {"content": "{'type': 'string'}"}
    assert whole({"a": {"b": {"c": {"d": "<object at 0x1>"}}}}) == {
        "a": {"b": {"c": {"d": "<object at 0x1>"}}}
    }
