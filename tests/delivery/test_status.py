"""`status()` says what became of the events, at each moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from amplitude import Amplitude, Config

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from tests.fakes.faults import FaultServer
from tests.fakes.faults_answers import invalid_key, ok, refusing, reset, status
from tests.fakes.faults_plan import Step

from .conftest import Make
from .told import until

NAMES = {
    "server", "spool", "appended", "sent", "retried", "dead", "dropped", "adopted", "adopted_sent",
    "adopted_dead", "unreadable", "oldest_seconds", "failing", "waiting_for_redaction",
}  # fmt: skip


def delivery(ai: AmplitudeAI) -> dict[str, Any]:
    found: dict[str, Any] = ai.status()["delivery"]
    return found


def test_before_the_first_event_all_is_nothing(make: Make, server: FaultServer, tmp_path: Path) -> None:
    ai = make()
    assert ai.status()["events"] == {"delivered": 0, "pending": 0, "dead": 0}
    told = delivery(ai)
    assert told.keys() >= NAMES
    assert told["server"] == server.url + "/2/httpapi"
    assert told["spool"].startswith(str(tmp_path / "spool"))
    assert {told[name] for name in ("appended", "sent", "retried", "adopted", "unreadable")} == {0}
    assert (told["oldest_seconds"], told["failing"]) == (0.0, "")


def test_while_the_server_fails_it_says_why_and_how_long(make: Make, server: FaultServer) -> None:
    server.plan(Step(status(503, "closed for today")))
    ai = make()
    ai.track_span("user-1", "x")
    until(lambda: (ai.flush(timeout=0.1), delivery(ai)["failing"])[-1])
    assert delivery(ai)["failing"] == "HTTP 503: closed for today"
    until(lambda: delivery(ai)["oldest_seconds"] > 0)
    assert delivery(ai)["retried"] >= 1
    server.plan(Step(ok))
    until(lambda: (ai.flush(timeout=1), ai.status()["events"]["delivered"])[-1])
    assert (delivery(ai)["failing"], delivery(ai)["oldest_seconds"]) == ("", 0.0)
    assert delivery(ai)["sent"] == delivery(ai)["appended"] == 1


@pytest.mark.parametrize(
    ("step", "words"),
    [(Step(invalid_key), "Invalid API key"), (Step(None), "Connection"), (Step(reset), "Connection")],
)
def test_whatever_stands_in_the_way_is_said(make: Make, server: FaultServer, step: Step, words: str) -> None:
    server.plan(step)
    ai = make()
    ai.track_span("user-1", "x")
    until(lambda: (ai.flush(timeout=0.1), words in delivery(ai)["failing"])[-1])
    assert ai.status()["events"]["pending"] == 1


def test_what_is_dead_is_counted_by_its_reason(make: Make, server: FaultServer) -> None:
    server.plan(Step(refusing("silenced", lambda event: event["user_id"] == "bad")))
    ai = make()
    ai.track_span("user-1", "x")
    ai.track_span("bad", "y")
    ai.track_span("bad", "z")
    ai.flush(timeout=10)
    assert ai.status()["events"] == {"delivered": 1, "pending": 0, "dead": 2}
    assert sum(delivery(ai)["dead"].values()) == 2


def test_what_another_has_left_is_not_counted_as_ones_own(make: Make, server: FaultServer) -> None:
    server.plan(Step(None))
    ended = make()
    ended.track_span("user-1", "x")
    ended.shutdown(0)
    server.plan(Step(ok))
    heir = make()
    until(lambda: delivery(heir)["adopted_sent"] == 1)
    assert heir.status()["events"] == {"delivered": 0, "pending": 0, "dead": 0}
    assert (delivery(heir)["adopted"], delivery(heir)["appended"]) == (1, 0)


def test_without_a_disk_it_says_so(make: Make) -> None:
    assert delivery(make(spool="off"))["spool"].startswith("memory")


@pytest.mark.parametrize("durable", [False, True])
def test_through_a_client_of_the_callers(make: Make, server: FaultServer, durable: bool) -> None:
    client = Amplitude("key-1", Config(server_url=server.url + "/2/httpapi", min_id_length=1))
    ai = make(client, durable=durable)
    ai.track_span("user-1", "x")
    assert ai.status()["events"] == {"delivered": 0, "pending": 1, "dead": 0}
    ai.flush(timeout=10)
    assert ai.status()["events"] == {"delivered": 1, "pending": 0, "dead": 0}
    assert bool(ai.status()["delivery"]) is durable
    client.shutdown()


def test_what_is_not_sent_at_all_is_said_elsewhere() -> None:
    ai = AmplitudeAI(sink=MemorySink(), config=AIConfig(before_send=lambda _event: None))
    ai.track_span("user-1", "x")
    assert ai.status()["events"] == {"delivered": 0, "pending": 0, "dead": 0}
    assert ai.status()["dropped"] == {"before_send": 1}
    assert ai.status()["delivery"] == {}
    off = AmplitudeAI(config=AIConfig(enabled=False))
    off.track_span("user-1", "x")
    assert off.status()["events"] == {"delivered": 0, "pending": 0, "dead": 0}
    off.shutdown()
    assert off.flush().done()
