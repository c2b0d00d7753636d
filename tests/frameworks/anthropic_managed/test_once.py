"""Each event once: across polls, restarts, processes and threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.frameworks.anthropic_managed import ManagedAgentTracker

from ...events import types
from ...fakes.managed_server import MODEL, SESSION, ManagedServer
from ..contract.graph import graph, ids
from .conversation import ask, first_turn, rest, second_turn

Event = dict[str, Any]


def _process(tracker: ManagedAgentTracker, events: Any) -> list[Event]:
    """Return what a tracker tells of events."""
    sink = MemorySink()
    with (
        AmplitudeAI(sink=sink)
        .agent("concierge")
        .session(SESSION, user_id="u", track_session_end=False) as session
    ):
        tracker.process(session, events)
    return sink.events


def _seen(events: list[Event]) -> list[Event]:
    """Return events without what counts within a process."""
    for event in events:
        event["event_properties"].pop("[Agent] Turn ID", None)
    return [{**event, "time": event["time"]} for event in events]


@pytest.fixture
def log(fake: ManagedServer) -> list[Event]:
    """All that happened in a session of two turns."""
    first_turn(fake)
    second_turn(fake)
    return fake.log[None]


@pytest.fixture
def whole(log: list[Event]) -> list[Event]:
    """What is told of it by one tracker at once."""
    events = _seen(_process(ManagedAgentTracker(default_model=MODEL), log))
    assert len(events) == 10
    return events


def test_polls_that_return_all_each_time(log: list[Event], whole: list[Event]) -> None:
    tracker = ManagedAgentTracker(default_model=MODEL)
    told = [event for end in range(len(log) + 1) for event in _process(tracker, log[:end])]
    assert _seen(told) == whole


def test_events_one_by_one(log: list[Event], whole: list[Event]) -> None:
    tracker = ManagedAgentTracker(default_model=MODEL)
    assert _seen([told for event in log for told in _process(tracker, event)]) == whole


def test_a_restart_at_each_event(log: list[Event], whole: list[Event]) -> None:
    for end in range(len(log) + 1):
        before = ManagedAgentTracker(default_model=MODEL)
        told = _process(before, log[:end])
        after = ManagedAgentTracker(default_model=MODEL, seen_ids=before.seen_ids)
        told += _process(after, log)
        assert _seen(told) == whole, end
        assert sorted(after.seen_ids) == sorted({*after.seen_ids})


def test_a_restart_that_forgot_all_tells_the_same_under_the_same_ids(
    log: list[Event], whole: list[Event]
) -> None:
    again = _seen(_process(ManagedAgentTracker(default_model=MODEL), log))
    assert again == whole
    assert len({event["insert_id"] for event in again}) == len(again)


def test_polls_go_on_where_the_last_one_ended(
    fake: ManagedServer, client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    tracker = ManagedAgentTracker()
    with ai.agent("concierge").session(SESSION, track_session_end=False) as session:
        first_turn(fake)
        assert len(tracker.poll(session, client, SESSION)) == len(fake.log[None])
        told = len(sink.events)
        assert tracker.poll(session, client, SESSION) == []
        assert len(sink.events) == told
        fake.say("session.status_running", after=600)
        rest(fake)
        assert [event.type for event in tracker.poll(session, client, SESSION)] == [
            "session.status_running",
            "session.status_idle",
        ]
        fake.requests.clear()
        assert tracker.poll(session, client, SESSION) == []
    (asked,) = fake.requests  # one page, of the last minute's
    assert "created_at[gte]" in asked["query"]


def test_restarted_polls_with_subagents(
    fake: ManagedServer, client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    first_turn(fake)
    second_turn(fake)
    tracker = ManagedAgentTracker()
    with ai.agent("concierge").session(SESSION, track_session_end=False) as session:
        tracker.poll(session, client, SESSION)
        told = len(sink.events)
        ManagedAgentTracker(seen_ids=tracker.seen_ids).poll(session, client, SESSION)
    assert len(sink.events) == told == 13


def test_sessions_side_by_side_do_not_mix(ai: AmplitudeAI, sink: MemorySink) -> None:
    tracker = ManagedAgentTracker(default_model=MODEL)
    logs: dict[str, list[Event]] = {}
    for number in range(8):
        fake = _Log(f"s{number}-")
        first_turn(fake)
        logs[f"session-{number}"] = fake.log[None]

    def read(name: str) -> None:
        with ai.agent("concierge").session(name, user_id=name, track_session_end=False) as session:
            for event in logs[name]:
                tracker.process(session, event)

    threads = [threading.Thread(target=read, args=(name,)) for name in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in logs:
        own = [event for event in sink.events if event["event_properties"]["[Agent] Session ID"] == name]
        assert len(own) == 7
        assert {event["user_id"] for event in own} == {name}
        assert len(ids(own, "Trace ID")) == 1
        assert graph(own)[1] == "  user: What about Paris?"


class _Log(ManagedServer):
    """A log without a server, whose events' ids are its own."""

    def __init__(self, prefix: str) -> None:
        self.requests = []
        self._prefix = prefix
        self.reset()

    def say(self, *given: Any, **named: Any) -> Event:
        event = super().say(*given, **named)
        event["id"] = self._prefix + event["id"]
        return event


def test_an_agent_that_is_bound_to_a_session(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    ask(fake)
    rest(fake)
    agent = ai.agent("concierge", session_id=SESSION, user_id="u")
    ManagedAgentTracker().process(agent, fake.log[None])
    assert types(sink.events) == ["User Message", "Span"]
    assert ids(sink.events, "Session ID") == {SESSION}


def test_it_forgets_what_was_long_ago(ai: AmplitudeAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amplitude_ai_integrations.frameworks.anthropic_managed._MOST_EVENTS", 100)
    tracker = ManagedAgentTracker()
    with ai.agent().session(SESSION, track_session_end=False) as session:
        for number in range(1_000):
            events = [
                {"type": "agent.message", "id": f"m{number}"},
                {"type": "agent.tool_use", "id": f"t{number}"},
            ]
            tracker.process(session, events)
    assert len(tracker.seen_ids) <= 100
    assert "m999" in tracker.seen_ids
