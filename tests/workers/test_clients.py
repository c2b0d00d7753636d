"""The client of a worker's process: given, made late, found by its path, anew in each child."""

from __future__ import annotations

import logging
import os
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.delivery.flush import Counts, FlushResult
from amplitude_ai_integrations.workers import running
from amplitude_ai_integrations.workers.running import ProcessClient

kept = AmplitudeAI(sink=MemorySink())


def make() -> AmplitudeAI:
    return AmplitudeAI(sink=MemorySink())


def fail() -> AmplitudeAI:
    raise LookupError("no key")


def in_a_child(question: Any) -> str:
    """Return what a forked child answers."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, str(question()).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as answer:
        return answer.read()


@pytest.mark.parametrize("given", [kept, f"{__name__}:kept", f"{__name__}.kept", lambda: kept])
def test_it_is_given_or_found(given: Any) -> None:
    assert ProcessClient(given).get() is kept


def test_a_function_is_called_once_and_not_before_it_is_needed() -> None:
    made: list[AmplitudeAI] = []
    client = ProcessClient(lambda: made.append(make()) or made[-1])
    client.deliver()
    assert made == []
    assert client.get() is client.get() is made[0]
    assert len(made) == 1


@pytest.mark.parametrize("given", [make, f"{__name__}.make"])
def test_a_child_makes_one_of_its_own(given: Any) -> None:
    client = ProcessClient(given)
    first = client.get()
    assert in_a_child(lambda: client.get() is first) == "False"
    assert client.get() is first


def test_a_class_makes_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_DRY_RUN", "true")
    assert ProcessClient(AmplitudeAI).get() is not None


@pytest.mark.parametrize("given", [fail, "no_such_module.ai", f"{__name__}.no_such_name", lambda: 7])
def test_where_there_is_none_it_is_said_once_and_jobs_go_on(
    given: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = ProcessClient(given)
    assert [client.get() for _ in range(3)] == [None] * 3
    client.deliver()
    assert [record.getMessage() for record in caplog.records] == [
        "amplitude_ai= of the worker led to no client; its jobs go unseen."
    ]


def test_a_client_used_before_a_fork_is_warned_of(capfd: pytest.CaptureFixture[str]) -> None:
    ai = make()
    client = ProcessClient(ai)
    ai.track_span(span_name="step", session_id="s")
    logging.getLogger("amplitude_ai_integrations").addHandler(handler := logging.StreamHandler())
    in_a_child(client.get)
    logging.getLogger("amplitude_ai_integrations").removeHandler(handler)
    assert "was used before this worker process was forked" in capfd.readouterr().err


class Slow(MemorySink):
    """Delivers nothing in time."""

    def flush(self) -> FlushResult:
        from concurrent.futures import Future

        return FlushResult([Future()], lambda: Counts(0, 3, 0))


def test_the_end_of_a_worker_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(running, "_DEADLINE", 0.01)
    ProcessClient(AmplitudeAI(sink=Slow())).deliver()
    assert caplog.messages == ["3 events were not delivered within 0 s of the worker's end."]


def test_a_client_that_is_switched_off_is_a_client(caplog: pytest.LogCaptureFixture) -> None:
    client = ProcessClient(lambda: AmplitudeAI(config=AIConfig(enabled=False)))
    assert client.get() is not None
    client.deliver()
    assert caplog.messages == []
