"""Frameworks whose spans alone tell of them: what becomes of the spans that their own libraries made."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ContentMode, MemorySink
from amplitude_ai_integrations.frameworks.opentelemetry import AmplitudeSpanProcessor

from ...events import one
from ..contract.framework import INSTRUCTIONS, REFUSAL, RESEARCH, TOOLS, WEATHER
from ..contract.graph import graph, ids
from .conftest import Provide
from .replay import replay
from .spans import Maker

COST = 0.00011
GEMINI_COST = 2.134e-05


def told_of(provide: Provide, ai: AmplitudeAI, framework: str, scenario: str) -> None:
    provider = provide(user_id="door-user")
    with ai.agent().session(user_id="user-1", track_session_end=False):
        replay(provider, framework, scenario)


NAMED = ("strands", "strands_latest", "google_adk")


@pytest.mark.parametrize("framework", NAMED)
def test_tools_and_agents(framework: str, provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    told_of(provide, ai, framework, "tools")
    lines = [line for line in graph(sink.events) if not line.startswith("span ")]
    spent = f"20+7 ${GEMINI_COST if framework == 'google_adk' else COST}"
    weather = f'{{"result": "{WEATHER}"}}' if framework == "google_adk" else WEATHER
    museums = '{"result": "Museums."}' if framework == "google_adk" else "Museums."
    assert lines == [
        "concierge",
        f"  user: {TOOLS}",
        f"  answer {spent}: get_weather",
        f'  tool get_weather {{"city": "Paris"}} -> {weather}',
        f"  answer {spent}: book_table",
        '  tool book_table {"restaurant": "Chez Nous"} failed',
        f"  answer {spent}: ask_researcher",
        f'  tool ask_researcher {{"question": "echo:Museums."}} -> {museums}',
        f"  answer {spent}: All done.",
        "researcher of concierge",
        "  agent: echo:Museums.",
        f"  answer {spent}: Museums.",
    ]
    assert len(ids(sink.events, "Trace ID")) == 1
    assert {event["user_id"] for event in sink.events} == {"user-1"}
    providers = {properties["[Agent] Provider"] for properties in answers(sink)}
    assert providers == {"google" if framework == "google_adk" else "openai"}


def answers(sink: MemorySink) -> list[dict[str, Any]]:
    told = [event for event in sink.events if event["event_type"] == "[Agent] AI Response"]
    return [event["event_properties"] for event in told]


def failed_tool(sink: MemorySink) -> dict[str, Any]:
    told: list[dict[str, Any]] = [event["event_properties"] for event in sink.events]
    (failed,) = [properties for properties in told if properties.get("[Agent] Tool Success") is False]
    return failed


@pytest.mark.parametrize("framework", ["strands", "strands_latest", "autogen", "haystack"])
def test_a_tool_that_fails_says_how(
    framework: str, provide: Provide, ai: AmplitudeAI, sink: MemorySink
) -> None:
    told_of(provide, ai, framework, "tools")
    failed = failed_tool(sink)
    assert REFUSAL in failed["[Agent] Error Message"]
    assert failed["[Agent] Error Type"] == (
        "ToolInvocationError" if framework == "haystack" else "LookupError"
    )


def test_strands_spans(provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    told_of(provide, ai, "strands", "tools")
    assert [line for line in graph(sink.events) if line.startswith("span ")] == [
        "span concierge by concierge",
        "span researcher by researcher of concierge in concierge",
    ]
    answer = answers(sink)[0]
    assert answer["[Agent] System Prompt"] == "You help people plan."
    assert answer["[Agent] Cache Read Tokens"] == 8
    assert answer["[Agent] Finish Reason"] == "tool_use"


def test_google_adk_has_a_step_around_each_agent(provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    told_of(provide, ai, "google_adk", "tools")
    assert [line for line in graph(sink.events) if line.startswith("span ")] == [
        "span concierge by None",
        "span concierge by concierge in concierge",
        "span researcher by concierge in concierge",
        "span researcher by researcher of concierge in researcher",
    ]


def test_google_adk_1_tells_tools_before_the_answer_that_asked(
    provide: Provide, ai: AmplitudeAI, sink: MemorySink
) -> None:
    told_of(provide, ai, "google_adk_1", "tools")
    assert graph(sink.events) == [
        "concierge",
        f'  tool get_weather {{"city": "Paris"}} -> {{"result": "{WEATHER}"}} (not linked)',
        f"  user: {TOOLS}",
        "  answer 20+4 $1.6e-05: get_weather",
        f'  tool book_table {{"restaurant": "Chez Nous"}} -> {{"error": "{REFUSAL}"}} (not linked)',
        "  answer 20+4 $1.6e-05: book_table",
        '  tool ask_researcher {"question": "echo:Museums."} -> {"result": "Museums."} (not linked)',
        "  answer 20+4 $1.6e-05: ask_researcher",
        "  answer 20+4 $1.6e-05: All done.",
        "researcher of concierge",
        "  agent: echo:Museums.",
        "  answer 20+4 $1.6e-05: Museums.",
        "span concierge by concierge",
        "span researcher by researcher of concierge in concierge",
    ]
    assert "You help people plan." in answers(sink)[0]["[Agent] System Prompt"]


@pytest.mark.parametrize("framework", ["strands", "google_adk"])
def test_streamed(framework: str, provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    told_of(provide, ai, framework, "stream")
    asked, answer = [line for line in graph(sink.events) if line.startswith("  ")]
    assert asked == "  user: echo:One two three."
    assert answer.startswith("  answer 20+7 ")
    assert answer.endswith(": One two three.")


def test_haystack_streams_without_its_question(provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    told_of(provide, ai, "haystack", "stream")  # what was sent is there as Python shows it, and not as JSON
    assert graph(sink.events) == ["None", "  answer estimated: One two three.", "span agent by None"]


@pytest.mark.parametrize("framework", ["strands", "google_adk", "haystack"])
def test_failed(framework: str, provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    told_of(provide, ai, framework, "failed")
    lines = [line for line in graph(sink.events) if line.startswith("  ")]
    assert lines == ["  user: error500", "  answer None+None $None:  failed"]
    (answer,) = answers(sink)
    assert "refused: error500" in answer["[Agent] Error Message"]
    spans = [line for line in graph(sink.events) if line.startswith("span ")]
    assert spans
    assert all(line.endswith(" failed") for line in spans)


def test_haystack_names_no_agents(provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    provider = provide()
    with ai.agent("concierge").session(user_id="user-1", track_session_end=False):
        replay(provider, "haystack", "tools")
    assert graph(sink.events) == [
        "concierge",
        f"  user: {TOOLS}",
        f"  answer 20+7 ${COST}: get_weather",
        f'  tool get_weather {{"city": "Paris"}} -> {WEATHER}',
        f"  answer 20+7 ${COST}: book_table",
        '  tool book_table {"restaurant": "Chez Nous"} failed',
        f"  answer 20+7 ${COST}: ask_researcher",
        "  user: echo:Museums.",
        f"  answer 20+7 ${COST}: Museums.",
        '  tool ask_researcher {"question": "echo:Museums."} -> Museums. (not linked)',
        f"  answer 20+7 ${COST}: All done.",
        "span agent by concierge",
        "span agent by concierge in agent",
    ]


def test_haystack_pipeline(provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    told_of(provide, ai, "haystack", "pipeline")
    assert graph(sink.events) == [
        "None",
        "  user: echo:Pipe.",
        f"  answer 20+7 ${COST}: Pipe.",
        "span pipeline by None",
    ]


def test_autogen_tells_of_agents_and_tools(provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    told_of(provide, ai, "autogen", "tools")
    assert graph(sink.events) == [
        "concierge",
        "  tool get_weather None -> None (not linked)",
        "  tool book_table None failed (not linked)",
        "  tool ask_researcher None -> None (not linked)",
        "span concierge by concierge",
        "span researcher by researcher of concierge in concierge",
    ]


def test_autogens_ids_of_agents_do_not_last(provide: Provide, ai: AmplitudeAI, sink: MemorySink) -> None:
    told_of(provide, ai, "autogen", "team")
    assert {line for line in graph(sink.events) if line.startswith("span ")} == {
        "span concierge by concierge",
        "span critic by critic",
    }


@pytest.mark.parametrize("framework", [*NAMED, "google_adk_1", "haystack"])
@pytest.mark.parametrize("mode", [ContentMode.FULL, ContentMode.METADATA_ONLY])
def test_what_was_written_leaves_only_where_it_may(framework: str, mode: ContentMode) -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=mode))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(AmplitudeSpanProcessor(ai))
    with ai.agent().session(user_id="user-1"):
        replay(provider, framework, "tools")
    provider.shutdown()
    words = {"Paris", "Chez Nous", "Museums", "All done.", INSTRUCTIONS, REFUSAL, RESEARCH, WEATHER}
    assert len(sink.events) > 10
    assert {word for word in words if word in str(sink.events)} == (
        words if mode is ContentMode.FULL else set()
    )


CALL = {"type": "tool_call", "id": "c9", "name": "get_weather", "arguments": {"city": "Paris"}}


def test_a_tool_that_does_not_say_what_it_was_given(
    provide: Provide, ai: AmplitudeAI, sink: MemorySink
) -> None:
    spans = Maker(provide())
    asked = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [CALL]}]),
    }
    ran = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.id": "c9",
    }
    with ai.agent().session(user_id="user-1"):
        spans.one(asked)
        spans.one(ran)
    assert one(sink.events, "Tool Call")["[Agent] Tool Input"] == '{"city":"Paris"}'


BLOCKS = [
    {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
    {"text": "Hello."},
    {"toolUse": {"toolUseId": "c1", "name": "get_weather", "input": {"city": "Paris"}}},
]


def test_blocks_of_bedrocks(provide: Provide, sink: MemorySink) -> None:
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "strands-agents",
        "gen_ai.request.model": "gpt-4o",
    }
    Maker(provide(user_id="someone")).one(said, [("gen_ai.choice", {"message": json.dumps(BLOCKS)})])
    answer = one(sink.events, "AI Response")
    assert answer["$llm_message"] == {"text": "Hello."}
    assert answer["[Agent] Reasoning Content"] == "Hm."
    assert json.loads(answer["[Agent] Tool Calls"])[0]["function"]["name"] == "get_weather"
    assert answer["[Agent] Provider"] == "openai"


@pytest.mark.parametrize("result", ['[{"text": "Sunny", "id": 3}]', '{"text": "Sunny"}', "[]"])
def test_a_result_that_is_more_than_text_stays_as_it_is(
    result: str, provide: Provide, sink: MemorySink
) -> None:
    said = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "t",
        "gen_ai.tool.call.result": result,
    }
    Maker(provide(user_id="someone")).one(said)
    assert one(sink.events, "Tool Call")["[Agent] Tool Output"] == result


def test_a_thought_in_pieces(provide: Provide, sink: MemorySink) -> None:
    pieces = [("reasoning", "Let me "), ("reasoning", "think."), ("text", "One "), ("text", "two.")]
    messages = [
        {"role": "assistant", "parts": [{"type": kind, "content": words}], "finish_reason": ""}
        for kind, words in pieces
    ]
    messages[-1]["finish_reason"] = "stop"
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.output.messages": json.dumps(messages),
    }
    Maker(provide(user_id="someone")).one(said)
    answer = one(sink.events, "AI Response")
    assert answer["$llm_message"] == {"text": "One two."}
    assert answer["[Agent] Reasoning Content"] == "Let me think."
    assert answer["[Agent] Finish Reason"] == "stop"


META = {"model": "text-embedding-3-small", "usage": {"prompt_tokens": 5, "total_tokens": 5}}


def test_haystacks_embedder(provide: Provide, sink: MemorySink) -> None:
    said = {
        "haystack.component.type": "OpenAITextEmbedder",
        "haystack.component.output": json.dumps({"embedding": [0.5], "meta": META}),
    }
    Maker(provide(user_id="someone")).one(said, name="haystack.component.run")
    told = one(sink.events, "Embedding")
    assert (told["[Agent] Model Name"], told["[Agent] Input Tokens"]) == ("text-embedding-3-small", 5)


def test_haystacks_older_generator(provide: Provide, sink: MemorySink) -> None:
    made = {"replies": ["Paris."], "meta": [{"model": "gpt-4o", "usage": {"prompt_tokens": 5}}]}
    said = {
        "haystack.component.type": "OpenAIGenerator",
        "haystack.component.input": json.dumps({"prompt": "Where?"}),
        "haystack.component.output": json.dumps(made),
    }
    Maker(provide(user_id="someone")).one(said, name="haystack.component.run")
    assert one(sink.events, "User Message")["$llm_message"] == {"text": "Where?"}
    assert one(sink.events, "AI Response")["$llm_message"] == {"text": "Paris."}


def test_haystack_without_contents_says_nothing_of_calls(provide: Provide, sink: MemorySink) -> None:
    Maker(provide(user_id="someone")).one({}, name="haystack.agent.step.llm")
    Maker(provide(user_id="someone")).one(
        {"haystack.component.type": "OpenAIChatGenerator"}, name="haystack.component.run"
    )
    assert sink.events == []


def test_an_agent_in_haystacks_pipeline_has_its_components_name(provide: Provide, sink: MemorySink) -> None:
    said = {"haystack.component.type": "Agent", "haystack.component.name": "concierge"}
    Maker(provide(user_id="someone")).one(said, name="haystack.component.run")
    assert one(sink.events, "Span")["[Agent] Agent ID"] == "concierge"


def test_a_span_of_the_programs_own_that_is_named_as_google_adk_names_calls(
    provide: Provide, sink: MemorySink
) -> None:
    Maker(provide(user_id="someone")).one({}, name="call_llm")
    assert sink.events == []
