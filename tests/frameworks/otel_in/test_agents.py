"""Agents, workflows and tools around calls: who is part of whom, and nothing counted twice."""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink, tool
from amplitude_ai_integrations.providers.openai import OpenAI

from ...events import one, told, types
from ...fakes.openai_server import OpenAIServer
from .conftest import Provide
from .spans import Maker

CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 10,
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
}
TOTALS = {"gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 20}
AGENT: dict[str, Any] = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.id": "agent-7",
    "gen_ai.agent.name": "Planner",
    "gen_ai.agent.description": "Plans.",
    "gen_ai.agent.version": "3",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Done."}]}]',
    **TOTALS,
}
FACTS = {
    "Agent ID": "agent-7",
    "Agent Name": "Planner",
    "Agent Description": "Plans.",
    "Agent Version": "3",
}


@pytest.fixture
def spans(provide: Provide) -> Maker:
    return Maker(provide(user_id="someone"))


def test_an_agent_around_calls_is_a_span(spans: Maker, sink: MemorySink) -> None:
    with spans.within("invoke_agent Planner", **AGENT):
        spans.one(CHAT)
        spans.one({**CHAT, "gen_ai.input.messages": "[]"})
    events = told(sink.events)
    assert [event["type"] for event in events] == [
        *("User Message", "AI Response", "AI Response", "Span", "Session End")
    ]
    assert sum(event.get("Input Tokens", 0) for event in events) == 200
    for event in events[:-1]:
        assert {name: event.get(name) for name in FACTS} == FACTS
    span = events[3]
    assert span["Span Name"] == "Planner"
    assert json.loads(span["Output State"]) == {"value": "Done."}
    assert len({event["Session ID"] for event in events}) == 1
    assert len({event["Trace ID"] for event in events}) == 1
    assert {event["user_id"] for event in events} == {"someone"}


@pytest.mark.parametrize("way", ["processor", "simple"])
def test_an_agent_none_of_whose_calls_is_told_is_an_answer(
    way: str, provide: Provide, sink: MemorySink
) -> None:
    spans = Maker(provide(way, user_id="someone"))
    spans.one({**AGENT, "gen_ai.input.messages": CHAT["gen_ai.input.messages"]})
    events = told(sink.events)
    assert [event["type"] for event in events][:2] == ["User Message", "AI Response"]
    assert {name: events[1].get(name) for name in FACTS} == FACTS
    assert (events[1]["$llm_message"], events[1]["Input Tokens"]) == ({"text": "Done."}, 200)


def test_an_agent_that_says_nothing_is_a_span(spans: Maker, sink: MemorySink) -> None:
    spans.one({"gen_ai.operation.name": "create_agent", "gen_ai.agent.name": "Planner"})
    assert types(sink.events) == ["Span", "Session End"]
    assert one(sink.events, "Span")["[Agent] Agent ID"] == "Planner"


def test_without_seeing_a_span_begin_an_agent_is_still_no_second_count(
    provide: Provide, sink: MemorySink
) -> None:
    spans = Maker(provide("batch", user_id="someone"))
    with spans.within("http"), spans.within("invoke_agent Planner", **AGENT), spans.within("GET /"):
        spans.one(CHAT)
    assert types(sink.events) == []
    spans._tracer.span_processor.force_flush()
    assert types(sink.events) == ["User Message", "AI Response", "Span"]


def test_agents_within_agents(spans: Maker, ai: AmplitudeAI, sink: MemorySink) -> None:
    sub = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Sub"}
    asking = {"gen_ai.operation.name": "execute_tool"}
    question = '[{"role":"user","parts":[{"type":"text","content":"Where?"}]}]'
    session = ai.agent("support").session(uuid.uuid4().hex, user_id="u", track_session_end=False)
    with session, spans.within("invoke_agent Planner", **AGENT):
        spans.one(CHAT)
        with spans.within("execute_tool ask", **asking), spans.within("invoke_agent Sub", **sub):
            spans.one({**CHAT, "gen_ai.input.messages": question})
    events = told(sink.events)
    agents = [
        (event["type"], event["Agent ID"], event.get("Parent Agent ID"), event.get("Message Source"))
        for event in events
    ]
    assert agents == [
        ("User Message", "support", None, "user"),
        ("AI Response", "support", None, None),
        ("User Message", "Sub", "support", "agent"),
        ("AI Response", "Sub", "support", None),
        ("Span", "Sub", "support", None),
        ("Tool Call", "support", None, None),
        ("Span", "support", None, None),
    ]
    assert events[4]["Parent Span ID"] == events[6]["Span ID"]
    assert events[5]["Tool Name"] == "ask"
    assert len({event["Trace ID"] for event in events}) == 1
    assert {event["user_id"] for event in events} == {"u"}


