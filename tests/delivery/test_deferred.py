"""What takes long is redacted in a thread, in order, and nothing is lost or counted wrongly meanwhile."""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.delivery import deferred
from tests.fakes.faults import FaultServer
from tests.fakes.faults_answers import hang, ok
from tests.fakes.faults_plan import Event, Step

from .conftest import Make
from .told import names, until

THREAD = "amplitude-ai-redaction"
LARGE = "Write to ann@example.com. " * 1_000


class Gate:
    """A redaction function that waits until it is let."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.threads: list[str] = []

    def __call__(self, text: str) -> str:
        self.ident = threading.get_ident()
        self.threads.append(threading.current_thread().name)
        until(self.is_open.is_set)  # and not its `wait`, which does not survive that its thread is ended
        return text.replace("secret", "[gone]")


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.is_open.set()


def texts(server: FaultServer) -> list[str]:
    return [event["event_properties"]["$llm_message"]["text"] for event in server.events.values()]


def where_redacted(ai: AmplitudeAI, do: Any) -> str:
    """Return the thread in which the hook sees the one event that is made."""
    seen: list[str] = []

    def look(event: Event) -> Event:
        seen.append(threading.current_thread().name)
        return event

    object.__setattr__(ai.config, "before_send", look)
    do(ai)
    ai.flush(timeout=20)
    (thread,) = seen
    return thread


def long_message(ai: AmplitudeAI) -> None:
    ai.track_user_message("user-1", LARGE, "s-1")


def long_property(ai: AmplitudeAI) -> None:
    ai.track_span("user-1", "x", event_properties={"many": [["ann@example.com"] * 100] * 20})


def short_message(ai: AmplitudeAI) -> None:
    ai.track_user_message("user-1", "ann@example.com", "s-1")


def test_only_large_texts_are_redacted_in_a_thread(make: Make, server: FaultServer) -> None:
    main = threading.current_thread().name
    assert where_redacted(make(), long_message) == THREAD
    assert where_redacted(make(), long_property) == THREAD
    assert where_redacted(make(), short_message) == main
    assert all("ann@example.com" not in str(event) for event in server.events.values())


@pytest.mark.parametrize(
    "settings", [{"content_mode": "metadata_only"}, {"redact_pii": False}], ids=["metadata_only", "as it is"]
)
def test_where_nothing_is_redacted_nothing_waits(make: Make, settings: dict[str, Any]) -> None:
    assert where_redacted(make(**settings), long_message) == threading.current_thread().name


@pytest.mark.parametrize("settings", [{"redact_pii": False}, {}])
def test_a_function_of_the_callers_runs_in_the_thread_however_short_the_text(
    make: Make, server: FaultServer, gate: Gate, settings: dict[str, Any]
) -> None:
    ai = make(custom_redaction_fn=gate, **settings)
    ai.track_user_message("user-1", "a secret", "s-1")
    gate.is_open.set()
    ai.flush(timeout=10)
    assert set(gate.threads) == {THREAD}
    assert texts(server) == ["a [gone]"]


def test_what_waits_is_pending_and_flush_waits_for_it(make: Make, server: FaultServer, gate: Gate) -> None:
    ai = make(custom_redaction_fn=gate)
    for number in range(3):
        ai.track_user_message("user-1", str(number), "s-1")
    result = ai.flush()
    other = ai.flush()
    assert (result.delivered, result.pending, result.dead) == (0, 3, 0)
    status = ai.status()
    assert status["events"] == {"delivered": 0, "pending": 3, "dead": 0}
    assert status["delivery"]["waiting_for_redaction"] == 3
    assert not result.done()
    gate.is_open.set()
    result.result(20)
    other.result(20)
    assert (result.delivered, result.pending, result.dead) == (3, 0, 0)
    assert ai.status()["delivery"]["waiting_for_redaction"] == 0
    gate.is_open.clear()
    short_message(ai)
    assert ai.status()["events"] == {"delivered": 3, "pending": 1, "dead": 0}


def test_events_that_wait_keep_their_order(make: Make, server: FaultServer, gate: Gate) -> None:
    ai = make(custom_redaction_fn=gate)
    for number in range(50):
        ai.track_user_message("user-1", str(number), "s-1")
    gate.is_open.set()
    ai.flush(timeout=20)
    assert texts(server) == [*map(str, range(50))]
    times = [event["time"] for event in server.events.values()]
    assert times == sorted(times)


def test_a_change_of_the_arguments_after_the_call_changes_nothing(
    make: Make, server: FaultServer, gate: Gate
) -> None:
    ai = make(custom_redaction_fn=gate)
    properties: dict[str, Any] = {"list": [1], "text": "before"}
    given: dict[str, Any] = {"query": ["before"]}
    groups = {"team": ["red"]}
    short_message(ai)  # the thread does not come to the next one yet
    ai.track_tool_call("user-1", "search", input=given, event_properties=properties, groups=groups)
    properties["list"].append(2)
    properties["text"] = "after"
    given["query"][0] = "after"
    groups["team"][0] = "blue"
    gate.is_open.set()
    ai.flush(timeout=10)
    _, event = server.events.values()
    assert (event["event_properties"]["list"], event["event_properties"]["text"]) == ([1], "before")
    assert "query" in str(event)
    assert "after" not in str(event)
    assert event["groups"] == {"team": ["red"]}


@pytest.mark.parametrize(
    ("limit", "most", "each"), [("_MOST_WAITING", 5, "x"), ("_MOST_CHARACTERS", 100_000, "x" * 20_000)]
)
def test_what_is_too_much_to_wait_is_done_by_the_caller(
    make: Make, server: FaultServer, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, each: str
) -> None:
    monkeypatch.setattr(deferred, limit, most)
    gate = threading.Event()
    callers: list[str] = []

    def wait(text: str) -> str:
        callers.append(threading.current_thread().name)
        if callers[-1] == THREAD:
            assert gate.wait(30)
        return text

    ai = make(custom_redaction_fn=wait)
    for _ in range(8):
        ai.track_user_message("user-1", each, "s-1")
    assert callers.count(threading.current_thread().name) >= 2
    assert ai.status()["delivery"]["waiting_for_redaction"] <= 5
    gate.set()
    assert ai.flush(timeout=20).delivered == 8


def test_the_hook_sees_the_context_of_the_call(make: Make) -> None:
    tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant", default="none")
    seen: list[str] = []

    def look(event: Event) -> Event:
        seen.append(tenant.get())
        return event

    ai = make(before_send=look)
    token = tenant.set("acme")
    long_message(ai)
    short_message(ai)
    tenant.reset(token)
    ai.flush(timeout=10)
    assert seen == ["acme", "acme"]


@pytest.mark.usefixtures("swallowing")
def test_functions_that_raise_lose_no_event(make: Make, server: FaultServer) -> None:
    def fail(_given: Any) -> Any:
        raise RuntimeError

    ai = make(custom_redaction_fn=fail, before_send=fail)
    for _ in range(3):
        long_message(ai)
    assert ai.flush(timeout=20).delivered == 3
    assert not any("ann@example.com" in text for text in texts(server))


def test_a_hook_may_flush_and_wait_in_the_thread(make: Make, server: FaultServer) -> None:
    def wait(event: Any) -> Any:
        ai.flush().result(30)
        return event

    ai = make(before_send=wait)
    long_message(ai)
    assert ai.flush(timeout=20).delivered == 1


def test_a_flush_ends_though_a_function_never_does(
    make: Make, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deferred, "FLUSH_SECONDS", 0.2)
    ai = make(custom_redaction_fn=gate)
    short_message(ai)
    result = ai.flush()
    result.result(20)
    assert result.pending == 1


def test_shutdown_waits_for_what_is_being_redacted(make: Make, server: FaultServer, gate: Gate) -> None:
    ai = make(custom_redaction_fn=gate)
    short_message(ai)
    threading.Timer(0.2, gate.is_open.set).start()
    ai.shutdown(timeout=20)
    assert len(server.events) == 1


def test_shutdown_does_not_wait_longer_than_it_may(make: Make, server: FaultServer, gate: Gate) -> None:
    ai = make(custom_redaction_fn=gate)
    short_message(ai)
    ai.shutdown(timeout=0.1)
    assert ai.status()["events"] == {"delivered": 0, "pending": 1, "dead": 0}
    gate.is_open.set()
    until(lambda: len(server.events) == 1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_is_killed_is_replaced(make: Make, server: FaultServer, gate: Gate) -> None:
    ai = make(custom_redaction_fn=gate)
    for number in range(3):
        ai.track_user_message("user-1", str(number), "s-1")
    until(lambda: gate.threads)
    (thread,) = [it for it in threading.enumerate() if it.ident == gate.ident]
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(gate.ident), ctypes.py_object(SystemExit))
    thread.join(20)
    gate.is_open.set()
    assert ai.flush(timeout=20).delivered == 3
    assert sorted(texts(server)) == ["0", "1", "2"]


def test_a_forked_child_leaves_what_waits_to_its_parent(make: Make, server: FaultServer, gate: Gate) -> None:
    ai = make(custom_redaction_fn=gate)
    ai.track_user_message("user-1", "parent", "s-1")
    until(lambda: gate.threads)
    child = os.fork()
    if not child:
        signal.alarm(30)
        gate.is_open = threading.Event()
        gate.is_open.set()
        waited = ai.status()["delivery"]["waiting_for_redaction"]
        ai.track_user_message("user-1", "child", "s-1")
        os._exit(0 if not waited and ai.flush(timeout=20).delivered == 1 else 1)
    until(lambda: os.waitpid(child, os.WNOHANG) == (child, 0))
    gate.is_open.set()
    ai.flush(timeout=20)
    assert sorted(texts(server)) == ["child", "parent"]
    assert set(server.accepted.values()) == {1}


PROGRAM = """
import sys, time
from amplitude_ai_integrations import AIConfig, AmplitudeAI

