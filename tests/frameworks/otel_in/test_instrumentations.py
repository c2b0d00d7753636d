"""Spans of real instrumentations of OpenAI's clients give the events that observed clients give."""

from __future__ import annotations

import uuid
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.calls import surroundings
from amplitude_ai_integrations.providers.openai import OpenAI

from ...events import told
from ...fakes.openai_server import OpenAIServer
from .conftest import Provide
from .instrumentations import INSTRUMENTATIONS

# OpenLLMetry's own code, as it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:Support for class-based:DeprecationWarning")

TOOLS: Any = [
    {
        "type": "function",
        "function": {"name": "get_weather", "parameters": {"properties": {"city": {"type": "string"}}}},
    }
]
TIMES = ("Latency Ms", "TTFB Ms")
# What an instrumentation does not tell.
UNTOLD = {
    "conventions": {
        *("Reasoning Tokens", "Has Reasoning", "Reasoning Content", "Cache Read Tokens", "Cost USD"),
        *("Is Streaming", "TTFB Ms", "Tool Definitions", "Tool Definitions Count", "Tool Definitions Hash"),
    },
    "openllmetry": {"Embedding Dimensions", "Reasoning Tokens", "Has Reasoning"},
    "openinference": {"Is Streaming"},
}


def converse(client: Any, ai: AmplitudeAI) -> str:
    """A tool is asked for and answers; then a stream, a failure, an embedding."""
    session_id = uuid.uuid4().hex
    with ai.agent("bot").session(session_id, user_id="someone", track_session_end=False):
        _ask_and_answer(client)
        said = [{"role": "user", "content": "Hi"}]
        list(_ask(client, said, stream=True, stream_options={"include_usage": True}))
        with pytest.raises(openai.InternalServerError):
            _ask(client, [{"role": "user", "content": "error500"}])
        client.embeddings.create(model="text-embedding-3-small", input="Hi")
    return session_id


def _ask_and_answer(client: Any) -> None:
    messages: Any = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "think tool Hi"},
    ]
    asked = _ask(client, messages, tools=TOOLS, temperature=0, top_p=0.9, max_tokens=9)
    messages.append(asked.choices[0].message.model_dump(exclude_none=True))
    messages.append({"role": "tool", "tool_call_id": "call_1", "content": "sunny"})
    _ask(client, messages, tools=TOOLS)


def _ask(client: Any, messages: Any, **more: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=messages, **more)


@pytest.fixture
def clients(fake: OpenAIServer, ai: AmplitudeAI) -> Any:
    """Make a client of the fake, observed or not."""
    options = {"api_key": "k", "base_url": fake.url, "max_retries": 0}

    def make(*, is_observed: bool) -> Any:
        return OpenAI(amplitude=ai, **options) if is_observed else openai.OpenAI(**options)

    return make


def _events(sink: MemorySink, session_id: str, but: Any = ()) -> list[dict[str, Any]]:
    events = [{**event} for event in told(sink.events)]
    sink.events.clear()
    left_out = {*but, *TIMES, "Session ID", "Provider Request ID"}
    assert {event["Session ID"] for event in events} == {session_id}
    return [{name: value for name, value in event.items() if name not in left_out} for event in events]


@pytest.mark.parametrize("way", ["processor", "simple"])
@pytest.mark.parametrize("name", INSTRUMENTATIONS)
def test_the_same_events_as_observed(
    name: str, way: str, provide: Provide, clients: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    observed = _events(sink, converse(clients(is_observed=True), ai), UNTOLD[name])
    surroundings.forget()
    with INSTRUMENTATIONS[name](provide(way)):
        session_id = converse(clients(is_observed=False), ai)
    by_spans = told(sink.events)
    assert _events(sink, session_id, UNTOLD[name]) == observed
    answers = [event for event in by_spans if event["type"] in ("AI Response", "Embedding")]
    assert len(answers) == 5
    assert all(0 < event["Latency Ms"] < 10_000 for event in answers)
    assert all(event["Cost USD"] > 0 for event in answers if not event["Is Error"])
    streamed = answers[2]
    assert name == "conventions" or 0 < streamed["TTFB Ms"] <= streamed["Latency Ms"]


@pytest.mark.parametrize("way", ["processor", "simple", "batch"])
@pytest.mark.parametrize("name", INSTRUMENTATIONS)
def test_not_one_more_where_the_client_is_observed(
    name: str, way: str, provide: Provide, clients: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    alone = _events(sink, converse(clients(is_observed=True), ai))
    provider = provide(way)
    with INSTRUMENTATIONS[name](provider):
        session_id = converse(clients(is_observed=True), ai)
        provider.force_flush()
    assert _events(sink, session_id) == alone


@pytest.mark.parametrize("way", ["processor", "simple"])
def test_two_instrumentations_tell_of_a_call_once(
    way: str, provide: Provide, clients: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    provider = provide(way)
    with INSTRUMENTATIONS["openinference"](provider), INSTRUMENTATIONS["openllmetry"](provider):
        session_id = converse(clients(is_observed=False), ai)
    assert [event["type"] for event in _events(sink, session_id)] == [
        *("User Message", "AI Response", "Tool Call", "AI Response"),
        *("User Message", "AI Response", "User Message", "AI Response", "Embedding"),
    ]


@pytest.mark.parametrize("name", ["openllmetry", "openinference"])
def test_responses(name: str, provide: Provide, clients: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    def ask(*, is_observed: bool) -> list[dict[str, Any]]:
        session_id = uuid.uuid4().hex
        with ai.agent().session(session_id, user_id="someone", track_session_end=False):
            clients(is_observed=is_observed).responses.create(
                model="gpt-4o", instructions="Be kind.", input=f"think {session_id[:3]}"
            )
        events = _events(sink, session_id, {"Is Streaming", "$llm_message"})
        surroundings.forget()
        return events

    observed = ask(is_observed=True)
    with INSTRUMENTATIONS[name](provide()):
        assert ask(is_observed=False) == observed
        assert ask(is_observed=True) == observed


def test_batched_spans_belong_to_the_session_they_name(
    provide: Provide, clients: Any, sink: MemorySink
) -> None:
    from openinference.instrumentation import using_attributes

    provider = provide("batch", user_id="door-user")
    session_id = uuid.uuid4().hex
    with INSTRUMENTATIONS["openinference"](provider), using_attributes(session_id=session_id):
        _ask_and_answer(clients(is_observed=False))
        provider.force_flush()
    events = told(sink.events)
    assert [event["type"] for event in events] == ["User Message", "AI Response", "Tool Call", "AI Response"]
    assert {event["user_id"] for event in events} == {"door-user"}
    assert {event["Session ID"] for event in events} == {session_id}
    assert [event["Turn ID"] for event in events] == [1, 2, 3, 4]
    assert events[2]["Parent Message ID"] == events[1]["Message ID"]
