"""With `durable=True` the customer's own client is given again what it loses, and nothing else changes."""

from __future__ import annotations

import copy
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from amplitude import Amplitude, BaseEvent, Config, EventPlugin, PluginType
from amplitude.worker import Workers

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError
from amplitude_ai_integrations.delivery import durable
from tests.fakes.faults import FaultServer
from tests.fakes.faults_answers import close, invalid_key, ok, refusing, reset, slow, status, throttling
from tests.fakes.faults_plan import Step

from .conftest import Make
from .test_plugins import Plugin, append
from .told import Told, names, until

Client = Callable[..., Amplitude]


@pytest.fixture
def client(server: FaultServer) -> Iterator[Client]:
    """Make clients as customers have them: `client(flush_max_retries=2)`."""
    made: list[Amplitude] = []

    def new(**settings: Any) -> Amplitude:
        settings = {"flush_interval_millis": 50, "min_id_length": 1, **settings}
        made.append(Amplitude("key-1", Config(server_url=server.url + "/2/httpapi", **settings)))
        return made[-1]

    yield new
    server.plan(Step(ok))
    for one in made:
        one.shutdown()


def track(ai: AmplitudeAI, *names: str) -> None:
    for name in names:
        ai.track_span("user-1", name)


def journal(ai: AmplitudeAI) -> Any:
    return ai.recorder.pipeline.sinks[0]


def test_each_event_arrives_once_and_the_journal_is_emptied(
    make: Make, server: FaultServer, client: Client, tmp_path: Path
) -> None:
    told = Told()
    ai = make(client(), durable=True, on_event_callback=told)
    track(ai, "a", "b")
    result = ai.flush(timeout=10)
    assert (result.delivered, result.pending, result.dead) == (2, 0, 0)
    assert sorted(told.codes) == [("a", 200), ("b", 200)]
    assert set(server.accepted.values()) == {1}
    ai.shutdown()
    assert not [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]


def test_the_client_has_the_event_before_the_call_returns(make: Make, client: Client) -> None:
    seen: list[str] = []

    def look(event: Any) -> Any:
        seen.append(threading.current_thread().name)
        return event

    official = client()
    official.add(Plugin(look))
    ai = make(official, durable=True)
    track(ai, "a")
    assert seen == [threading.current_thread().name]


LOSSES = {
    "closed": (Step(close, times=1), Step(ok)),
    "reset": (Step(reset, times=1), Step(ok)),
    "refused key": (Step(invalid_key, times=1), Step(ok)),
    "failing longer than it retries": (Step(status(500), times=3), Step(ok)),
    "daily quota": (Step(throttling({"user-1"}, quota=True), times=1), Step(ok)),
}


@pytest.mark.parametrize("steps", LOSSES.values(), ids=LOSSES.keys())
def test_what_the_client_loses_it_gets_again(
    make: Make, server: FaultServer, client: Client, steps: tuple[Step, ...]
) -> None:
    server.plan(*steps)
    told = Told()
    ai = make(client(flush_max_retries=2), durable=True, on_event_callback=told)
    track(ai, "a", "b", "c")
    until(lambda: len(server.events) == 3)
    until(lambda: ai.status()["events"] == {"delivered": 3, "pending": 0, "dead": 0})
    assert sorted(told.codes) == [("a", 200), ("b", 200), ("c", 200)]
    assert set(server.accepted.values()) == {1}


def test_a_flush_waits_for_what_was_lost_though_the_client_takes_its_time(
    make: Make, server: FaultServer, client: Client
) -> None:
    server.plan(Step(reset, times=1), Step(ok))
    ai = make(client(flush_interval_millis=60_000), durable=True)
    track(ai, "a")
    assert ai.flush(timeout=20).delivered == 1


def test_what_the_server_refuses_for_good_is_dead_and_its_neighbours_arrive(
    make: Make, server: FaultServer, client: Client
) -> None:
    server.plan(Step(refusing("invalid", lambda event: event["user_id"] == "bad")))
    told = Told()
    ai = make(client(), durable=True, on_event_callback=told)
    track(ai, "a")
    ai.track_span("bad", "bad")
    until(lambda: len(told.codes) == 2)  # told just after it is counted
    assert ai.status()["events"] == {"delivered": 1, "pending": 0, "dead": 1}
    assert sorted(told.codes) == [("a", 200), ("bad", 400)]
    (letter,) = journal(ai).outbox.dead_letters
    assert (letter.status, letter.event["user_id"]) == (400, "bad")


PROGRAM = """
import os, signal, sys
from amplitude import Amplitude, Config
from amplitude_ai_integrations import AIConfig, AmplitudeAI

client = Amplitude("key-1", Config(server_url=sys.argv[1] + "/2/httpapi", flush_interval_millis=500))
ai = AmplitudeAI(amplitude=client, config=AIConfig(durable=True, spool=sys.argv[2]))
for number in range(3):
    ai.track_span("user-1", str(number))
exec(sys.argv[3])
"""


