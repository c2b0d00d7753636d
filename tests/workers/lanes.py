"""The ways from a program to its worker: Celery, Dramatiq, and a queue by hand whose worker is a process."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from celery import Celery, signals
from celery.contrib.testing.worker import start_worker
from dramatiq import Middleware, Worker, actor
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Retries

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.context import memory
from amplitude_ai_integrations.exceptions import shield
from amplitude_ai_integrations.workers import KEY, carry, carry_on
from amplitude_ai_integrations.workers.celery import AmplitudeAICelery
from amplitude_ai_integrations.workers.dramatiq import AmplitudeAIDramatiq

from . import work


class Lane(Protocol):
    """One way, with the sink that both ends fill."""

    ai: AmplitudeAI
    sink: MemorySink

    def send(self, name: str, *given: Any, carried: Any = None) -> Any:
        """Send a job; ``carried`` stands in its message before the door adds its own."""

    def wait(self) -> list[Any]:
        """Wait until all that was sent is done, and return what was noted."""


@contextmanager
def celery_worker(app: Celery, *, threads: int) -> Iterator[None]:
    """Run a worker in this process, without its settings of the root logger."""
    level, handlers = logging.root.level, logging.root.handlers[:]
    is_over = threading.Event()

    def wake() -> None:
        while not is_over.wait(0.05):
            app.send_task("celery.accumulate")  # the worker looks for its end between two messages

    waking = threading.Thread(target=wake)
    with start_worker(app, pool="threads", concurrency=threads, perform_ping_check=False):
        logging.root.setLevel(level)
        logging.root.handlers[:] = handlers
        yield
        waking.start()
    is_over.set()
    waking.join()


class CeleryLane:
    """A worker with four threads and the broker in memory."""

    def __init__(self) -> None:
        self.sink = MemorySink()
        self.ai = AmplitudeAI(sink=self.sink)
        self.app = Celery("jobs", broker="memory://", set_as_current=False)
        self.app.conf.task_default_queue = (
            "jobs"  # what other apps have left in theirs is not for this worker
        )
        polling = {"polling_interval": 0.01}
        self.app.conf.update(broker_transport_options=polling, worker_hijack_root_logger=False)
        self._open = 0
        self._changed = threading.Condition()
        signals.task_prerun.connect(_forget_before, dispatch_uid="lane")
        self.door = AmplitudeAICelery(self.app, amplitude_ai=lambda: self.ai)
        signals.before_task_publish.connect(self._note_sent, dispatch_uid="lane")
        signals.task_postrun.connect(self._note_done, dispatch_uid="lane")
        for name, job in work.JOBS.items():
            self._declare(name, job)

    def _declare(self, name: str, job: Any) -> None:
        def task(*given: Any) -> None:
            job(self.ai, self.send, *given)

        retries = {"autoretry_for": (LookupError,), "default_retry_delay": 0, "max_retries": 1}
        more = retries if name in work.TRIED_AGAIN else {}
        self.app.task(task, name=name, shared=False, **more)

    def _note_sent(self, **_: Any) -> None:
        with self._changed:
            self._open += 1

    def _note_done(self, **_: Any) -> None:
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def send(self, name: str, *given: Any, carried: Any = None) -> None:
        headers = {KEY: carried} if carried is not None else None
        self.app.tasks[name].apply_async(given, headers=headers)

    def wait(self) -> list[Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, timeout=10), "a task is not done"
        return work.noted

    @contextmanager
    def working(self) -> Iterator[None]:
        with celery_worker(self.app, threads=4):
            yield
        self.door.disconnect()
        for signal in (signals.task_prerun, signals.before_task_publish, signals.task_postrun):
            signal.disconnect(dispatch_uid="lane")


class DramatiqLane:
    """A worker with four threads and the broker in memory."""

    def __init__(self) -> None:
        self.sink = MemorySink()
        self.ai = AmplitudeAI(sink=self.sink)
        self.broker = StubBroker()
        self.broker.middleware = [one for one in self.broker.middleware if not isinstance(one, Retries)]
        self.broker.add_middleware(Retries(max_retries=0, min_backoff=1, max_backoff=1))
        self.broker.add_middleware(AmplitudeAIDramatiq(amplitude_ai=lambda: self.ai))
        self._actors = {name: self._declare(name, job) for name, job in work.JOBS.items()}

    def _declare(self, name: str, job: Any) -> Any:
        def function(*given: Any) -> None:
            job(self.ai, self.send, *given)

        more = {"max_retries": 1} if name in work.TRIED_AGAIN else {}
        return actor(function, actor_name=name, broker=self.broker, **more)

    def send(self, name: str, *given: Any, carried: Any = None) -> None:
        options = {KEY: carried} if carried is not None else {}
        self.broker.enqueue(self._actors[name].message_with_options(args=given, **options))

    def wait(self) -> list[Any]:
        self.broker.join("default", timeout=10_000, fail_fast=False)
        self._worker.join()
        return work.noted

    @contextmanager
    def working(self) -> Iterator[None]:
        self._worker = Worker(self.broker, worker_timeout=10, worker_threads=4)
        self._worker.start()
        self.broker.middleware.insert(0, _Forgetting())
        yield
        self._worker.stop()
        self.broker.close()


def _forget_before(task: Any, **_: Any) -> None:
    _forget(task.name)


class _Forgetting(Middleware):
    def before_process_message(self, broker: Any, message: Any) -> None:
        _forget(message.actor_name)


def _forget(job: str) -> None:
    """Be as a process of its own, which has not seen the session yet."""
    if job != "speak_together":  # which another one would be in the midst of
        memory.forget()


class ByHandLane:
    """A worker that is a process of its own, started anew and not forked, at the other end of a pipe."""

    def __init__(self) -> None:
        self.sink = MemorySink()
        self.ai = AmplitudeAI(sink=self.sink)
        self._open = 0

    def send(self, name: str, *given: Any, carried: Any = None) -> None:
        self._pipe.send({"name": name, "given": given, KEY: carry() or carried})
        self._open += 1

    def wait(self) -> list[Any]:
        noted: list[Any] = []
        while self._open:
            assert self._pipe.poll(20), "the worker does not answer"
            events, more, swallowed = self._pipe.recv()
            self.sink.events += events
            noted += more
            assert not swallowed
            self._open -= 1
        return noted

    @contextmanager
    def working(self) -> Iterator[None]:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        worker = context.Process(target=_work, args=(theirs,), daemon=True)
        worker.start()
        yield
        self._pipe.send(None)
        worker.join(10)
        assert worker.exitcode == 0


def _work(pipe: Any) -> None:
    """Do what comes, one after the other; what a job sends is done before the next."""
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink)
    shield.reraise = True
    waiting: deque[dict[str, Any]] = deque()

    def send(name: str, *given: Any) -> None:
        waiting.append({"name": name, "given": given, KEY: carry()})

    while (message := pipe.recv()) is not None:
        waiting.append(message)
        while waiting:
            message = waiting.popleft()
            name, carried = message["name"], message[KEY]
            job = carry_on(carried, amplitude_ai=ai, name=name)
            try:
                with job:
                    work.JOBS[name](ai, send, *message["given"])
            except LookupError:
                if name in work.TRIED_AGAIN and not message.get("again"):
                    waiting.append({**message, "again": True, KEY: job.carry() or carried})
        pipe.send((sink.events[:], work.noted[:], dict(shield.swallowed)))
        sink.events.clear()
        work.noted.clear()


LANES = {"celery": CeleryLane, "dramatiq": DramatiqLane, "by hand": ByHandLane}
