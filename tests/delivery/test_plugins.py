"""`ai.amplitude` is an `Amplitude` client as people know it, where delivery is ours too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from amplitude import BaseEvent, EventOptions, EventPlugin, Identify, PluginType, Revenue
from amplitude.plugin import DestinationPlugin

from amplitude_ai_integrations import AmplitudeAI
from tests.fakes.faults import FaultServer
from tests.fakes.faults_answers import invalid_key, ok, status
from tests.fakes.faults_plan import Step

from .conftest import Make
from .told import names, until


class Plugin(EventPlugin):  # type: ignore[misc]  # the client's package carries no types
    """Does to an event what a function does."""

    def __init__(self, do: Callable[[Any], Any], kind: Any = PluginType.ENRICHMENT) -> None:
        super().__init__(kind)
        self._do = do

    def execute(self, event: Any) -> Any:
        return self._do(event)


class Elsewhere(DestinationPlugin):  # type: ignore[misc]
    """Keeps what it gets until it is flushed or shut down."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Any] = []
        self.delivered: list[Any] = []

    def execute(self, event: Any) -> None:
        self.waiting.append(event)

    def flush(self) -> None:
        self.delivered += self.waiting
        self.waiting = []

    def shutdown(self) -> None:
        self.flush()


def append(event: Any) -> Any:
    event.event_properties["[Agent] Span Name"] += "!"
    event["app_version"] = "2.0"
    return event


@pytest.mark.parametrize("kind", [PluginType.BEFORE, PluginType.ENRICHMENT])
def test_a_plugin_changes_each_event_once(make: Make, server: FaultServer, kind: Any) -> None:
    server.plan(Step(status(500), times=1), Step(ok))
    ai = make()
    ai.amplitude.add(Plugin(append, kind))
    ai.track_span("user-1", "x")
    ai.flush(timeout=10)
    (event,) = server.events.values()
    assert (event["event_properties"]["[Agent] Span Name"], event["app_version"]) == ("x!", "2.0")


@pytest.mark.parametrize("kind", [PluginType.BEFORE, PluginType.ENRICHMENT])
def test_an_event_that_a_plugin_drops_is_not_waited_for(make: Make, server: FaultServer, kind: Any) -> None:
    ai = make()
    ai.amplitude.add(Plugin(lambda event: event if event.user_id == "user-1" else None, kind))
    ai.track_span("user-1", "x")
    ai.track_span("user-2", "y")
    result = ai.flush(timeout=10)
    assert (result.delivered, result.pending, result.dead) == (1, 0, 0)
    assert names(server.events.values()) == ["x"]


def test_whole_texts_pass_through_plugins(make: Make, server: FaultServer) -> None:
    ai = make()
    ai.amplitude.add(Plugin(append_nothing))
    text = "How long is long? " * 1_000
    ai.track_user_message("user-1", text, "s-1")
    ai.flush(timeout=10)
    (event,) = server.events.values()
    assert event["event_properties"]["$llm_message"]["text"] == text


def append_nothing(event: Any) -> Any:
    return event


@pytest.mark.usefixtures("swallowing")
def test_a_plugin_that_raises_does_not_stop_the_event(make: Make, server: FaultServer) -> None:
    def fail(_event: Any) -> Any:
        raise RuntimeError

    ai = make()
    ai.amplitude.add(Plugin(fail))
    ai.track_span("user-1", "x")
    assert ai.flush(timeout=10).delivered == 1


def test_a_plugin_may_put_in_what_is_no_json(make: Make, server: FaultServer) -> None:
    def odd(event: Any) -> Any:
        event.event_properties |= {"set": {1}, "nan": float("nan"), "object": Elsewhere()}
        return event

    ai = make()
    ai.amplitude.add(Plugin(odd))
    ai.track_span("user-1", "x")
    ai.flush(timeout=10)
    (event,) = server.events.values()
    properties = event["event_properties"]
    assert (properties["set"], properties.get("nan")) == ([1], None)


def test_a_plugin_may_track(make: Make, server: FaultServer) -> None:
    ai = make()

    def track(event: Any) -> Any:
        ai.amplitude.track(BaseEvent("Seen", user_id=event.user_id))
        if event.event_properties["[Agent] Span Name"] == "x":
            ai.track_span("user-1", "of the plugin")
        return event

    ai.amplitude.add(Plugin(track))
    ai.track_span("user-1", "x")
    assert ai.flush(timeout=10).delivered == 3
    kinds = sorted(event["event_type"] for event in server.events.values())
    assert kinds == ["Seen", "[Agent] Span", "[Agent] Span"]
    assert all(event["time"] and event["insert_id"] for event in server.events.values())


def test_a_destination_of_the_callers_gets_each_event_and_its_end(make: Make, server: FaultServer) -> None:
    ai = make()
    elsewhere = Elsewhere()
    ai.amplitude.add(elsewhere)
    ai.track_span("user-1", "x")
    assert [event.event_type for event in elsewhere.waiting] == ["[Agent] Span"]
    ai.flush(timeout=10)
    assert len(elsewhere.delivered) == len(server.events) == 1
    ai.track_span("user-1", "y")
    ai.shutdown()
    assert len(elsewhere.delivered) == len(server.events) == 2
    ai.track_span("user-1", "z")
    ai.amplitude.shutdown()
    assert len(elsewhere.delivered) == 3
    until(lambda: len(server.events) == 3)


PROGRAM = """
import sys
from amplitude import BaseEvent
from amplitude_ai_integrations import AIConfig, AmplitudeAI
from tests.delivery.test_plugins import Elsewhere

ai = AmplitudeAI(config=AIConfig(server_url=sys.argv[1], spool=sys.argv[2]))
elsewhere = Elsewhere()
elsewhere.shutdown = lambda: print("shut down with", len(elsewhere.waiting))
ai.amplitude.add(elsewhere)
ai.track_span("user-1", "x")
ai.amplitude.track(BaseEvent("Own", user_id="user-1"))
"""


