"""Through the official client, on a real socket, everything arrives whole."""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import decimal
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from amplitude import Amplitude, Config, EventPlugin, PluginType

from amplitude_ai_integrations import AIConfig, AmplitudeAI
from amplitude_ai_integrations.client.attach import client_of
from tests.conftest import Serve
from tests.fakes.collector import Collector


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def url(collector: Collector, serve: Serve) -> str:
    return str(serve(collector.app))


@pytest.fixture
def official(url: str) -> Iterator[Amplitude]:
    client = Amplitude("key-1", Config(server_url=url + "/2/httpapi", flush_interval_millis=50))
    yield client
    client.shutdown()


def test_long_text_and_odd_values_arrive_whole(official: Amplitude, collector: Collector) -> None:
    ai = AmplitudeAI(amplitude=official)
    text = "How long is long? " * 12_000
    odd = {
        "price": decimal.Decimal("19.99"),
        "exact": decimal.Decimal("0.1000000000000000055511151231257827"),
        "when": dt.datetime(2026, 11, 21, 14, 2, tzinfo=dt.timezone.utc),
        "long": "y" * 5_000,
        "nested": [[1, (2, 3)], {"a": None}],
        "bytes": b"123",
    }
    ai.track_user_message("user-1", text, "s-1", event_properties=odd)
    ai.flush().result(5)
    (event,) = collector.events
    properties = event["event_properties"]
    assert properties["$llm_message"]["text"] == text
    assert {name: properties[name] for name in odd} == {
        "price": 19.99,
        "exact": "0.1000000000000000055511151231257827",
        "when": "2026-11-21T14:02:00+00:00",
        "long": "y" * 5_000,
        "nested": [[1, [2, 3]], {"a": None}],
        "bytes": "[3 bytes]",
    }
    assert event["event_type"] == "[Agent] User Message"
    assert event["user_id"] == "user-1"
    assert collector.bodies[0]["api_key"] == "key-1"


def test_an_insert_id_is_made_once(official: Amplitude, collector: Collector) -> None:
    collector.answers = [500]
    AmplitudeAI(amplitude=official).track_span("user-1", "x")
    official.flush()[0].result(5)
    deadline = asyncio.run(_until(lambda: len(collector.events) == 1))
    assert deadline
    (first_try,) = collector.refused
    assert first_try["events"][0]["insert_id"] == collector.events[0]["insert_id"]


async def _until(holds: Any) -> bool:
    for _ in range(200):
        if holds():
            return True
        await asyncio.sleep(0.02)
    return False


def test_the_customers_plugins_see_and_may_change_our_events(
    official: Amplitude, collector: Collector
) -> None:
    class Enrich(EventPlugin):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(PluginType.ENRICHMENT)

        def execute(self, event: Any) -> Any:
            event.event_properties["seen"] = event.event_properties["[Agent] Span Name"]
            event["app_version"] = "2.0"
            return event

    official.add(Enrich())
    AmplitudeAI(amplitude=official).track_span("user-1", "x")
    official.flush()[0].result(5)
    (event,) = collector.events
    assert event["event_properties"]["seen"] == "x"
    assert event["app_version"] == "2.0"


def test_flush_tells_what_became_of_the_events(official: Amplitude, collector: Collector) -> None:
    seen: list[tuple[str, int]] = []
    config = AIConfig(on_event_callback=lambda event, code, message: seen.append((event.event_type, code)))
    ai = AmplitudeAI(amplitude=official, config=config)
    for number in range(3):
        ai.track_span("user-1", str(number))
    result = ai.flush()
    for part in result:
        part.result(5)
    result.result(5)
    assert (result.delivered, result.pending, result.dead) == (3, 0, 0)
    assert seen == [("[Agent] Span", 200)] * 3
    assert ai.status()["events"] == {"delivered": 3, "pending": 0, "dead": 0}


async def test_flush_can_be_awaited(official: Amplitude, collector: Collector) -> None:
    ai = AmplitudeAI(amplitude=official)
    ai.track_span("user-1", "x")
    await asyncio.wait_for(asyncio.wrap_future(ai.flush()), 5)
    assert len(collector.events) == 1


