"""``timeout_ms``: what takes longer raises, and the event says so."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.decorators import tool
from amplitude_ai_integrations.context.current import get_active_context

from ...events import told


class Interrupt(BaseException):
    """Wants the program to end."""


LATE = "slow took longer than 20 ms"


def slow() -> None:
    threading.Event().wait(0.2)


async def slow_later() -> None:
    await asyncio.sleep(10)


slow_later.__name__ = "slow"


@pytest.mark.parametrize("way", ["function", "coroutine"])
def test_what_takes_too_long_raises(way: str, ai: AmplitudeAI, sink: MemorySink) -> None:
    limit = tool(amplitude=ai, user_id="user-1", timeout_ms=20)
    started = time.perf_counter()
    with pytest.raises(TimeoutError, match=LATE):
        limit(slow)() if way == "function" else asyncio.run(limit(slow_later)())
    assert time.perf_counter() - started < 0.15
    (call,) = told(sink.events)
    failure = {"Is Error": True, "Tool Success": False, "Error Type": "TimeoutError", "Error Message": LATE}
    assert failure.items() <= call.items()


@pytest.mark.parametrize("error", [None, TimeoutError("its own"), KeyError("k"), Interrupt()])
@pytest.mark.parametrize("way", ["function", "coroutine"])
def test_what_is_in_time_ends_as_it_would(way: str, error: BaseException | None, ai: AmplitudeAI) -> None:
    def work(q: str) -> Any:
        if error is not None:
            raise error
        return q, get_active_context() is not None

    async def work_later(q: str) -> Any:
        return work(q)

    limited = tool(work, timeout_ms=5_000) if way == "function" else tool(work_later, timeout_ms=5_000)

    def call() -> Any:
        return limited("a") if way == "function" else asyncio.run(limited("a"))

    with ai.agent("bot").session():
        if error is None:
            assert call() == ("a", True)
            return
        with pytest.raises(type(error)) as caught:
            call()
    assert caught.value is error


def test_the_limit_holds_where_nothing_is_recorded() -> None:
    with pytest.raises(TimeoutError, match=LATE):
        tool(slow, timeout_ms=20)()


async def test_a_cancelled_call_cancels_its_work_and_is_recorded_as_cancelled(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    ended = []

    @tool(amplitude=ai, user_id="user-1", timeout_ms=5_000)
    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ended.append(True)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]
    assert [event["Error Type"] for event in told(sink.events)] == ["CancelledError"]


async def test_work_that_answers_its_cancelling_keeps_its_answer(ai: AmplitudeAI) -> None:
    @tool(amplitude=ai, user_id="user-1", timeout_ms=10)
    async def work() -> str:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "as far as it got"
        return "all"

    assert await work() == "as far as it got"
