"""One id of yours in one session is one event, whoever tells it how often; times are taken or made."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
import uuid
from decimal import Decimal
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, ValidationError
from tests.client.test_hostile import HOSTILE

PROGRAM = """
import json, sys
from amplitude_ai_integrations import AmplitudeAI, MemorySink
sink = MemorySink()
ai = AmplitudeAI(sink=sink)
agent = ai.agent("bot", session_id="of-keys", user_id="ann")
agent.track_user_message("hi", message_id="key-1")
agent.track_ai_message("hi", "m", "p", message_id="key-1")
agent.track_tool_call("t", invocation_id="key-1")
agent.track_embedding("m", "p", span_id="key-1")
agent.track_span("s", span_id="key-1")
agent.track_span("s", span_id="key-1", session_id="another")
agent.track_span("s", span_id="key-2")
ai.track_span("ann", "s", span_id="key-1")
agent.track_span("made up")
agent.track_session_end()
print(json.dumps([event["insert_id"] for event in sink.events]))
"""


def _insert_ids() -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, timeout=60)
    found: list[str] = json.loads(done.stdout)
    return found


def test_every_process_gives_the_same_key_the_same_insert_id() -> None:
    first, second = _insert_ids(), _insert_ids()
    assert first[:-2] == second[:-2], "the same key, session and kind"
    assert len(set(first)) == len(first) == 10, "another key, session or kind"
    assert not set(first[-2:]) & set(second[-2:]), "no key"
    assert [str(uuid.UUID(one)) for one in first] == first


def test_the_same_key_told_twice_is_the_same_event(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    with ai.agent("bot").session(session_id, user_id="ann", track_session_end=False) as session:
        given = [session.track_ai_message(text, "m", "p", message_id="key-1") for text in ("draft", "final")]
        ai.agent("other", session_id=session_id).track_ai_message("elsewhere", "m", "p", message_id=" key-1 ")
    assert given == ["key-1", "key-1"]
    assert len({event["insert_id"] for event in sink}) == 1
    assert {event["event_properties"]["[Agent] Message ID"] for event in sink} == {"key-1"}


@pytest.mark.parametrize("key", ["", "null", "None", None, "undefined"])
def test_a_placeholder_is_no_key(ai: AmplitudeAI, sink: MemorySink, session_id: str, key: Any) -> None:
    given = [ai.track_span("ann", "x", session_id=session_id, span_id=key) for _ in range(2)]
    assert len(set(given)) == 2
    assert len({event["insert_id"] for event in sink}) == 2
    assert [event["event_properties"]["[Agent] Span ID"] for event in sink] == given


@pytest.mark.parametrize("key", sorted(set(HOSTILE) - {"none", "nan", "generator"}))
def test_any_key_is_an_id(ai: AmplitudeAI, sink: MemorySink, session_id: str, key: str) -> None:
    for _ in range(2):
        ai.track_span("ann", "x", session_id=session_id, span_id=HOSTILE[key]())
    assert len({event["insert_id"] for event in sink}) == 1
    assert all(len(event["event_properties"]["[Agent] Span ID"]) <= 512 for event in sink)


def test_keys_and_sessions_do_not_run_together(ai: AmplitudeAI, sink: MemorySink) -> None:
    for session_id, key in (("a", "b\0c"), ("a\0b", "c"), ("ab", "c"), ("a", "bc")):
        ai.track_span("ann", "x", session_id=session_id, span_id=key)
    ids = {event["insert_id"] for event in sink}
    assert len(ids) >= 3, "only the two that spell the same whole may meet"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (1700000000000, 1700000000000),
        (1700000000000.75, 1700000000000),
        (Decimal(1700000000000), 1700000000000),
        (1, 1),
    ],
)
def test_the_time_given_is_the_events(ai: AmplitudeAI, sink: MemorySink, given: Any, taken: int) -> None:
    ai.track_span("ann", "x", timestamp_ms=given)
    assert sink.events[0]["time"] == taken
    assert type(sink.events[0]["time"]) is int


GARBAGE: list[Any] = [
    None,
    0,
    -5,
    True,
    math.nan,
    math.inf,
    10**30,
    "1700000000000",
    "yesterday",
    [],
    object(),
]


@pytest.mark.parametrize("given", GARBAGE)
def test_a_time_that_is_none_is_now(ai: AmplitudeAI, sink: MemorySink, given: Any) -> None:
    before = int(time.time() * 1000)
    ai.track_span("ann", "x", timestamp_ms=given)
    assert before <= sink.events[0]["time"] <= time.time() * 1000


@pytest.mark.parametrize("given", [0, -5, True, math.nan, "1700000000000", []])
def test_validation_refuses_it(given: Any) -> None:
    strict = AmplitudeAI(sink=MemorySink(), config=AIConfig(validate=True))
    with pytest.raises(ValidationError, match=r"timestamp_ms is .*milliseconds since the epoch"):
        strict.track_span("ann", "x", timestamp_ms=given)
