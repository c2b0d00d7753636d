"""Who hears of what: blocks, doors of a whole process, sessions side by side, and an end to all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from crewai.events import CrewKickoffStartedEvent, crewai_event_bus
from crewai.hooks import InterceptionPoint, get_hooks

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.frameworks.crewai import AmplitudeCrewAIHooks

from ...events import types
from ..contract.graph import graph, ids
from .making import Making

ALL = ["User Message", "AI Response", "Span", "Span", "Span", "Session End"]


def side_by_side(*runs: Callable[[], Any]) -> None:
    with ThreadPoolExecutor(len(runs)) as pool:
        for result in [pool.submit(run) for run in runs]:
            result.result()


def test_a_block_hears_of_what_is_begun_inside(make: Making, ai: AmplitudeAI, sink: MemorySink) -> None:
    make.crew("echo:Before.").kickoff()
    with AmplitudeCrewAIHooks(ai, user_id="user-1") as hooks:
        assert isinstance(hooks, AmplitudeCrewAIHooks)
        make.crew("echo:Inside.").kickoff()
    assert types(sink.events) == ALL  # with nothing left to wait for
    make.crew("echo:After.").kickoff()
    crewai_event_bus.flush()
    assert len(sink.events) == len(ALL)


@pytest.mark.usefixtures("observed")
def test_blocks_side_by_side(make: Making, ai: AmplitudeAI, sink: MemorySink) -> None:
    both = threading.Barrier(2)

    def run(user: str) -> Callable[[], None]:
        def inside() -> None:
            with AmplitudeCrewAIHooks(ai, user_id=user):
                both.wait(10)
                make.crew(f"echo:{user}.").kickoff()
                both.wait(10)

        return inside

    side_by_side(run("ann"), run("ben"))
    for user in ("ann", "ben"):
        own = [event for event in sink.events if event["user_id"] == user]
        assert types(own) == ALL
        assert own[1]["event_properties"]["$llm_message"]["text"] == f"{user}."
        assert len(ids(own, "Session ID")) == 1


def test_one_door_as_several_blocks(make: Making, ai: AmplitudeAI, sink: MemorySink) -> None:
    hooks, both = AmplitudeCrewAIHooks(ai), threading.Barrier(2)

    def run() -> None:
        with hooks:
            both.wait(10)
            make.crew("echo:Yes.").kickoff()

    side_by_side(run, run)
    assert sorted(types(sink.events)) == sorted(ALL * 2)
    assert len(ids(sink.events, "Session ID")) == 2


@pytest.mark.usefixtures("observed")
def test_sessions_side_by_side(
    hooks: AmplitudeCrewAIHooks, make: Making, ai: AmplitudeAI, sink: MemorySink
) -> None:
    names = [f"session-{uuid4()}" for _ in range(4)]

    def run(name: str) -> Callable[[], None]:
        def inside() -> None:
            with ai.agent().session(name, user_id=name, track_session_end=False):
                make.crew(f"echo:{name}.").kickoff()

        return inside

    side_by_side(*map(run, names))
    hooks.flush()
    for name in names:
        own = [event for event in sink.events if event["event_properties"]["[Agent] Session ID"] == name]
        assert types(own) == ALL[:-1]
        assert {event["user_id"] for event in own} == {name}
        assert own[1]["event_properties"]["$llm_message"]["text"] == f"{name}."
        assert len(ids(own, "Trace ID")) == 1


def test_a_thread_that_knows_nothing_of_the_block(make: Making, ai: AmplitudeAI, sink: MemorySink) -> None:
    with AmplitudeCrewAIHooks(ai, user_id="user-1"):
        side_by_side(make.crew("echo:Yes.").kickoff)
    assert types(sink.events) == ALL


def test_a_block_inside_the_hearing_of_another(
    hooks: AmplitudeCrewAIHooks, make: Making, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with AmplitudeCrewAIHooks(ai, user_id="user-2"):
        make.crew("echo:Yes.").kickoff()
    hooks.flush()
    assert types(sink.events) == ALL
    assert {event["user_id"] for event in sink.events} == {"user-2"}


def test_registered_twice_it_hears_once(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    assert hooks.register() is hooks
    make.crew("echo:Yes.").kickoff()
    hooks.flush()
    assert types(sink.events) == ALL


def test_nothing_stays_with_crewai(make: Making, ai: AmplitudeAI) -> None:
    handlers, hooks = _handlers(), len(get_hooks(InterceptionPoint.EXECUTION_START))
    door = AmplitudeCrewAIHooks(ai, user_id="user-1").register()
    make.crew("echo:Yes.").kickoff()
    assert _handlers() == handlers + 1
    door.close()
    door.close()
    assert _handlers() == handlers
    assert len(get_hooks(InterceptionPoint.EXECUTION_START)) == hooks


def _handlers() -> int:
    return len(crewai_event_bus._async_handlers.get(CrewKickoffStartedEvent, ()))


def test_switched_off(make: Making) -> None:
    sink = MemorySink()
    with AmplitudeCrewAIHooks(AmplitudeAI(sink=sink, config=AIConfig(enabled=False)), user_id="user-1"):
        make.crew("echo:Yes.").kickoff()
    assert sink.events == []


def test_wrong_arguments(ai: AmplitudeAI) -> None:
    with pytest.raises(ConfigurationError, match="AmplitudeCrewAIHooks"):
        AmplitudeCrewAIHooks(ai, user="user-1")  # type: ignore[call-arg]


def test_crews_that_never_end(make: Making, ai: AmplitudeAI, sink: MemorySink) -> None:
    door = AmplitudeCrewAIHooks(ai, user_id="user-1").register()
    door._watching.tree._limit = 100
    crew = make.crew("echo:Yes.")
    for _ in range(150):
        crewai_event_bus.emit(
            crew, CrewKickoffStartedEvent(crew_name="desk", inputs=None, parent_event_id="none")
        )
    door.close()
    assert len(door._watching.tree) == 100
    lost = [event for event in sink.events if "Span" in event["event_type"]]
    assert {event["event_properties"]["[Agent] Error Type"] for event in lost} == {"NeverEnded"}
    assert len(lost) == 50
    assert graph(lost)[0].startswith("span desk")
