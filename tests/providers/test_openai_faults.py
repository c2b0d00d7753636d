"""N2: each function of ours that a call passes is made to raise in turn; the call's result stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.providers.openai import OpenAI

from ..faults import functions_passed, raising
from .conftest import MakeClient
from .expected import MODEL
from .ways import TOOL

# The places where the program enters our code or our code returns to it; each hands its inner work to a
# shield, and is therefore the one thing a shield cannot stand around.
DOORS = {
    "OpenAI.request",
    "Vendor._watch",
    "_Watch.returned",
    "AmplitudeAI.amplitude",
    "SyncTap.__iter__",
    "SyncTap.__next__",
    "SyncTap.close",
    "_SyncLoop.__init__",
    "_sync_class.<locals>.enter",
    "_sync_class.<locals>.leave",
    "_SyncLoop.__iter__",
    "_SyncLoop.__next__",
    "_sync_class.<locals>.<lambda>",
    "_on_close.<locals>.closing",
    "_closing.<locals>.closing",
    "_observe_parsed.<locals>.parsing",
    "_observe_parsed.<locals>.look",
    "shielded.__init__",
    "shielded.__enter__",
    "shielded.__exit__",
    "Shield.note",
    "Observation.chunk",
    "Observation.returned",
    "Observation.finished",
    "Observation.failed",
    "Observation.left",
}


# Where we asked the vendor to count tokens, the chunk that brings the count has to be taken out again;
# when that itself fails, the caller sees one chunk more.
TAKES_OUT = {
    "_is_unasked",
    "_Tap.shows",
    "_Tap.__init__",
    "_Ending.__init__",
    "_iterator_of",
    "_observe",
    "observe_sync",
}


class InjectedError(Exception):
    """What the function under test raises."""


def _messages(words: str, call_id: str) -> list[dict[str, Any]]:
    call = {"id": call_id, "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    return [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": "sunny"},
        {"role": "user", "content": words},
    ]


def _chat(client: Any) -> Any:
    given = _messages("think tool", "call_x")
    return client.chat.completions.create(model=MODEL, messages=given, tools=[TOOL]).to_dict()


def _stream(client: Any) -> Any:
    given = _messages("think", "call_y")
    stream = client.chat.completions.create(model=MODEL, messages=given, stream=True, amplitude_user_id="u")
    return [chunk.to_dict(exclude_unset=False) for chunk in stream]


def _left(client: Any) -> Any:
    with client.responses.create(model=MODEL, input="think", stream=True) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                return event.to_dict()
    return None


def _raw(client: Any) -> Any:
    return client.responses.with_raw_response.create(model=MODEL, input="tool").parse().to_dict()


def _refused(client: Any) -> Any:
    with pytest.raises(openai.RateLimitError) as caught:
        client.embeddings.create(model="m", input="error429")
    return str(caught.value)


CALLS = [_chat, _stream, _left, _raw, _refused]


@pytest.fixture
def client(dial: MakeClient) -> OpenAI:
    """A client at the vendor's, so that the path which asks for usage counts too."""
    observed: OpenAI = dial(OpenAI)
    return observed


def _result(call: Callable[[Any], Any], client: Any) -> Any:
    try:
        return call(client)
    except Exception as error:  # noqa: BLE001 - whatever it is, it would be the program's
        return error


@pytest.mark.usefixtures("swallowing")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("call", CALLS)
def test_the_result_of_a_call_survives_a_fault_in_any_function_of_ours(
    call: Callable[[Any], Any], client: OpenAI, ai: AmplitudeAI
) -> None:
    harmed = []
    with ai.agent("bot", user_id="u").session(track_session_end=False):
        expected = call(client)
        inner = functions_passed(lambda: call(client), DOORS | TAKES_OUT)
        for functions in inner:
            with raising(functions):
                result = _result(call, client)
            if result != expected:
                harmed.append(functions[0].__qualname__)
    assert len(inner) > 40
    assert sorted(harmed) == []


def test_a_sink_that_fails_harms_no_call(
    client: OpenAI, ai: AmplitudeAI, swallowing: None, sink: MemorySink
) -> None:
    def refuse(_event: Any) -> None:
        raise InjectedError

    sink.send = refuse  # type: ignore[method-assign, assignment]
    assert [chunk.choices[0].delta.content for chunk in _chunks(client)][1:-1] == [
        "One ",
        "two ",
        "three ",
        "four.",
    ]


def _chunks(client: Any) -> Any:
    return client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Hi"}], stream=True
    )
