"""V1: in `metadata_only` no word of a call leaves, whichever way the client was observed."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from amplitude import Amplitude, Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, wrap
from amplitude_ai_integrations.providers.openai import OpenAI

from ..conftest import Serve
from .conftest import MakeClient
from .expected import MODEL, kinds

PRIVATE = AIConfig(content_mode="metadata_only")  # type: ignore[arg-type]  # a string as people write it

# One word for each place where a person or a model may have written something.
PLACES = (
    "user",
    "system",
    "tool-description",
    "tool-parameter",
    "argument",
    "result",
    "answer",
    "thought",
    "refusal",
    "property",
    "tag",
    "context",
)
WORDS = {place: f"canary{number}{place.replace('-', '')}" for number, place in enumerate(PLACES)}

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": WORDS["tool-description"],
        "parameters": {"type": "object", "properties": {WORDS["tool-parameter"]: {"type": "string"}}},
    },
}
_ARGUMENTS = json.dumps({"city": WORDS["argument"]}, separators=(",", ":"))
_ASKED = {"name": "get_weather", "arguments": _ARGUMENTS}
SCRIPTS = (
    f"{WORDS['user']} think:{WORDS['thought']} echo:{WORDS['answer']}",
    f"{WORDS['user']} think:{WORDS['thought']} tool:{_ARGUMENTS}",
)


def _history(call_id: str) -> list[dict[str, Any]]:
    call = {"id": call_id, "type": "function", "function": _ASKED}
    return [
        {"role": "user", "content": WORDS["user"]},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": WORDS["result"]},
    ]


def _items(call_id: str) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": WORDS["user"]},
        {"type": "function_call", "call_id": call_id, **_ASKED},
        {"type": "function_call_output", "call_id": call_id, "output": WORDS["result"]},
    ]


def _say_everything(client: Any) -> None:
    """Make calls that say each word, whole and streamed, succeeding and failing, by both APIs."""
    keywords = {"amplitude_event_properties": {"note": WORDS["property"]}, "amplitude_user_id": "u"}
    chat = {"model": MODEL, "tools": [TOOL], **keywords}
    flat = {"model": MODEL, "tools": [{"type": "function", **TOOL["function"]}], **keywords}  # type: ignore[dict-item]
    flat["instructions"] = WORDS["system"]
    system = {"role": "system", "content": WORDS["system"]}
    for stream in (False, True):
        for words in SCRIPTS:
            said = {"role": "user", "content": words}
            _read(client.chat.completions.create(messages=[system, said], stream=stream, **chat))
            _read(client.responses.create(input=words, stream=stream, **flat))
        history = [system, *_history(f"call-{uuid.uuid4()}")]
        _read(client.chat.completions.create(messages=history, stream=stream, **chat))
        _read(client.responses.create(input=_items(f"call-{uuid.uuid4()}"), stream=stream, **flat))
        refused = [{"role": "user", "content": f"error429 {WORDS['refusal']}"}]
        with pytest.raises(openai.RateLimitError, match=WORDS["refusal"]):
            client.chat.completions.create(messages=refused, stream=stream, **chat)
    with pytest.raises(openai.APIError, match=WORDS["refusal"]):
        _read(client.chat.completions.create(messages=_failing("chat"), stream=True, **chat))
    _read(client.responses.create(input=_failing("responses"), stream=True, **flat))


def _failing(_api: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"fail {WORDS['refusal']}"}]


def _read(result: Any) -> None:
    if isinstance(result, openai.Stream):
        for _chunk in result:
            pass


@contextmanager
def _session(ai: AmplitudeAI) -> Iterator[None]:
    agent = ai.agent("bot", user_id="u", context={"note": WORDS["context"]})
    with agent.session(tags=[WORDS["tag"]], track_session_end=False):
        yield


def _found(text: str) -> list[str]:
    return [place for place, word in WORDS.items() if word in text]


def _own_class(ai: AmplitudeAI, connect: MakeClient) -> Any:
    return connect(OpenAI, amplitude=ai)


def _wrapped(ai: AmplitudeAI, connect: MakeClient) -> Any:
    return wrap(connect(openai.OpenAI), ai)


@pytest.mark.parametrize("make", [_own_class, _wrapped])
def test_no_word_leaves_in_metadata_only(
    make: Callable[..., Any], connect: MakeClient, sink: MemorySink
) -> None:
    ai = AmplitudeAI(sink=sink, config=PRIVATE)
    client = make(ai, connect)
    _say_everything(client)
    with _session(ai):
        _say_everything(client)
    assert _found(json.dumps(sink.events)) == []
    assert (kinds(sink).count("answer"), kinds(sink).count("tool")) == (32, 8)


def test_every_word_leaves_in_full(connect: MakeClient, ai: AmplitudeAI, sink: MemorySink) -> None:
    with _session(ai):
        _say_everything(connect(OpenAI, amplitude=ai))
    assert _found(json.dumps(sink.events)) == [*PLACES]


def test_a_private_session_wins_over_a_full_client(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = connect(OpenAI, amplitude=ai)
    private = MemorySink()
    with _session(AmplitudeAI(sink=private, config=PRIVATE)):
        _say_everything(client)
    assert sink.events == []
    assert _found(json.dumps(private.events)) == []
    assert kinds(private).count("answer") == 16


def test_a_stream_of_a_private_session_stays_private_after_it(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = connect(OpenAI, amplitude=ai)
    private = MemorySink()
    with _session(AmplitudeAI(sink=private, config=PRIVATE)):
        stream = client.responses.create(model=MODEL, input=SCRIPTS[0], stream=True)
    _read(stream)
    assert sink.events == []
    assert _found(json.dumps(private.events)) == []
    assert kinds(private) == ["user", "answer"]


def test_in_full_a_session_of_a_full_client_opens_a_private_wrapper(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = connect(OpenAI, amplitude=AmplitudeAI(sink=MemorySink(), config=PRIVATE))
    with _session(ai):
        _read(client.responses.create(model=MODEL, input=SCRIPTS[0], stream=True))
    assert {"user", "answer", "thought"} <= set(_found(json.dumps(sink.events)))


@pytest.mark.parametrize("mode", ["metadata_only", "full"])
def test_the_official_client_keeps_the_mode_of_the_client_it_came_from(
    mode: str, connect: MakeClient, serve: Serve
) -> None:
    received: list[str] = []

    async def take(request: Request) -> JSONResponse:
        body = await request.body()
        is_packed = request.headers.get("content-encoding") == "gzip"
        received.append((gzip.decompress(body) if is_packed else body).decode())
        return JSONResponse({"code": 200})

    url = serve(Starlette(routes=[Route("/2/httpapi", take, methods=["POST"])]))
    official = Amplitude("key", Config(server_url=f"{url}/2/httpapi", min_id_length=1))
    ai = AmplitudeAI(amplitude=official, config=AIConfig(content_mode=mode))  # type: ignore[arg-type]
    _say_everything(connect(OpenAI, amplitude=ai.amplitude))
    official.flush()
    official.shutdown()
    sent = [event for body in received for event in json.loads(body)["events"]]
    assert kinds(sent).count("answer") == 16
    expected = [place for place in PLACES if place not in ("tag", "context")] if mode == "full" else []
    assert _found("".join(received)) == expected
