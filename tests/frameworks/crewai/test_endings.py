"""Runs that fail, are tried again, or are told to stop."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.frameworks.crewai import AmplitudeCrewAIHooks

from ...events import told
from ..contract.graph import graph
from .frames import Unframed
from .making import Making

pytestmark = pytest.mark.usefixtures("observed")

ANSWER = "answer 20+7 $0.00011"


def test_a_model_fails(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    with pytest.raises(openai.InternalServerError):
        make.crew("error500").kickoff()
    hooks.flush()
    assert graph(sink.events) == [
        "None",
        "  Session End",
        "concierge",
        "  user: error500",
        "  answer None+None $None:  failed",
        "span answer by None in desk failed",
        "span concierge by concierge in answer failed",
        "span desk by None failed",
    ]
    errors = [
        (event.get("Span Name"), event["Error Type"])
        for event in told(sink.events)
        if event.get("Is Error") and event["type"] != "Session End"
    ]
    assert errors == [
        (None, "LLMCallFailed"),
        ("concierge", "InternalServerError"),
        ("answer", "InternalServerError"),
        ("desk", "InternalServerError"),
    ]


def test_an_agent_tries_again(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    make.crew("error500x1 echo:Yes.", max_retry_limit=1).kickoff()
    hooks.flush()
    assert graph(sink.events) == [
        "None",
        "  Session End",
        "concierge",
        "  user: error500x1 echo:Yes.",
        "  answer None+None $None:  failed",
        f"  {ANSWER}: Yes.",
        "span answer by None in desk",
        "span concierge by concierge in answer",
        "span concierge by concierge in answer failed",
        "span desk by None",
    ]


def test_a_model_is_asked_again(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    make.crew("error429x1 echo:Yes.").kickoff()
    hooks.flush()
    assert graph(sink.events)[2:6] == [
        "concierge",
        "  user: error429x1 echo:Yes.",
        "  answer None+None $None:  failed",
        f"  {ANSWER}: Yes.",
    ]


STOPPED = [
    "concierge",
    "  user: stall",
    "  answer None+None $None:  CancelledError",
    "span answer by None in desk CancelledError",
    "span concierge by concierge in answer CancelledError",
    "span desk by None CancelledError",
]


class TestStopped:
    async def test_cancelled(
        self, hooks: AmplitudeCrewAIHooks, make: Making, fake: Unframed, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        async with ai.agent().session(user_id="user-2", track_session_end=False):
            run = asyncio.create_task(make.crew("stall").akickoff())
            await asked(fake)
            hooks.flush()
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
        assert graph(sink.events) == STOPPED
        fake.release()
        await asyncio.sleep(0.2)  # the thread that CrewAI asks the model in hears the answer yet
        hooks.flush()
        assert graph(sink.events) == STOPPED

    async def test_out_of_time(
        self, hooks: AmplitudeCrewAIHooks, make: Making, fake: Unframed, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        async with ai.agent().session(user_id="user-2", track_session_end=False):
            run = asyncio.create_task(within(0.3, make.crew("stall").akickoff()))
            with pytest.raises(asyncio.TimeoutError):
                await run
        assert graph(sink.events) == STOPPED
        fake.release()

    async def test_a_crew_in_a_thread_goes_on(
        self, hooks: AmplitudeCrewAIHooks, make: Making, fake: Unframed, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        async with ai.agent().session(user_id="user-2", track_session_end=False):
            run = asyncio.create_task(make.crew("stall").kickoff_async())
            await asked(fake)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
        fake.release()
        for _ in range(100):
            hooks.flush()
            if len(sink.events) == 5:
                break
            await asyncio.sleep(0.02)
        assert graph(sink.events) == [
            "concierge",
            "  user: stall",
            f"  {ANSWER}: One two three four.",
            "span answer by None in desk",
            "span concierge by concierge in answer",
            "span desk by None",
        ]


async def asked(fake: Unframed) -> None:
    while not fake.requests:
        await asyncio.sleep(0.01)


async def within(seconds: float, run: Any) -> Any:
    return await asyncio.wait_for(run, seconds)


def test_a_model_is_asked_several_times(hooks: AmplitudeCrewAIHooks, make: Making, sink: MemorySink) -> None:
    """Each failure is told twice, and CrewAI then names what is further out as what calls and ends are of."""
    make.crew("error429x2 echo:Yes.").kickoff()
    hooks.flush()
    assert graph(sink.events) == [
        "None",
        "  Session End",
        "concierge",
        "  user: error429x2 echo:Yes.",
        *["  answer None+None $None:  failed"] * 2,
        f"  {ANSWER}: Yes.",
        "span answer by None in desk",
        "span concierge by concierge in answer",
        "span desk by None",
    ]