def run(server: FaultServer, folder: Path, end: str) -> int:
    command = [sys.executable, "-c", PROGRAM, server.url, str(folder / "spool"), end]
    with (folder / "log").open("ab") as log:
        return subprocess.run(command, stdout=log, stderr=log, timeout=60, check=False).returncode


def test_what_a_killed_process_had_tracked_the_next_one_hands_over(
    make: Make, server: FaultServer, client: Client, tmp_path: Path
) -> None:
    assert run(server, tmp_path, "os.kill(os.getpid(), signal.SIGKILL)") == -signal.SIGKILL
    assert not server.events
    told = Told()
    heir = make(client(flush_interval_millis=60_000), durable=True, on_event_callback=told)
    until(lambda: names(server.events.values()) == ["0", "1", "2"])
    until(lambda: len(told.codes) == 3)
    assert heir.status()["events"] == {"delivered": 0, "pending": 0, "dead": 0}
    assert heir.status()["delivery"]["adopted_sent"] == 3


def test_what_the_end_of_a_process_did_not_deliver_the_next_one_hands_over(
    make: Make, server: FaultServer, client: Client, tmp_path: Path
) -> None:
    server.plan(Step(status(500)))
    assert run(server, tmp_path, "client.shutdown(); ai.track_span('user-1', 'late')") == 0
    assert server.requests == 1
    server.plan(Step(ok))
    make(client(), durable=True)
    until(lambda: names(server.events.values()) == ["0", "1", "2", "late"])
    assert set(server.accepted.values()) == {1}


def test_in_a_forked_child_the_client_works_and_sends_nothing_twice(
    make: Make, server: FaultServer, client: Client
) -> None:
    ai = make(client(flush_interval_millis=60_000), durable=True)
    track(ai, "before")
    ai.flush(timeout=10)
    track(ai, "parent")
    child = os.fork()
    if not child:
        signal.alarm(30)
        track(ai, "child")
        result = ai.flush(timeout=20)
        os._exit(0 if (result.delivered, result.pending) == (1, 0) else 1)
    until(lambda: os.waitpid(child, os.WNOHANG) == (child, 0))
    ai.flush(timeout=20)
    assert names(server.events.values()) == ["before", "child", "parent"]
    assert set(server.accepted.values()) == {1}


def test_threads_of_the_client_that_were_ended_are_replaced(
    make: Make, server: FaultServer, client: Client
) -> None:
    official = client(flush_interval_millis=60_000)
    ai = make(official, durable=True)
    track(ai, "a")
    ai.flush(timeout=10)
    pool = official._Amplitude__timeline.plugins[PluginType.DESTINATION][0].workers.threads_pool
    for thread in tuple(pool._threads):
        raised = ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
        )
        assert raised == 1
        pool._work_queue.put(None)
        thread.join(10)
    track(ai, "b")
    official.track(BaseEvent("Own", user_id="user-1"))
    until(lambda: (ai.flush(timeout=1), len(server.events))[-1] == 3, 30)
    assert ai.status()["events"] == {"delivered": 2, "pending": 0, "dead": 0}


def test_a_plugin_changes_what_is_handed_over_again_only_once(
    make: Make, server: FaultServer, client: Client
) -> None:
    server.plan(Step(reset, times=1), Step(ok))
    official = client()
    official.add(Plugin(append))
    track(make(official, durable=True), "x")
    until(lambda: names(server.events.values()) == ["x!"])


@pytest.mark.parametrize("is_durable", [False, True])
def test_what_a_plugin_drops_is_not_waited_for(
    make: Make, server: FaultServer, client: Client, is_durable: bool
) -> None:
    official = client(flush_interval_millis=60_000)
    official.add(Plugin(lambda event: None if event.user_id == "user-2" else event))
    ai = make(official, durable=is_durable)
    track(ai, "a")
    ai.track_span("user-2", "dropped")
    result = ai.flush(timeout=10)
    assert (result.delivered, result.pending, result.dead) == (1, 0, 0)
    assert result.done()


def test_a_plugin_that_tracks_waits_for_nobody(make: Make, server: FaultServer, client: Client) -> None:
    official = client()
    ai = make(official, durable=True)

    def also(event: Any) -> Any:
        if event.event_properties["[Agent] Span Name"] == "x":
            track(ai, "of the plugin")
        return event

    official.add(Plugin(also))
    track(ai, "x")
    until(lambda: names(server.events.values()) == ["of the plugin", "x"])


@pytest.mark.parametrize("is_durable", [False, True])
def test_who_is_opted_out_is_not_tracked_and_not_kept(
    make: Make, server: FaultServer, client: Client, tmp_path: Path, is_durable: bool
) -> None:
    official = client(flush_interval_millis=60_000)
    ai = make(official, durable=is_durable)
    official.configuration.opt_out = True
    track(ai, "a")
    official.configuration.opt_out = False
    track(ai, "b")
    result = ai.flush(timeout=10)
    assert (result.delivered, result.pending, result.dead) == (1, 0, 0)
    assert names(server.events.values()) == ["b"]


