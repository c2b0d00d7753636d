"""Celery's own ways: eager tasks, chains, groups, chords, later tasks, several apps, clients made late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, chain, chord, current_app, group, shared_task, signals

from amplitude_ai_integrations import AmplitudeAI, MemorySink, current_session
from amplitude_ai_integrations.context import get_active_context
from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.workers import KEY
from amplitude_ai_integrations.workers.celery import AmplitudeAICelery
from tests.web.reading import AGENT, Expected, told

from .lanes import celery_worker

sink = MemorySink()
ai = AmplitudeAI(sink=sink)


def say(text: str) -> None:
    current_session().track_ai_message(text, "gpt-4o-mini", "openai", 5.0)


def app_of(name: str) -> Celery:
    app = Celery(name, broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.task_default_queue = name
    polling = {"polling_interval": 0.01}
    app.conf.update(
        broker_transport_options=polling, worker_hijack_root_logger=False, task_store_eager_result=True
    )

    @app.task(name="add", shared=False)
    def add(*numbers: Any) -> int:
        flat = [n for number in numbers for n in (number if isinstance(number, list) else [number])]
        say(str(sum(flat)))
        return sum(flat)

    @app.task(name="fail", shared=False, bind=True, max_retries=1)
    def fail(self: Any, how: str) -> None:
        say(how)
        if how == "raise":
            raise LookupError("job")
        if how == "retry" and self.request.retries == 0:
            raise self.retry(countdown=0)
        if how == "retry because":
            raise self.retry(countdown=0, exc=LookupError("job"))

    @app.task(name="protocol", shared=False)
    def protocol() -> None:
        say(str(get_active_context() is not None))

    return app


@pytest.fixture(scope="module")
def worker() -> Iterator[Celery]:
    app = app_of("celery")
    door = AmplitudeAICelery(app, amplitude_ai=ai)
    with celery_worker(app, threads=2):
        yield app
    door.disconnect()


@pytest.fixture
def app(worker: Celery) -> Celery:
    sink.events.clear()
    return worker


@pytest.fixture
def eager() -> Iterator[Celery]:
    """An app without a worker: its tasks are done where they are sent."""
    sink.events.clear()
    app = app_of("eager")
    app.conf.task_always_eager = True
    door = AmplitudeAICelery(app, amplitude_ai=ai)
    yield app
    door.disconnect()


def session(thread: str) -> Any:
    return ai.agent(AGENT).session(thread, user_id="ada", track_session_end=False)


def settle(count: int) -> list[dict[str, Any]]:
    """Wait for events; a result may be there before the task's last hook has run."""
    deadline = time.monotonic() + 10
    while len(sink.events) < count:
        assert time.monotonic() < deadline, sink.events
        time.sleep(0.005)
    return told(sink)


def answers(thread: str, *texts: str) -> list[dict[str, Any]]:
    expected = Expected(thread).of_user("ada")
    expected.trace = 1
    return [expected.answer(text) for text in texts]


class TestCanvas:
    def test_a_chain_goes_on_from_task_to_task(self, app: Celery, thread: str) -> None:
        add = app.tasks["add"]
        with session(thread):
            result = chain(add.s(1, 2), add.s(3), add.s(4)).apply_async()
        assert result.get(timeout=10) == 10
        assert settle(3) == answers(thread, "3", "6", "10")

    def test_all_tasks_of_a_group_are_in_the_session(self, app: Celery, thread: str) -> None:
        add = app.tasks["add"]
        with session(thread):
            result = group(add.s(1), add.s(2), add.s(3)).apply_async()
        assert result.get(timeout=10) == [1, 2, 3]
        texts = [event["$llm_message"]["text"] for event in settle(3)]
        assert sorted(texts) == ["1", "2", "3"]
        assert sorted(told(sink), key=lambda event: event["[Agent] Turn ID"]) == answers(thread, *texts)

    def test_the_end_of_a_chord_is_in_the_session_too(self, app: Celery, thread: str) -> None:
        add = app.tasks["add"]
        with session(thread):
            result = chord([add.s(1), add.s(2)], add.s()).apply_async()
        assert result.get(timeout=10) == 3
        first, second, last = settle(3)
        assert [last] == answers(thread, "", "", "3")[2:]
        assert {first["[Agent] Session ID"], second["[Agent] Session ID"]} == {thread}

    def test_a_link_is_in_the_session_too(self, app: Celery, thread: str) -> None:
        add = app.tasks["add"]
        with session(thread):
            add.apply_async((1,), link=add.s(2))
        assert settle(2) == answers(thread, "1", "3")

    def test_a_task_for_later_is_in_the_session_too(self, app: Celery, thread: str) -> None:
        with session(thread):
            result = app.tasks["add"].apply_async((1,), countdown=0.05)
        assert result.get(timeout=10) == 1
        assert settle(1) == answers(thread, "1")

    def test_the_old_protocol_of_messages_carries_it_too(self, app: Celery, thread: str) -> None:
        def note(headers: Any = None, **_: Any) -> None:
            seen.append("id" in headers)  # which only the newer protocol has there

        seen: list[bool] = []
        signals.after_task_publish.connect(note)
        app.conf.task_protocol = 1
        del app.amqp.__dict__["create_task_message"]
        try:
            with session(thread):
                app.tasks["protocol"].delay().get(timeout=10)
        finally:
            app.conf.task_protocol = 2
            del app.amqp.__dict__["create_task_message"]
            signals.after_task_publish.disconnect(note)
        assert seen == [False]
        assert settle(1) == answers(thread, "True")