@pytest.mark.usefixtures("swallowing")
def test_a_failing_callback_or_client_never_reaches_the_caller(
    official: Amplitude, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: Any) -> None:
        raise RuntimeError("callback")

    ai = AmplitudeAI(amplitude=official, config=AIConfig(on_event_callback=fail))
    ai.track_span("user-1", "x")
    ai.flush().result(5)
    official.track = fail
    with caplog.at_level(logging.WARNING):
        ai.track_span("user-1", "y")
    assert ai.status()["swallowed"]["delivery: RuntimeError"] >= 1
    assert ai.status()["events"] == {"delivered": 1, "pending": 0, "dead": 1}


def test_a_server_url_alone_is_enough(
    url: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_SERVER_URL", url)
    ai = AmplitudeAI()
    ai.track_span("u1", "x")
    ai.flush().result(5)
    ai.shutdown()
    assert collector.bodies[0]["api_key"] == "local"
    assert collector.bodies[0]["options"] == {"min_id_length": 1}
    assert collector.events[0]["user_id"] == "u1"


def test_what_comes_from_a_client_keeps_its_configuration(official: Amplitude) -> None:
    ai = AmplitudeAI(amplitude=official, config=AIConfig(content_mode="metadata_only"))  # type: ignore[arg-type]
    assert client_of(ai) is ai
    assert client_of(ai.amplitude) is ai
    raw = client_of(official)
    assert raw is client_of(official)
    assert raw.config.content_mode.value == "full"


def test_debug_prints_a_line_and_dry_run_sends_nothing(
    url: str, collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    for config in (AIConfig(debug=True, server_url=url), AIConfig(dry_run=True)):
        ai = AmplitudeAI(config=config)
        ai.track_ai_message(
            "user-1", "x", "s-1", "gpt-4o", "openai", 1203.4, input_tokens=800, output_tokens=447
        )
        ai.flush().result(5)
        ai.shutdown()
    line = (
        "[amplitude-ai] [Agent] AI Response | user=user-1 | session=s-1 | model=gpt-4o | tokens=1,247"
        " | cost=$0.0065 | latency=1,203ms"
    )
    assert capsys.readouterr().err.splitlines() == [line, line]
    assert len(collector.events) == 1


def test_many_long_messages_have_arrived_when_flush_says_so(url: str, collector: Collector) -> None:
    collector.answers = [413, 503]
    ai = AmplitudeAI(config=AIConfig(server_url=url))
    for number in range(10):
        ai.track_user_message("user-1", f"{number} " + "ab cd " * 33_333, "conversation-1")
    result = ai.flush()
    result.result(10)
    assert (result.delivered, result.pending, result.dead) == (10, 0, 0)
    assert sorted(event["event_properties"]["$llm_message"]["text"][0] for event in collector.events) == [
        *"0123456789"
    ]
    ai.shutdown()


def test_what_before_send_adds_becomes_plain(official: Amplitude, collector: Collector) -> None:
    when = dt.datetime(2026, 11, 21, tzinfo=dt.timezone.utc)

    def add(event: dict[str, Any]) -> dict[str, Any]:
        event["event_properties"] |= {"when": when, "set": {1}, "nan": float("nan"), "bytes": b"12"}
        return {**event, "nonsense": 1}

    ai = AmplitudeAI(amplitude=official, config=AIConfig(before_send=add))
    ai.track_user_message("user-1", "x" * 150_000)
    ai.flush().result(5)
    properties = collector.events[0]["event_properties"]
    added = {name: properties[name] for name in ("when", "set", "nan", "bytes")}
    assert added == {"when": "2026-11-21T00:00:00+00:00", "set": [1], "nan": None, "bytes": "[2 bytes]"}
    assert len(properties["$llm_message"]["text"]) == 150_000


def test_the_handle_of_the_client_can_be_copied(official: Amplitude) -> None:
    handle = AmplitudeAI(amplitude=official).amplitude
    assert copy.copy(handle).configuration is official.configuration
