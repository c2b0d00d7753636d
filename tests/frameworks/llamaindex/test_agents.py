"""Agents: those that hand over to one another, and what is particular to LlamaIndex's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.workflow import Context, HumanResponseEvent, InputRequiredEvent
from workflows.errors import WorkflowCancelledByUser

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from ...events import one, types
from ...fakes.openai_server import OpenAIServer
from ..contract.graph import graph
from .chat_model import ChatModel
from .making import made

pytestmark = pytest.mark.usefixtures("handler")

ANSWER = "  answer 20+7 $0.00011"


def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"Sunny in {city}."


def agent(llm: ChatModel, name: str, tools: Any = (), **options: Any) -> Any:
    return made(
        FunctionAgent,
        name=name,
        description=f"The {name}.",
        llm=llm,
        tools=[*tools],
        streaming=False,
        **options,
    )


def team(llm: ChatModel) -> Any:
    agents = [agent(llm, "concierge"), agent(llm, "clerk", [get_weather]), agent(llm, "chief")]
    return made(AgentWorkflow, agents=agents, root_agent="concierge")


def hand_to(name: str) -> str:
    return f'call:handoff{{"to_agent":"{name}","reason":"best"}}'


async def test_agents_that_hand_over(llm: ChatModel, ai: AmplitudeAI, sink: MemorySink) -> None:
    words = f'{hand_to("clerk")} call:get_weather{{"city":"Rome"}} {hand_to("chief")} echo:Bye.'
    async with ai.agent().session(user_id="u", track_session_end=False):
        assert str(await team(llm).run(user_msg=words)) == "Bye."
    lines = [line for line in graph(sink.events) if "handoff {" not in line and "Please" not in line]
    assert lines == [
        "chief of clerk",
        f"{ANSWER}: Bye.",
        "clerk of concierge",
        f"{ANSWER}: get_weather",
        '  tool get_weather {"city":"Rome"} -> Sunny in Rome.',
        f"{ANSWER}: handoff",
        "concierge",
        f"  user: {words}",
        f"{ANSWER}: handoff",
        "span chief by chief of clerk in concierge",
        "span clerk by clerk of concierge in concierge",
        "span concierge by concierge",
    ]
    described = {
        event["event_properties"]["[Agent] Agent ID"]: event["event_properties"]["[Agent] Agent Description"]
        for event in sink.events
    }
    assert described == {name: f"The {name}." for name in ("concierge", "clerk", "chief")}


async def test_agents_that_hand_back(llm: ChatModel, ai: AmplitudeAI, sink: MemorySink) -> None:
    names = ("clerk", "chief", "clerk", "concierge")
    async with ai.agent("support").session(user_id="u", track_session_end=False):
        await team(llm).run(user_msg=f"{' '.join(map(hand_to, names))} echo:Bye.")
    assert [line for line in graph(sink.events) if line.startswith("span")] == [
        "span chief by chief of clerk in concierge",
        "span clerk by clerk of support in concierge",
        "span clerk by clerk of support in concierge",
        "span concierge by support",
    ]


async def test_an_agent_that_writes_what_it_thinks(llm: ChatModel, sink: MemorySink) -> None:
    thinker = made(ReActAgent, name="thinker", llm=llm, tools=[get_weather], streaming=False)
    assert str(await thinker.run(user_msg="echo:Thought: Easy.\nAnswer: Done.")) == "Done."
    assert types(sink.events) == ["User Message", "AI Response", "Span", "Session End"]


async def test_a_tool_that_there_is_not(llm: ChatModel, sink: MemorySink) -> None:
    await agent(llm, "concierge", [get_weather]).run(user_msg='call:find_hotel{"city":"Rome"} echo:Sorry.')
    tool = one(sink.events, "Tool Call")
    assert tool["[Agent] Tool Name"] == "find_hotel"
    assert tool["[Agent] Tool Success"] is False
    assert tool["[Agent] Error Type"] == "ToolNotFound"
    assert types(sink.events).count("Tool Call") == 1


async def test_a_tool_that_waits_for_a_person_is_told_once(llm: ChatModel, sink: MemorySink) -> None:
    async def ask_name(ctx: Context) -> str:
        """Ask the user's name."""
        asked = InputRequiredEvent(prefix="Who?")
        answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=asked)
        return str(answer.response)

    ask_name.__annotations__["ctx"] = Context  # LlamaIndex looks for the class, not its name
    run = agent(llm, "concierge", [ask_name]).run(user_msg="call:ask_name{} echo:Hello.")
    async for event in run.stream_events():
        if isinstance(event, InputRequiredEvent):
            run.ctx.send_event(HumanResponseEvent(response="Ann"))
    await run
    tool = one(sink.events, "Tool Call")
    assert tool["[Agent] Tool Output"] == "Ann"
    assert tool["[Agent] Tool Input"] == "{}"


async def test_a_run_that_is_cancelled_by_its_handler(
    llm: ChatModel, fake: OpenAIServer, sink: MemorySink
) -> None:
    fake.release()
    run = agent(llm, "concierge").run(user_msg="stall")
    while not fake.requests:
        await asyncio.sleep(0.01)
    await run.cancel_run()
    with pytest.raises(WorkflowCancelledByUser):
        await run
    assert graph(sink.events[:-1]) == [
        "concierge",
        "  user: stall",
        "  answer None+None $None:  CancelledError",
        "span concierge by concierge CancelledError",
    ]


async def test_a_run_that_takes_too_many_turns(llm: ChatModel, sink: MemorySink) -> None:
    words = 'call:get_weather{"city":"Rome"} echo:Never.'
    with pytest.raises(Exception, match="Max iterations"):
        await agent(llm, "concierge", [get_weather]).run(user_msg=words, max_iterations=1)
    assert graph(sink.events)[-1] == "span concierge by concierge failed"
