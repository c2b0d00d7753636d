"""In a running program: serverless platforms, streams, failures of delivery, threads and tasks."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from amplitude import Amplitude

from amplitude_ai_integrations import (
    AIConfig,
    AmplitudeAI,
    BoundAgent,
    MemorySink,
    OpenAI,
    ToolCallTracker,
    is_serverless,
    keep_session,
    tool,
)
from amplitude_ai_integrations.context import get_active_context
from tests.events import types
from tests.fakes.collector import Collector

from .expected import answer, event, seen, user

ANSWERED: dict[str, Any] = {"model": "gpt-4o", "provider": "openai", "latency_ms": 500.0}
PLATFORMS = ("AWS_LAMBDA_FUNCTION_NAME", "VERCEL", "NETLIFY", "FUNCTION_TARGET", "FUNCTIONS_WORKER_RUNTIME", "CF_PAGES")  # fmt: skip


@pytest.fixture
def delivering(amplitude: Amplitude) -> AmplitudeAI:
    """A client that delivers to `collector`; by itself no sooner than in ten seconds."""
    return AmplitudeAI(amplitude=amplitude)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_session_delivers_on_its_way_out_of_a_serverless_platform(
    platform: str, delivering: AmplitudeAI, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_serverless()
    monkeypatch.setenv(platform, "yes")
    with delivering.agent("lambda-bot").session(user_id="user-1") as s:
        s.track_user_message("Hello")
    assert types(collector.events) == ["User Message", "Session End"]


@pytest.mark.parametrize(("auto_flush", "count"), [(True, 2), (False, 0), (None, 0)])
def test_a_session_delivers_when_it_is_told_to(
    auto_flush: bool | None, count: int, delivering: AmplitudeAI, collector: Collector
) -> None:
    with delivering.agent("bot").session(user_id="user-1", auto_flush=auto_flush) as s:
        s.track_user_message("Hello")
    assert len(collector.events) == count


def test_a_handler_waits_for_each_future_of_a_flush(delivering: AmplitudeAI, collector: Collector) -> None:
    def handler(request: dict[str, str]) -> dict[str, int]:
        agent = delivering.agent("lambda-bot")
        with agent.session(user_id=request["user_id"]) as s:
            s.new_trace()
            s.track_user_message(content=request["message"])
            s.track_ai_message(content="An answer", **ANSWERED)
        for future in delivering.flush():
            future.result(5)
        return {"statusCode": 200}

    assert handler({"user_id": "user-1", "message": "Hello"}) == {"statusCode": 200}
    within = {"user_id": "user-1", "agent_id": "lambda-bot", "session_id": "id-2", "trace_id": "id-3"}
    assert seen(collector.events) == [
        user("Hello", message_id="id-1", turn_id=1, **within),
        answer("An answer", message_id="id-4", turn_id=2, latency_ms=500.0, **within),
        event("Session End", **within),
    ]


async def streamed() -> AsyncIterator[str]:
    for word in ("It ", "is ", "short."):
        await asyncio.sleep(0)
        yield word


async def handle_stream(ai: AmplitudeAI, agent: BoundAgent, user_id: str, session_id: str) -> None:
    agent.track_user_message(user_id=user_id, content="Summarize this document", session_id=session_id)
    content = "".join([word async for word in streamed()])
    agent.track_ai_message(
        user_id=user_id,
        content=content,
        **ANSWERED,
        session_id=session_id,
        usage={"input_tokens": 20, "output_tokens": 4},
    )
    await asyncio.wrap_future(ai.flush())


async def test_a_streamed_answer_is_tracked_when_it_is_whole(
    delivering: AmplitudeAI, collector: Collector
) -> None:
    await asyncio.wait_for(handle_stream(delivering, delivering.agent("bot"), "user-1", "stream-1"), 5)
    own = {"user_id": "user-1", "agent_id": "bot", "session_id": "stream-1"}
    assert seen(collector.events) == [
        user("Summarize this document", message_id="id-1", turn_id=1, **own),
        answer(
            "It is short.",
            message_id="id-2",
            turn_id=2,
            latency_ms=500.0,
            input_tokens=20,
            output_tokens=4,
            total_tokens=24,
            cost_usd=pytest.approx((20 * 2.5 + 4 * 10) / 1e6),
            **own,
        ),
    ]


class Unreachable(Amplitude):
    """A client whose way is barred."""

    def track(self, _event: Any) -> None:
        raise OSError("no route to host")


def test_a_failing_delivery_is_logged_and_reaches_nobody(
    swallowing: None, caplog: pytest.LogCaptureFixture
) -> None:
    client = Unreachable("key")
    ai = AmplitudeAI(amplitude=client)
    with ai.agent("bot").session(user_id="user-1") as s:
        assert s.track_user_message("Hello")
    assert ai.status()["events"] == {"delivered": 0, "pending": 0, "dead": 2}
    assert "no route to host" in caplog.text
    client.shutdown()


def test_a_callback_hears_of_each_event(amplitude: Amplitude, collector: Collector) -> None:
    heard: list[tuple[str, int]] = []

    def on_event(event: Any, code: int, _message: str | None) -> None:
        heard.append((event.event_type, code))

    ai = AmplitudeAI(amplitude=amplitude, config=AIConfig(on_event_callback=on_event))
    ai.track_user_message("user-1", "Hello", "s-1")
    ai.flush().result(5)
    collector.answers.append(413)
    ai.track_session_end("user-1", "s-1")
    ai.flush().result(5)
    assert heard == [("[Agent] User Message", 200), ("[Agent] Session End", 413)]


def test_only_a_client_of_our_own_is_shut_down(delivering: AmplitudeAI, collector: Collector) -> None:
    delivering.shutdown()
    delivering.track_user_message("user-1", "Still here", "s-1")
    delivering.flush().result(5)
    assert types(collector.events) == ["User Message"]


def test_a_message_arrives_whole_however_long(delivering: AmplitudeAI, collector: Collector) -> None:
    text = "How long is long? " * 20_000
    delivering.track_user_message("user-1", text, "s-1")
    delivering.flush().result(5)
    assert seen(collector.events)[0]["$llm_message"] == {"text": text}


def work(ai: AmplitudeAI, name: str) -> str | None:
    """Track a step from wherever this runs, and return the session that is active there."""
    ai.track_span(span_name=name, latency_ms=1.0)
    active = get_active_context()
    return active.session_id if active is not None else None


def copied() -> Callable[..., Any]:
    """Return what runs a function in a copy of this context, as the specification does it."""
    context = contextvars.copy_context()
    return lambda *given: context.run(work, *given)


def kept() -> Callable[..., Any]:
    return keep_session(work)


def bare() -> Callable[..., Any]:
    return work


@pytest.mark.parametrize(("handed", "is_inside"), [(copied, True), (kept, True), (bare, False)])
def test_a_thread_pool_sees_the_session_that_is_handed_over(
    handed: Callable[[], Callable[..., Any]], is_inside: bool, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ThreadPoolExecutor() as pool, ai.agent("bot").session("s-1", user_id="u1") as s:
        s.track_user_message("hello")
        found = pool.submit(handed(), ai, "in a thread").result(5)
    said, step, _end = seen(sink)
    assert found == ("s-1" if is_inside else None)
    assert (step.get("Session ID") == "s-1", step.get("Agent ID") == "bot") == (is_inside, is_inside)
    assert (step.get("Trace ID") == said["Trace ID"]) is is_inside


async def test_a_task_inherits_the_session_by_itself(ai: AmplitudeAI) -> None:
    async def in_task() -> str | None:
        return work(ai, "in a task")

    async with ai.agent("bot").session("s-1", user_id="u1"):
        assert await asyncio.create_task(in_task()) == "s-1"


def test_an_inner_session_gives_back_the_outer_one(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("outer").session("outer-1", user_id="u1"):
        with ai.agent("inner").session("inner-1", user_id="u1"):
            assert work(ai, "inside") == "inner-1"
        assert work(ai, "outside") == "outer-1"
    assert get_active_context() is None
    assert [(one["type"], one["Session ID"], one["Agent ID"]) for one in seen(sink)] == [
        ("Span", "inner-1", "inner"),
        ("Session End", "inner-1", "inner"),
        ("Span", "outer-1", "outer"),
        ("Session End", "outer-1", "outer"),
    ]


@pytest.fixture
def for_the_process(ai: AmplitudeAI) -> Iterator[None]:
    """Say whose calls are those that nothing nearer tells of."""
    ToolCallTracker.set_amplitude(ai, user_id="user-1", session_id="batch-1")
    yield
    ToolCallTracker.clear()


def test_a_tool_in_a_bare_thread_falls_back_to_the_process(
    for_the_process: None, ai: AmplitudeAI, sink: MemorySink
) -> None:
    @tool
    def search(query: str) -> int:
        return len(query)

    with ThreadPoolExecutor() as pool, ai.agent("bot").session("s-1", user_id="u1"):
        assert pool.submit(search, "this").result(5) == 4
    told = seen(sink)[0]
    assert (told["type"], told["user_id"], told["Session ID"]) == ("Tool Call", "user-1", "batch-1")


def test_a_model_call_in_a_bare_thread_falls_back_to_the_process(
    for_the_process: None, ai: AmplitudeAI, sink: MemorySink, client: OpenAI
) -> None:
    messages: Any = [{"role": "user", "content": "Hi"}]
    with ThreadPoolExecutor() as pool, ai.agent("bot").session("s-1", user_id="u1"):
        pool.submit(client.chat.completions.create, model="gpt-4o", messages=messages).result(5)
    told = seen(sink)[:2]
    assert [(one["user_id"], one.get("Session ID")) for one in told] == [("user-1", "batch-1")] * 2
