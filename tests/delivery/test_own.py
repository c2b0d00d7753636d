"""With a key alone, delivery is ours: from the caller's thread to a file, and from there to the server."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError
from amplitude_ai_integrations.delivery.own import OutboxSink
from tests.fakes.faults import FaultServer
from tests.fakes.faults_answers import ok, status
from tests.fakes.faults_plan import Step

from .conftest import Make
from .told import names, until


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_tracked_arrives_by_itself(make: Make, server: FaultServer) -> None:
    ai = make()
    ai.track_user_message("user-1", "Hello", "s-1")
    until(lambda: server.events)
    (event,) = server.events.values()
    assert event["event_type"] == "[Agent] User Message"
    assert event["library"].startswith("amplitude-ai-integrations/")
    assert server.keys == {"local"}
    assert server.connections == server.requests == 1


def test_no_thread_is_begun_and_no_file_made_before_the_first_event(make: Make, tmp_path: Path) -> None:
    before = threading.active_count()
    make()
    assert threading.active_count() == before
    assert not (tmp_path / "spool").exists()


def test_many_events_go_in_few_requests_over_one_connection(make: Make, server: FaultServer) -> None:
    ai = make()
    for number in range(1_000):
        ai.track_span("user-1", str(number))
    assert ai.flush(timeout=20).delivered == 1_000
    assert server.requests < 20
    assert server.connections == 1
    assert set(server.accepted.values()) == {1}


def test_nothing_is_left_on_disk_once_it_is_delivered(make: Make, tmp_path: Path) -> None:
    ai = make()
    ai.track_span("user-1", "x")
    ai.flush(timeout=10)
    ai.shutdown()
    assert files(tmp_path / "spool") == []


def test_what_waits_is_on_disk_before_the_call_returns(
    make: Make, server: FaultServer, tmp_path: Path
) -> None:
    server.plan(Step(None))
    make().track_user_message("user-1", "Write to ann@example.com", "s-1")
    (path,) = files(tmp_path / "spool")
    written = path.read_bytes()
    assert b"Write to [" in written
    assert b"ann@example.com" not in written
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_switched_off_it_writes_nothing(
    make: Make, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    server.plan(Step(status(500), times=1), Step(ok))
    ai = make(spool="off")
    ai.track_span("user-1", "x")
    assert ai.flush(timeout=10).delivered == 1
    assert files(tmp_path) == []


def test_two_clients_with_one_folder_send_each_event_once(make: Make, server: FaultServer) -> None:
    one, two = make(), make()
    for number in range(50):
        one.track_span("user-1", f"one {number}")
        two.track_span("user-1", f"two {number}")
    assert one.flush(timeout=10).delivered == two.flush(timeout=10).delivered == 50
    assert set(server.accepted.values()) == {1}


def test_clients_with_other_keys_do_not_send_each_others_events(server: FaultServer, tmp_path: Path) -> None:
    config = AIConfig(server_url=server.url, spool=str(tmp_path))
    server.plan(Step(None))
    one = AmplitudeAI(api_key="one", config=config)
    one.track_span("user-1", "of one")
    one.shutdown(0)
    server.plan(Step(ok))
    two = AmplitudeAI(api_key="two", config=config)
    two.track_span("user-1", "of two")
    two.flush(timeout=10)
    assert names(server.events.values()) == ["of two"]
    assert server.keys == {"two"}
    again = AmplitudeAI(api_key="one", config=config)
    until(lambda: len(server.events) == 2)
    assert server.keys == {"one", "two"}
    for ai in (one, two, again):
        ai.shutdown(0)


def test_a_dead_letter_says_why(make: Make, server: FaultServer) -> None:
    ai = make()
    sink: Any = ai.recorder.pipeline.sinks[0]
    sink.send(
        {"event_type": "x", "user_id": "user-1", "time": "now", "event_properties": {}, "insert_id": "i"}
    )
    assert ai.flush(timeout=10).dead == 1
    (letter,) = sink.outbox.dead_letters
    assert (letter.status, letter.attempts, letter.event["insert_id"]) == (400, 1, "i")
    assert "events_with_invalid_fields: time" in letter.reason
    assert letter.at > 0


def url_of(**settings: Any) -> str:
    return OutboxSink("k", AIConfig(spool="off", **settings)).server_url


def test_where_events_go(monkeypatch: pytest.MonkeyPatch) -> None:
    assert url_of() == "https://api2.amplitude.com/2/httpapi"
    assert url_of(server_zone="EU") == "https://api.eu.amplitude.com/2/httpapi"
    assert url_of(use_batch=True) == "https://api2.amplitude.com/batch"
    assert url_of(server_url="http://127.0.0.1:1/") == "http://127.0.0.1:1/2/httpapi"
    assert url_of(server_url="http://127.0.0.1:1/x") == "http://127.0.0.1:1/x"
    monkeypatch.setenv("AMPLITUDE_AI_USE_BATCH", "true")
    monkeypatch.setenv("AMPLITUDE_AI_SERVER_ZONE", "eu")
    assert url_of() == "https://api.eu.amplitude.com/batch"


def test_the_folder_is_read_from_the_environment(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_SPOOL", str(tmp_path / "here"))
    monkeypatch.setenv("AMPLITUDE_AI_SERVER_URL", server.url)
    server.plan(Step(None))
    ai = AmplitudeAI()
    ai.track_span("user-1", "x")
    assert len(files(tmp_path / "here")) == 1
    server.plan(Step(ok))
    ai.shutdown(10)


def test_a_folder_that_cannot_be_made_is_said_once_and_loses_nothing(
    make: Make, server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    ai = make(spool=str(tmp_path / "file" / "spool"))
    with caplog.at_level(logging.WARNING):
        ai.track_span("user-1", "x")
        ai.track_span("user-1", "y")
    assert ai.flush(timeout=10).delivered == 2
    assert caplog.text.count("Set AMPLITUDE_AI_SPOOL to another folder") == 1
    assert "memory" in ai.status()["delivery"]["spool"]


def test_a_key_is_needed_where_there_is_no_server_of_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"pass amplitude= or api_key=, set AMPLITUDE_AI_API_KEY"):
        AmplitudeAI()
    monkeypatch.setenv("AMPLITUDE_AI_API_KEY", "k")
    sink: Any = AmplitudeAI().recorder.pipeline.sinks[0]
    assert sink.api_key == "k"


@pytest.mark.parametrize("name", ["USE_BATCH", "DURABLE"])
def test_a_flag_that_is_none_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"AMPLITUDE_AI_{name}", "maybe")
    with pytest.raises(ConfigurationError, match=f"AMPLITUDE_AI_{name} is 'maybe'; use 'true' or 'false'"):
        AIConfig()
    monkeypatch.delenv(f"AMPLITUDE_AI_{name}")
    with pytest.raises(ConfigurationError, match="must be True or False"):
        AIConfig(**{name.lower(): "maybe"})  # type: ignore[arg-type]


def test_the_key_is_not_in_the_folder(make: Make, server: FaultServer, tmp_path: Path) -> None:
    server.plan(Step(None))
    config = AIConfig(server_url=server.url, spool=str(tmp_path))
    ai = AmplitudeAI(api_key="very-secret-key", config=config)
    ai.track_span("user-1", "x")
    for path in tmp_path.rglob("*"):
        assert "very-secret-key" not in str(path)
        assert path.is_dir() or b"very-secret-key" not in path.read_bytes()
    ai.shutdown(0)


def test_a_body_is_as_the_api_wants_it(make: Make, server: FaultServer) -> None:
    bodies: list[Any] = []

    def look(request: Any) -> Any:
        bodies.append(json.loads(json.dumps(request.payload)))
        return ok(request)

    server.plan(Step(look))
    ai = make()
    ai.track_span("u", "x")
    ai.flush(timeout=10)
    (body,) = bodies
    assert body["options"] == {"min_id_length": 1}
    assert [event["user_id"] for event in body["events"]] == ["u"]
