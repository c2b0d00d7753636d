"""A thread for what would hold up the caller: redacting large texts, and redaction functions of yours."""

from __future__ import annotations

import queue
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any, Final

from ..exceptions import DELIVERY, logger, shield
from .flush import FLUSH_SECONDS
from .outbox import ending

LARGE: Final = 16_384  # characters of text in an event; what is smaller takes a fifth of a millisecond
_MOST_WAITING: Final = 1_000  # events
_MOST_CHARACTERS: Final = 64_000_000
_LOOKED_AT: Final = 300  # values in an event; one with more is not looked through to the end

Job = Callable[[], object]


def characters(value: object) -> int:
    """Return about how much text a value holds; what has very many parts counts as large."""
    if type(value) is str:
        return len(value)
    if type(value) not in (dict, list, tuple):
        return 0
    total, looked, waiting = 0, 0, [value]
    while waiting:
        one: Any = waiting.pop()
        looked += 1
        if looked > _LOOKED_AT:
            return LARGE + 1
        if type(one) is str:
            total += len(one)
        elif type(one) is dict:
            waiting += one.values()
        elif type(one) in (list, tuple):
            waiting += one
    return total


class Deferred:
    """Does jobs one after the other, in a daemon thread that the first one begins."""

    def __init__(self) -> None:
        self._begin()
        ending.note_first(self)

    def begin_anew(self) -> None:
        """Begin with nothing, as a forked child does: what waits is its parent's."""
        self._begin()

    def _begin(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Job, int]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._limits: queue.SimpleQueue[tuple[float, Job]] = queue.SimpleQueue()
        self._is_running = self._is_limiting = False
        self._taken = self._done = 0
        self._characters = 0

    @property
    def waiting(self) -> int:
        """How many events are in memory only."""
        return max(0, self._taken - self._done)

    def take(self, job: Job, size: int) -> bool:
        """Have a job done later, unless too much waits already; then it is the caller's."""
        if self.waiting >= _MOST_WAITING or self._characters + size > _MOST_CHARACTERS:
            return False
        self._taken += 1
        self._characters += size
        self._jobs.put((job, size))
        return self._start()

    def then(self, follow: Callable[[], Future[None]]) -> Future[None]:
        """Have something begun once all that waits now is done; the future is done when it is, or after ten
        seconds, whatever a function of the caller's does.
        """
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()
        if threading.current_thread() is self._thread:  # a hook of yours that waited would wait for itself
            done.set_result(None)
            return done

        def end(_it: object = None) -> None:
            with suppress(InvalidStateError):
                done.set_result(None)

        self._jobs.put((lambda: follow().add_done_callback(end), 0))
        self._start()
        self._limits.put((time.monotonic() + FLUSH_SECONDS, end))
        if not self._is_limiting:
            self._is_limiting = True
            try:
                threading.Thread(target=self._limit, name="amplitude-ai-limits", daemon=True).start()
            except RuntimeError:  # no thread can be begun any more: nobody else ends it
                end()
        return done

    def _limit(self) -> None:
        """End waits that have taken too long, and end with the last of them."""
        while True:
            while not self._limits.empty():
                at, end = self._limits.get()
                time.sleep(max(0.0, at - time.monotonic()))
                end()
            self._is_limiting = False
            if self._limits.empty():  # still, now that the next one begins another thread
                return
            self._is_limiting = True

    def begin_to_finish(self, deadline: float) -> None:
        """Wait, until ``deadline`` on the monotonic clock, for all to be done."""
        if self.waiting and self._is_running:
            nothing: Future[None] = Future()
            nothing.set_result(None)
            with suppress(FutureTimeoutError, TimeoutError):
                self.then(lambda: nothing).result(max(0.0, deadline - time.monotonic()))
        while not self._is_running and not self._jobs.empty() and time.monotonic() < deadline:
            self._do(*self._jobs.get())

    def finish(self) -> None:
        """Say what was not done in time."""
        if self.waiting:
            logger.error("%d events were not redacted before the process ended; they are lost.", self.waiting)

    def _start(self) -> bool:
        if not self._is_running:
            self._is_running = True
            arguments = (weakref.ref(self), self._jobs)
            thread = threading.Thread(target=_run, args=arguments, name="amplitude-ai-redaction", daemon=True)
            self._thread = thread
            try:
                thread.start()
            except RuntimeError:  # the interpreter is ending; the end does what waits
                self._is_running = False
        return True

    def _do(self, job: Job, size: int) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - the next event has nothing to do with it
            self._count(size)
            shield.keep(DELIVERY, error)
        except BaseException:  # somebody ends this thread; the next one does the job
            self._jobs.put((job, size))
            raise
        else:
            self._count(size)

    def _count(self, size: int) -> None:
        if size:  # else it is no event, but the end of a wait
            self._done += 1
            self._characters -= size


_IDLE: Final = 5.0  # seconds between two looks whether anybody still has it


def _run(reference: weakref.ref[Deferred], jobs: queue.SimpleQueue[tuple[Job, int]]) -> None:
    try:
        while (deferred := reference()) is not None and deferred._jobs is jobs:
            del deferred
            with suppress(queue.Empty):
                job, size = jobs.get(timeout=_IDLE)
                deferred = reference()
                if deferred is not None:
                    deferred._do(job, size)
                    del deferred
                del job
    finally:
        deferred = reference()
        if deferred is not None and deferred._jobs is jobs:
            deferred._is_running = False
