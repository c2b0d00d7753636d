"""The thread that sends: when it wakes, how long it waits, and what ``flush`` waits for."""

from __future__ import annotations

import queue
import random
import threading
import time
import weakref
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ...exceptions import DELIVERY, shield
from ..flush import FLUSH_SECONDS
from . import ending
from .outbox import Outbox

_INTERVAL: Final = 1.0  # seconds that events wait for more to go with them
_SCAN: Final = 5.0  # seconds between two looks at what ended processes have left
_SCAN_AGAIN: Final = 0.5  # seconds, where more is left than can be taken over at once
_FAIL_AGAIN: Final = 1.0  # seconds between two attempts, however often somebody flushes
_LAST_TRIES: Final = 3  # requests that fail in a row at the end, where what is left is on disk
_GOODBYE: Final = 0.05  # seconds; a thread that is idle needs less, one that hangs in a request is left
_LEAST_WAIT: Final = 0.005


class Carries(Protocol):
    """Brings events from an outbox to where they go; used by one thread at a time."""

    not_before: float  # on the monotonic clock
    failed_at: float
    asked_until: float  # what the server has asked for, which nobody's hurry overrides

    @property
    def failures(self) -> int:
        """How many attempts have failed in a row."""

    def carry(self) -> bool:
        """Bring some of what waits; tell whether there is reason to go on at once."""

    def give_back(self) -> None:
        """Begin anew after the thread that carried has died in the middle of it."""

    def forget(self) -> None:
        """Begin anew in a forked child: what was being carried is its parent's."""

    def hurry(self) -> None:
        """Try again at once: there is little time left."""

    def limit(self, seconds: float) -> None:
        """Let no attempt take longer."""

    def close(self) -> None:
        """Let go of what is held open."""


@dataclass
class _Flush:
    marks: list[Any]
    done: Future[None] = field(default_factory=Future)
    deadline: float = field(default_factory=lambda: time.monotonic() + FLUSH_SECONDS)
    is_last: bool = False


