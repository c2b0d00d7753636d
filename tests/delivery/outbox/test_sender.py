"""The thread that sends begins when it is needed, waits for company, and lets nobody wait in vain."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from amplitude_ai_integrations.delivery.outbox import sender as sender_module
from amplitude_ai_integrations.delivery.outbox.outbox import Outbox
from amplitude_ai_integrations.delivery.outbox.sender import Sender
from amplitude_ai_integrations.delivery.outbox.spool import Spool
from tests.fakes import faults_answers as answers
from tests.fakes.faults import FaultServer
from tests.fakes.faults_plan import Reply, Request, Step

from .conftest import Carried, Serve, id_range, left_behind, payload, until

NAME = "amplitude-ai-sender"
LONG = 60.0


KILLS = """
import ctypes, sys, threading, time
from pathlib import Path
from amplitude_ai_integrations.delivery.outbox import sender as module
from amplitude_ai_integrations.delivery.outbox.carrier import Carrier
from amplitude_ai_integrations.delivery.outbox.outbox import Outbox
from amplitude_ai_integrations.delivery.outbox.spool import Spool
from amplitude_ai_integrations.delivery.outbox.transport import Transport

outbox = Outbox(Spool(Path(sys.argv[1])))
sender = module.Sender(outbox, Carrier(outbox, Transport(sys.argv[2] + "/2/httpapi", sys.argv[2] + "/batch"), "key"))
killed = set()
for number in range(400):
    outbox.append(b'{"event_type": "e", "user_id": "u", "insert_id": "id-%d"}' % number)
    if number % 10 == 9:
        sender.flush()
        time.sleep(0.0003 * (number // 10))
        for thread in threading.enumerate():
            if thread.name == "amplitude-ai-sender" and thread.ident and thread not in killed:
                killed.add(thread)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
assert len(killed) > 5, len(killed)  # a busy machine begins fewer of them
sender.flush().result(15)
assert outbox.is_empty
"""


class Sent(Carried):
    """An outbox with a carrier and a sender."""

    def __init__(self, spool: Spool | None, url: str) -> None:
        super().__init__(spool, url)
        self.sender = Sender(self.outbox, self.carrier)

    def thread(self) -> threading.Thread:
        assert self.sender._thread is not None
        return self.sender._thread

    def is_idle(self) -> bool:
        return self.outbox.is_empty and self.sender._is_idle

    def stop(self) -> None:
        self.sender.stop()
        for thread in senders():
            thread.join(10)
        self.carrier.close()


UNHEARD = "ignore::pytest.PytestUnraisableExceptionWarning"  # what it held open is closed by nobody
Make = Callable[..., tuple[Sent, FaultServer]]


@pytest.fixture
def sending(spool: Spool, serve_faults: Serve) -> Iterator[Make]:
    made: list[Sent] = []

    def make(*steps: Step, on: Spool | None = spool) -> tuple[Sent, FaultServer]:
        server = serve_faults(*steps)
        made.append(Sent(on, server.url))
        return made[-1], server

    yield make
    for each in made:
        each.stop()


@pytest.fixture(autouse=True)
def _times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for company a little, and look at what others have left seldom."""
    monkeypatch.setattr(sender_module, "_INTERVAL", 0.05)
    monkeypatch.setattr(sender_module, "_SCAN", LONG)


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody report threads that are killed: he may be killed in the middle of that."""
    monkeypatch.setattr(threading, "excepthook", lambda _about: None)


def senders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def kill(thread: threading.Thread) -> None:
    """End a thread as some servers do."""
    assert thread.ident is not None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))


def test_no_thread_is_begun_before_there_is_an_event(sending: Make) -> None:
    it, _ = sending()
    assert it.sender._thread is None
    it.sender.flush().result(1)
    assert it.sender._thread is None
    it.put(payload(0))
    assert it.thread().is_alive()
    assert it.thread().daemon


def test_an_idle_thread_is_woken_by_the_first_event(sending: Make) -> None:
    it, server = sending()
    for number in range(4):
        it.put(payload(number))
        until(lambda number=number: f"id-{number}" in server.accepted)  # type: ignore[misc]
        until(lambda: it.outbox.is_empty and it.sender._is_idle)
    assert len(server.accepted) == 4
    assert server.connections == 1


def test_an_event_wakes_the_thread_while_others_are_put_off(sending: Make) -> None:
    it, server = sending(Step(answers.throttling(["slow"])))
    it.put(payload(0, user="slow"))
    until(lambda: it.outbox.next_due() is not None and not it.sender._is_enough)
    time.sleep(0.1)  # until the thread waits for what is put off
    it.put(payload(1))
    until(lambda: "id-1" in server.accepted, 4.0)


def test_a_steady_trickle_goes_in_batches(sending: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "_INTERVAL", 0.2)
    it, server = sending()
    began = time.monotonic()
    for number in range(100):
        it.put(payload(number))
        time.sleep(0.005)
    took = time.monotonic() - began
    until(lambda: len(server.accepted) == 100)
    assert server.requests <= took / 0.2 + 2
    assert set(server.accepted.values()) == {1}


def test_two_hundred_are_sent_without_waiting_for_more(
    sending: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_INTERVAL", LONG)
    it, server = sending()
    it.put(*(payload(number) for number in range(199)))
    time.sleep(0.1)
    assert server.requests == 0
    it.put(payload(199))
    until(lambda: len(server.accepted) == 200)
    assert server.requests == 1


def test_a_flush_sends_at_once_and_is_done_when_all_is_settled(
    sending: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_INTERVAL", LONG)
    it, server = sending()
    for first in range(0, 900, 300):
        it.put(*(payload(number) for number in range(first, first + 150)))
        it.sender.flush().result(10)
        assert len(server.accepted) == first // 2 + 150
    assert it.outbox.is_empty


def test_a_flush_of_nothing_is_done(sending: Make) -> None:
    it, server = sending()
    assert it.sender.flush().done()
    assert server.requests == 0


def test_a_flush_is_not_done_while_its_events_wait(sending: Make) -> None:
    it, server = sending(Step(answers.status(500)))
    it.put(payload(0))
    flush = it.sender.flush()
    until(lambda: server.requests)
    time.sleep(0.05)
    assert not flush.done()
    server.plan(Step(answers.ok))
    flush.result(10)
    assert "id-0" in server.accepted


def test_a_flush_is_over_after_its_bound(sending: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    it, server = sending(Step(answers.status(500)))
    it.put(payload(0))
    bound = sender_module._Flush(it.outbox.marks(), deadline=time.monotonic() + 0.3)
    assert it.sender._flush(bound).done.result(5) is None
    assert not server.accepted
    assert it.outbox.counters.counts() == (0, 1, 0)


def test_a_flush_does_not_wait_for_what_comes_after_it(sending: Make) -> None:
    it, server = sending(Step(answers.slow(0.05)))
    is_over = threading.Event()

    def track() -> None:
        number = 1_000
        while not is_over.is_set():
            it.put(payload(number))
            number += 1
            time.sleep(0.001)

    tracker = threading.Thread(target=track)
    tracker.start()
    try:
        it.put(*(payload(number) for number in range(10)))
        it.sender.flush().result(10)
        assert set(id_range(10)) <= set(server.accepted)
    finally:
        is_over.set()
        tracker.join()


def test_a_flush_tries_again_sooner_than_an_outage_has_taught(
    sending: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_FAIL_AGAIN", 0.05)
    it, server = sending(Step(answers.status(500)))
    it.put(payload(0))
    it.carry(10)  # now it would wait for half a minute
    server.plan(Step(answers.ok))
    it.sender.flush().result(5)
    assert "id-0" in server.accepted


def test_a_flush_that_no_thread_can_be_begun_for_is_over(
    sending: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    it, server = sending()

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        it.put(payload(0))
        assert it.sender.flush().done()
        assert not server.accepted
    it.put(payload(1))
    until(lambda: len(server.accepted) == 2)


def test_many_that_flush_at_once_are_all_answered(sending: Make) -> None:
    it, server = sending()
    done: list[Future[None]] = []

    def work(first: int) -> None:
        for number in range(first, first + 20):
            it.put(payload(number))
            done.append(it.sender.flush())

    threads = [threading.Thread(target=work, args=(number * 20,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in done:
        each.result(10)
    assert len(server.accepted) == 160
    assert set(server.accepted.values()) == {1}


def test_there_is_one_thread_at_most_whoever_begins_it(sending: Make) -> None:
    it, server = sending()
    before = len(senders())
    barrier = threading.Barrier(8)
    most = 0

    def work(first: int) -> None:
        nonlocal most
        barrier.wait()
        for number in range(first, first + 50):
            it.put(payload(number))
            most = max(most, len(senders()) - before)

    threads = [threading.Thread(target=work, args=(number * 50,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(server.accepted) == 400)
    assert most == 1
    assert set(server.accepted.values()) == {1}


@pytest.mark.filterwarnings(UNHEARD)
@pytest.mark.usefixtures("unheard")
def test_a_thread_that_was_killed_is_begun_again_by_the_next_event(sending: Make) -> None:
    it, server = sending()
    it.put(payload(0))
    until(lambda: it.outbox.is_empty and "id-0" in server.accepted)
    first = it.thread()
    kill(first)
    it.put(payload(1))
    until(lambda: not first.is_alive())
    it.put(payload(2))
    until(lambda: it.outbox.counters.counts() == (3, 0, 0))
    assert it.thread() is not first
    assert len(server.accepted) == 3


@pytest.mark.filterwarnings(UNHEARD)
@pytest.mark.usefixtures("unheard")
def test_a_thread_that_was_killed_in_a_request_loses_nothing(sending: Make) -> None:
    it, server = sending(Step(answers.slow(0.2), times=1), Step(answers.ok))
    it.put(*(payload(number) for number in range(10)))
    until(lambda: server.requests == 1)
    first = it.thread()
    kill(first)
    until(lambda: not first.is_alive())
    it.put(payload(10))
    until(lambda: it.outbox.counters.counts() == (11, 0, 0))
    assert len(server.accepted) == 11
    assert it.outbox.is_empty


@pytest.mark.filterwarnings(UNHEARD)
@pytest.mark.usefixtures("unheard")
def test_a_flush_whose_thread_is_killed_is_answered_by_the_next(sending: Make) -> None:
    it, server = sending(Step(answers.slow(0.2), times=1), Step(answers.ok))
    it.put(payload(0))
    flush = it.sender.flush()
    until(lambda: server.requests == 1)
    kill(it.thread())
    flush.result(10)
    assert it.outbox.is_empty


def test_a_thread_may_be_killed_anywhere_and_nobody_is_stuck(
    serve_faults: Serve, spool: Spool, tmp_path: Path
) -> None:
    server = serve_faults()
    with (tmp_path / "log").open("w") as log:
        done = subprocess.run(
            [sys.executable, "-c", KILLS, str(spool.folder), server.url],
            stdout=log,
            stderr=log,
            timeout=30,
            check=False,
        )
    assert done.returncode == 0, (tmp_path / "log").read_text()
    assert sorted(server.accepted) == sorted(id_range(400))


@pytest.mark.filterwarnings(UNHEARD)
@pytest.mark.usefixtures("unheard")
def test_a_thread_that_was_killed_before_it_could_say_so_is_begun_again(
    sending: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    it, server = sending()
    monkeypatch.setattr(it.sender, "thread_ended", lambda _wake: None)
    it.put(payload(0))
    until(it.is_idle)
    first = it.thread()
    kill(first)
    it.put(payload(1))
    until(lambda: not first.is_alive())
    it.put(payload(2))
    until(lambda: it.outbox.counters.counts() == (3, 0, 0))
    assert len(server.accepted) == 3


def test_an_error_of_ours_ends_nothing(
    sending: Make, monkeypatch: pytest.MonkeyPatch, swallowing: None
) -> None:
    it, server = sending()
    send = it.carrier._send
    failures = iter([ZeroDivisionError, KeyError])

    def fail(batch: Any) -> None:
        error = next(failures, None)
        if error is not None:
            raise error
        send(batch)

    monkeypatch.setattr(it.carrier, "_send", fail)
    it.put(payload(0))
    until(lambda: "id-0" in server.accepted)
    assert it.outbox.is_empty


def test_its_thread_ends_when_its_owner_is_gone_and_nothing_waits(
    serve_faults: Serve, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_SCAN", 0.1)
    server = serve_faults()
    it = Sent(spool, server.url)
    it.put(payload(0))
    thread = it.thread()
    until(it.is_idle)
    del it
    until(lambda: gc.collect() >= 0 and not thread.is_alive())
    assert spool.paths() == []


def test_what_waits_is_delivered_though_its_owner_is_gone(
    serve_faults: Serve, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_SCAN", 0.1)
    server = serve_faults(Step(answers.status(500), times=2), Step(answers.ok))
    it = Sent(spool, server.url)
    it.put(payload(0))
    thread = it.thread()
    del it
    until(lambda: gc.collect() >= 0 and "id-0" in server.accepted)
    until(lambda: gc.collect() >= 0 and not thread.is_alive())


def test_what_others_leave_is_sent_while_nothing_of_one_s_own_waits(
    sending: Make, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_SCAN", 0.1)
    it, server = sending()
    it.sender.start()
    time.sleep(0.05)
    left_behind(spool.folder, payload(7))
    until(lambda: "id-7" in server.accepted)
    until(lambda: it.outbox.counters.adopted_sent == 1)


def test_a_stopped_sender_sends_nothing_and_begins_again_with_the_next_event(
    sending: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_INTERVAL", 0.2)
    monkeypatch.setattr(sender_module, "_SCAN", 0.2)
    it, server = sending()
    it.put(payload(0))
    first = it.thread()
    it.sender.stop()
    first.join(10)
    assert not first.is_alive()
    assert not server.accepted
    it.put(payload(1))
    until(lambda: len(server.accepted) == 2)


def test_finishing_delivers_and_ends_the_thread(
    sending: Make, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_INTERVAL", LONG)
    it, server = sending()
    it.put(*(payload(number) for number in range(500)))
    thread = it.thread()
    it.sender.begin_to_finish(time.monotonic() + 10)
    it.sender.finish()
    assert len(server.accepted) == 500
    assert not thread.is_alive()
    assert spool.paths() == []


@pytest.mark.parametrize("answer", [answers.hang, answers.status(500, retry_after=600), None])
def test_finishing_keeps_its_bound_and_what_is_left(sending: Make, spool: Spool, answer: Any) -> None:
    it, _ = sending(Step(answer))
    it.carrier.limit(1.0)
    it.put(*(payload(number) for number in range(10)))
    began = time.monotonic()
    it.sender.begin_to_finish(began + 0.3)
    it.sender.finish()
    assert time.monotonic() - began < 5
    other = Outbox(Spool(spool.folder))
    until(lambda: other.adopt() == 10)  # a request that hangs holds them until it is given up
    other.close()


def test_finishing_forgets_what_the_outage_has_taught(sending: Make) -> None:
    it, server = sending(Step(answers.status(500)))
    it.put(payload(0))
    it.carry(10)
    server.plan(Step(answers.ok))
    it.sender.begin_to_finish(time.monotonic() + 5)
    it.sender.finish()
    assert "id-0" in server.accepted


def test_finishing_brings_forward_what_is_put_off(sending: Make) -> None:
    it, server = sending(Step(answers.throttling(["slow"]), times=1), Step(answers.ok))
    it.put(payload(0, user="slow"))
    until(lambda: it.outbox.next_due() is not None)
    it.sender.begin_to_finish(time.monotonic() + 5)
    it.sender.finish()
    assert "id-0" in server.accepted


def test_finishing_sends_in_this_thread_where_no_other_can_be_begun(
    sending: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    it, server = sending()

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    it.put(*(payload(number) for number in range(300)))
    assert it.sender._thread is None
    deadline = time.monotonic() + 10
    it.sender.begin_to_finish(deadline)
    it.sender.finish()
    assert len(server.accepted) == 300
    assert time.monotonic() < deadline


def test_finishing_from_within_an_append_waits_for_nothing(
    sending: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a signal handler does that shuts the client down."""
    it, server = sending()
    it.put(payload(0))
    with it.outbox._lock:
        assert it.outbox.is_inside
        assert it.sender.flush().done()
        it.sender.begin_to_finish(time.monotonic() + LONG)
        it.sender.finish()
        it.put(payload(1))
    it.put(payload(2))
    until(lambda: len(server.accepted) == 3)


def test_a_callback_that_flushes_does_not_wait_for_itself(sending: Make) -> None:
    it, server = sending()
    waited: list[object] = []
    it.outbox.tell = lambda *_about: waited.append(it.sender.flush().result(5))
    it.put(payload(0), payload(1))
    until(lambda: len(waited) == 2)
    assert len(server.accepted) == 2


def test_a_forked_child_has_a_thread_and_a_connection_of_its_own(sending: Make, spool: Spool) -> None:
    it, server = sending()
    it.put(payload(0))
    it.sender.flush().result(10)
    assert server.connections == 1
    pid = os.fork()
    if not pid:
        code = 1
        try:
            it.sender.begin_anew()
            it.put(payload(1))
            it.sender.flush().result(10)
            code = 0 if it.outbox.counters.counts() == (1, 0, 0) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    it.put(payload(2))
    it.sender.flush().result(10)
    assert sorted(server.accepted) == id_range(3)
    assert set(server.accepted.values()) == {1}
    assert server.connections == 2


def test_a_child_of_a_fork_in_the_middle_of_a_request_sends_nothing_twice(sending: Make) -> None:
    it, server = sending(Step(answers.slow(0.3), times=1), Step(answers.ok))
    it.put(payload(0))
    it.sender.flush()
    until(lambda: server.requests == 1)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            it.sender.begin_anew()
            it.put(payload(1))
            it.sender.flush().result(10)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    until(lambda: it.outbox.is_empty)
    assert dict(server.accepted) == {"id-0": 1, "id-1": 1}


def test_memory_is_sent_too(sending: Make) -> None:
    it, server = sending(on=None)
    it.put(*(payload(number) for number in range(300)))
    it.sender.flush().result(10)
    assert len(server.accepted) == 300


def test_a_server_that_comes_back_gets_everything_once(sending: Make) -> None:
    def flaky(request: Request) -> Reply:
        return mixed(request)

    mixed = answers.flaky(5, (0.1, answers.status(500)), (0.1, answers.reset), (0.1, answers.close))
    it, server = sending(Step(flaky))
    for number in range(600):
        it.put(payload(number))
    it.sender.flush()
    until(lambda: it.outbox.counters.counts() == (600, 0, 0))
    assert len(server.accepted) == 600
    assert set(server.accepted.values()) == {1}


def test_the_spool_s_folder_may_be_removed_at_any_time(
    sending: Make, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_SCAN", 0.02)
    it, server = sending()
    for number in range(10):
        it.put(payload(number))
        _clear(spool.folder)
        time.sleep(0.02)
    until(lambda: len(server.accepted) == 10)


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink(missing_ok=True)
