"""An exchange is made and delivered on this machine, with the program's settings and apart from it."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections import Counter
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.client import default
from amplitude_ai_integrations.diagnostics import Finding, examine
from amplitude_ai_integrations.exceptions import shield

from .conftest import KEY

MADE = "An exchange makes 3 events, with all 8 values that charts are made of."
DELIVERED = "3 events were delivered to a server on this machine."


def told(ai: AmplitudeAI | None = None) -> list[Finding]:
    return [one for one in examine(ai=ai) if one.topic.startswith("mock")]


def client(**settings: Any) -> AmplitudeAI:
    return AmplitudeAI(sink=MemorySink(), config=AIConfig(**settings))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"content_mode": "metadata_only"},
        {"dry_run": True},
        {"review_mode": True},
        {"debug": True},
        {"enabled": False},
        {"session_sample_rate": 0},
        {"validate": True, "strict_cost": True},
        {"server_url": "https://example.invalid/"},
    ],
)
def test_events_are_made_and_delivered_whatever_the_settings(
    settings: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert [(one.state, one.words) for one in told(client(**settings))] == [("ok", MADE), ("ok", DELIVERED)]
    assert capsys.readouterr() == ("", "")


def test_the_programs_own_client_is_not_touched() -> None:
    heard: list[Any] = []
    ai = client(on_event_callback=lambda *given: heard.append(given), turn_counter=object_that_counts())
    before = set(default._clients)
    told(ai)
    assert set(default._clients) == before
    assert heard == []
    assert ai.recorder.pipeline.sinks[0].events == []  # type: ignore[attr-defined]


def object_that_counts() -> Any:
    class Counting:
        def take(self, session_id: str, explicit: int | None = None) -> int:
            raise AssertionError("the counter is the program's")

    return Counting()


def test_no_thread_stays() -> None:
    before = set(threading.enumerate())
    told(client())
    for thread in set(threading.enumerate()) - before:
        thread.join(2)
        assert not thread.is_alive(), thread


def test_a_hook_that_drops_events_is_found() -> None:
    found = told(client(before_send=lambda event: None))
    assert (found[0].state, found[0].fix) == ("problem", "before_send may have dropped them.")
    assert found[1].words == DELIVERED


def test_a_hook_that_takes_values_away_is_found() -> None:
    def without_cost(event: dict[str, Any]) -> dict[str, Any]:
        event["event_properties"].pop("[Agent] Cost USD", None)
        return event

    found = told(client(before_send=without_cost))
    assert [(one.state, one.words) for one in found] == [
        ("problem", "The answer of an exchange has no [Agent] Cost USD."),
        ("ok", DELIVERED),
    ]


@pytest.mark.usefixtures("swallowing")
def test_an_error_that_is_kept_from_the_program_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shield, "swallowed", Counter())

    def fails(event: dict[str, Any]) -> dict[str, Any]:
        raise KeyError("user")

    found = told(client(before_send=fails))
    assert found[0].words == "An error was kept from your program: before_send: KeyError."


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_a_proxy_that_takes_requests_to_this_machine_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://me:secret@proxy.invalid:3128")
    found = told(client())
    assert (found[1].state, found[1].words, found[1].fix) == (
        "warning",
        "Not tried: HTTP_PROXY sends requests to this machine through http://...@proxy.invalid:3128 too.",
        "export NO_PROXY=127.0.0.1,localhost",
    )
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert told(client())[1].words == DELIVERED


def test_a_proxy_on_the_way_to_amplitude_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("AMPLITUDE_AI_API_KEY", KEY)
    assert told()[-1].words == "Requests to Amplitude go through the proxy http://proxy.invalid:3128."
    assert told(client())[-1].words == DELIVERED
    monkeypatch.delenv("HTTPS_PROXY")
    assert told()[-1].words == DELIVERED


def test_a_server_of_this_machine_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("AMPLITUDE_AI_SERVER_URL", f"http://127.0.0.1:{port}")
        assert told()[-1].words == DELIVERED
    found = told()[-1]
    assert (found.state, found.words) == ("warning", f"Nothing answers at http://127.0.0.1:{port}.")
    assert found.fix == f"amplitude-ai analytics --port {port}"


def test_refused_settings_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_DEBUG", "maybe")
    assert [one.words for one in told()] == ["Not tried: the settings are refused, see above."]


def test_a_package_of_our_own_that_is_missing_is_told() -> None:
    program = """
import sys
sys.modules["msgspec"] = None
from amplitude_ai_integrations.diagnostics import examine
print([(one.state, one.words) for one in examine()][-1])
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "('problem', 'The package msgspec is missing, without which nothing works.')\n"


def test_a_server_that_cannot_be_opened_is_told() -> None:
    program = """
import sys
def forbid(event, given):
    if event == "socket.bind":
        raise PermissionError(1, "Operation not permitted")
sys.addaudithook(forbid)
from amplitude_ai_integrations.diagnostics import examine
print([one.words for one in examine()][-1])
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "Not tried: no server can be opened on 127.0.0.1 (Operation not permitted).\n"
