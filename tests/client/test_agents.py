"""Agents, their children and their customers: what each event inherits, and what wins."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, ConfigurationError, MemorySink
from tests.client.test_hostile import HOSTILE, LyingMapping, Raising
from tests.events import told, types

EVERYTHING: dict[str, Any] = {
    "user_id": "user-1",
    "parent_agent_id": "above",
    "customer_org_id": "acme",
    "agent_version": "v4.2",
    "agent_name": "The Orchestrator",
    "description": "Directs the others",
    "context": {"variant": "b", "surface": "chat"},
    "env": "production",
    "locale": "de-AT",
    "session_id": "of-agents",
    "trace_id": "trace-1",
    "groups": {"company": "acme", "team": ["a", "b"]},
    "device_id": "device-1",
    "browser_session_id": 1700000000000,
}
BOUND: dict[str, Any] = {
    "type": "Span",
    "user_id": "user-1",
    "device_id": "device-1",
    "session_id": 1700000000000,
    "groups": {"company": "acme", "team": ["a", "b"]},
    "Session ID": "of-agents",
    "Trace ID": "trace-1",
    "Agent ID": "orchestrator",
    "Agent Name": "The Orchestrator",
    "Parent Agent ID": "above",
    "Customer Org ID": "acme",
    "Agent Version": "v4.2",
    "Agent Description": "Directs the others",
    "Context": '{"variant":"b","surface":"chat"}',
    "Env": "production",
    "Locale": "de-AT",
    "[Amplitude] Session Replay ID": "device-1/1700000000000",
    "Span ID": "id-1",
    "Span Name": "look",
    "Latency Ms": 0.0,
    "Is Error": False,
}


def _without(event: dict[str, Any], *names: str, **changes: Any) -> dict[str, Any]:
    return {**{name: value for name, value in event.items() if name not in names}, **changes}


def test_an_agent_fills_in_everything_it_was_given(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.agent("orchestrator", **EVERYTHING).track_span("look")
    assert told(sink) == [BOUND]


def test_a_child_inherits_all_but_name_description_and_parent(ai: AmplitudeAI, sink: MemorySink) -> None:
    orchestrator = ai.agent("orchestrator", **EVERYTHING)
    researcher = orchestrator.child("researcher", context={"surface": "web", "kind": "retriever"})
    researcher.track_span("look")
    changes = {
        "Agent ID": "researcher",
        "Parent Agent ID": "orchestrator",
        "Context": '{"variant":"b","surface":"web","kind":"retriever"}',
    }
    assert told(sink) == [_without(BOUND, "Agent Name", "Agent Description", **changes)]
    assert researcher.context == {"variant": "b", "surface": "web", "kind": "retriever"}
    assert orchestrator.context == {"variant": "b", "surface": "chat"}
    assert (researcher.agent_id, researcher.parent_agent_id) == ("researcher", "orchestrator")


def test_what_a_child_is_given_wins(ai: AmplitudeAI, sink: MemorySink) -> None:
    own: dict[str, Any] = {
        "user_id": "user-2",
        "parent_agent_id": "someone",
        "customer_org_id": "globex",
        "agent_version": "v1",
        "agent_name": "R",
        "description": "Looks things up",
        "env": "staging",
        "locale": "en-US",
        "session_id": "of-the-child",
        "trace_id": "trace-2",
        "groups": {"company": "globex"},
        "device_id": "device-2",
        "browser_session_id": "1700000000001",
    }
    ai.agent("orchestrator", **EVERYTHING).child("researcher", **own).track_span("look")
    changes = {
        "user_id": "user-2",
        "device_id": "device-2",
        "session_id": 1700000000001,
        "groups": {"company": "globex"},
        "Session ID": "of-the-child",
        "Trace ID": "trace-2",
        "Agent ID": "researcher",
        "Agent Name": "R",
        "Parent Agent ID": "someone",
        "Customer Org ID": "globex",
        "Agent Version": "v1",
        "Agent Description": "Looks things up",
        "Env": "staging",
        "Locale": "en-US",
        "[Amplitude] Session Replay ID": "device-2/1700000000001",
    }
    assert told(sink) == [_without(BOUND, **changes)]


def test_children_of_children_know_their_parents(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("a", env="prod", session_id="of-chains", user_id="user-1")
    for name in ("b", "c", "d"):
        agent = agent.child(name)
        agent.track_span("x")
    assert [(event["Agent ID"], event["Parent Agent ID"], event["Env"]) for event in told(sink)] == [
        ("b", "a", "prod"),
        ("c", "b", "prod"),
        ("d", "c", "prod"),
    ]


def test_a_child_without_a_name_is_a_child_all_the_same(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.agent("orchestrator", agent_version="v4.2", session_id="of-nobody").child().track_span("x")
    event = told(sink)[0]
    assert "Agent ID" not in event
    assert (event["Parent Agent ID"], event["Agent Version"]) == ("orchestrator", "v4.2")


def test_explicit_wins_over_bound_and_bound_over_the_session(ai: AmplitudeAI, sink: MemorySink) -> None:
    around = ai.agent("outer", env="of-session", locale="of-session", customer_org_id="of-session")
    bound = ai.agent("inner", env="of-agent", locale="of-agent", user_id="of-agent")
    with around.session(user_id="of-session", device_id="of-session", track_session_end=False):
        bound.track_span("x", locale="explicit", user_id="explicit")
        bound.track_span("x", env=None)
    first, second = told(sink)
    assert (first["Locale"], first["Env"], first["Customer Org ID"]) == ("explicit", "of-agent", "of-session")
    assert first["user_id"] == "explicit"
    assert (second["Locale"], second["Env"], second["user_id"]) == ("of-agent", "of-agent", "of-agent")
    assert first["Agent ID"] == second["Agent ID"] == "inner"


def test_a_tenant_lends_its_organization_groups_and_environment(ai: AmplitudeAI, sink: MemorySink) -> None:
    tenant = ai.tenant("acme", groups={"company": "acme"}, env="production")
    tenant.agent("support", user_id="user-1", session_id="of-tenants").track_span("x")
    tenant.agent("billing", user_id="user-1", session_id="of-tenants", env="staging",
                 groups={"company": "sub"}, customer_org_id="sub").track_span("x")  # fmt: skip
    tenant.agent("billing", user_id="user-1", session_id="of-tenants", env=None, groups=None).track_span("x")
    ours = {"type": "Span", "user_id": "user-1", "Session ID": "of-tenants", "Span Name": "x",
            "Latency Ms": 0.0, "Is Error": False}  # fmt: skip
    acme = {"Customer Org ID": "acme", "Env": "production", "groups": {"company": "acme"}}
    sub = {"Customer Org ID": "sub", "Env": "staging", "groups": {"company": "sub"}}
    assert told(sink) == [
        {**ours, **acme, "Agent ID": "support", "Span ID": "id-1"},
        {**ours, **sub, "Agent ID": "billing", "Span ID": "id-2"},
        {**ours, **acme, "Agent ID": "billing", "Span ID": "id-3"},
    ]


def test_an_agents_children_belong_to_its_tenant(ai: AmplitudeAI, sink: MemorySink) -> None:
    child = ai.tenant("acme", groups={"company": "acme"}).agent("support").child("billing")
    child.track_span("x", session_id="of-tenants")
    event = told(sink)[0]
    assert (event["Customer Org ID"], event["groups"]) == ("acme", {"company": "acme"})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda ai: ai.agent("a", colour="red"), r"agent\(\) takes no 'colour'; it takes .*env.*user_id"),
        (lambda ai: ai.agent("a").child("b", agentid="c"), r"agent\(\) takes no 'agentid'"),
        (lambda ai: ai.tenant("acme").agent("a", customer_org="b"), r"agent\(\) takes no 'customer_org'"),
        (lambda ai: ai.agent("a").session(agent_id="b"), r"session\(\) takes no 'agent_id'; .*tags.*user_id"),
    ],
)
def test_an_unknown_option_is_said_in_a_sentence(ai: AmplitudeAI, make: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        make(ai)
    assert isinstance(raised.value, ValueError)


def test_what_is_empty_was_not_given(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.agent("bot", env="prod", session_id="of-empty").child("", env="", description="").track_span("")
    event = told(sink)[0]
    assert "Agent ID" not in event
    assert "Agent Description" not in event
    assert event["Env"] == "prod"


def test_options_are_taken_as_they_were(ai: AmplitudeAI, sink: MemorySink) -> None:
    context: dict[str, Any] = {"flags": {"rag": True}}
    groups = {"team": ["a"]}
    agent = ai.agent("bot", context=context, groups=groups, session_id="of-before")
    context["flags"]["rag"] = False
    groups["team"].append("b")
    agent.context["flags"] = "changed"  # type: ignore[index]
    agent.track_span("x")
    event = told(sink)[0]
    assert event["Context"] == '{"flags":{"rag":true}}'
    assert event["groups"] == {"team": ["a"]}


@pytest.mark.parametrize("option", sorted(EVERYTHING))
@pytest.mark.parametrize("value", [*HOSTILE, "mapping that lies"])
def test_no_option_breaks_an_agent_its_child_or_its_session(
    ai: AmplitudeAI, sink: MemorySink, option: str, value: str
) -> None:
    made: Any = LyingMapping(a=1) if value == "mapping that lies" else HOSTILE[value]()
    agent = ai.agent("bot", **{"context": {"a": 1}, option: made})
    child = agent.child("child", **{"context": {"b": 2}, option: made})
    with child.session(), child.session().run_as(agent) as session:
        for door in (agent, child, session):
            door.track_span("x")
    assert len([event for event in sink if event["event_type"] == "[Agent] Span"]) == 3
    assert agent.context is None or isinstance(agent.context, dict)


@pytest.mark.parametrize(
    "option", ["user_id", "device_id", "browser_session_id", "tags", "auto_flush", "track_session_end"]
)
@pytest.mark.parametrize("value", HOSTILE)
def test_no_option_breaks_a_session(ai: AmplitudeAI, sink: MemorySink, option: str, value: str) -> None:
    made: Any = HOSTILE[value]()
    with (
        ai.agent("bot").session(**{option: made}),
        ai.agent("bot").session(made, **{option: made}) as session,
    ):
        session.track_user_message("x")
        session.track_tool_call("t")
        session.set_enrichments(made)
    assert types(sink)[:2] == ["User Message", "Tool Call"]


def test_no_tenant_breaks_its_agents(ai: AmplitudeAI, sink: MemorySink) -> None:
    for made in (Raising(), LyingMapping(a=1), 5, [], object()):
        ai.tenant(made, groups=made, env=made).agent(made).track_span("x")  # type: ignore[arg-type]
    assert len(sink.events) == 5
