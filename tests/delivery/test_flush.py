"""`flush`, `aflush` and `shutdown` tell the truth, and hold up nobody."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from amplitude import Amplitude, Config

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.delivery.flush import FlushResult
from tests.fakes.faults import FaultServer
from tests.fakes.faults_answers import hang, invalid_key, ok, refusing, slow, status
from tests.fakes.faults_plan import Step

from .conftest import Make
from .told import names, until

HALF = refusing("invalid", lambda event: event["user_id"] == "bad")


def spans(ai: AmplitudeAI, number: int, user: str = "user-1") -> None:
    for each in range(number):
        ai.track_span(user, str(each))


def counts(result: FlushResult) -> tuple[int, int, int]:
    return result.delivered, result.pending, result.dead


def test_nothing_tracked_is_delivered_at_once(make: Make, server: FaultServer) -> None:
    ai = make()
    result = ai.flush()
    assert result.done()
    assert counts(result) == (0, 0, 0)
    assert ai.flush(timeout=5).done()
    assert server.requests == 0


def test_flush_returns_before_the_server_answers(make: Make, server: FaultServer) -> None:
    server.plan(Step(slow(0.3)))
    ai = make()
    spans(ai, 3)
    result = ai.flush()
    assert not result.done()
    assert counts(result) == (0, 3, 0)
    result.result(10)
    assert counts(result) == (3, 0, 0)
    assert names(server.events.values()) == ["0", "1", "2"]


def test_older_code_iterates_over_what_flush_returns(make: Make, server: FaultServer) -> None:
    ai = make()
    spans(ai, 3)
    parts = list(ai.flush())
    for part in parts:
        part.result(10)
    assert parts
    assert len(server.events) == 3


def test_flush_with_a_timeout_waits_for_the_server(make: Make, server: FaultServer) -> None:
    server.plan(Step(slow(0.3)))
    ai = make()
    spans(ai, 3)
    assert counts(ai.flush(timeout=10)) == (3, 0, 0)


def test_what_was_refused_is_dead_and_the_rest_delivered(make: Make, server: FaultServer) -> None:
    server.plan(Step(HALF))
    ai = make()
    spans(ai, 2)
    spans(ai, 3, "bad")
    assert counts(ai.flush(timeout=10)) == (2, 0, 3)
    assert ai.status()["events"] == {"delivered": 2, "pending": 0, "dead": 3}


@pytest.mark.parametrize("step", [Step(None), Step(hang), Step(status(500)), Step(invalid_key)])
def test_a_timeout_ends_the_wait_for_a_server_that_does_not_take_them(
    make: Make, server: FaultServer, step: Step, caplog: pytest.LogCaptureFixture
) -> None:
    server.plan(step)
    ai = make()
    spans(ai, 3)
    with caplog.at_level(logging.WARNING):
        result = ai.flush(timeout=0.3)
    assert not result.done()
    assert counts(result) == (0, 3, 0)
    assert "not delivered" not in caplog.text  # whoever names a time looks at the result


def test_what_was_pending_is_delivered_once_the_server_is_back(make: Make, server: FaultServer) -> None:
    server.plan(Step(None))
    ai = make()
    spans(ai, 3)
    late = ai.flush(timeout=0.2)
    server.plan(Step(ok))
    late.result(10)
    assert counts(late) == (3, 0, 0)


def test_two_flushes_at_once_are_both_done(make: Make, server: FaultServer) -> None:
    server.plan(Step(slow(0.2)))
    ai = make()
    spans(ai, 1)
    first = ai.flush()
    spans(ai, 1)
    second = ai.flush()
    first.result(10)
    second.result(10)
    assert counts(second) == (2, 0, 0)
    assert counts(ai.flush(timeout=10)) == (2, 0, 0)


def test_many_threads_flush_what_they_track(make: Make, server: FaultServer) -> None:
    ai = make()
    left: list[int] = []

    def work() -> None:
        for _ in range(5):
            ai.track_span("user-1", "x")
            left.append(ai.flush(timeout=20).done())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert left == [True] * 40
    assert ai.status()["events"] == {"delivered": 40, "pending": 0, "dead": 0}


def test_giving_up_a_wait_does_not_cancel_the_delivery(make: Make, server: FaultServer) -> None:
    server.plan(Step(slow(0.3)))
    ai = make()
    spans(ai, 1)
    result = ai.flush()
    assert not result.cancel()
    result.result(10)
    assert counts(result) == (1, 0, 0)


@contextmanager
def ticking() -> Iterator[list[float]]:
    """Note how late the loop was each time that it had something to do."""
    lags: list[float] = []

    async def tick() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            lags.append(time.monotonic() - began - 0.005)

    task = asyncio.get_running_loop().create_task(tick())
    try:
        yield lags
    finally:
        task.cancel()


async def test_a_future_of_asyncio_is_made_of_it(make: Make, server: FaultServer) -> None:
    server.plan(Step(slow(0.3)))
    ai = make()
    spans(ai, 2)
    with ticking() as lags:
        await asyncio.wait_for(asyncio.wrap_future(ai.flush()), 10)
    assert len(server.events) == 2
    assert len(lags) > 5


async def test_aflush_waits_without_holding_up_the_loop(make: Make, server: FaultServer) -> None:
    server.plan(Step(slow(0.5)))
    ai = make()
    spans(ai, 2)
    with ticking() as lags:
        result = await ai.aflush()
    assert counts(result) == (2, 0, 0)
    assert len(lags) > 10


async def test_aflush_ends_with_its_timeout(
    make: Make, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.plan(Step(hang))
    ai = make()
    spans(ai, 2)
    with ticking() as lags, caplog.at_level(logging.WARNING):
        result = await ai.aflush(timeout=0.3)
    assert counts(result) == (0, 2, 0)
    assert "not delivered" not in caplog.text
    assert len(lags) > 10


async def test_a_cancelled_aflush_cancels_no_delivery(make: Make, server: FaultServer) -> None:
    server.plan(Step(slow(0.3)))
    ai = make()
    spans(ai, 1)
    task = asyncio.ensure_future(ai.aflush())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert counts(await ai.aflush()) == (1, 0, 0)


async def test_in_a_running_loop_neither_flush_nor_shutdown_waits(make: Make, server: FaultServer) -> None:
    server.plan(Step(hang))
    ai = make()
    spans(ai, 2)
    with ticking() as lags:
        await asyncio.sleep(0.05)
        ai.flush(timeout=30)
        await asyncio.sleep(0.05)
        ai.shutdown(timeout=30)
        await asyncio.sleep(0.05)
    assert counts(ai.flush()) == (0, 2, 0)
    assert max(lags) < 20  # less than any of the waits


async def test_what_is_tracked_before_a_shutdown_in_a_loop_arrives(make: Make, server: FaultServer) -> None:
    ai = make()
    spans(ai, 2)
    ai.shutdown()
    assert counts(await ai.aflush()) == (2, 0, 0)


def test_a_loop_that_is_closed_meanwhile_is_no_error(
    make: Make, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.plan(Step(slow(0.6)))
    ai = make()
    spans(ai, 1)
    asyncio.run(ai.aflush(timeout=0.1))
    ai.flush(timeout=10)
    assert len(server.events) == 1
    assert "exception calling callback" not in caplog.text


def test_shutdown_delivers_and_later_events_arrive_too(make: Make, server: FaultServer) -> None:
    ai = make()
    spans(ai, 2)
    ai.shutdown(timeout=10)
    assert len(server.events) == 2
    spans(ai, 3)
    assert counts(ai.flush(timeout=10)) == (5, 0, 0)
    ai.shutdown(timeout=10)
    ai.shutdown()
    assert counts(ai.flush(timeout=10)) == (5, 0, 0)
    until(lambda: len(server.events) == 5)


def test_what_is_tracked_after_shutdown_needs_no_flush(make: Make, server: FaultServer) -> None:
    ai = make()
    ai.shutdown()
    spans(ai, 1)
    until(lambda: len(server.events) == 1)


def test_a_request_that_outlives_its_shutdown_is_counted_once(make: Make, server: FaultServer) -> None:
    server.plan(Step(slow(1)))
    ai = make()
    spans(ai, 3)
    ai.shutdown(timeout=0.2)
    server.plan(Step(ok))
    spans(ai, 1)
    until(lambda: ai.status()["events"] == {"delivered": 4, "pending": 0, "dead": 0})
    ai.shutdown()
    assert ai.status()["events"] == {"delivered": 4, "pending": 0, "dead": 0}


@pytest.mark.parametrize("step", [Step(None), Step(hang)])
def test_shutdown_keeps_to_its_timeout_and_what_is_left_arrives_later(
    make: Make, server: FaultServer, step: Step
) -> None:
    server.plan(step)
    ai = make()
    spans(ai, 3)
    began = time.monotonic()
    ai.shutdown(timeout=0.5)
    assert time.monotonic() - began < 8  # less than the ten seconds of one request
    assert counts(ai.flush()) == (0, 3, 0)
    server.plan(Step(ok))
    make()
    until(lambda: len(server.events) == 3)


def test_shutdown_takes_none_for_its_default(make: Make, server: FaultServer) -> None:
    ai = make()
    spans(ai, 1)
    ai.shutdown(None)
    assert len(server.events) == 1


@pytest.mark.usefixtures("swallowing")
def test_a_timeout_that_is_no_number_raises_nothing(make: Make) -> None:
    ai = make()
    spans(ai, 1)
    ai.flush(timeout="soon")  # type: ignore[arg-type]
    ai.shutdown("soon")  # type: ignore[arg-type]
    assert ai.status()["swallowed"]["flush: TypeError"] >= 1


def test_a_callback_may_flush_and_even_wait(make: Make, server: FaultServer) -> None:
    results: list[FlushResult] = []

    def callback(*_told: Any) -> None:
        result = ai.flush()
        result.result(30)
        results.append(result)

    ai = make(on_event_callback=callback)
    spans(ai, 3)
    assert counts(ai.flush(timeout=20)) == (3, 0, 0)
    assert len(results) == 3


def test_what_a_callback_tracks_before_it_flushes_is_delivered(make: Make, server: FaultServer) -> None:
    def callback(event: Any, *_told: Any) -> None:
        if event.event_properties["[Agent] Span Name"] == "0":
            ai.track_span("user-1", "from the callback")
            ai.flush()

    ai = make(on_event_callback=callback)
    spans(ai, 1)
    until(lambda: names(server.events.values()) == ["0", "from the callback"])


def test_a_signal_handler_may_flush_while_the_program_tracks(make: Make, server: FaultServer) -> None:
    ai = make()
    flushed: list[FlushResult] = []

    def handler(*_about: Any) -> None:
        ai.track_span("user-1", "handler")
        flushed.append(ai.flush())

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for _ in range(10_000):
            ai.track_span("user-1", "main")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert flushed
    ai.flush(timeout=20)
    assert counts(flushed[0]) == (10_000 + len(flushed), 0, 0)
    assert len(server.events) == 10_000 + len(flushed)


@pytest.fixture
def official(server: FaultServer) -> Iterator[Amplitude]:
    config = Config(server_url=server.url + "/2/httpapi", flush_interval_millis=10_000, min_id_length=1)
    client = Amplitude("key-1", config)
    yield client
    server.plan(Step(ok))
    client.shutdown()


@pytest.mark.parametrize("durable", [False, True])
def test_shutdown_delivers_through_a_client_of_the_callers_and_leaves_it_open(
    make: Make, official: Amplitude, server: FaultServer, durable: bool
) -> None:
    server.plan(Step(slow(0.3)))
    ai = make(official, durable=durable)
    spans(ai, 2)
    ai.shutdown(timeout=10)
    assert len(server.events) == 2
    spans(ai, 1)
    assert counts(ai.flush(timeout=10)) == (3, 0, 0)
    assert len(server.events) == 3


@pytest.mark.parametrize("durable", [False, True])
async def test_through_a_client_of_the_callers_no_loop_is_held_up(
    make: Make, official: Amplitude, server: FaultServer, durable: bool
) -> None:
    server.plan(Step(slow(0.5)))
    ai = make(official, durable=durable)
    spans(ai, 2)
    with ticking() as lags:
        ai.flush(timeout=5)
        assert counts(await ai.aflush(timeout=10)) == (2, 0, 0)
    assert len(lags) > 10
