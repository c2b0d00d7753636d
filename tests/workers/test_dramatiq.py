"""Dramatiq's own ways: pipelines, groups, callbacks, skipped messages, time limits, coroutines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import Middleware, Worker, group, pipeline
from dramatiq.brokers.stub import StubBroker
from dramatiq.errors import Retry
from dramatiq.middleware import AsyncIO, GroupCallbacks, SkipMessage, TimeLimitExceeded
from dramatiq.rate_limits.backends import StubBackend as Rates
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend

from amplitude_ai_integrations import AmplitudeAI, MemorySink, current_session
from amplitude_ai_integrations.context import get_active_context
from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.workers import KEY
from amplitude_ai_integrations.workers.dramatiq import AmplitudeAIDramatiq
from tests.web.reading import AGENT, Expected, told

sink = MemorySink()
ai = AmplitudeAI(sink=sink)


def say(text: str) -> None:
    current_session().track_ai_message(text, "gpt-4o-mini", "openai", 5.0)


class Skipping(Middleware):
    """Skips the messages of one actor."""

    def before_process_message(self, broker: Any, message: Any) -> None:
        if message.actor_name == "skipped":
            raise SkipMessage("not today")


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[StubBroker, Worker]]:
    broker = StubBroker()
    broker.add_middleware(AmplitudeAIDramatiq(amplitude_ai=ai))
    for middleware in (Skipping(), AsyncIO(), GroupCallbacks(Rates()), Results(backend=StubBackend())):
        broker.add_middleware(middleware)

    @dramatiq.actor(broker=broker, store_results=True, actor_name="add")
    def add(*numbers: int) -> int:
        say(str(sum(numbers)))
        return sum(numbers)

    @dramatiq.actor(broker=broker, actor_name="fail", max_retries=1, min_backoff=1, max_backoff=1)
    def fail(how: str) -> None:
        say(how)
        if how == "again":
            raise Retry("later", delay=1)

    @dramatiq.actor(broker=broker, actor_name="slow", max_retries=0)
    def slow() -> None:
        say("too long")
        raise TimeLimitExceeded

    @dramatiq.actor(broker=broker, actor_name="told")
    def told_of(*given: Any) -> None:
        say("told")

    @dramatiq.actor(broker=broker, actor_name="skipped")
    def skipped() -> None:
        say("never")

    @dramatiq.actor(broker=broker, actor_name="look")
    def look() -> None:
        say("in a session" if get_active_context() is not None else "alone")

    @dramatiq.actor(broker=broker, actor_name="coroutine")
    async def coroutine() -> None:
        say("later")

    worker = Worker(broker, worker_timeout=10, worker_threads=1)
    worker.start()
    yield broker, worker
    worker.stop()
    broker.close()


class Queue:
    """The running broker, on which nothing was sent yet."""

    def __init__(self, broker: StubBroker, worker: Worker) -> None:
        self.broker, self.worker = broker, worker

    def __getattr__(self, name: str) -> Any:
        return self.broker.actors[name]

    def events(self) -> list[dict[str, Any]]:
        """The events when all is done."""
        self.broker.join("default", timeout=10_000, fail_fast=False)
        self.worker.join()
        return told(sink)


@pytest.fixture
def queue(running: tuple[StubBroker, Worker], caplog: pytest.LogCaptureFixture) -> Iterator[Queue]:
    sink.events.clear()
    yield Queue(*running)
    said = [record.getMessage() for record in caplog.records]
    assert [one for one in said if "Unexpected failure" in one and "AmplitudeAI" in one] == []


def session(thread: str) -> Any:
    return ai.agent(AGENT).session(thread, user_id="ada", track_session_end=False)


def answers(thread: str, *texts: str) -> list[dict[str, Any]]:
    expected = Expected(thread).of_user("ada")
    expected.trace = 1
    return [expected.answer(text) for text in texts]


def test_it_takes_the_outermost_place_when_the_worker_begins(queue: Queue) -> None:
    assert isinstance(queue.broker.middleware[0], AmplitudeAIDramatiq)
    assert [type(one) for one in queue.broker.middleware].count(AmplitudeAIDramatiq) == 1


def test_a_pipeline_goes_on_from_message_to_message(queue: Queue, thread: str) -> None:
    with session(thread):
        add = queue.add.message
        pipeline([add(1, 2), add(3), add(4)], broker=queue.broker).run()
    assert queue.events() == answers(thread, "3", "6", "10")


def test_a_group_and_what_follows_it_are_in_the_session(queue: Queue, thread: str) -> None:
    with session(thread):
        whole = group([queue.add.message(1), queue.add.message(2)], broker=queue.broker)
        whole.add_completion_callback(queue.told.message())
        whole.run()
    texts = [event["$llm_message"]["text"] for event in queue.events()]
    assert sorted(texts) == ["1", "2", "told"]
    assert told(sink) == answers(thread, *texts)


def test_a_callback_is_in_the_session_too(queue: Queue, thread: str) -> None:
    with session(thread):
        queue.add.send_with_options(args=(1,), on_success=queue.told)
    assert queue.events() == answers(thread, "1", "told")


def test_a_message_for_later_is_in_the_session_too(queue: Queue, thread: str) -> None:
    with session(thread):
        queue.add.send_with_options(args=(1,), delay=20)
    assert queue.events() == answers(thread, "1")


def test_a_coroutine_is_in_the_session_too(queue: Queue, thread: str) -> None:
    with session(thread):
        queue.coroutine.send()
    assert queue.events() == answers(thread, "later")


def test_to_be_done_again_is_no_failure(queue: Queue, thread: str) -> None:
    with session(thread):
        queue.fail.send("again")
    assert queue.events() == answers(thread, "again", "again")


def test_a_message_that_takes_too_long_has_failed(queue: Queue, thread: str) -> None:
    with session(thread):
        queue.slow.send()
    expected = Expected(thread).of_user("ada")
    expected.trace = 1
    answer = expected.answer("too long")
    step = {"span_id": "span 1", "span_name": "slow", "latency_ms": "ms", "error_message": ""}
    failed = {"is_error": True, "error_type": "TimeLimitExceeded", **step}
    assert queue.events() == [answer, expected.event("Span", **failed)]


def test_a_message_that_is_skipped_leaves_nothing_behind(queue: Queue, thread: str) -> None:
    with session(thread):
        queue.skipped.send()
        assert queue.events() == []
    queue.look.send()
    assert queue.events() == []  # said in no session, it is lost


def test_the_message_holds_plain_json(queue: Queue, thread: str) -> None:
    broker = StubBroker()
    broker.add_middleware(AmplitudeAIDramatiq(amplitude_ai=ai))
    actor = dramatiq.actor(lambda: None, broker=broker, actor_name="later")
    with session(thread):
        sent = broker.queues["default"]
        actor.send()
    message = dramatiq.Message.decode(sent.get())
    assert message.options[KEY]["session_id"] == thread


def test_only_a_client_is_taken() -> None:
    with pytest.raises(ConfigurationError, match="amplitude_ai= is int"):
        AmplitudeAIDramatiq(amplitude_ai=7)