class TestRetries:
    # Without their results: what the first run leaves may be written after that of the second.
    def test_to_be_done_again_is_no_failure(self, app: Celery, thread: str) -> None:
        with session(thread):
            app.tasks["fail"].delay("retry")
        assert settle(2) == answers(thread, "retry", "retry")

    def test_to_be_done_again_because_of_an_error_is_one(self, app: Celery, thread: str) -> None:
        with session(thread):
            app.tasks["fail"].delay("retry because")
        kinds = [event["event_type"].removeprefix("[Agent] ") for event in settle(4)]
        assert sorted(kinds) == ["AI Response", "AI Response", "Span", "Span"]


class TestEager:
    def test_a_task_done_at_once_is_in_the_session_where_it_is_sent(self, eager: Celery, thread: str) -> None:
        with session(thread):
            assert eager.tasks["add"].delay(1).get() == 1
            context = get_active_context()
            assert context is not None
            assert not context.conversation.is_handed_on
        assert told(sink) == answers(thread, "1")

    def test_its_failure_is_a_failed_step_there(self, eager: Celery, thread: str) -> None:
        with session(thread):
            eager.tasks["fail"].delay("raise")
        expected = Expected(thread).of_user("ada")
        expected.trace = 1
        answer = expected.answer("raise")
        step = {"span_id": "span 1", "span_name": "fail", "latency_ms": "ms"}
        failed = {"is_error": True, "error_type": "LookupError", "error_message": "job"}
        assert told(sink) == [answer, expected.event("Span", **step, **failed)]

    def test_a_failure_that_reaches_the_sender_is_the_tasks_own(self, eager: Celery, thread: str) -> None:
        eager.conf.task_eager_propagates = True
        with session(thread), pytest.raises(LookupError, match="job"):
            eager.tasks["fail"].delay("raise")
        assert get_active_context() is None

    def test_outside_any_session_it_has_none(self, eager: Celery) -> None:
        eager.tasks["fail"].delay("raise")
        assert sink.events == []


class TestDoor:
    def test_of_two_doors_of_one_app_the_later_one_counts(self, thread: str) -> None:
        app, other = app_of("twice"), MemorySink()
        app.conf.task_always_eager = True
        doors = [
            AmplitudeAICelery(app, amplitude_ai=ai),
            AmplitudeAICelery(app, amplitude_ai=AmplitudeAI(sink=other)),
        ]
        receivers = [key for key, _ in signals.task_prerun.receivers if str(id(app)) in str(key)]
        assert len(receivers) == 1
        doors[1].disconnect()
        assert not [key for key, _ in signals.task_prerun.receivers if str(id(app)) in str(key)]

    def test_tasks_of_another_app_are_left_alone(self, eager: Celery, thread: str) -> None:
        other = app_of("other")
        other.conf.task_always_eager = True
        with session(thread):
            other.tasks["fail"].delay("raise")
        assert [event["event_type"] for event in sink] == ["[Agent] AI Response"]

    def test_the_app_may_be_what_stands_for_the_current_one(self) -> None:
        door = AmplitudeAICelery(current_app, amplitude_ai=ai)
        assert door.app is current_app._get_current_object()
        door.disconnect()

    def test_a_shared_task_belongs_to_its_app(self, eager: Celery, thread: str) -> None:
        @shared_task(name="shared")
        def shared() -> None:
            say("shared")
            raise LookupError("job")

        before = current_app._get_current_object()
        eager.set_current()
        try:
            with session(thread):
                shared.delay()
        finally:
            before.set_current()
        kinds = [event["event_type"] for event in sink]
        assert kinds == ["[Agent] AI Response", "[Agent] Span"]

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ((None, ai), "AmplitudeAICelery takes a Celery app, not NoneType."),
            ((app_of("x"), 7), "amplitude_ai= is int; pass an AmplitudeAI or an Amplitude client."),
        ],
    )
    def test_what_does_not_fit_is_refused(self, given: Any, words: str) -> None:
        with pytest.raises(ConfigurationError) as refused:
            AmplitudeAICelery(given[0], amplitude_ai=given[1])
        assert str(refused.value) == words

    def test_the_message_holds_one_text(self, thread: str) -> None:
        app, headers = app_of("headers"), []
        door = AmplitudeAICelery(app, amplitude_ai=ai)

        def note(headers: Any = None, **_: Any) -> None:
            seen.append(headers.get(KEY))

        seen: list[Any] = headers
        signals.after_task_publish.connect(note)
        app.send_task("unknown")
        with session(thread):
            app.send_task("unknown")
        signals.after_task_publish.disconnect(note)
        door.disconnect()
        assert [type(one) for one in seen] == [type(None), str]