def test_the_customers_own_events_and_callbacks_are_as_they_were(
    make: Make, server: FaultServer, client: Client
) -> None:
    server.plan(Step(status(500), times=2), Step(ok))
    told: list[tuple[str, int]] = []
    official = client(callback=lambda event, code, _message: told.append((event.event_type, code)))
    ai = make(official, durable=True)
    official.track(BaseEvent("Own", user_id="user-1", event_properties={"a": 1}))
    track(ai, "x")
    until(lambda: len(server.events) == 2)
    until(lambda: sorted(told) == [("Own", 200), ("[Agent] Span", 200)])
    (own,) = [event for event in server.events.values() if event["event_type"] == "Own"]
    assert own["event_properties"] == {"a": 1}


def test_memory_is_bounded_in_an_outage_and_what_waits_on_disk_arrives(
    make: Make, server: FaultServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "_MOST_OPEN", 20)
    server.plan(Step(status(500)))
    ai = make(client(flush_max_retries=1, flush_queue_size=10), durable=True)
    carrier = journal(ai).carrier
    held: list[int] = []
    for number in range(100):
        track(ai, str(number))
        held.append(len(carrier._open) + len(carrier._lost))
    until(lambda: ai.status()["delivery"]["retried"] >= 40)
    assert max(held) <= 20
    assert len(carrier._open) + len(carrier._lost) <= 20 + durable._AT_ONCE
    assert ai.status()["events"] == {"delivered": 0, "pending": 100, "dead": 0}
    server.plan(Step(ok))
    until(lambda: len(server.events) == 100)
    until(lambda: ai.status()["events"] == {"delivered": 100, "pending": 0, "dead": 0})
    assert carrier._open_bytes == 0


def exit_seconds(folder: Path, server: FaultServer, is_durable: bool) -> float:
    code = PROGRAM.replace("durable=True", f"durable={is_durable}") + "client.shutdown()"
    began = time.monotonic()
    command = [sys.executable, "-c", code, server.url, str(folder / f"spool-{is_durable}"), ""]
    with (folder / "log").open("ab") as log:
        subprocess.run(command, stdout=log, stderr=log, timeout=60, check=True)
    return time.monotonic() - began


def test_the_exit_takes_as_long_as_the_clients_own(server: FaultServer, tmp_path: Path) -> None:
    server.plan(Step(slow(1)))
    with ThreadPoolExecutor(2) as pool:
        plain, durably = pool.map(partial(exit_seconds, tmp_path, server), (False, True))
    assert durably < plain + 1.5  # the client's own second is not waited for twice, nor anything of ours


def state(official: Amplitude) -> dict[str, Any]:
    timeline = official._Amplitude__timeline
    (destination,) = timeline.plugins[PluginType.DESTINATION]
    return {
        "client": copy.copy(official.__dict__),
        "destination": copy.copy(destination.__dict__),
        "workers": sorted(destination.workers.__dict__),
        "plugins": {kind: [*plugins] for kind, plugins in timeline.plugins.items()},
        "settings": copy.copy(official.configuration.__dict__),
        "send": getattr(destination.workers.send, "__func__", None) is Workers.send,
    }


def test_without_durable_nothing_in_the_client_is_touched(make: Make, client: Client) -> None:
    official = client()
    before = state(official)
    ai = make(official)
    track(ai, "a")
    ai.flush(timeout=10)
    ai.shutdown()
    assert state(official) == before
    assert before["send"]


def test_durable_needs_a_client_that_can_be_watched() -> None:
    class Stand:
        def track(self, event: Any) -> None:
            """Take it."""

    with pytest.raises(ConfigurationError, match="durable=True keeps the events of an Amplitude client"):
        AmplitudeAI(amplitude=Stand(), config=AIConfig(durable=True))


def test_with_a_key_it_is_durable_anyway(make: Make, server: FaultServer) -> None:
    ai = make(durable=True)
    track(ai, "a")
    assert ai.flush(timeout=10).delivered == 1


class Slow(EventPlugin):  # type: ignore[misc]
    """Tracks of other threads wait while one is in it."""

    def __init__(self, gate: threading.Event) -> None:
        super().__init__(PluginType.BEFORE)
        self._gate = gate

    def execute(self, event: Any) -> Any:
        assert self._gate.wait(30)
        return event


def test_a_fork_while_a_thread_is_inside_the_client_is_survived(
    make: Make, server: FaultServer, client: Client
) -> None:
    gate = threading.Event()
    official = client()
    slow = Slow(gate)
    official.add(slow)
    ai = make(official, durable=True)
    thread = threading.Thread(target=track, args=(ai, "parent"))
    thread.start()
    until(official._Amplitude__timeline.locks[PluginType.BEFORE].locked)
    child = os.fork()
    if not child:
        signal.alarm(30)
        slow._gate = threading.Event()
        slow._gate.set()
        track(ai, "child")
        os._exit(0 if ai.flush(timeout=20).delivered == 1 else 1)
    until(lambda: os.waitpid(child, os.WNOHANG) == (child, 0))
    gate.set()
    thread.join()
    ai.flush(timeout=10)
    assert names(server.events.values()) == ["child", "parent"]
