"""What becomes of a run, through each door."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplitude_ai_integrations import MemorySink

from ...events import told, types
from ...fakes.claude_cli import ANSWER_USD, TEXT, TITLES_USD, TOOL_MS, WRITTEN
from ..contract.graph import graph
from .conftest import DOORS, of_kind, read

pytestmark = pytest.mark.parametrize("ask", DOORS)
PARTIAL = {"include_partial_messages": True}


async def test_a_tool_and_an_answer(
    ask: Any, tracker: Any, session: Any, options: Any, sink: MemorySink
) -> None:
    prompt = 'call:Bash{"command":"ls"} think'
    async with session:
        messages = [message async for message in ask(tracker, session, prompt, options(**PARTIAL))]
    assert type(messages[-1]).__name__ == "ResultMessage"
    about = {"user_id": "user-1", "Agent ID": "coder", "Agent Name": "claude", "Session ID": "s-1"}
    answer = {
        **about,
        "type": "AI Response",
        "Component Type": "llm",
        "Model Name": "claude-sonnet-4-5",
        "Model Tier": "standard",
        "Provider": "anthropic",
        "Is Error": False,
        "Input Tokens": 58,
        "Output Tokens": WRITTEN,
        "Total Tokens": 58 + WRITTEN,
        "Cache Read Tokens": 40,
        "Cache Creation Tokens": 8,
        "Cost USD": pytest.approx(ANSWER_USD),
        "Is Streaming": True,
        "Trace ID": "id-2",
    }
    tool = {
        "type": "function",
        "id": "toolu_2",
        "function": {"name": "Bash", "arguments": '{"command":"ls"}'},
    }
    events = told(sink.events)
    for timed in (events[1], events[3], events[4]):
        took = timed.pop("Latency Ms")
        assert took >= timed.pop("TTFB Ms", 0.001) > 0
    asked = json.loads(events[1].pop("Tool Calls"))
    assert [{**call, "id": "toolu_2"} for call in asked] == [tool]
    ids = [events[1].pop("Provider Request ID"), events[3].pop("Provider Request ID")]
    assert len(set(ids)) == 2
    assert events == [
        {
            **about,
            "type": "User Message",
            "Component Type": "user_input",
            "Message ID": "id-1",
            "Message Source": "user",
            "$llm_message": {"text": prompt},
            "Trace ID": "id-2",
            "Turn ID": 1,
        },
        {
            **answer,
            "Message ID": "id-3",
            "$llm_message": {"text": "I look."},
            "Finish Reason": "tool_use",
            "Turn ID": 2,
        },
        {
            **about,
            "type": "Tool Call",
            "Component Type": "tool",
            "Invocation ID": "id-4",
            "Tool Name": "Bash",
            "Tool Success": True,
            "Is Error": False,
            "Latency Ms": TOOL_MS,
            "Tool Input": '{"command":"ls"}',
            "Tool Output": '{"stdout":"hi"}',
            "Parent Message ID": "id-3",
            "Trace ID": "id-2",
            "Turn ID": 3,
        },
        {
            **answer,
            "Message ID": "id-5",
            "$llm_message": {"text": TEXT},
            "Reasoning Content": "Let me think.",
            "Has Reasoning": True,
            "Finish Reason": "end_turn",
            "Turn ID": 4,
        },
        {
            **about,
            "type": "Span",
            "Span ID": "id-6",
            "Span Name": "claude",
            "Span Kind": "agent",
            "Is Error": False,
            "Input State": json.dumps({"value": prompt}, separators=(",", ":")),
            "Output State": f'{{"value":"{TEXT}"}}',
            "Trace ID": "id-2",
        },
        {
            "type": "Session End",
            "user_id": "user-1",
            "Agent ID": "coder",
            "Session ID": "s-1",
            "Trace ID": "id-2",
        },
    ]


async def test_failures_subagents_and_tools_at_once(
    ask: Any, tracker: Any, session: Any, options: Any, sink: MemorySink
) -> None:
    prompt = "fail:Read{} deny:Write{} lose:Glob{} both:A,B agent:reviewer"
    async with session:
        messages = [message async for message in ask(tracker, session, prompt, options(**PARTIAL))]
    delegated = '{"subagent_type":"reviewer","prompt":"Review it.","run_in_background":false}'
    agent_id = next(event for event in sink.events if _is_task(event))["event_properties"][
        "[Agent] Tool Output"
    ]
    cost = f"$ {ANSWER_USD}".replace(" ", "")
    assert graph(sink.events) == [
        "coder",
        f"  user: {prompt}",
        f"  answer 58+20 {cost} streamed first token: Read",
        "  tool Read {} failed",
        f"  answer 58+20 {cost} streamed first token: Write",
        "  tool Write {} failed",
        f"  answer 58+20 {cost} streamed first token: Glob",
        f"  answer 58+20 {cost} streamed: A B",
        '  tool A {} -> {"stdout":"hi"}',
        '  tool B {} -> {"stdout":"hi"}',
        f"  answer 58+20 {cost} streamed: Task",
        f"  tool Task {delegated} -> {agent_id}",
        f"  answer 58+20 {cost} streamed first token: {TEXT}",
        "  tool Glob {} failed",
        "  Session End",
        "reviewer of coder",
        "  agent: Review it.",
        f"  answer 58+20 {cost} streamed first token: Grep",
        '  tool Grep {} -> {"stdout":"hi"}',
        f"  answer 58+20 {cost} streamed first token: It is fine.",
        "span claude by coder",
        "span reviewer by reviewer of coder in claude",
    ]
    traces = {event["event_properties"]["[Agent] Trace ID"] for event in sink.events}
    assert len(traces) == 1
    assert _cost(sink) == pytest.approx(messages[-1].total_cost_usd)
    errors = [
        event["event_properties"].get("[Agent] Error Type")
        for event in sink.events
        if "Tool" in event["event_type"]
    ]
    assert errors == ["ToolError", "ToolError", None, None, None, None, "NeverEnded"]


def _is_task(event: Any) -> bool:
    return bool(event["event_properties"].get("[Agent] Tool Name") == "Task")


def _cost(sink: MemorySink) -> float:
    return sum(answer.get("[Agent] Cost USD", 0) for answer in of_kind(sink, "AI Response"))


@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize(
    "prompt", ["hi", "call:Bash{} hi", "titles", "call:Bash{} agent:reviewer titles", "background:scout"]
)
async def test_events_cost_what_the_run_did(
    prompt: str, partial: bool, ask: Any, tracker: Any, session: Any, options: Any, sink: MemorySink
) -> None:
    given = options(include_partial_messages=partial)
    async with session:
        messages = [message async for message in ask(tracker, session, prompt, given)]
    result = messages[-1]
    assert _cost(sink) == pytest.approx(result.total_cost_usd, abs=1e-6)
    answers = of_kind(sink, "AI Response")
    shares = result.model_usage.values()
    for name, keys in {
        "Input": ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens"),
        "Output": ("outputTokens",),
        "Cache Read": ("cacheReadInputTokens",),
    }.items():
        told = sum(answer.get(f"[Agent] {name} Tokens", 0) for answer in answers)
        assert told == sum(share[key] for share in shares for key in keys)
    rests = [answer for answer in answers if "[Agent] Provider Request ID" not in answer]
    titles = [rest for rest in rests if rest["[Agent] Model Name"] == "claude-haiku-4-5"]
    if "titles" in prompt:
        assert [rest["[Agent] Cost USD"] for rest in titles] == [pytest.approx(TITLES_USD)]
    if partial:
        assert rests == titles  # nothing else was unknown


@pytest.mark.parametrize(
    ("prompt", "kind", "failed"),
    [("limited", "api_error", ["rate_limit"]), ("exhausted", "error_max_turns", [])],
)
async def test_a_run_that_fails(
    prompt: str,
    kind: str,
    failed: list[str],
    ask: Any,
    tracker: Any,
    session: Any,
    options: Any,
    sink: MemorySink,
) -> None:
    async with session:
        await read(ask(tracker, session, prompt, options()))
    spans = of_kind(sink, "Span")
    assert [(span["[Agent] Is Error"], span["[Agent] Error Type"]) for span in spans] == [(True, kind)]
    assert spans[0]["[Agent] Error Message"] in ("API Error: overloaded", "Reached the limit.")
    answers = [answer for answer in of_kind(sink, "AI Response") if answer["[Agent] Is Error"]]
    assert [answer["[Agent] Error Type"] for answer in answers] == failed
    assert types(sink.events).count("User Message") == 1