def test_traceloop(spans: Maker, sink: MemorySink) -> None:
    ids = {
        "traceloop.association.properties.session_id": f"s-{uuid.uuid4()}",
        "traceloop.association.properties.user_id": "traceloop-user",
    }
    workflow = {"traceloop.span.kind": "workflow", "traceloop.entity.name": "plan_trip", **ids}
    agent = {"traceloop.span.kind": "agent", "traceloop.entity.name": "planner", **ids}
    called = {
        "traceloop.span.kind": "tool",
        "traceloop.entity.name": "search",
        "traceloop.entity.input": '{"query": "x"}',
        "traceloop.entity.output": '"y"',
    }
    with spans.within("plan_trip.workflow", **workflow), spans.within("planner.agent", **agent):
        spans.one({**CHAT, "traceloop.entity.path": "planner", **ids})
        spans.one(called, name="search.tool")
    events = told(sink.events)
    assert [(event["type"], event.get("Agent ID"), event.get("Span Name")) for event in events] == [
        ("User Message", "planner", None),
        ("AI Response", "planner", None),
        ("Tool Call", "planner", None),
        ("Span", "planner", "planner"),
        ("Span", None, "plan_trip"),
    ]
    assert {event["Session ID"] for event in events} == {ids["traceloop.association.properties.session_id"]}
    assert {event["user_id"] for event in events} == {"someone"}
    assert (events[2]["Tool Name"], events[2]["Tool Input"], events[2]["Tool Output"]) == (
        *("search", '{"query": "x"}', '"y"'),
    )
    assert events[3]["Parent Span ID"] == events[4]["Span ID"]


def test_openinference(provide: Provide, sink: MemorySink) -> None:
    spans = Maker(provide())
    ids = {"session.id": f"s-{uuid.uuid4()}", "user.id": "openinference-user"}
    retriever = {
        "openinference.span.kind": "RETRIEVER",
        "input.value": "museums",
        "retrieval.documents.0.document.id": "d1",
        "retrieval.documents.0.document.content": "Louvre",
    }
    called = {
        "openinference.span.kind": "TOOL",
        "tool.name": "search",
        "input.value": '{"query":"x"}',
        "output.value": "y",
    }
    answer = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o",
        "llm.provider": "openai",
        "llm.token_count.prompt": 5,
        "llm.token_count.completion": 1,
        "output.value": "Hello.",
    }
    with spans.within("Agent", **{"openinference.span.kind": "AGENT", "agent.name": "planner", **ids}):
        spans.one(retriever, name="retrieve")
        spans.one(called, name="search")
        spans.one(answer, name="ChatCompletion")
    events = told(sink.events)
    assert [(event["type"], event.get("Span Name")) for event in events] == [
        ("Span", "retrieve"),
        ("Tool Call", None),
        ("AI Response", None),
        ("Span", "planner"),
    ]
    assert json.loads(events[0]["Input State"]) == {"value": "museums"}
    assert json.loads(events[0]["Output State"]) == {"value": [{"id": "d1", "content": "Louvre"}]}
    assert (events[1]["Tool Name"], events[1]["Tool Output"]) == ("search", "y")
    assert events[2]["$llm_message"] == {"text": "Hello."}
    assert {event["Session ID"] for event in events} == {ids["session.id"]}
    assert {event["user_id"] for event in events} == {"openinference-user"}
    assert {event["Agent ID"] for event in events} == {"planner"}