def test_at_exit_a_destination_of_the_callers_is_shut_down(server: FaultServer, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, server.url, str(tmp_path / "spool")]
    with (tmp_path / "log").open("w") as log:
        subprocess.run(command, stdout=log, stderr=log, check=True, timeout=60)
    assert (tmp_path / "log").read_text() == "shut down with 2\n"
    assert len(server.events) == 2


def own_events(ai: AmplitudeAI) -> None:
    client = ai.amplitude
    options = EventOptions(user_id="user-1")
    client.track(BaseEvent("Plain", user_id="user-1"))
    client.track(BaseEvent("Rich", device_id="device-1", event_properties={"a": 1}, price=1.5))
    client.identify(Identify().set("plan", "pro"), options)
    client.group_identify("team", "red", Identify().set("seats", 3), options)
    client.set_group("team", "red", options)
    client.revenue(Revenue(price=9.5, product_id="book", quantity=2), options)


OWN = ["$groupidentify", "$identify", "$identify", "Plain", "Rich", "revenue_amount"]


def test_the_callers_own_events_arrive(make: Make, server: FaultServer) -> None:
    ai = make()
    own_events(ai)
    assert ai.flush(timeout=10).delivered == 6
    events = {event["event_type"]: event for event in server.events.values()}
    assert sorted(event["event_type"] for event in server.events.values()) == OWN
    assert events["Rich"]["event_properties"] == {"a": 1}
    assert events["$groupidentify"]["group_properties"] == {"$set": {"seats": 3}}
    assert events["revenue_amount"]["event_properties"]["$price"] == 9.5
    assert all(event["time"] and event["insert_id"] for event in events.values())


def test_the_callback_is_told_of_the_callers_own_events(make: Make, server: FaultServer) -> None:
    told: list[tuple[str, Any, int]] = []

    def callback(event: Any, code: int, _message: str | None) -> None:
        told.append((event.event_type, event.event_properties, code))

    ai = make(on_event_callback=callback)
    own_events(ai)
    ai.flush(timeout=10)
    assert sorted(kind for kind, _, _ in told) == OWN
    assert {code for _, _, code in told} == {200}
    assert ("Plain", None, 200) in told


def test_an_event_without_anybody_is_left_out(
    make: Make, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    ai = make()
    ai.amplitude.track(BaseEvent("Nobody"))
    assert ai.flush(timeout=10).pending == 0
    assert "without user and device" in caplog.text
    assert server.requests == 0


def test_an_events_own_callback_and_the_clients_are_told_once(make: Make, server: FaultServer) -> None:
    server.plan(Step(status(500), times=1), Step(invalid_key, times=1), Step(ok))
    of_event: list[tuple[str, int]] = []
    of_client: list[tuple[str, int]] = []
    ai = make()
    ai.amplitude.configuration.callback = lambda event, code, _: of_client.append((event.event_type, code))
    ai.amplitude.track(
        BaseEvent("Own", "user-1", callback=lambda event, code, _: of_event.append((event.event_type, code)))
    )
    ai.track_span("user-1", "x")
    until(lambda: (ai.flush(timeout=1), len(server.events))[-1] == 2)
    assert of_event == [("Own", 400)]
    assert sorted(of_client) == [("Own", 400), ("[Agent] Span", 400)]


def test_callbacks_of_events_are_bounded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from amplitude_ai_integrations.delivery import own_client

    monkeypatch.setattr(own_client, "_MOST_WAITING", 3)
    told: list[str] = []
    ai = make()
    for number in range(5):
        event = BaseEvent(str(number), "user-1", callback=lambda event, *_: told.append(event.event_type))
        ai.amplitude.track(event)
    ai.flush(timeout=10)
    assert told == ["2", "3", "4"]
    assert not ai.amplitude.wants_answers


@pytest.mark.parametrize("has_plugin", [False, True])
def test_who_is_opted_out_is_not_tracked(make: Make, server: FaultServer, has_plugin: bool) -> None:
    ai = make()
    if has_plugin:
        ai.amplitude.add(Plugin(append_nothing))
    ai.amplitude.configuration.opt_out = True
    ai.track_span("user-1", "x")
    own_events(ai)
    ai.amplitude.configuration.opt_out = False
    ai.track_span("user-1", "y")
    result = ai.flush(timeout=10)
    assert (result.delivered, result.pending, result.dead) == (1, 0, 0)
    assert names(server.events.values()) == ["y"]


def test_plugins_run_in_forked_processes_whatever_threads_held(make: Make, server: FaultServer) -> None:
    ai = make()
    inside, gate = threading.Event(), threading.Event()

    def wait(event: Any) -> Any:
        if event.event_properties["[Agent] Span Name"] == "slow":
            inside.set()
            assert gate.wait(30)
        return append(event)

    ai.amplitude.add(Plugin(wait))
    thread = threading.Thread(target=ai.track_span, args=("user-1", "slow"))
    thread.start()
    assert inside.wait(30)
    child = os.fork()
    if not child:
        signal.alarm(30)
        ai.track_span("user-1", "child")
        os._exit(0 if ai.flush(timeout=20).delivered == 1 else 1)
    until(lambda: os.waitpid(child, os.WNOHANG) == (child, 0))
    gate.set()
    thread.join()
    ai.flush(timeout=10)
    assert names(server.events.values()) == ["child!", "slow!"]
    assert set(server.accepted.values()) == {1}
