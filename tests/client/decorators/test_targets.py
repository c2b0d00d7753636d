"""Which client a decorated call reports to, and what it may be told for one call."""

from __future__ import annotations

import gc
import logging
from typing import Any

import pytest
from amplitude import Amplitude

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, MemorySink
from amplitude_ai_integrations.client.attach import client_of
from amplitude_ai_integrations.client.decorators import observe, tool
from amplitude_ai_integrations.client.default import default_client
from amplitude_ai_integrations.client.tracker import ToolCallTracker
from amplitude_ai_integrations.context.current import (
    Conversation,
    SessionContext,
    get_active_context,
    push_context,
    reset_context,
)

from ...events import one, told, types


def find(q: str) -> str:
    return q


@tool
def search(q: str) -> str:
    return q


@observe
def answer(q: str) -> str:
    return search(q)


def test_the_tracker_holds_where_nothing_nearer_does(ai: AmplitudeAI, sink: MemorySink) -> None:
    assert not ToolCallTracker.is_configured()
    ToolCallTracker.set_amplitude(ai, "user-1", "device-1", "s-1", "t-1", env="test", agent_id="script")
    assert ToolCallTracker.is_configured()
    search("a")
    answer("b")
    shared = {"user_id": "user-1", "device_id": "device-1", "Session ID": "s-1", "Trace ID": "t-1"}
    events = told(sink.events)
    assert [event["type"] for event in events] == ["Tool Call", "Tool Call", "Span"]  # its session goes on
    for event in events:
        assert {**shared, "Env": "test", "Agent ID": "script"}.items() <= event.items()
    ToolCallTracker.clear()
    assert not ToolCallTracker.is_configured()


def test_what_is_nearer_wins_over_the_tracker(ai: AmplitudeAI, sink: MemorySink) -> None:
    others = MemorySink()
    other = AmplitudeAI(sink=others)
    ToolCallTracker.set_amplitude(other, user_id="of-the-process", agent_id="script")
    with ai.agent("bot").session(user_id="user-1", track_session_end=False):
        search("in a session")
    tool(find, amplitude=ai)("with a client")
    assert others.events == []
    assert [event.get("user_id") for event in sink.events] == ["user-1", None]
    assert [event.get("Agent ID") for event in told(sink.events)] == ["bot", None]


def test_a_session_without_a_client_lends_its_ids(ai: AmplitudeAI, sink: MemorySink) -> None:
    ToolCallTracker.set_amplitude(ai, user_id="of-the-process")
    token = push_context(SessionContext(Conversation("s-propagated", user_id="user-1")))
    search("a")
    answer("b")
    reset_context(token)
    events = told(sink.events)
    assert [event["type"] for event in events] == ["Tool Call", "Tool Call", "Span"]
    assert {(event["user_id"], event["Session ID"]) for event in events} == {("user-1", "s-propagated")}


def test_the_only_client_is_taken(ai: AmplitudeAI, sink: MemorySink) -> None:
    assert default_client() is ai
    search("a")
    answer("b")
    assert types(sink.events) == ["Tool Call", "Tool Call", "Span", "Session End"]


def test_a_client_that_is_gone_does_not_count(ai: AmplitudeAI) -> None:
    another = AmplitudeAI(sink=MemorySink())
    assert default_client() is None
    del another
    gc.collect()
    assert default_client() is ai


@pytest.mark.parametrize("clients", [0, 2])
def test_without_a_clear_client_the_function_runs_and_one_warning_says_what_to_do(
    clients: int, caplog: pytest.LogCaptureFixture
) -> None:
    sinks = [MemorySink() for _ in range(clients)]
    clients_alive = [AmplitudeAI(sink=sink) for sink in sinks]
    with caplog.at_level(logging.WARNING, "amplitude_ai_integrations"):
        assert [search("a", amplitude_user_id="u"), answer("b"), search("c")] == ["a", "b", "c"]
    (record,) = caplog.records
    assert "with agent.session():" in record.message
    assert "amplitude=" in record.message
    assert "ToolCallTracker.set_amplitude()" in record.message
    assert [event for sink in sinks for event in sink.events] == []
    assert len(clients_alive) == clients


def test_a_client_of_amplitudes_own_is_taken() -> None:
    client = Amplitude("key")
    seen: list[Any] = []
    client.track = seen.append  # type: ignore[method-assign]
    tool(find, amplitude=client, user_id="user-1")("a")
    assert client_of(client) is client_of(client)
    assert [event.event_type for event in seen] == ["[Agent] Tool Call"]
    client.shutdown()