class Sender:
    """Sends what is in an outbox, from a daemon thread that is begun by the first event."""

    def __init__(self, outbox: Outbox, carrier: Carries) -> None:
        self.outbox = outbox
        self.carrier = carrier
        outbox.wake = self._woken
        self._begin()

    def begin_anew(self) -> None:
        """Begin with nothing and no thread, as a forked child does."""
        self.outbox.begin_anew()
        self.carrier.forget()
        self._begin()

    def _begin(self) -> None:
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._flushes: list[_Flush] = []
        self._running = threading.Lock()  # held while there is a thread, whoever of several began it
        self._is_stopping = self._is_finishing = False
        self._is_idle = self._is_enough = self._closes = False
        self._collected_at: float | None = None
        self._scan_at = 0.0

    def start(self) -> None:
        """Begin the thread unless it runs."""
        self._is_stopping = False
        if not self._running.acquire(blocking=False):
            thread = self._thread
            if thread is None or thread.is_alive():  # else it was killed before it could note that it ended
                return
        self._thread = None
        try:
            self.carrier.give_back()
            self._scan_at = 0.0
            # Made here and not before: gevent may have put its own in place meanwhile.
            self._wake = queue.SimpleQueue()
            arguments = (weakref.ref(self), self._wake)
            thread = threading.Thread(target=_run, args=arguments, name="amplitude-ai-sender", daemon=True)
            thread.start()
        except RuntimeError:  # too many threads, or the interpreter is ending: what waits is kept
            self._running.release()
        except BaseException:
            self._running.release()
            raise
        else:
            self._thread = thread
            ending.note_worker()

    def flush(self) -> Future[None]:
        """Send what is there now, without waiting for more; done when it is settled, or after ten seconds.

        Done at once where whoever asks would wait for itself: in a callback, or in a signal handler that has
        interrupted the outbox.
        """
        if self.outbox.has_left and not self.outbox.is_inside:
            self.outbox.adopt()
        is_self = self.outbox.is_inside or threading.current_thread() is self._thread
        return self._flush(_Flush([] if is_self else self.outbox.marks())).done

    def begin_to_finish(self, deadline: float) -> None:
        """Begin to deliver what can be delivered until ``deadline`` on the monotonic clock."""
        self.carrier.hurry()
        self.outbox.bring_forward()
        self.outbox.adopt()  # a process that has sent nothing may be the last of several that have
        self._is_finishing = True
        marks = [] if self.outbox.is_inside else self.outbox.marks()
        self._last = self._flush(_Flush(marks, deadline=deadline, is_last=True))

    def finish(self) -> None:
        """Wait until that is done, and stop."""
        if self.outbox.is_inside:  # what this has interrupted holds the outbox, and keeps what is in it
            self._is_finishing = False
            return
        last = self._last
        seconds = max(0.0, last.deadline - time.monotonic())
        if not self._running.locked():
            self._finish_here(last)
        with suppress(FutureTimeoutError, TimeoutError):
            last.done.result(seconds)
        self._is_finishing = False
        self._is_stopping = True
        self._wake.put(None)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_GOODBYE)
        if thread is not None and thread is not threading.current_thread() and thread.is_alive():
            self._closes = True  # it is in the middle of a request, whose answer is to be written down
        else:
            self.carrier.close()
            self.outbox.close()

    def stop(self) -> None:
        """Stop without delivering anything; what waits is left to the next process."""
        self._is_stopping = True
        self._wake.put(None)
        self.outbox.save()
        self.outbox.close()

    def step(self) -> float:
        """Do what is to be done now, and return the seconds until there may be more."""
        self.outbox.drain_nested()
        self.outbox.tell_dropped()
        self._scan()
        if self._is_due():
            self._is_enough, self._collected_at = False, None
            while time.monotonic() >= self._send_at() and not self._is_stopping:
                if not self.carrier.carry():
                    break
                self._answer_flushes()
        self.outbox.save()
        self._answer_flushes()
        return self._seconds_until_next()

    def is_wanted(self, wake: queue.SimpleQueue[None]) -> bool:
        """Tell whether the thread that waits on ``wake`` is to go on."""
        return self._wake is wake and not self._is_stopping

    def thread_ended(self, wake: queue.SimpleQueue[None]) -> None:
        """Note that the thread that waited on ``wake`` is no more."""
        if self._wake is wake:
            if self._closes and self._is_stopping:
                self.outbox.save()
                self.outbox.close()
            self._closes = False
            self._thread = None
            self._running.release()
            self._answer_flushes()
            if self._flushes and not self._is_stopping:  # it was killed, and somebody waits
                self.start()

    def _woken(self, is_enough: bool) -> None:
        thread = self._thread
        if self._is_stopping or thread is None or not thread.is_alive():
            self.start()
        if is_enough or self._is_idle:
            self._is_enough = self._is_enough or is_enough
            self._is_idle = False
            self._wake.put(None)

    def _flush(self, flush: _Flush) -> _Flush:
        if not flush.marks:
            flush.done.set_result(None)
            return flush
        flush.done.set_running_or_notify_cancel()
        self._flushes.append(flush)
        self.start()
        self._wake.put(None)
        if not flush.is_last and not self._running.locked():  # no thread can be begun: nobody else answers
            self._answer(flush)
        return flush

    def _finish_here(self, last: _Flush) -> None:
        """Send in this thread, since no other can be begun any more."""
        self.carrier.give_back()
        seconds = 0.0
        while not last.done.done():
            time.sleep(min(seconds, max(0.0, last.deadline - time.monotonic())))
            self.carrier.limit(last.deadline - time.monotonic())
            seconds = self.step()

    def _is_due(self) -> bool:
        now = time.monotonic()
        if not self.outbox.has_ready(now):
            self._collected_at = None
            return False
        if self._collected_at is None:
            self._collected_at = now + _INTERVAL
        return bool(self._flushes) or self._is_enough or now >= self._collected_at

    def _send_at(self) -> float:
        """Return when the next request may go, on the monotonic clock."""
        carrier = self.carrier
        if self._flushes and not self._is_finishing:
            # Whoever waits should not wait for as long as an outage has taught to.
            return max(carrier.asked_until, min(carrier.not_before, carrier.failed_at + _FAIL_AGAIN))
        return carrier.not_before

    def _seconds_until_next(self) -> float:
        self._is_idle = True  # before the look: an event that comes after it wakes this thread
        is_ready = self.outbox.has_ready(time.monotonic())
        self._is_idle = not is_ready
        times = [self._scan_at, *(flush.deadline for flush in self._flushes)]
        if is_ready and self._collected_at is not None:
            is_asked = self._flushes or self._is_enough
            times.append(self._send_at() if is_asked else max(self._send_at(), self._collected_at))
        elif is_ready:
            times.append(max(self._send_at(), time.monotonic() + _LEAST_WAIT))
        due = self.outbox.next_due()
        if due is not None:
            times.append(due)
        return max(_LEAST_WAIT, min(times) - time.monotonic())

    def _scan(self) -> None:
        now = time.monotonic()
        if now >= self._scan_at:
            self._scan_at = now + _SCAN * random.uniform(0.8, 1.2)  # noqa: S311 - it protects nothing
            self.outbox.renew_lost()
            if self.outbox.adopt():  # it has waited long enough
                self._is_enough = True
            if self.outbox.is_full:
                self._scan_at = now + _SCAN_AGAIN

    def _answer_flushes(self) -> None:
        now = time.monotonic()
        for flush in tuple(self._flushes):
            is_over = now >= flush.deadline or self.outbox.is_settled(flush.marks)
            if is_over or (flush.is_last and self._is_hopeless()):
                self._answer(flush)

    def _answer(self, flush: _Flush) -> None:
        with suppress(ValueError):  # another thread may just have answered it
            self._flushes.remove(flush)
            flush.done.set_result(None)

    def _is_hopeless(self) -> bool:
        return self.outbox.is_durable and self.carrier.failures >= _LAST_TRIES


def _run(reference: weakref.ref[Sender], wake: queue.SimpleQueue[None]) -> None:
    """Be the thread of a sender for as long as somebody has it, or something waits in it."""
    try:
        while (sender := reference()) is not None and sender.is_wanted(wake):
            try:
                seconds = sender.step()
            except Exception as error:  # noqa: BLE001 - the thread goes on
                shield.keep(DELIVERY, error)
                sender.carrier.give_back()
                seconds = _INTERVAL
            held = None if sender.outbox.is_empty else sender
            del sender
            with suppress(queue.Empty):
                wake.get(timeout=seconds)
            while not wake.empty():
                wake.get()
            del held
    finally:
        sender = reference()
        if sender is not None:
            sender.thread_ended(wake)
