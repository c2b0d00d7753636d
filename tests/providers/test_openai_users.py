"""What a call says of its user: set on the events, as far as it may leave."""

from __future__ import annotations

import json
from typing import Any

import pytest
from amplitude import Amplitude, Config
from amplitude.event import BaseEvent

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, wrap
from amplitude_ai_integrations.config import ContentMode
from amplitude_ai_integrations.delivery.official import OfficialSink
from amplitude_ai_integrations.providers.openai import OpenAI

from .conftest import MakeClient
from .expected import kinds
from .test_openai_keywords import HOSTILE
from .ways import chat

PERSON = {"plan": "pro", "seats": 3, "is_admin": True, "mail": "ann@example.com"}


def _call(client: Any, person: Any) -> None:
    client.chat.completions.create(**chat("Hi", amplitude_user_id="u", amplitude_user_properties=person))


def _set(sink: MemorySink) -> list[Any]:
    assert kinds(sink) == ["user", "answer"]
    return [event.get("user_properties") for event in sink]


def test_properties_are_set_on_all_events_of_the_call(client: OpenAI, sink: MemorySink) -> None:
    given = dict(PERSON)
    _call(client, given)
    assert _set(sink) == [{"$set": {**PERSON, "mail": "[email]"}}] * 2
    assert given == PERSON


def test_operations_stay_what_they_are(client: OpenAI, sink: MemorySink) -> None:
    _call(client, {"$setOnce": {"first": "chat"}, "$add": {"calls": 1}, "$set": "junk"})
    assert _set(sink) == [{"$setOnce": {"first": "chat"}, "$add": {"calls": 1}}] * 2


@pytest.mark.parametrize("mode", ["metadata_only", "customer_enriched"])
def test_words_stay_where_no_word_may_leave(mode: str, connect: MakeClient, sink: MemorySink) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=ContentMode(mode)))
    _call(connect(OpenAI, amplitude=ai), PERSON)
    assert _set(sink) == [{"$set": {"seats": 3, "is_admin": True}}] * 2


def test_a_private_session_keeps_them_back(client: OpenAI, sink: MemorySink) -> None:
    private = MemorySink()
    owner = AmplitudeAI(sink=private, config=AIConfig(content_mode=ContentMode.METADATA_ONLY))
    with owner.agent(user_id="u").session(track_session_end=False):
        _call(client, PERSON)
    assert _set(private) == [{"$set": {"seats": 3, "is_admin": True}}] * 2
    assert sink.events == []


def test_they_may_hold_for_all_calls_of_a_client(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    import openai

    client = wrap(connect(openai.OpenAI), ai, user_id="u", user_properties={"plan": "pro"})
    client.chat.completions.create(**chat("Hi"))
    assert _set(sink) == [{"$set": {"plan": "pro"}}] * 2


@pytest.mark.parametrize(
    "junk", [*HOSTILE, {}, {"$set": {}}, {"[Agent] Env": "x"}], ids=lambda junk: type(junk).__name__
)
def test_junk_sets_nothing_and_breaks_nothing(junk: Any, client: OpenAI, sink: MemorySink) -> None:
    _call(client, junk)
    for person in _set(sink):
        assert person is None or list(person) == ["$set"]
    json.dumps(sink.events, allow_nan=False)


def test_the_official_client_takes_them(client: OpenAI, sink: MemorySink) -> None:
    _call(client, PERSON)
    official = Amplitude("key", Config(min_id_length=1, server_url="http://127.0.0.1:9"))
    taken: list[BaseEvent] = []
    official.track = taken.append
    OfficialSink(official).send(sink.events[0])
    assert taken[0].get_event_body()["user_properties"] == sink.events[0]["user_properties"]
    official.shutdown()


def test_by_hand_they_are_set_too(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_user_message("u", "Hi", "s-1", user_properties={"plan": "pro"})
    assert [event["user_properties"] for event in sink] == [{"$set": {"plan": "pro"}}]


KEYWORDS: dict[str, Any] = {
    "user_id": "mary",
    "device_id": "device-1",
    "session_id": "c-1",
    "trace_id": "t-1",
    "turn_id": 7,
    "agent_id": "bot",
    "parent_agent_id": "boss",
    "customer_org_id": "acme",
    "agent_version": "2",
    "description": "Helps.",
    "context": {"a": 1},
    "env": "test",
    "event_properties": {"own": 1},
    "groups": {"company": "acme"},
    "is_regeneration": True,
    "was_copied": True,
    "prompt_id": "p-1",
}


def test_every_keyword_has_its_place(
    client: OpenAI, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    client.chat.completions.create(
        **chat("Hi", **{f"amplitude_{name}": value for name, value in KEYWORDS.items()})
    )
    said, answered = sink.events
    for event in (said, answered):
        told = event["event_properties"]
        assert (event["user_id"], event["device_id"], event["groups"]) == (
            "mary",
            "device-1",
            {"company": "acme"},
        )
        names = (
            "Session ID",
            "Trace ID",
            "Agent ID",
            "Parent Agent ID",
            "Customer Org ID",
            "Agent Version",
            "Env",
        )
        assert [told[f"[Agent] {name}"] for name in names] == [
            "c-1",
            "t-1",
            "bot",
            "boss",
            "acme",
            "2",
            "test",
        ]
        assert (told["own"], told["[Agent] Context"]) == (1, '{"a":1}')
    own = ("Turn ID", "Is Regeneration", "Was Copied", "Prompt ID")
    assert [answered["event_properties"].get(f"[Agent] {name}") for name in own] == [7, None, True, "p-1"]
    assert said["event_properties"]["[Agent] Is Regeneration"] is True
    assert caplog.text == ""


def test_a_keyword_that_no_event_has_is_said_once(
    client: OpenAI, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        client.chat.completions.create(**chat("Hi", amplitude_usr_id="ann", amplitude_user_id="u"))
    assert caplog.text.count("'usr_id'") == 1


def test_both_names_of_a_conversation_are_taken(client: OpenAI, sink: MemorySink) -> None:
    client.chat.completions.create(**chat("Hi", amplitude_user_id="u", amplitude_session_id="s-1"))
    client.chat.completions.create(**chat("Hi", amplitude_user_id="u", amplitude_conversation_id="s-2"))
    assert [event["event_properties"]["[Agent] Session ID"] for event in sink] == ["s-1"] * 2 + ["s-2"] * 2
