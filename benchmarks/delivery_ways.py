"""The ways to hand an event over that are held against each other."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.tracking import QUESTION

Event = dict[str, Any]

NOTHING = "nothing tracked"
OFFICIAL = "amplitude-analytics"
SINK = "ours, a finished event"
WHOLE = "ours, track_user_message"
UNSENT = "  making that event alone"
MEMORY = "ours, spool off"
SHARED = "ours, amplitude=client"
DURABLE = "ours, amplitude=, durable"


class Way(NamedTuple):
    """How one event is handed over, and how one waits until all have arrived."""

    take: Callable[[Event], object]
    settle: Callable[[], object]


def events(size: int) -> Callable[[], Event]:
    """Return a maker of finished events whose JSON has about ``size`` bytes; only their ids differ."""
    properties: dict[str, Any] = {
        "[Agent] Session ID": "session-1",
        "[Agent] Message ID": "6f1c1d3a-52a7-4f0f-9a52-0c5f6a1f7a10",
        "[Agent] Turn ID": 7,
        "$llm_message": {"text": ""},
    }
    numbers = itertools.count()

    def make() -> Event:
        return {
            "event_type": "[Agent] User Message",
            "user_id": "user-1",
            "time": 1_700_000_000_000,
            "insert_id": f"6f1c1d3a-52a7-4f0f-9a52-{next(numbers):012x}",
            "event_properties": properties,
        }

    room = size - len(json.dumps(make()))
    properties["$llm_message"] = {"text": (QUESTION * (room // len(QUESTION) + 1))[:room]}
    return make


def way(name: str, url: str) -> Way:
    """Return one of the ways, its client made."""
    return _MAKERS[name](url)


def _nothing(_url: str) -> Way:
    return Way(lambda _event: None, lambda: None)


def _official(url: str) -> Way:
    from amplitude import BaseEvent

    client = _client(url)

    def take(event: Event) -> None:
        client.track(
            BaseEvent(event["event_type"], user_id="user-1", event_properties=event["event_properties"])
        )

    return Way(take, lambda: [part.result(60) for part in client.flush() if part is not None])


def _sink(url: str) -> Way:
    return _handed(_ours(url))


def _whole(url: str) -> Way:
    return _tracked(_ours(url))


def _unsent(_url: str) -> Way:
    from benchmarks.silence import ai

    return _tracked(ai)


def _memory(url: str) -> Way:
    os.environ["AMPLITUDE_AI_SPOOL"] = "off"
    return _sink(url)


def _shared(url: str) -> Way:
    from amplitude_ai_integrations import AmplitudeAI

    return _handed(AmplitudeAI(amplitude=_client(url)))


def _durable(url: str) -> Way:
    from amplitude_ai_integrations import AIConfig, AmplitudeAI

    return _handed(AmplitudeAI(amplitude=_client(url), config=AIConfig(durable=True)))


def _client(url: str) -> Any:
    from amplitude import Amplitude, Config

    return Amplitude("key", Config(server_url=url + "/2/httpapi"))


def _ours(url: str) -> Any:
    from amplitude_ai_integrations import AIConfig, AmplitudeAI

    return AmplitudeAI(api_key="key", config=AIConfig(server_url=url))


def _handed(ai: Any) -> Way:
    return Way(ai.recorder.pipeline.sinks[-1].send, lambda: ai.flush().result(60))


def _tracked(ai: Any) -> Way:
    def take(event: Event) -> None:
        ai.track_user_message("user-1", event["event_properties"]["$llm_message"]["text"], "session-1")

    return Way(take, lambda: ai.flush().result(60))


_MAKERS: dict[str, Callable[[str], Way]] = {
    NOTHING: _nothing,
    OFFICIAL: _official,
    SINK: _sink,
    WHOLE: _whole,
    UNSENT: _unsent,
    MEMORY: _memory,
    SHARED: _shared,
    DURABLE: _durable,
}
