"""`on_event_callback` is told once of each event, whatever became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.delivery.outbox import outbox
from amplitude_ai_integrations.delivery.outbox.outbox import CAP
from tests.fakes.faults import FaultServer
from tests.fakes.faults_answers import at_most, invalid_key, ok, refusing, reset, status
from tests.fakes.faults_plan import Event, Reply, Request, Step

from .conftest import Make
from .told import Told, name_of, until

EVERYWHERE = pytest.mark.parametrize("where", [{}, {"spool": "off"}], ids=["disk", "memory"])
Where = dict[str, str]


@pytest.fixture
def told() -> Told:
    return Told()


def named(name: str) -> Callable[[Event], bool]:
    return lambda event: name_of(event) == name


def spans(ai: AmplitudeAI, *names: str) -> None:
    for name in names:
        ai.track_span("user-1", name)


@EVERYWHERE
def test_a_delivered_event(make: Make, server: FaultServer, told: Told, where: Where) -> None:
    ai = make(on_event_callback=told, **where)
    spans(ai, "a", "b")
    ai.flush(timeout=10)
    assert told.codes == [("a", 200), ("b", 200)]
    assert told.threads == {"amplitude-ai-sender"}


def test_the_event_is_as_the_official_client_gives_it(make: Make) -> None:
    events: list[Any] = []
    ai = make(on_event_callback=lambda event, code, message: events.append((event, code, message)))
    ai.track_span("user-1", "x", event_properties={"seats": 3})
    ai.flush(timeout=10)
    ((event, code, message),) = events
    assert (event.event_type, event.user_id, event["user_id"]) == ("[Agent] Span", "user-1", "user-1")
    assert event.event_properties["seats"] == 3
    assert event.insert_id
    assert event.get_event_body()["library"].startswith("amplitude-ai-integrations/")
    assert (code, type(message)) == (200, str)


@EVERYWHERE
def test_an_event_that_is_refused_by_its_index(
    make: Make, server: FaultServer, told: Told, where: Where
) -> None:
    server.plan(Step(refusing("invalid", named("bad"))))
    ai = make(on_event_callback=told, **where)
    spans(ai, "a", "bad", "b")
    ai.flush(timeout=10)
    assert sorted(told.codes) == [("a", 200), ("b", 200), ("bad", 400)]
    assert "invalid" in str(told.messages["bad"])


def filling(name: str, size: int) -> Callable[[Event], Event]:
    """Return a `before_send` that makes one event as large as that."""

    def fill(event: Event) -> Event:
        event["event_properties"]["filling"] = "x" * (size if name_of(event) == name else 1)
        return event

    return fill


def test_an_event_that_is_too_large_for_the_server(make: Make, server: FaultServer, told: Told) -> None:
    server.plan(Step(at_most(size=100_000)))
    ai = make(on_event_callback=told, before_send=filling("large", 100_000))
    spans(ai, "a", "large")
    ai.flush(timeout=10)
    assert sorted(told.codes) == [("a", 200), ("large", 413)]
    assert ai.status()["events"] == {"delivered": 1, "pending": 0, "dead": 1}


def test_an_event_that_no_endpoint_takes(make: Make, server: FaultServer, told: Told) -> None:
    ai = make(on_event_callback=told, before_send=filling("huge", 20_000_000))
    spans(ai, "huge", "a")
    ai.flush(timeout=10)
    assert sorted(told.codes) == [("a", 200), ("huge", 0)]
    assert told.messages["huge"] == "larger than 20 MB"
    assert ai.status()["events"] == {"delivered": 1, "pending": 0, "dead": 1}


def poison(request: Request) -> Reply:
    """Refuse what has the poison in it, without a word of which it is."""
    is_bad = any(map(named("bad"), request.events))
    return Reply(400, {"code": 400, "error": "Bad request"}) if is_bad else ok(request)


def test_a_poison_that_is_not_named(make: Make, server: FaultServer, told: Told) -> None:
    server.plan(Step(poison))
    ai = make(on_event_callback=told)
    spans(ai, "a", "bad", "b")
    ai.flush(timeout=10)
    while not told.often["bad"]:
        spans(ai, "more")
        ai.flush(timeout=1)
    assert told.codes.count(("bad", 400)) == 1
    assert (told.often["a"], told.often["b"]) == (1, 1)


@EVERYWHERE
def test_a_refused_key_that_is_mended(make: Make, server: FaultServer, told: Told, where: Where) -> None:
    server.plan(Step(invalid_key, times=3), Step(ok))
    ai = make(on_event_callback=told, **where)
    spans(ai, "a", "b")
    until(lambda: (ai.flush(timeout=1), len(server.events))[-1] == 2)
    spans(ai, "c")
    ai.flush(timeout=10)
    assert sorted(told.codes) == [("a", 400), ("b", 400), ("c", 200)]
    assert "kept, and sent once the key is good" in str(told.messages["a"])
    assert ai.status()["events"] == {"delivered": 3, "pending": 0, "dead": 0}


def test_a_key_that_is_refused_for_half_of_a_request(make: Make, server: FaultServer, told: Told) -> None:
    server.plan(Step(status(413), times=1), Step(invalid_key, times=1), Step(ok))
    ai = make(on_event_callback=told)
    spans(ai, "a", "b")
    until(lambda: (ai.flush(timeout=1), len(server.events))[-1] == 2)
    assert sorted(told.codes) == [("a", 400), ("b", 400)]


@EVERYWHERE
def test_an_event_that_is_sent_five_times(make: Make, server: FaultServer, told: Told, where: Where) -> None:
    server.plan(Step(status(500), times=2), Step(reset, times=2), Step(ok))
    ai = make(on_event_callback=told, **where)
    spans(ai, "a")
    until(lambda: (ai.flush(timeout=1), len(server.events))[-1] == 1)
    ai.flush(timeout=10)
    assert told.codes == [("a", 200)]
    assert set(server.attempts.values()) == {5}


def test_the_oldest_where_too_much_waits_on_disk(
    make: Make, server: FaultServer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SEGMENT_BYTES", 2_000)
    server.plan(Step(None))
    ai = make(on_event_callback=told)
    sink: Any = ai.recorder.pipeline.sinks[0]
    sink.outbox.spool.most_bytes = 10_000
    spans(ai, *map(str, range(60)))
    dropped = ai.status()["delivery"]["dropped"][CAP]
    server.plan(Step(ok))
    until(lambda: (ai.flush(timeout=1), sum(told.often.values()))[-1] == 60)
    assert set(told.often.values()) == {1}
    assert [name for name, code in told.codes if code == 0] == [*map(str, range(dropped))]
    assert ai.status()["events"] == {"delivered": 60 - dropped, "pending": 0, "dead": dropped}


def test_the_oldest_where_too_much_waits_in_memory(
    make: Make, server: FaultServer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MEMORY_BYTES", 10_000)
    server.plan(Step(None))
    ai = make(on_event_callback=told, spool="off")
    spans(ai, *map(str, range(60)))
    server.plan(Step(ok))
    until(lambda: (ai.flush(timeout=1), sum(told.often.values()))[-1] == 60)
    assert set(told.often.values()) == {1}
    dead = ai.status()["events"]["dead"]
    assert dead > 10
    assert ai.status()["events"] == {"delivered": 60 - dead, "pending": 0, "dead": dead}


def test_an_event_of_a_client_that_is_no_more(make: Make, server: FaultServer, told: Told) -> None:
    server.plan(Step(None))
    other = Told()
    ended = make(on_event_callback=other)
    spans(ended, "a", "b")
    ended.shutdown(0)
    server.plan(Step(ok))
    heir = make(on_event_callback=told)
    until(lambda: len(told.codes) == 2)
    assert sorted(told.codes) == [("a", 200), ("b", 200)]
    assert other.codes == []
    assert heir.status()["events"] == {"delivered": 0, "pending": 0, "dead": 0}
    assert heir.status()["delivery"]["adopted_sent"] == 2


def test_a_refused_key_is_not_told_of_again_by_the_next_process(
    make: Make, server: FaultServer, told: Told
) -> None:
    server.plan(Step(invalid_key))
    ended = make(on_event_callback=told)
    spans(ended, "a")
    until(lambda: (ended.flush(timeout=0.1), told.codes)[-1])
    ended.shutdown(0)
    server.plan(Step(ok))
    make(on_event_callback=told)
    until(lambda: len(server.events) == 1)
    assert told.codes == [("a", 400)]


@pytest.mark.usefixtures("swallowing")
def test_a_callback_that_raises_changes_nothing(make: Make, server: FaultServer) -> None:
    calls: list[int] = []

    def fail(_event: Any, code: int, _message: Any) -> None:
        calls.append(code)
        raise RuntimeError

    ai = make(on_event_callback=fail)
    spans(ai, "a", "b")
    assert ai.flush(timeout=10).delivered == 2
    assert calls == [200, 200]
    assert ai.status()["swallowed"]["on_event_callback: RuntimeError"] >= 2


def test_a_callback_that_tracks_is_told_of_that_too(make: Make, told: Told) -> None:
    def callback(event: Any, code: int, message: str | None) -> None:
        told(event, code, message)
        if name_of(event) != "of the callback":
            spans(ai, "of the callback")

    ai = make(on_event_callback=callback)
    spans(ai, "a", "b")
    until(lambda: len(told.codes) == 4)
    assert told.often == {"a": 1, "b": 1, "of the callback": 2}


def test_a_callback_that_blocks_holds_up_no_caller(make: Make, server: FaultServer, told: Told) -> None:
    gate = threading.Event()

    def wait(event: Any, code: int, message: str | None) -> None:
        assert gate.wait(30)
        told(event, code, message)

    ai = make(on_event_callback=wait)
    spans(ai, "a")
    until(lambda: (ai.flush(timeout=0.05), server.events)[-1])
    spans(ai, "b", "c")
    assert ai.status()["events"]["pending"] == 2
    gate.set()
    ai.flush(timeout=10)
    assert told.often == {"a": 1, "b": 1, "c": 1}


@pytest.mark.usefixtures("swallowing")
def test_a_callback_that_tracks_where_memory_is_full_ends(
    make: Make, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MEMORY_BYTES", 5_000)
    server.plan(Step(None))

    def callback(_event: Any, _code: int, _message: str | None) -> None:
        spans(ai, "of the callback")

    ai = make(on_event_callback=callback, spool="off")
    spans(ai, *map(str, range(20)))
    assert ai.status()["events"]["pending"] > 0
