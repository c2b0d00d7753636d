"""A conversation that is at hand as messages becomes its events, whatever wrote it."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import openai.types.chat
import pytest
from amplitude import Amplitude, Config

from amplitude_ai_integrations import (
    AIConfig,
    AmplitudeAI,
    ConfigurationError,
    MemorySink,
    ValidationError,
    track_conversation,
)
from tests.client.test_hostile import HOSTILE, LyingMapping, Raising
from tests.events import told, types

CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
}
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Weather in Paris?"}, {"type": "image_url", "image_url": {}}],
     "timestamp_ms": 1700000000000},
    {"role": "assistant", "content": None, "tool_calls": [CALL], "model": "gpt-4o", "refusal": None},
    {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "sunny"}]},
    {"role": "ai", "content": "Sunny.", "model": "gpt-4o", "provider": "openai", "name": "bot",
     "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}, "timestamp_ms": 1700000004000},
    {"role": "user", "name": "ann", "content": "Thanks", "message_id": "m-9"},
    {"role": "moderator", "content": "skipped"},
]  # fmt: skip


def _expected(session_id: str) -> list[dict[str, Any]]:
    who = {"user_id": "ann", "Session ID": session_id, "Env": "prod"}
    said = {"type": "User Message", **who, "Component Type": "user_input", "Message Source": "user"}
    answered = {"type": "AI Response", **who, "Component Type": "llm", "Latency Ms": 0.0, "Is Error": False,
                "Model Name": "gpt-4o", "Model Tier": "standard"}  # fmt: skip
    return [
        {**said, "Message ID": "id-1", "Turn ID": 1, "$llm_message": {"text": "Weather in Paris?"}},
        {**answered, "Message ID": "id-2", "Turn ID": 2, "Provider": "",
         "Tool Calls": '[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\\"city\\":\\"Paris\\"}"}}]'},
        {"type": "Tool Call", **who, "Component Type": "tool", "Invocation ID": "call_1", "Turn ID": 3,
         "Tool Name": "get_weather", "Tool Input": '{"city":"Paris"}', "Tool Output": "sunny", "Tool Success": True,
         "Is Error": False, "Latency Ms": 0.0},
        {**answered, "Message ID": "id-3", "Turn ID": 4, "Provider": "openai", "$llm_message": {"text": "Sunny."},
         "Input Tokens": 10, "Output Tokens": 2, "Total Tokens": 12, "Cost USD": 4.5e-05},
        {**said, "Message ID": "m-9", "Turn ID": 5, "$llm_message": {"text": "Thanks"}},
    ]  # fmt: skip


def test_a_conversation_is_its_events(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    ids = ai.track_conversation(MESSAGES, user_id="ann", session_id=session_id, env="prod")
    assert told(sink) == _expected(session_id)
    assert [ids[2], ids[4]] == ["call_1", "m-9"]
    assert len(set(ids)) == 5
    assert (sink.events[0]["time"], sink.events[3]["time"]) == (1700000000000, 1700000004000)


def test_the_function_does_the_same(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    ids = track_conversation(ai, messages=MESSAGES, user_id="ann", session_id=session_id, env="prod")
    assert told(sink) == _expected(session_id)
    assert len(ids) == 5


def test_an_official_client_will_do() -> None:
    taken: list[Any] = []
    client = Amplitude("key", Config(server_url="http://127.0.0.1:9/", flush_interval_millis=1_000))
    client.track = taken.append
    track_conversation(client, messages=MESSAGES, user_id="annabel", session_id="s")
    assert [event.event_type for event in taken] == [
        "[Agent] User Message",
        "[Agent] AI Response",
        "[Agent] Tool Call",
        "[Agent] AI Response",
        "[Agent] User Message",
    ]


def test_what_is_no_client_is_said() -> None:
    with pytest.raises(
        ConfigurationError, match="amplitude= is int; pass an AmplitudeAI or an Amplitude client"
    ):
        track_conversation(5, messages=MESSAGES)


def test_in_a_session_each_users_message_begins_a_trace(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    with ai.agent("bot").session(session_id, user_id="ann", track_session_end=False) as session:
        session.track_conversation(MESSAGES)
    traces = [event["Trace ID"] for event in told(sink)]
    assert traces[0] == traces[1] == traces[2] == traces[3] != traces[4]
    parents = [event.get("Parent Message ID") for event in told(sink)]
    assert parents == [None, None, told(sink)[1]["Message ID"], None, None]
    assert {event["Agent ID"] for event in told(sink)} == {"bot"}


def test_the_vendors_own_message_objects(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    answer = openai.types.chat.ChatCompletionMessage.model_validate(
        {"role": "assistant", "content": None, "tool_calls": [CALL]}
    )
    messages: list[Any] = [
        {"role": "user", "content": "x" * 200_000},
        answer,
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    ai.track_conversation(messages, user_id="ann", session_id=session_id)
    said, asked, ran = told(sink)
    assert len(said["$llm_message"]["text"]) == 200_000
    assert '"name":"get_weather"' in asked["Tool Calls"]
    assert (ran["Tool Name"], ran["Tool Input"]) == ("get_weather", '{"city":"Paris"}')


class Role(str, enum.Enum):
    USER = "user"


def test_roles_are_read_in_any_shape(ai: AmplitudeAI, sink: MemorySink) -> None:
    roles: list[Any] = [Role.USER, "User", None, 5, ["user"], Raising(), "developer", "function"]
    ids = ai.track_conversation([{"role": role, "content": "x"} for role in roles], user_id="ann")
    assert types(sink) == ["User Message"]
    assert len(ids) == 1


def test_what_a_message_says_wins_over_what_holds_for_all(ai: AmplitudeAI, sink: MemorySink) -> None:
    messages = [{"role": "assistant", "content": "a", "model": "own"}, {"role": "assistant", "content": "b"}]
    ai.track_conversation(messages, user_id="ann", model="common", provider="p")
    assert [event["Model Name"] for event in told(sink)] == ["own", "common"]


def test_what_holds_for_all_holds_for_those_that_take_it() -> None:
    strict = AmplitudeAI(sink=MemorySink(), config=AIConfig(validate=True))
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert len(strict.track_conversation(messages, user_id="ann", model="common", provider="p")) == 2


def test_any_iterable_will_do(ai: AmplitudeAI, sink: MemorySink) -> None:
    def read() -> Iterator[dict[str, Any]]:
        yield from MESSAGES

    assert len(ai.track_conversation(read(), user_id="ann")) == 5


@pytest.mark.usefixtures("swallowing")
@pytest.mark.parametrize("value", [*HOSTILE, "lying"])
def test_a_bad_message_loses_no_other(ai: AmplitudeAI, sink: MemorySink, value: str) -> None:
    made: Any = LyingMapping(role="user") if value == "lying" else HOSTILE[value]()
    bad: list[Any] = [
        made,
        {"role": made, "content": "x"},
        {"role": "user", "content": made, "timestamp_ms": made, "usage": made},
        {"role": "assistant", "content": "x", "tool_calls": made, "usage": made},
        {"role": "assistant", "content": "x", "tool_calls": [made, {"id": made, "function": made}]},
        {"role": "tool", "tool_call_id": made, "content": made, "name": made},
    ]
    ids = ai.track_conversation([MESSAGES[1], *bad, MESSAGES[5]], user_id="ann", session_id="of-bad")
    assert types(sink) == [
        "User Message",
        "User Message",
        "AI Response",
        "AI Response",
        "Tool Call",
        "User Message",
    ]
    assert len(ids) == 6


@pytest.mark.usefixtures("swallowing")
@pytest.mark.parametrize("value", ["none", "raising", "function", "nan", "lying mapping", "surrogate"])
def test_what_holds_no_messages_is_no_conversation(ai: AmplitudeAI, sink: MemorySink, value: str) -> None:
    assert ai.track_conversation(HOSTILE[value](), user_id="ann") == []
    assert sink.events == []


def test_validation_looks_at_messages_too() -> None:
    strict = AmplitudeAI(sink=MemorySink(), config=AIConfig(validate=True))
    assert len(strict.track_conversation([MESSAGES[0], MESSAGES[2]], user_id="ann")) == 1
    with pytest.raises(ValidationError, match="takes no 'colour'"):
        strict.track_conversation([{"role": "user", "content": "x", "colour": "red"}], user_id="ann")
