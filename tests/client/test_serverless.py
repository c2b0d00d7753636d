"""Sessions deliver their events before a platform freezes the process, and hold up nothing else."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from amplitude import Amplitude, Config
from starlette.requests import Request
from starlette.responses import JSONResponse

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client import is_serverless, serverless
from amplitude_ai_integrations.delivery.flush import FlushResult
from tests.conftest import Serve
from tests.fakes.collector import Collector

PLATFORMS = (
    "AWS_LAMBDA_FUNCTION_NAME",
    "VERCEL",
    "NETLIFY",
    "FUNCTION_TARGET",
    "FUNCTIONS_WORKER_RUNTIME",
    "CF_PAGES",
)
DELAY = 0.4  # seconds that the slow collector takes for an answer


class SlowCollector(Collector):
    """A collector that thinks before it answers."""

    async def take(self, request: Request) -> JSONResponse:
        await asyncio.sleep(DELAY)
        return await super().take(request)


class CountingSink(MemorySink):
    """Counts how often it was asked to deliver."""

    flushes = 0

    def flush(self) -> FlushResult:
        self.flushes += 1
        return super().flush()


@pytest.fixture(autouse=True)
def _on_a_machine_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PLATFORMS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def collector() -> Collector:
    return SlowCollector()


@pytest.fixture
def remote(collector: Collector, serve: Serve) -> Iterator[AmplitudeAI]:
    """A client that by itself delivers no sooner than in a second."""
    settings = Config(server_url=serve(collector.app) + "/batch", flush_interval_millis=1_000)
    client = Amplitude("key-1", settings)
    yield AmplitudeAI(amplitude=client)
    client.shutdown()


@pytest.mark.parametrize("name", PLATFORMS)
def test_each_platform_is_known_by_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert not is_serverless()
    monkeypatch.setenv(name, "")
    assert not is_serverless()
    monkeypatch.setenv(name, "1")
    assert is_serverless()


def test_a_long_running_service_of_azure_is_not_serverless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_INSTANCE_ID", "1")
    assert not is_serverless()


@pytest.mark.parametrize(
    ("platform", "wanted", "flushes"),
    [
        (None, None, 0),
        (None, True, 1),
        (None, False, 0),
        ("VERCEL", None, 1),
        ("VERCEL", False, 0),
        ("VERCEL", True, 1),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_when_a_session_delivers(
    monkeypatch: pytest.MonkeyPatch, platform: str | None, wanted: bool | None, flushes: int, is_async: bool
) -> None:
    if platform:
        monkeypatch.setenv(platform, "1")
    sink = CountingSink()
    agent = AmplitudeAI(sink=sink).agent("bot")

    async def converse() -> None:
        async with agent.session(user_id="user-1", auto_flush=wanted) as session:
            session.track_span("x")

    if is_async:
        asyncio.run(converse())
    else:
        with agent.session(user_id="user-1", auto_flush=wanted) as session:
            session.track_span("x")
    assert sink.flushes == flushes


def test_only_the_outermost_session_delivers(monkeypatch: pytest.MonkeyPatch, session_id: str) -> None:
    monkeypatch.setenv("VERCEL", "1")
    sink = CountingSink()
    agent = AmplitudeAI(sink=sink).agent("bot")
    with agent.session(session_id, user_id="user-1") as session:
        with session.run_as(agent.child("child")):
            pass
        with agent.session(session_id):
            pass
        with agent.session():
            pass
        assert sink.flushes == 0
    assert sink.flushes == 1


def test_a_session_inside_another_delivers_when_it_is_told_to(session_id: str) -> None:
    sink = CountingSink()
    agent = AmplitudeAI(sink=sink).agent("bot")
    with agent.session(session_id, user_id="user-1"), agent.session(auto_flush=True):
        pass
    assert sink.flushes == 1


def test_everything_has_arrived_when_the_block_is_left(remote: AmplitudeAI, collector: Collector) -> None:
    started = time.monotonic()
    with remote.agent("bot").session(user_id="user-1", auto_flush=True) as session:
        session.track_user_message("hi")
    assert time.monotonic() - started >= DELAY
    assert [event["event_type"] for event in collector.events] == [
        "[Agent] User Message",
        "[Agent] Session End",
    ]
    assert remote.status()["events"] == {"delivered": 2, "pending": 0, "dead": 0}


async def test_an_async_block_waits_and_never_holds_up_the_loop(
    remote: AmplitudeAI, collector: Collector
) -> None:
    async with Watched() as longest_gap:
        async with remote.agent("bot").session(user_id="user-1", auto_flush=True) as session:
            session.track_user_message("hi")
        assert len(collector.events) == 2
    assert longest_gap() < DELAY / 2


async def test_a_plain_block_inside_a_loop_does_not_wait(remote: AmplitudeAI, collector: Collector) -> None:
    async with Watched() as longest_gap:
        with remote.agent("bot").session(user_id="user-1", auto_flush=True) as session:
            session.track_user_message("hi")
        assert collector.events == []
        for _ in range(200):
            await asyncio.sleep(0.01)
            if collector.events:
                break
    assert len(collector.events) == 2
    assert longest_gap() < DELAY / 2


@pytest.mark.parametrize("is_async", [False, True])
def test_a_block_waits_no_longer_than_its_deadline(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, remote: AmplitudeAI, is_async: bool
) -> None:
    monkeypatch.setattr(serverless, "_DEADLINE", 0.05)
    agent = remote.agent("bot")

    async def converse() -> None:
        async with agent.session(user_id="user-1", auto_flush=True) as session:
            session.track_user_message("hi")

    started = time.monotonic()
    with caplog.at_level(logging.WARNING, logger="amplitude_ai_integrations"):
        if is_async:
            asyncio.run(converse())
        else:
            with agent.session(user_id="user-1", auto_flush=True) as session:
                session.track_user_message("hi")
    assert time.monotonic() - started < DELAY
    assert [record.getMessage()[:26] for record in caplog.records] == ["2 events were not delivere"]


def test_the_error_of_a_block_passes_after_it_was_delivered(
    remote: AmplitudeAI, collector: Collector
) -> None:
    with pytest.raises(KeyError), remote.agent("bot").session(user_id="user-1", auto_flush=True):
        raise KeyError("x")
    assert collector.events[0]["event_properties"]["[Agent] Error Type"] == "KeyError"


def test_a_flush_is_a_list_of_futures_and_a_future(remote: AmplitudeAI, collector: Collector) -> None:
    remote.track_span("user-1", "x")
    flushing = remote.flush()
    assert isinstance(flushing, list)
    assert isinstance(flushing, Future)
    assert (flushing.delivered, flushing.pending, flushing.dead) == (0, 1, 0)
    for part in flushing:
        part.result(5)
    assert flushing.result(5) is None
    assert (flushing.delivered, flushing.pending, flushing.dead) == (1, 0, 0)
    assert remote.flush().result(5) is None
    assert len(collector.events) == 1


async def test_giving_up_on_a_flush_harms_nothing(remote: AmplitudeAI, collector: Collector) -> None:
    remote.track_span("user-1", "x")
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.wrap_future(flushing := remote.flush()), 0.05)
    await asyncio.wrap_future(flushing)
    assert len(collector.events) == 1


class Watched:
    """Counts how long a loop goes without turning."""

    async def __aenter__(self) -> Callable[[], float]:
        self._turns = [time.monotonic()]
        self._task = asyncio.ensure_future(self._tick())
        await asyncio.sleep(0.02)
        return lambda: max(
            after - before for before, after in zip(self._turns, self._turns[1:], strict=False)
        )

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0.005)
            self._turns.append(time.monotonic())

    async def __aexit__(self, *_error: Any) -> None:
        self._task.cancel()