def slow(text):
    time.sleep(0.02)
    return text

config = AIConfig(server_url=sys.argv[1], spool=sys.argv[2], custom_redaction_fn=slow)
ai = AmplitudeAI(config=config)
for number in range(10):
    ai.track_user_message("user-1", str(number), "s-1")
"""


def run(*arguments: str) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM, *arguments], check=True, timeout=60)


def test_the_end_of_a_process_waits_for_it(server: FaultServer, tmp_path: Path) -> None:
    run(server.url, str(tmp_path / "spool"))
    assert sorted(texts(server)) == [*"0123456789"]


def test_at_the_end_of_a_process_it_reaches_the_disk(make: Make, server: FaultServer, tmp_path: Path) -> None:
    server.plan(Step(None))
    run(server.url, str(tmp_path / "spool"))
    server.plan(Step(ok))
    make()
    until(lambda: sorted(texts(server)) == [*"0123456789"])


async def test_five_megabytes_hold_up_no_loop(make: Make, server: FaultServer) -> None:
    server.plan(Step(hang))
    ai = make()
    text = "Call +1 415 555 0132 or write to ann@example.com. " * 100_000
    began = time.monotonic()
    ai.track_user_message("user-1", text, "s-1")
    taken = time.monotonic() - began
    lags: list[float] = []
    while ai.status()["delivery"]["waiting_for_redaction"]:
        began = time.monotonic()
        await asyncio.sleep(0.005)
        lags.append(time.monotonic() - began)
    assert len(lags) > 5
    assert taken < sum(lags)  # what the caller pays is the smaller part


def test_names_are_kept_when_small_events_go_ahead(make: Make, server: FaultServer, gate: Gate) -> None:
    ai = make(custom_redaction_patterns=["secret"])
    ai.track_span("user-1", "large", event_properties={"text": "secret " * 10_000})
    ai.track_span("user-1", "small", event_properties={"text": "secret"})
    assert ai.flush(timeout=20).delivered == 2
    assert names(server.events.values()) == ["large", "small"]
    assert "secret" not in str(server.events)
