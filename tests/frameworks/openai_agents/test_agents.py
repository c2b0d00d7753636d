"""Agents, what they hand over, their tools and guardrails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    Model,
    OutputGuardrail,
    OutputGuardrailTripwireTriggered,
    Runner,
    custom_span,
    function_span,
    function_tool,
    mcp_tools_span,
    speech_group_span,
    speech_span,
    trace,
    transcription_span,
)

from amplitude_ai_integrations import AmplitudeAI, MemorySink, tool

from ...events import one, told, types
from ...fakes.openai_server import OpenAIServer
from ..contract.graph import graph

pytestmark = pytest.mark.usefixtures("processor")


@pytest.fixture
def answering(make: Callable[..., Model]) -> Model:
    return make()


def spans(sink: MemorySink) -> list[tuple[Any, ...]]:
    """Return name, what was given and made, and how it ended."""
    names = ("Span Name", "Input State", "Output State", "Error Type")
    shown = [
        tuple(event.get(name) for name in names) for event in told(sink.events) if event["type"] == "Span"
    ]
    return [
        (name, *(json.loads(state) if state else None for state in states), error)
        for name, *states, error in shown
    ]


class TestHandoffs:
    async def test_who_takes_over_works_for_who_handed_over(
        self, model: Model, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        refunds = Agent(name="refunds", model=model)
        billing = Agent(name="billing", model=model, handoffs=[refunds])
        triage = Agent(name="triage", model=model, handoffs=[billing])
        async with ai.agent().session(track_session_end=False):
            await Runner.run(triage, "call:transfer_to_billing{} call:transfer_to_refunds{} echo:Paid back.")
        assert graph(sink.events) == [
            "billing of triage",
            "  answer 20+7 $0.00011: transfer_to_refunds",
            "refunds of billing",
            "  answer 20+7 $0.00011: Paid back.",
            "triage",
            "  user: call:transfer_to_billing{} call:transfer_to_refunds{} echo:Paid back.",
            "  answer 20+7 $0.00011: transfer_to_billing",
            "span billing by billing of triage",
            "span handoff to billing by triage in triage",
            "span handoff to refunds by billing of triage in billing",
            "span refunds by refunds of billing",
            "span triage by triage",
        ]
        assert spans(sink)[0] == (
            "handoff to billing",
            {"from_agent": "triage"},
            {"to_agent": "billing"},
            None,
        )
        assert len({event["event_properties"]["[Agent] Trace ID"] for event in sink.events}) == 1

    @pytest.mark.parametrize("known_as", [None, "support-bot"])
    async def test_who_gets_it_back_is_who_it_was(
        self, known_as: str | None, answering: Model, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        billing = Agent(name="billing", model=answering)
        triage = Agent(name="triage", model=answering, handoffs=[billing])
        billing.handoffs.append(triage)
        opened = ai.agent(known_as) if known_as else ai.agent()
        async with opened.session(track_session_end=False):
            await Runner.run(triage, "call:transfer_to_billing{} call:transfer_to_triage{} echo:Done.")
        first = known_as or "triage"
        assert [line for line in graph(sink.events) if not line.startswith(("  ", "span"))] == sorted(
            [f"billing of {first}", first]
        )
        assert len(spans(sink)) == 5

    async def test_the_next_run_knows_nothing_of_it(
        self, answering: Model, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        billing = Agent(name="billing", model=answering)
        triage = Agent(name="triage", model=answering, handoffs=[billing])
        async with ai.agent().session(track_session_end=False):
            await Runner.run(triage, "call:transfer_to_billing{} echo:One.")
            sink.events.clear()
            await Runner.run(billing, "echo:Two.")
        assert graph(sink.events)[0] == "billing"


class TestTools:
    async def test_an_agent_as_a_tool(self, model: Model, ai: AmplitudeAI, sink: MemorySink) -> None:
        clerk = Agent(name="clerk", model=model).as_tool("ask_clerk", "Ask the clerk.")
        async with ai.agent().session(track_session_end=False):
            await Runner.run(
                Agent(name="boss", model=model, tools=[clerk]),
                'call:ask_clerk{"input":"echo:At six."} echo:Six.',
            )
        assert graph(sink.events) == [
            "boss",
            '  user: call:ask_clerk{"input":"echo:At six."} echo:Six.',
            "  answer 20+7 $0.00011: ask_clerk",
            '  tool ask_clerk {"input":"echo:At six."} -> At six.',
            "  answer 20+7 $0.00011: Six.",
            "clerk of boss",
            "  agent: echo:At six.",
            "  answer 20+7 $0.00011: At six.",
            "span boss by boss",
            "span clerk by clerk of boss in boss",
        ]

    async def test_one_that_fails_and_whose_words_the_sdk_keeps_back(
        self, answering: Model, sink: MemorySink
    ) -> None:
        @function_tool
        def book_table() -> str:
            """Book a table."""
            raise LookupError("No table is free.")

        await Runner.run(
            Agent(name="boss", model=answering, tools=[book_table]), "call:book_table{} echo:No."
        )
        call = one(sink.events, "Tool Call")
        assert call["[Agent] Tool Success"] is False
        assert call["[Agent] Error Type"] == "ToolError"
        assert call["[Agent] Error Source"] == "tool"
        assert call["[Agent] Tool Output"].startswith("An error occurred")
        assert one(sink.events, "Span")["[Agent] Is Error"] is False

    async def test_one_that_ends_the_run(self, answering: Model, sink: MemorySink) -> None:
        @function_tool(failure_error_function=None)
        def book_table() -> str:
            """Book a table."""
            raise LookupError("No table is free.")

        with pytest.raises(Exception, match="No table is free"):
            await Runner.run(Agent(name="boss", model=answering, tools=[book_table]), "call:book_table{}")
        for kind in ("Tool Call", "Span", "Session End"):
            assert one(sink.events, kind)["[Agent] Is Error"] is True
        assert "No table is free" in one(sink.events, "Tool Call")["[Agent] Error Message"]

    async def test_one_that_tells_of_itself(
        self, answering: Model, sink: MemorySink, ai: AmplitudeAI
    ) -> None:
        @function_tool
        @tool
        def get_weather(city: str) -> str:
            """Tell the weather."""
            return f"Sunny in {city}."

        async with ai.agent().session(track_session_end=False):
            await Runner.run(
                Agent(name="boss", model=answering, tools=[get_weather]),
                'call:get_weather{"city":"Rome"} echo:Sunny.',
            )
        assert types(sink.events).count("Tool Call") == 1

    async def test_one_of_a_server_of_mcp(self, sink: MemorySink) -> None:
        with trace("by hand"), function_span("search", input='{"q": 1}') as span:
            span.span_data.output = "Found."
            span.span_data.mcp_data = {"server": "library"}
        call = one(sink.events, "Tool Call")
        assert (call["[Agent] Tool Type"], call["[Agent] Tool Owner"]) == ("mcp", "library")
        assert (call["[Agent] Tool Input"], call["[Agent] Tool Output"]) == ('{"q":1}', "Found.")


def guardrail(*, trips: bool, after: float = 0) -> Callable[..., Any]:
    async def check(*_given: Any) -> GuardrailFunctionOutput:
        await asyncio.sleep(after)
        return GuardrailFunctionOutput(output_info="", tripwire_triggered=trips)

    check.__name__ = "stop" if trips else "let_pass"
    return check


class TestGuardrails:
    async def test_one_that_stops_a_run_has_not_failed(self, answering: Model, sink: MemorySink) -> None:
        guards = [InputGuardrail(guardrail(trips=False)), InputGuardrail(guardrail(trips=True))]
        with pytest.raises(InputGuardrailTripwireTriggered):
            await Runner.run(Agent(name="boss", model=answering, input_guardrails=guards), "Hi")
        assert sorted(spans(sink)) == [
            ("boss", None, None, "InputGuardrailTripwireTriggered"),
            ("let_pass", None, {"triggered": False}, None),
            ("stop", None, {"triggered": True}, None),
        ]
        assert all(event["event_properties"].get("[Agent] Is Error") is not True for event in sink.events)
        assert types(sink.events)[-1] == "Session End"

    async def test_a_call_that_it_stops_is_left(
        self, answering: Model, fake: OpenAIServer, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        guards = [InputGuardrail(guardrail(trips=True, after=0.2))]
        async with ai.agent().session(track_session_end=False):
            with pytest.raises(InputGuardrailTripwireTriggered):
                await Runner.run(Agent(name="boss", model=answering, input_guardrails=guards), "stall")
        assert graph(sink.events) == [
            "boss",
            "  user: stall",
            "  answer None+None $None:  CancelledError",
            "span boss by boss InputGuardrailTripwireTriggered",
            "span stop by boss in boss",
        ]

    async def test_one_for_what_an_agent_says(self, answering: Model, sink: MemorySink) -> None:
        guards = [OutputGuardrail(guardrail(trips=True))]
        with pytest.raises(OutputGuardrailTripwireTriggered):
            await Runner.run(Agent(name="boss", model=answering, output_guardrails=guards), "echo:Hi.")
        assert spans(sink) == [
            ("stop", None, {"triggered": True}, None),
            ("boss", {"value": "echo:Hi."}, {"value": "Hi."}, "OutputGuardrailTripwireTriggered"),
        ]


async def test_a_run_with_too_many_turns(answering: Model, sink: MemorySink) -> None:
    @function_tool
    def wait() -> str:
        """Wait."""
        return ""

    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(Agent(name="boss", model=answering, tools=[wait]), "call:wait{}", max_turns=1)
    assert one(sink.events, "Span")["[Agent] Error Type"] == "MaxTurnsExceeded"


async def test_a_run_where_an_error_is_handled_has_not_failed(
    answering: Model, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with ai.agent().session(track_session_end=False):
        with trace("fallback"), custom_span("plan b", {"reason": "late"}):
            try:
                raise LookupError("first choice")
            except LookupError:
                await Runner.run(Agent(name="boss", model=answering), "echo:Second choice.")
    assert graph(sink.events) == [
        "boss",
        "  user: echo:Second choice.",
        "  answer 20+7 $0.00011: Second choice.",
        "span boss by boss in plan b",
        "span plan b by None",
    ]


def test_other_spans(sink: MemorySink) -> None:
    with trace("by hand"):
        with custom_span("look up", {"asked": "x"}) as span:
            span.span_data.data["found"] = 2
        with speech_group_span(input="Hello."), speech_span(model="tts-1", input="Hello.", output="UklGRg=="):
            pass
        with transcription_span(model="whisper-1", input="UklGRg==") as span:
            span.span_data.output = "Hello."
        with mcp_tools_span(server="library") as span:
            span.span_data.result = ["search"]
        with pytest.raises(LookupError), custom_span("fails"):
            raise LookupError("gone")
    assert spans(sink) == [
        ("look up", None, {"asked": "x", "found": 2}, None),
        ("speech", {"model": "tts-1", "input": "Hello."}, {"output_format": "pcm"}, None),
        ("speech_group", {"input": "Hello."}, None, None),
        ("transcription", {"model": "whisper-1", "input_format": "pcm"}, {"output": "Hello."}, None),
        ("mcp list tools", {"server": "library"}, {"tools": ["search"]}, None),
        ("fails", None, None, "LookupError"),
    ]
    assert "UklGRg" not in str(sink.events)
