"""Every event the package makes passes the check, and every kind of damage is named."""

from __future__ import annotations

import math
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, MessageLabel, SessionEnrichments
from amplitude_ai_integrations.schema.catalog import catalog
from amplitude_ai_integrations.testing import MockAmplitudeAI, problems_of

Damage = dict[str, Any]


def everything(config: AIConfig | None = None) -> list[dict[str, Any]]:
    """Return one event of each type, with a value of each kind."""
    mock = MockAmplitudeAI(config)
    agent = mock.agent("bot", context={"plan": "pro"}, groups={"org": "acme"}, device_id="d1")
    with agent.session("s1", user_id="u1", browser_session_id="1700000000000", tags=["a"]) as session:
        session.track_user_message(
            "Hello", labels=[MessageLabel("intent", "greeting")], attachments=[{"type": "pdf"}]
        )
        tools = [{"name": "search", "parameters": {"type": "object"}}]
        session.track_ai_message("Hi!", "gpt-4o", "openai", 100, input_tokens=10, tool_definitions=tools)
        session.track_tool_call("search", 5, True, input={"q": 1}, output="found")
        session.track_embedding("text-embedding-3-small", "openai", 3.0, input_tokens=4)
        session.track_span("rerank", 2.0, input_state="words", output_state=[1, 2])
        session.score("good", -1, "m-1")
        session.track_session_enrichment(SessionEnrichments(quality_score=0.5))
    return mock.events


@pytest.mark.parametrize("mode", ["full", "metadata_only", "customer_enriched"])
def test_what_the_package_makes_is_right_in_every_mode(mode: Any) -> None:
    events = everything(AIConfig(content_mode=mode, git_sha="abc"))
    sent = {event["name"] for event in catalog() if not event["server_side"]}
    assert {event["event_type"] for event in events} == sent
    assert [problems_of(event) for event in events] == [[]] * len(events)


def test_an_enrichment_of_which_nothing_may_leave_is_right() -> None:
    mock = MockAmplitudeAI(AIConfig(content_mode="metadata_only"))  # type: ignore[arg-type]
    mock.track_session_enrichment("u1", "s1", "good")  # type: ignore[arg-type]
    mock.assert_event_tracked("Session Enrichment", enrichments=None)
    assert problems_of(mock.events[0]) == []


def test_an_event_of_nobody_in_no_session_is_right() -> None:
    mock = MockAmplitudeAI()
    mock.track_user_message(content="Hello")
    assert problems_of(mock.events[0]) == []


@pytest.mark.parametrize(
    ("around", "problem"),
    [
        ({"event_type": "[Agent] Users Message"}, "There is no event type '[Agent] Users Message' (did you mean '[Agent] User Message'?)."),
        ({"event_type": None}, "There is no event type 'None'."),
        ({"event_properties": "x"}, "event_properties is str, not an object."),
        ({"user_id": None, "device_id": ""}, "It has neither user_id nor device_id."),
        ({"user_id": 7}, "user_id is 7: Expected `str`, got `int`."),
        ({"insert_id": None}, "It has no insert_id, by which Amplitude tells events apart."),
        ({"time": None}, "It has no time."),
        ({"time": "now"}, "time is 'now': Expected `int`, got `str`."),
        ({"time": 1_700_000_000}, "time is 1700000000, long ago; it is in milliseconds since the epoch."),
        ({"session_id": "1"}, "session_id is '1': Expected `int`, got `str`."),
        ({"groups": {"org": 1}}, "groups is {'org': 1}: Expected `str | array`, got `int` - at `$[...]`."),
        ({"platform": math.nan}, "It is not JSON: Out of range float values are not JSON compliant"),
        ({"platform": {1, 2}}, "It is not JSON: Object of type set is not JSON serializable."),
    ],
)  # fmt: skip
def test_damage_around_the_properties_is_named(around: Damage, problem: str) -> None:
    event = {key: value for key, value in {**everything()[0], **around}.items() if value is not None}
    (said,) = problems_of(event)
    assert said.startswith(problem.removesuffix("."))


@pytest.mark.parametrize(
    ("event_type", "damage", "problem"),
    [
        ("AI Response", {"[Agent] Modle Name": "x"}, "There is no property '[Agent] Modle Name' of [Agent] AI Response (did you mean '[Agent] Model Name'?)."),
        ("AI Response", {"[Agent] Tool Name": "x"}, "There is no property '[Agent] Tool Name' of [Agent] AI Response"),
        ("AI Response", {"[Agent] Model Name": None}, "[Agent] Model Name is missing."),
        ("AI Response", {"[Agent] Provider": ""}, "[Agent] Provider is empty."),
        ("AI Response", {"[Agent] Input Tokens": "10"}, "[Agent] Input Tokens is '10': Expected `int`, got `str`."),
        ("Tool Call", {"[Agent] Latency Ms": -0.5}, "[Agent] Latency Ms is -0.5, below 0."),
        ("AI Response", {"[Agent] Is Error": 1}, "[Agent] Is Error is 1: Expected `bool`, got `int`."),
        ("AI Response", {"$llm_message": "Hi!"}, "$llm_message is 'Hi!': Expected `object`, got `str`."),
        ("AI Response", {"$llm_message": {}}, "$llm_message is {}: Object missing required field `text`."),
        ("User Message", {"[Agent] Context": {"a": 1}}, "[Agent] Context is {'a': 1}: Expected `str`, got `object`."),
        ("User Message", {"[Agent] Context": "{'a': 1}"}, '[Agent] Context is "{\'a\': 1}", no JSON object or array.'),
        ("User Message", {"[Agent] Tags": "1"}, "[Agent] Tags is '1', no JSON object or array."),
        ("User Message", {"[Agent] Attachment Types": ["a", 1]}, "[Agent] Attachment Types is ['a', 1]: Expected `str`, got `int` - at `$[1]`."),
        ("User Message", {"[Agent] Content Mode": None}, "[Agent] Content Mode is missing."),
        ("Session Enrichment", {"[Agent] Enrichments": None}, "[Agent] Enrichments is missing."),
    ],
)  # fmt: skip
def test_damage_in_the_properties_is_named(event_type: str, damage: Damage, problem: str) -> None:
    (event,) = [event for event in everything() if event["event_type"] == f"[Agent] {event_type}"]
    properties = {**event["event_properties"], **damage}
    kept = {name: value for name, value in properties.items() if value is not None}
    (said,) = problems_of({**event, "event_properties": kept})
    assert said.startswith(problem.removesuffix("."))


def test_properties_of_yours_may_hold_any_json() -> None:
    (event,) = everything()[:1]
    event["event_properties"].update({"shop": ["north", {"floor": 1}], "[Amplitude] Page URL": "/"})
    assert problems_of(event) == []


def test_a_text_stands_for_itself_where_a_value_of_any_kind_may() -> None:
    (event,) = [event for event in everything() if event["event_type"] == "[Agent] Tool Call"]
    assert event["event_properties"]["[Agent] Tool Output"] == "found"
    assert problems_of(event) == []