@pytest.mark.parametrize("decorate", [tool, observe])
def test_where_tracking_is_off_the_function_just_runs(decorate: Any) -> None:
    sink = MemorySink()
    off = AmplitudeAI(sink=sink, config=AIConfig(enabled=False))

    @decorate(amplitude=off)
    def where(q: str) -> Any:
        return q, get_active_context()

    assert where("a", amplitude_user_id="u") == ("a", None)
    assert sink.events == []


def test_a_sessions_client_is_clear_among_many(ai: AmplitudeAI, sink: MemorySink) -> None:
    others = MemorySink()
    other = AmplitudeAI(sink=others)
    with ai.agent("bot").session(track_session_end=False):
        answer("a")
    assert types(sink.events) == ["Tool Call", "Span"]
    assert (other.recorder.pipeline.sinks, others.events) == ((others,), [])


def test_what_a_call_says_holds_for_it_alone(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool(user_id="of-the-decorator", event_properties={"plan": "free"}, tool_owner="team", amplitude=ai)
    def look(q: str, **rest: Any) -> dict[str, Any]:
        return rest

    said = {
        "amplitude_user_id": "user-1",
        "amplitude_device_id": "device-1",
        "amplitude_conversation_id": "s-1",
        "amplitude_trace_id": "t-1",
        "amplitude_turn_id": 12,
        "amplitude_env": "test",
        "amplitude_agent_id": "bot",
        "amplitude_parent_agent_id": "boss",
        "amplitude_customer_org_id": "acme",
        "amplitude_agent_version": "2",
        "amplitude_context": {"variant": "b"},
        "amplitude_event_properties": {"plan": "pro"},
        "amplitude_groups": {"org": "acme"},
    }
    assert look("a", colour="red", amplitude_unknown=1, **said) == {"colour": "red", "amplitude_unknown": 1}
    assert look("b", amplitude_user_id=None) == {}
    first, second = told(sink.events)
    assert first == {
        "type": "Tool Call",
        "user_id": "user-1",
        "device_id": "device-1",
        "groups": {"org": "acme"},
        "Component Type": "tool",
        "Invocation ID": "id-1",
        "Tool Name": "look",
        "Tool Owner": "team",
        "Tool Success": True,
        "Is Error": False,
        "Latency Ms": first["Latency Ms"],
        "Tool Input": '{"q":"a","colour":"red","amplitude_unknown":1}',
        "Tool Output": '{"colour":"red","amplitude_unknown":1}',
        "Session ID": "s-1",
        "Trace ID": "t-1",
        "Turn ID": 12,
        "Env": "test",
        "Agent ID": "bot",
        "Parent Agent ID": "boss",
        "Customer Org ID": "acme",
        "Agent Version": "2",
        "Context": '{"variant":"b"}',
        "plan": "pro",
    }
    assert (second["user_id"], second["plan"]) == ("of-the-decorator", "free")


def test_a_parameter_of_the_functions_own_stays_its_own(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool(amplitude=ai, user_id="user-1")
    def send(amplitude_user_id: str) -> str:
        return amplitude_user_id

    assert send(amplitude_user_id="theirs") == "theirs"
    (call,) = told(sink.events)
    assert (call["user_id"], call["Tool Input"]) == ("user-1", '{"amplitude_user_id":"theirs"}')


def test_validation_never_raises_out_of_a_call(sink: MemorySink) -> None:
    strict = AmplitudeAI(sink=sink, config=AIConfig(validate=True))
    assert tool(find, amplitude=strict, user_id="user-1", env=3)("a", amplitude_turn_id="x") == "a"
    assert one(sink.events, "Tool Call")["[Agent] Env"] == "3"


def test_a_callback_hears_of_errors_after_they_were_recorded(ai: AmplitudeAI, sink: MemorySink) -> None:
    heard: list[Any] = []

    def note(error: Exception, name: str) -> None:
        heard.append((error, name, types(sink.events)))

    @tool(name="look", amplitude=ai, user_id="user-1", on_error=note)
    def fail(error: BaseException) -> None:
        raise error

    for error in (ValueError("a"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            fail(error)
    (only,) = heard
    assert isinstance(only[0], ValueError)
    assert only[1:] == ("look", ["Tool Call"])


@pytest.mark.usefixtures("swallowing")
@pytest.mark.parametrize("own", [RuntimeError("mine"), ConfigurationError("mine")])
def test_a_callback_that_fails_keeps_no_error_from_the_caller(own: Exception, ai: AmplitudeAI) -> None:
    def note(error: Exception, name: str) -> None:
        raise own

    @tool(amplitude=ai, user_id="user-1", on_error=note)
    def fail() -> None:
        raise ValueError("theirs")

    with pytest.raises(ValueError, match="theirs") as caught:
        fail()
    assert caught.value.__context__ is None
