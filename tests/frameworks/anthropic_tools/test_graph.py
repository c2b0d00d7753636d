"""A loop and one inside it: the same events in each way to run them, whatever the client."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.frameworks.anthropic_tools import AmplitudeToolLoop
from amplitude_ai_integrations.providers.anthropic_content import text_of

from ...events import told
from ..contract.graph import graph, ids
from .conftest import Connect
from .running import LATER, MODEL, STREAMED, TOOLS, WAYS, asked, go

WORDS = (
    'call:get_weather{"city":"Paris"} call:book_table{"restaurant":"Chez Nous"} '
    'call:ask_researcher{"question":"echo:Museums."} echo:All done.'
)
COST = 4.88e-05


def get_weather(city: str) -> str:
    return f"Sunny in {city}."


def book_table(restaurant: str) -> str:
    raise LookupError(f"{restaurant} is full")


def concierge(ai: AmplitudeAI, client: Any, way: str) -> AmplitudeToolLoop:
    researcher = AmplitudeToolLoop(ai, client, agent_id="researcher")

    def research(question: str) -> str:
        return text_of(researcher.run(**asked(question)).content)

    async def research_later(question: str) -> str:
        return text_of((await researcher.arun(**asked(question))).content)

    handlers = {
        "get_weather": get_weather,
        "book_table": book_table,
        "ask_researcher": research_later if way in LATER else research,
    }
    return AmplitudeToolLoop(ai, client, "door-user", handlers, agent_id="concierge")


@pytest.mark.parametrize("door", ["bare", "wrapped", "swapped", "patched"])
@pytest.mark.parametrize("way", WAYS)
def test_each_thing_once(way: str, door: str, connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent().session(user_id="user-1", track_session_end=False):
        answer = go(way, connect, lambda client: concierge(ai, client, way), asked(WORDS), door)
    assert answer.content[0].text == "All done."
    counted = f"20+7 ${COST}" + (" streamed first token" if way in STREAMED else "")
    assert graph(sink.events) == [
        "concierge",
        f"  user: {WORDS}",
        f"  answer {counted}: get_weather",
        '  tool get_weather {"city":"Paris"} -> Sunny in Paris.',
        f"  answer {counted}: book_table",
        '  tool book_table {"restaurant":"Chez Nous"} failed',
        f"  answer {counted}: ask_researcher",
        '  tool ask_researcher {"question":"echo:Museums."} -> Museums.',
        f"  answer {counted}: All done.",
        "researcher of concierge",
        "  agent: echo:Museums.",
        f"  answer 20+7 ${COST}: Museums.",
        "span concierge by concierge",
        "span researcher by researcher of concierge in concierge",
    ]
    assert len(ids(sink.events, "Trace ID")) == 1
    assert {event["user_id"] for event in sink.events} == {"user-1"}


AGENT = {"Agent ID": "helper", "Agent Name": "helper"}
OF_ALL = {"Session ID": "id-3", "Trace ID": "id-2", "user_id": "user-1", "groups": {"org": "acme"}}
ANSWER = {
    **AGENT,
    **OF_ALL,
    "type": "AI Response",
    "Component Type": "llm",
    "Model Name": MODEL,
    "Model Tier": "fast",
    "Provider": "anthropic",
    "Provider Request ID": "msg_1",
    "Input Tokens": 20,
    "Output Tokens": 7,
    "Total Tokens": 27,
    "Cache Read Tokens": 8,
    "Cache Creation Tokens": 4,
    "Reasoning Tokens": 3,
    "Has Reasoning": True,
    "Cost USD": COST,
    "System Prompt": "Be brief.",
    "System Prompt Length": 9,
    "Tool Definitions": '[{"name":"get_weather","description":"get_weather.","parameters":{"type":"object"}}]',
    "Tool Definitions Count": 1,
    "Tool Definitions Hash": "249bf5243195da9d",
    "Max Output Tokens": 99,
    "Is Streaming": False,
    "Is Error": False,
}


def test_whole_events(connect: Connect, ai: AmplitudeAI, sink: MemorySink) -> None:
    handlers = {"get_weather": get_weather}
    loop = AmplitudeToolLoop(ai, connect(), "user-1", handlers, agent_id="helper", groups={"org": "acme"})
    words = 'call:get_weather{"city":"Paris"} echo:Bring a hat.'
    loop.run(**{**asked(words, system="Be brief.", max_tokens=99), "tools": TOOLS[:1]})
    for event in sink.events:
        event["event_properties"].pop("[Agent] Latency Ms", None)
    call = {"name": "get_weather", "arguments": '{"city":"Paris"}'}
    assert told(sink.events) == [
        {
            **AGENT,
            **OF_ALL,
            "type": "User Message",
            "Component Type": "user_input",
            "Message ID": "id-1",
            "Message Source": "user",
            "Turn ID": 1,
            "$llm_message": {"text": words},
        },
        {
            **ANSWER,
            "Message ID": "id-4",
            "Turn ID": 2,
            "Finish Reason": "tool_use",
            "Tool Calls": json.dumps(
                [{"type": "function", "id": "call_get_weather", "function": call}], separators=(",", ":")
            ),
        },
        {
            **AGENT,
            **OF_ALL,
            "type": "Tool Call",
            "Component Type": "tool",
            "Invocation ID": "id-5",
            "Parent Message ID": "id-4",
            "Turn ID": 3,
            "Tool Name": "get_weather",
            "Tool Input": '{"city":"Paris"}',
            "Tool Output": "Sunny in Paris.",
            "Tool Success": True,
            "Is Error": False,
        },
        {
            **ANSWER,
            "Message ID": "id-6",
            "Turn ID": 4,
            "Finish Reason": "end_turn",
            "$llm_message": {"text": "Bring a hat."},
        },
        {
            **AGENT,
            **OF_ALL,
            "type": "Span",
            "Span ID": "id-7",
            "Span Name": "helper",
            "Span Kind": "agent",
            "Input State": json.dumps({"value": words}, separators=(",", ":")),
            "Output State": '{"value":"Bring a hat."}',
            "Is Error": False,
        },
        {**OF_ALL, "type": "Session End", "Agent ID": "helper"},
    ]