def test_a_retrieval(spans: Maker, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("a").session(uuid.uuid4().hex, user_id="u", track_session_end=False):
        spans.one(
            {
                "gen_ai.operation.name": "retrieval",
                "gen_ai.retrieval.query.text": "museums",
                "gen_ai.retrieval.documents": '[{"id":"d1","score":0.5}]',
            },
            name="retrieval store",
        )
    span = one(sink.events, "Span")
    assert json.loads(span["[Agent] Input State"]) == {"value": "museums"}
    assert json.loads(span["[Agent] Output State"]) == {"value": [{"id": "d1", "score": 0.5}]}
    assert span["[Agent] Latency Ms"] == 250.0


def test_a_session_that_is_opened_within_a_workflow_has_the_workflow(
    spans: Maker, ai: AmplitudeAI, sink: MemorySink
) -> None:
    session_id = uuid.uuid4().hex
    session = ai.agent("a").session(session_id, user_id="u", track_session_end=False)
    with spans.within("plan.workflow", **{"traceloop.span.kind": "workflow"}), session:
        spans.one(CHAT)
    events = told(sink.events)
    assert [event["type"] for event in events] == ["User Message", "AI Response", "Span"]
    assert {event["Session ID"] for event in events} == {session_id}
    assert {event["Agent ID"] for event in events} == {"a"}
    assert len({event["Trace ID"] for event in events}) == 1


def test_an_agent_that_the_program_names_within_is_the_nearer(
    spans: Maker, ai: AmplitudeAI, sink: MemorySink
) -> None:
    workflow = {"traceloop.span.kind": "workflow"}
    outer = ai.agent("outer").session(uuid.uuid4().hex, user_id="u", track_session_end=False)
    with outer as session, spans.within("plan.workflow", **workflow), session.run_as(ai.agent("inner")):
        spans.one(CHAT)
    assert [event["Agent ID"] for event in told(sink.events)] == ["inner", "inner", "outer"]


def test_a_call_that_a_tool_makes_is_not_the_one_around_it(spans: Maker, sink: MemorySink) -> None:
    with spans.within("chat", **CHAT), spans.within("x", **{"gen_ai.operation.name": "execute_tool"}):
        spans.one({**CHAT, "gen_ai.request.model": "gpt-4o-mini"})
    models = [event.get("Model Name") for event in told(sink.events) if event["type"] == "AI Response"]
    assert models == ["gpt-4o-mini", "gpt-4o"]


def test_a_decorated_tool_is_told_once(spans: Maker, ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    def get_weather(city: str) -> str:
        return "sunny"

    about = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}
    with ai.agent("a").session(uuid.uuid4().hex, user_id="u", track_session_end=False):
        with spans.within("execute_tool get_weather", **about):
            get_weather("Paris")
        spans.one(about, name="execute_tool get_weather")
        spans.one(about, name="execute_tool get_weather")
    assert types(sink.events) == ["Tool Call"] * 3


@pytest.mark.parametrize("is_own", [False, True])
def test_observed_calls_belong_to_the_agents_of_spans(
    is_own: bool, spans: Maker, fake: OpenAIServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = OpenAI(amplitude=ai, api_key="k", base_url=fake.url, max_retries=0)
    said: Any = [{"role": "user", "content": "Hi"}]
    with spans.within("invoke_agent Planner", **AGENT), spans.within("POST"):
        client.chat.completions.create(model="gpt-4o", messages=said)
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "error500"}])
        if is_own:
            list(client.chat.completions.create(model="gpt-4o", messages=said, stream=True))
    events = told(sink.events)
    count = 3 if is_own else 2
    assert [event["type"] for event in events] == [
        *["User Message", "AI Response"] * count,
        "Span",
        "Session End",
    ]
    assert {event["Agent ID"] for event in events[:-1]} == {"agent-7"}
    assert {event["user_id"] for event in events} == {"someone"}
    assert len({event["Session ID"] for event in events}) == 1


def test_a_span_that_ends_in_another_thread_belongs_where_it_began(
    spans: Maker, ai: AmplitudeAI, sink: MemorySink
) -> None:
    session_id = uuid.uuid4().hex
    with ai.agent("a").session(session_id, user_id="u", track_session_end=False):
        span = spans._tracer.start_span("chat", attributes=CHAT)
    thread = threading.Thread(target=span.end)
    thread.start()
    thread.join()
    assert {event["Session ID"] for event in told(sink.events)} == {session_id}
    assert {event["user_id"] for event in sink.events} == {"u"}
