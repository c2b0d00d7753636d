"""Pydantic AI's agents make spans: the graph is that of every other framework."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import openai
import pytest
from pydantic_ai import Agent, InstrumentationSettings, ModelRetry
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from amplitude_ai_integrations import AmplitudeAI, MemorySink, patch, unpatch

from ...fakes.openai_server import OpenAIServer
from ..contract.framework import INSTRUCTIONS, MODEL, REFUSAL, RESEARCH, TOOLS, WEATHER
from ..contract.graph import graph, ids
from .conftest import Provide

COST = 0.00011


@pytest.fixture(params=[False, True], ids=["alone", "observed"])
def is_observed(request: pytest.FixtureRequest, ai: AmplitudeAI) -> Iterator[bool]:
    if request.param:
        patch(amplitude=ai)
    yield request.param
    if request.param:
        unpatch()


@pytest.fixture
async def concierge(is_observed: bool, fake: OpenAIServer, provide: Provide) -> AsyncIterator[Agent]:
    settings = InstrumentationSettings(tracer_provider=provide(user_id="door-user"))
    client = openai.AsyncOpenAI(api_key="k", base_url=fake.url, max_retries=0)
    model = OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client))
    agent = Agent(model, name="concierge", instructions=INSTRUCTIONS)
    researcher = Agent(model, name="researcher", instructions=RESEARCH)
    agent.instrument = researcher.instrument = settings

    @agent.tool_plain
    def get_weather(city: str = "") -> str:
        return WEATHER

    @agent.tool_plain
    def book_table(restaurant: str) -> str:
        raise ModelRetry(REFUSAL)

    @agent.tool_plain
    async def ask_researcher(question: str) -> str:
        return str((await researcher.run(question)).output)

    yield agent
    await client.close()


async def test_tools_and_agents(concierge: Agent, ai: AmplitudeAI, sink: MemorySink) -> None:
    async with ai.agent().session(user_id="user-1", track_session_end=False):
        assert (await concierge.run(TOOLS)).output == "All done."
    assert graph(sink.events) == [
        "concierge",
        f"  user: {TOOLS}",
        f"  answer 20+7 ${COST}: get_weather",
        f'  tool get_weather {{"city":"Paris"}} -> {WEATHER}',
        f"  answer 20+7 ${COST}: book_table",
        '  tool book_table {"restaurant":"Chez Nous"} failed',
        f"  answer 20+7 ${COST}: ask_researcher",
        '  tool ask_researcher {"question":"echo:Museums."} -> Museums.',
        f"  answer 20+7 ${COST}: All done.",
        "researcher of concierge",
        "  agent: echo:Museums.",
        f"  answer 20+7 ${COST}: Museums.",
        "span concierge by concierge",
        "span researcher by researcher of concierge in concierge",
    ]
    assert len(ids(sink.events, "Trace ID")) == 1
    assert {event["user_id"] for event in sink.events} == {"user-1"}


def _without_words(lines: list[str], words: str, isis_observed: bool) -> list[str]:
    """Return lines without what only the observed client tells: spans say what was sent with the answer."""
    return [line for line in lines if isis_observed or line != f"  user: {words}"]


async def test_failed(concierge: Agent, is_observed: bool, ai: AmplitudeAI, sink: MemorySink) -> None:
    async with ai.agent().session(user_id="user-1", track_session_end=False):
        with pytest.raises(Exception, match="refused"):
            await concierge.run("error500")
    told = [
        "concierge",
        "  user: error500",
        "  answer None+None $None:  failed",
        "span concierge by concierge failed",
    ]
    assert graph(sink.events) == _without_words(told, "error500", is_observed)


async def test_cancelled(
    concierge: Agent, is_observed: bool, fake: OpenAIServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async def ask() -> None:
        async with ai.agent().session(user_id="user-1", track_session_end=False):
            await concierge.run("stall")

    run = asyncio.create_task(ask())
    while not fake.requests:
        await asyncio.sleep(0.01)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    told = [
        "concierge",
        "  user: stall",
        "  answer None+None $None:  CancelledError",
        "span concierge by concierge CancelledError",
    ]
    assert graph(sink.events) == _without_words(told, "stall", is_observed)


async def test_streamed(concierge: Agent, ai: AmplitudeAI, sink: MemorySink) -> None:
    session = ai.agent().session(user_id="user-1", track_session_end=False)
    async with session, concierge.run_stream("echo:One two three.") as stream:
        assert await stream.get_output() == "One two three."
    lines = [line.replace(" streamed first token", "") for line in graph(sink.events)]
    assert lines == [
        "concierge",
        "  user: echo:One two three.",
        f"  answer 20+7 ${COST}: One two three.",
        "span concierge by concierge",
    ]


async def test_in_a_conversation_of_its_own(concierge: Agent, sink: MemorySink) -> None:
    first = await concierge.run("echo:One.", conversation_id="conversation-1")
    await concierge.run("echo:Two.", conversation_id="conversation-1", message_history=first.all_messages())
    assert graph(sink.events) == [
        "concierge",
        *("  user: echo:One.", f"  answer 20+7 ${COST}: One."),
        *("  user: echo:Two.", f"  answer 20+7 ${COST}: Two."),
        *("span concierge by concierge", "span concierge by concierge"),
    ]
    assert ids(sink.events, "Session ID") == {"conversation-1"}
    assert len(ids(sink.events, "Trace ID")) == 2
    assert {event["user_id"] for event in sink.events} == {"door-user"}


async def test_sessions_side_by_side_do_not_mix(concierge: Agent, ai: AmplitudeAI, sink: MemorySink) -> None:
    async def ask(name: str) -> None:
        async with ai.agent().session(name, user_id=name, track_session_end=False):
            await concierge.run(f"call:get_weather{{}} echo:{name}.")

    names = [f"side-{number}" for number in range(8)]
    await asyncio.gather(*(ask(name) for name in names))
    for name in names:
        own = [event for event in sink.events if event["event_properties"]["[Agent] Session ID"] == name]
        texts = [event["event_properties"].get("$llm_message", {}).get("text", "") for event in own]
        assert len(own) == 5
        assert {event["user_id"] for event in own} == {name}
        assert all(name in text for text in texts if text)


async def test_the_agent_is_the_sessions(concierge: Agent, ai: AmplitudeAI, sink: MemorySink) -> None:
    async with ai.agent("planner").session(user_id="user-1", track_session_end=False):
        await concierge.run(TOOLS)
    agents = {
        (properties.get("[Agent] Agent ID"), properties.get("[Agent] Parent Agent ID"))
        for properties in (event["event_properties"] for event in sink.events)
    }
    assert agents == {("planner", None), ("researcher", "planner")}
