"""Several agents on one task: in a line, side by side, and picked on the way."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, BoundAgent, MemorySink, Session, keep_session

from .expected import answer, event, seen, tool, user

ANSWERED: dict[str, Any] = {"model": "gpt-4o", "provider": "openai", "latency_ms": 200.0}


def test_agents_hand_on_in_a_line(ai: AmplitudeAI, sink: MemorySink) -> None:
    orchestrator = ai.agent("orchestrator", env="production")
    with orchestrator.session(user_id="u1") as s:
        researcher = orchestrator.child("researcher")
        with researcher.session(session_id=s.session_id) as rs:
            rs.track_user_message(content="Find pricing info")
            rs.track_ai_message(content="Found 3 articles...", **ANSWERED)
        writer = orchestrator.child("writer")
        with writer.session(session_id=s.session_id) as ws:
            ws.track_ai_message(content="Here is a summary...", **ANSWERED)
    own = {"user_id": "u1", "env": "production", "session_id": "id-2", "trace_id": "id-3"}
    by_researcher = {**own, "agent_id": "researcher", "parent_agent_id": "orchestrator"}
    by_writer = {**own, "agent_id": "writer", "parent_agent_id": "orchestrator"}
    assert seen(sink) == [
        user("Find pricing info", message_id="id-1", turn_id=1, message_source="agent", **by_researcher),
        answer("Found 3 articles...", message_id="id-4", turn_id=2, latency_ms=200.0, **by_researcher),
        answer("Here is a summary...", message_id="id-5", turn_id=3, latency_ms=200.0, **by_writer),
        event("Session End", agent_id="orchestrator", **own),
    ]


def search(session: Session, agent: BoundAgent) -> None:
    with session.run_as(agent) as inner:
        inner.track_tool_call("search", 1.0, True)


def in_threads(session: Session, agents: list[BoundAgent]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(keep_session(search), [session] * len(agents), agents))


def in_tasks(session: Session, agents: list[BoundAgent]) -> None:
    async def gather() -> None:
        await asyncio.gather(*(asyncio.to_thread(search, session, agent) for agent in agents))

    asyncio.run(gather())


@pytest.mark.parametrize("spread", [in_threads, in_tasks])
def test_agents_fan_out_and_in_again(spread: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    orchestrator = ai.agent("orchestrator", context={"agent_type": "router"})
    names = ("researcher-db", "researcher-web")
    agents = [orchestrator.child(name, context={"agent_type": "retriever"}) for name in names]
    with orchestrator.session(user_id="u1") as s:
        s.track_user_message(content="Compare our pricing to competitors")
        spread(s, agents)
        s.track_ai_message(content="Based on research...", **ANSWERED)
    asked, *searches, answered, ended = seen(sink)
    searches.sort(key=lambda one: one["Agent ID"])
    assert [asked["Turn ID"], *sorted(one.pop("Turn ID") for one in searches), answered["Turn ID"]] == [
        1, 2, 3, 4,
    ]  # fmt: skip
    assert {one.pop("Invocation ID") for one in searches} == {"id-4", "id-5"}
    within = {"user_id": "u1", "session_id": "id-2", "trace_id": "id-3", "parent_message_id": "id-1"}
    retrieving = {"parent_agent_id": "orchestrator", "context": '{"agent_type":"retriever"}'}
    assert searches == [
        tool("search", latency_ms=1.0, agent_id=name, **within, **retrieving) for name in names
    ]
    assert [one["Agent ID"] for one in (asked, answered, ended)] == ["orchestrator"] * 3


def test_a_router_picks_its_specialist(ai: AmplitudeAI, sink: MemorySink) -> None:
    router = ai.agent("router", context={"agent_type": "router"})
    with router.session(user_id="u1") as s:
        s.track_user_message(content="I need a refund")
        specialist = router.child("specialist-refund", context={"agent_type": "executor"})
        with specialist.session(session_id=s.session_id) as ss:
            ss.track_ai_message(content="I can help with your refund...", **ANSWERED)
    assert [
        (one["type"], one["Agent ID"], one.get("Parent Agent ID"), one["Context"]) for one in seen(sink)
    ] == [
        ("User Message", "router", None, '{"agent_type":"router"}'),
        ("AI Response", "specialist-refund", "router", '{"agent_type":"executor"}'),
        ("Session End", "router", None, '{"agent_type":"router"}'),
    ]
