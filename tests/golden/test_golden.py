"""The same calls give the events that `amplitude-ai` 1.21.0 sends, but for the differences we mean."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from amplitude import Amplitude, Config

import amplitude_ai_integrations
from amplitude_ai_integrations import AIConfig, AmplitudeAI
from amplitude_ai_integrations.testing import MockAmplitudeAI
from tests.conftest import running
from tests.fakes.collector import Collector

from . import calls, observed_calls, privacy_calls
from .comparing import ABSENT, JSON_PROPERTIES, Event, by_place, recorded
from .differences import COMPACT, DIFFERENCES, NOT_YET, Difference
from .stub import Stub

RECORDED = recorded()
CALLS: dict[str, Callable[[AmplitudeAI], None]] = {
    name: function
    for module in (calls, privacy_calls, observed_calls)
    for name, function in vars(module).items()
    if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
}
Send = Callable[[str], list[Event]]


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[Collector, str]]:
    collector = Collector()
    with running(collector.app) as url:
        yield collector, f"{url}/2/httpapi"


@pytest.fixture(scope="module")
def openai_stub() -> Iterator[tuple[Stub, str]]:
    stub = Stub()
    with running(stub.app) as url:
        yield stub, f"{url}/v1"


@pytest.fixture
def send(
    collector: tuple[Collector, str], openai_stub: tuple[Stub, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Send]:
    """Make a scenario's call, and return its events as they arrived."""
    arrived, url = collector
    arrived.bodies.clear()
    monkeypatch.setenv("OPENAI_BASE_URL", openai_stub[1])
    monkeypatch.setenv("ANTHROPIC_BASE_URL", openai_stub[1].removesuffix("/v1"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    MockAmplitudeAI()  # lets the process forget the sessions of the scenario before
    client = Amplitude("key", Config(server_url=url))

    def call(scenario: str) -> list[Event]:
        ai = AmplitudeAI(amplitude=client, config=AIConfig(**RECORDED[scenario]["config"]))
        CALLS[scenario](ai)
        ai.flush().result(10)
        return arrived.events

    yield call
    client.shutdown()


@pytest.mark.parametrize("scenario", CALLS)
def test_events_are_those_recorded_but_for_the_listed_differences(scenario: str, send: Send) -> None:
    events = send(scenario)
    ours, theirs = by_place(events), by_place(RECORDED[scenario]["events"])
    expected = dict(theirs)
    for difference in DIFFERENCES:
        if scenario in difference.scenarios:
            _apply(difference, expected)
    assert ours == expected
    assert [place for place in ours if place in theirs] == [place for place in theirs if place in ours]
    assert len({event["insert_id"] for event in events}) == len(events)


def _apply(difference: Difference, expected: dict[str, Event]) -> None:
    for place, changes in difference.ours.items():
        if changes is ABSENT:
            del expected[place]
        elif place not in expected:
            expected[place] = changes
        else:
            event = dict(expected[place])
            for name, value in changes.items():
                assert event.get(name, ABSENT) != value, f"no difference: {place}, {name}: {difference.why}"
                event[name] = value
            expected[place] = {name: value for name, value in event.items() if value is not ABSENT}


def test_json_inside_a_property_has_no_blanks(send: Send) -> None:
    texts = _json_texts(send("agent_session_full"))
    compact = [json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")) for text in texts]
    assert len(texts) == 15
    assert texts == compact, COMPACT
    assert not set(texts) & set(_json_texts(RECORDED["agent_session_full"]["events"]))


def _json_texts(events: list[Event]) -> list[str]:
    properties = (event["event_properties"] for event in events)
    return [value for one in properties for name, value in one.items() if name in JSON_PROPERTIES]


def test_a_call_to_a_model_carries_the_recorded_headers_and_no_user(
    send: Send, openai_stub: tuple[Stub, str]
) -> None:
    (asked, *_rest) = send("propagate_headers")
    assert asked["user_id"] == calls.USER
    headers = openai_stub[0].headers
    ours = {name: value for name, value in headers.items() if name.startswith(("x-amplitude-", "trace"))}
    theirs = RECORDED["propagate_headers"]["outgoing_headers"]
    assert _without_numbers(ours) == _without_numbers(theirs)
    assert ours["traceparent"][3:35] == asked["event_properties"]["[Agent] Trace ID"].replace("-", "")
    assert calls.USER not in str(headers)


def _without_numbers(headers: dict[str, str]) -> dict[str, str]:
    return {name: re.sub("[0-9a-f]{16,}", "<hex>", value) for name, value in headers.items()}


def test_every_scenario_has_its_call_or_says_what_is_missing() -> None:
    assert CALLS.keys() | NOT_YET.keys() == RECORDED.keys()
    assert not CALLS.keys() & NOT_YET.keys()
    assert [name for name, _why in NOT_YET.values() if name in amplitude_ai_integrations.__all__] == []


def test_differences_are_of_scenarios_that_are_compared() -> None:
    named: set[Any] = {scenario for difference in DIFFERENCES for scenario in difference.scenarios}
    assert named <= CALLS.keys()
