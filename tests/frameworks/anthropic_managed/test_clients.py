"""The vendor's own clients, sync and async: polls and streams."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import anthropic
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink, wrap
from amplitude_ai_integrations.frameworks.anthropic_managed import ManagedAgentTracker
from amplitude_ai_integrations.frameworks.anthropic_managed_thread import Thread

from ...events import types
from ...fakes.managed_server import SESSION, ManagedServer, text
from ..contract.graph import graph
from .conversation import first_turn, rest, second_turn


@pytest.fixture
def expected(fake: ManagedServer, client: Any) -> list[str]:
    """The graph of two turns, as one poll tells it."""
    first_turn(fake)
    second_turn(fake)
    sink = MemorySink()
    with AmplitudeAI(sink=sink).agent("concierge").session(SESSION, track_session_end=False) as session:
        ManagedAgentTracker().poll(session, client, SESSION)
    fake.reset()
    return graph(sink.events)


def _later(fake: ManagedServer) -> Any:
    return anthropic.AsyncAnthropic(api_key="k", base_url=fake.address, max_retries=0)


async def test_an_asynchronous_poll(
    expected: list[str], fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    first_turn(fake)
    second_turn(fake)
    tracker = ManagedAgentTracker()
    async with (
        _later(fake) as client,
        ai.agent("concierge").session(SESSION, track_session_end=False) as session,
    ):
        assert await tracker.apoll(session, client, SESSION)
        assert await tracker.apoll(session, client, SESSION) == []
        page = await client.beta.sessions.events.list(SESSION)
        assert tracker.process(session, page) == []
    assert graph(sink.events) == expected


def _happens(fake: ManagedServer) -> None:
    """Let the second turn happen while somebody listens."""
    fake.is_streaming.wait(5)
    second_turn(fake)
    fake.is_over.set()


def test_a_stream(
    expected: list[str], fake: ManagedServer, client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    first_turn(fake)
    happening = threading.Thread(target=_happens, args=(fake,))
    happening.start()
    with ai.agent("concierge").session(SESSION, track_session_end=False) as session:
        kinds = [event.type for event in ManagedAgentTracker().stream(session, client, SESSION)]
    happening.join()
    assert kinds[0] == "user.message"
    assert kinds[-1] == "session.status_idle"
    assert sorted(graph(sink.events)) == sorted(expected)


async def test_an_asynchronous_stream(
    expected: list[str], fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    first_turn(fake)
    happening = asyncio.create_task(asyncio.to_thread(_happens, fake))
    async with (
        _later(fake) as client,
        ai.agent("concierge").session(SESSION, track_session_end=False) as session,
    ):
        kinds = [event.type async for event in ManagedAgentTracker().astream(session, client, SESSION)]
    await happening
    assert kinds[-1] == "session.status_idle"
    assert sorted(graph(sink.events)) == sorted(expected)


def test_previews_in_a_stream(fake: ManagedServer, client: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    def happens() -> None:
        fake.is_streaming.wait(5)
        started = {"id": "sevt_3", "type": "agent.message"}
        fake.log[None].append({"type": "event_start", "event": started})
        delta = {"type": "content_delta", "index": 0, "content": text("Hel")[0]}
        fake.log[None].append({"type": "event_delta", "event_id": "sevt_3", "delta": delta})
        fake.log[None].append(
            {"type": "agent.message", "id": "sevt_3", "content": text("Hello."), "processed_at": None}
        )
        fake.is_over.set()

    happening = threading.Thread(target=happens)
    happening.start()
    with ai.agent("concierge").session(SESSION, track_session_end=False) as session:
        kinds = [
            event.type
            for event in ManagedAgentTracker().stream(
                session, client, SESSION, event_deltas=["agent.message"]
            )
        ]
    happening.join()
    assert kinds == ["event_start", "event_delta", "agent.message"]
    assert types(sink.events) == ["AI Response"]
    (stream,) = [asked for asked in fake.requests if asked["path"].endswith("/stream")]
    assert ["agent.message"] in stream["query"].values()


def test_a_stream_that_is_left(fake: ManagedServer, client: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    def happens() -> None:
        fake.is_streaming.wait(5)
        first_turn(fake)

    happening = threading.Thread(target=happens)
    happening.start()
    with ai.agent("concierge").session(SESSION, track_session_end=False) as session:
        for event in ManagedAgentTracker().stream(session, client, SESSION):
            if event.type == "session.status_idle":
                break
    happening.join()
    assert types(sink.events)[-1] == "Span"


def test_what_is_sent_comes_back_once(
    fake: ManagedServer, client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    tracker = ManagedAgentTracker()
    with ai.agent("concierge").session(SESSION, track_session_end=False) as session:
        client.beta.sessions.events.send(SESSION, events=[{"type": "user.message", "content": text("Hi")}])
        rest(fake)
        tracker.poll(session, client, SESSION)
    assert types(sink.events) == ["User Message"]


def test_an_observed_client_tells_nothing_of_its_own(
    expected: list[str], fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    first_turn(fake)
    second_turn(fake)
    observed = wrap(anthropic.Anthropic(api_key="k", base_url=fake.address), ai)
    session = ai.agent("concierge").session(SESSION, track_session_end=False)
    with observed as client, session:
        ManagedAgentTracker().poll(session, client, SESSION)
    assert graph(sink.events) == expected


def test_the_clients_errors_are_the_callers(fake: ManagedServer, client: Any, ai: AmplitudeAI) -> None:
    fake.fails = True
    session = ai.agent("concierge").session(SESSION, track_session_end=False)
    with session, pytest.raises(anthropic.NotFoundError):
        ManagedAgentTracker().poll(session, client, SESSION)


@pytest.mark.usefixtures("swallowing")
@pytest.mark.parametrize("name", ["read", "recall", "waits"])
def test_our_faults_are_not_felt(
    name: str, fake: ManagedServer, client: Any, ai: AmplitudeAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_given: Any) -> Any:
        raise RuntimeError("ours")

    monkeypatch.setattr(Thread, name, fault)
    first_turn(fake)
    with ai.agent("concierge").session(SESSION, track_session_end=False) as session:
        ManagedAgentTracker().poll(session, client, SESSION)
