"""Sessions in other threads: by a helper, everywhere on request, and never where nobody asked."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import multiprocessing.pool
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio.to_thread
import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.recording import _warn_nobody
from amplitude_ai_integrations.context import (
    follow_threads,
    get_active_context,
    keep_session,
    unfollow_threads,
)
from tests.events import told


def _session_here() -> str | None:
    context = get_active_context()
    return context.session_id if context is not None else None


@pytest.fixture
def _following() -> Iterator[None]:
    follow_threads()
    yield
    unfollow_threads()


def _in_thread(function: Callable[[], Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join(5)
    return found[0]


def _in_timer(function: Callable[[], Any]) -> Any:
    found: list[Any] = []
    timer = threading.Timer(0, lambda: found.append(function()))
    timer.start()
    timer.join(5)
    return found[0]


def _in_own_thread(function: Callable[[], Any]) -> Any:
    class Worker(threading.Thread):
        found: Any = "nothing"

        def run(self) -> None:
            self.found = function()

    worker = Worker()
    worker.start()
    worker.join(5)
    return worker.found


def _in_pool(function: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result(5)


def _in_map(function: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return next(pool.map(lambda _: function(), [1]))


def _in_executor(function: Callable[[], Any]) -> Any:
    async def run() -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, function)

    return contextvars.copy_context().run(asyncio.run, run())


def _in_to_thread(function: Callable[[], Any]) -> Any:
    return contextvars.copy_context().run(asyncio.run, asyncio.to_thread(function))


def _in_thread_pool(function: Callable[[], Any]) -> Any:
    with multiprocessing.pool.ThreadPool(1) as pool:
        return pool.apply(function)


def _in_anyio(function: Callable[[], Any]) -> Any:
    return contextvars.copy_context().run(anyio.run, anyio.to_thread.run_sync, function)


FOLLOWED = [_in_thread, _in_timer, _in_own_thread, _in_pool, _in_map, _in_executor, _in_to_thread, _in_anyio]
ALONE = [_in_thread, _in_timer, _in_own_thread, _in_pool, _in_map, _in_executor, _in_thread_pool]
# `asyncio.to_thread` and anyio bring their caller's context along by themselves.


@pytest.mark.parametrize("way", ALONE)
def test_without_following_a_thread_knows_no_session(ai: AmplitudeAI, way: Callable[..., Any]) -> None:
    with ai.agent("bot").session(user_id="ann"):
        assert way(_session_here) is None


@pytest.mark.parametrize("way", [*ALONE, _in_to_thread, _in_anyio])
def test_the_helper_keeps_the_session_everywhere(
    ai: AmplitudeAI, session_id: str, way: Callable[..., Any]
) -> None:
    with ai.agent("bot").session(session_id, user_id="ann"):
        kept = keep_session(_session_here)
    assert way(kept) == session_id


@pytest.mark.usefixtures("_following")
@pytest.mark.parametrize("way", FOLLOWED)
def test_following_keeps_the_session(ai: AmplitudeAI, session_id: str, way: Callable[..., Any]) -> None:
    with ai.agent("bot").session(session_id, user_id="ann"):
        assert way(_session_here) == session_id
    assert way(_session_here) is None


@pytest.mark.usefixtures("_following")
def test_no_pool_keeps_the_session_its_workers_were_started_in(ai: AmplitudeAI, session_id: str) -> None:
    """What a worker does of itself shows what it stands in: here the callback of a future."""
    elsewhere = contextvars.Context()
    called: list[str | None] = []
    go_on = threading.Event()
    with ai.agent("bot").session(session_id, user_id="ann"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(_session_here).result(5) == session_id
        waiting = elsewhere.run(pool.submit, go_on.wait, 5)
        waiting.add_done_callback(lambda _: called.append(_session_here()))
        go_on.set()
        assert elsewhere.run(pool.submit, _session_here).result(5) is None
        with multiprocessing.pool.ThreadPool(2) as other:
            assert elsewhere.run(other.map, lambda _: _session_here(), range(4)) == [None] * 4
    assert called == [None]


@pytest.mark.usefixtures("_following")
async def test_no_worker_of_anyio_keeps_the_session_it_was_started_in(
    ai: AmplitudeAI, session_id: str
) -> None:
    async with ai.agent("bot").session(session_id, user_id="ann"):
        assert await anyio.to_thread.run_sync(_session_here) == session_id
    assert await anyio.to_thread.run_sync(_session_here) is None


@pytest.mark.usefixtures("_following")
def test_workers_serve_several_sessions_in_turn(ai: AmplitudeAI, session_id: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        for number in range(3):
            with ai.agent("bot").session(f"{session_id}-{number}", user_id="ann"):
                assert pool.submit(_session_here).result(5) == f"{session_id}-{number}"


@pytest.mark.usefixtures("_following")
def test_results_errors_and_arguments_pass_through(ai: AmplitudeAI) -> None:
    with ai.agent("bot").session(user_id="ann"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(divmod, 7, 2).result(5) == (3, 1)
        assert pool.submit(dict, function=1, pool=2).result(5) == {"function": 1, "pool": 2}
        assert isinstance(pool.submit(int, "x").exception(5), ValueError)
        with pytest.raises(TypeError):
            pool.submit()  # type: ignore[call-arg]


class Secretive:
    """A callable that answers no question about itself."""

    found: str | None = "nothing"

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")

    def __call__(self) -> str | None:
        self.found = _session_here()
        return self.found


class Nameless(Secretive):
    __module__ = 5  # type: ignore[assignment]


@pytest.mark.usefixtures("swallowing", "_following")
@pytest.mark.parametrize("kind", [Secretive, Nameless])
def test_odd_callables_run_all_the_same(ai: AmplitudeAI, session_id: str, kind: type[Any]) -> None:
    with ai.agent("bot").session(session_id, user_id="ann"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(kind()).result(5) == session_id
        assert keep_session(kind())() == session_id
        odd = kind()
        thread = threading.Thread(target=odd, name="odd")
        thread.start()
        thread.join(5)
        assert odd.found == session_id


def test_unfollowing_restores_what_was_there() -> None:
    before = (ThreadPoolExecutor.submit, threading.Thread.start)
    follow_threads()
    follow_threads()
    assert ThreadPoolExecutor.submit is not before[0]
    assert threading.Thread.start is not before[1]
    unfollow_threads()
    assert (ThreadPoolExecutor.submit, threading.Thread.start) == before
    unfollow_threads()
    assert (ThreadPoolExecutor.submit, threading.Thread.start) == before


def test_the_configuration_follows(ai: AmplitudeAI, session_id: str) -> None:
    try:
        AmplitudeAI(sink=MemorySink(), config=AIConfig(follow_threads=True))
        with ai.agent("bot").session(session_id, user_id="ann"):
            assert _in_pool(_session_here) == session_id
    finally:
        unfollow_threads()


def test_one_kept_function_runs_many_times_at_once(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    together = threading.Barrier(8)

    def work(name: str) -> bool:
        together.wait(5)
        with ai.agent(name).session(f"{session_id}-{name}", user_id=name):
            together.wait(5)
            ai.track_span(span_name=name)
        ai.track_span(span_name="after")
        return _session_here() == session_id

    with ai.agent("bot").session(session_id, user_id="ann", track_session_end=False):
        kept = keep_session(work)
    assert keep_session(work) is not kept
    assert kept.__name__ == "work"
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(kept, [f"{number}" for number in range(8)]))
        assert pool.submit(_session_here).result(5) is None
    spans = [event for event in told(sink) if event["type"] == "Span"]
    inside = {(event["Span Name"], event["Session ID"]) for event in spans if event["Span Name"] != "after"}
    assert inside == {(f"{number}", f"{session_id}-{number}") for number in range(8)}
    assert {event["Session ID"] for event in spans if event["Span Name"] == "after"} == {session_id}


async def test_a_coroutine_function_keeps_it_for_as_long_as_it_runs(ai: AmplitudeAI, session_id: str) -> None:
    async def work(number: int) -> tuple[int, str | None]:
        await asyncio.sleep(0.001)
        return number, _session_here()

    with ai.agent("bot").session(session_id, user_id="ann"):
        kept = keep_session(work)
    assert await asyncio.gather(kept(1), kept(2)) == [(1, session_id), (2, session_id)]
    assert _session_here() is None


def test_without_either_there_is_one_warning_and_no_silence(
    ai: AmplitudeAI, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    _warn_nobody.cache_clear()
    caplog.set_level(logging.WARNING, logger="amplitude_ai_integrations")
    with ai.agent("bot").session(user_id="ann", track_session_end=False), ThreadPoolExecutor(2) as pool:
        for _ in range(4):
            pool.submit(ai.track_span, span_name="x").result(5)
    assert len(sink.events) == 4
    assert all(event["device_id"] for event in sink)
    (record,) = caplog.records
    assert "outside any session and without a user" in record.getMessage()
