"""Completions of a text, compaction, and responses that are made in the background."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.pricing.cost import Tokens, cost_usd
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from ..fakes.model_server import TEXT, Handler, Json, ModelServer, Script
from ..fakes.openai_server import CHAT_USAGE, RESPONSES_USAGE, response_events, response_whole
from .conftest import MakeClient
from .expected import kinds, of_kind, seen

COMPLETION = "gpt-3.5-turbo-instruct"


class _Handler(Handler):
    def script(self, body: Json) -> Script:
        return Script(str(body.get("prompt", body.get("input"))))

    def answer(self, body: Json, script: Script) -> None:
        name = self.path.partition("?")[0]
        if name.endswith("/compact"):
            kept = {"type": "message", "id": "m", "role": "user", "status": "completed"}
            output = [{**kept, "content": [{"type": "input_text", "text": script.words}]}]
            output.append({"type": "compaction", "id": "cmp_1", "encrypted_content": "x"})
            whole = {"id": "cmp_1", "object": "response.compaction", "created_at": 1, "output": output}
            self.json(200, {**whole, "usage": RESPONSES_USAGE})
        elif name.endswith("/responses") and not body.get("stream"):
            self.json(200, response_whole(body, script, "queued"))
        elif name.endswith("/responses"):
            self.stream(_sent(response_events(body, script)))
        elif body.get("stream"):
            self.stream(_sent(_chunks(body, script)))
        else:
            self.json(200, {**_completion(body, script.text, "stop"), "usage": CHAT_USAGE})

    def do_GET(self) -> None:
        self.json(200, response_whole({"model": "gpt-5"}, Script("Hi")))

    def refuse(self, status: int, script: Script) -> None:
        self.json(status, {"error": {"message": "refused"}})


def _completion(body: Json, text: str, finish: str | None) -> Json:
    choice = {"index": 0, "text": text, "finish_reason": finish, "logprobs": None}
    common = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": body["model"]}
    return {**common, "choices": [choice]}


def _chunks(body: Json, script: Script) -> Iterator[Json]:
    for piece in script.pieces:
        yield _completion(body, piece, None)
    yield _completion(body, "", "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**_completion(body, "", None), "choices": [], "usage": CHAT_USAGE}


def _sent(events: Iterator[Json]) -> Iterator[bytes]:
    for event in events:
        yield f"data: {json.dumps(event)}\n\n".encode()
    yield b"data: [DONE]\n\n"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    server = ModelServer(_Handler)
    yield server
    server.stop()


@pytest.fixture
def older(server: ModelServer, connect: MakeClient, ai: AmplitudeAI) -> OpenAI:
    client: OpenAI = connect(OpenAI, amplitude=ai, base_url=f"{server.address}/v1")
    return client


@pytest.mark.parametrize("is_streaming", [False, True])
def test_a_completion_is_an_answer(is_streaming: bool, older: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    options = {"stream_options": {"include_usage": True}} if is_streaming else {}
    with ai.agent(user_id="u").session(track_session_end=False):
        result = older.completions.create(
            model=COMPLETION, prompt="Hi", stream=is_streaming, amplitude_prompt_id="p-1", **options
        )
        if is_streaming:
            assert "".join(chunk.choices[0].text for chunk in result if chunk.choices) == TEXT
    said, answered = seen(sink)
    assert said["llm_message"] == {"text": "Hi"}
    assert answered["llm_message"] == {"text": TEXT}
    told = (
        "model_name",
        "input_tokens",
        "output_tokens",
        "finish_reason",
        "provider_request_id",
        "prompt_id",
    )
    assert [answered[name] for name in told] == [COMPLETION, 20, 7, "stop", "cmpl-1", "p-1"]
    assert (answered["is_streaming"], answered["is_error"]) == (is_streaming, False)
    assert answered["cost_usd"] == cost_usd(COMPLETION, "openai", Tokens(20, 7, 8))


async def test_a_completion_that_is_left_is_an_answer_too(
    server: ModelServer, connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with connect(AsyncOpenAI, amplitude=ai, base_url=f"{server.address}/v1") as client:
        async for _chunk in await client.completions.create(model=COMPLETION, prompt="Hi", stream=True):
            break
    (answered,) = of_kind("answer", sink)
    assert (answered["llm_message"], answered["stream_abandoned"]) == ({"text": "One "}, True)
    assert answered["usage_estimated"] is True


def test_a_bare_client_sends_the_same(server: ModelServer, older: Any, connect: MakeClient) -> None:
    bare = connect(openai.OpenAI, base_url=f"{server.address}/v1")
    for client in (bare, older):
        [*client.completions.create(model=COMPLETION, prompt="Hi", stream=True)]
    assert server.requests[0] == server.requests[1]


def test_a_compaction_costs_and_says_nothing(older: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    # As `responses.compact` does, which older versions lack.
    asked = {"model": "gpt-5", "input": [{"role": "user", "content": "Hi"}]}
    with ai.agent(user_id="u").session(track_session_end=False):
        older.post("/responses/compact", body=asked, cast_to=object)
    (answered,) = seen(sink)
    assert "llm_message" not in answered
    told = ("model_name", "input_tokens", "output_tokens", "provider_request_id")
    assert [answered[name] for name in told] == ["gpt-5", 20, 7, "cmp_1"]
    assert answered["cost_usd"] == cost_usd("gpt-5", "openai", Tokens(20, 7, 8))


def test_a_response_in_the_background_is_one_answer_when_it_is_asked_for(
    older: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent(user_id="u").session(track_session_end=False):
        begun = older.responses.create(model="gpt-5", input="Hi", extra_body={"background": True})
        assert older.responses.retrieve(begun.id).output_text == TEXT
    assert kinds(sink) == ["user", "answer"]
    (answered,) = of_kind("answer", sink)
    assert (answered["finish_reason"], answered["is_error"]) == ("queued", False)
    assert not {"llm_message", "input_tokens", "cost_usd", "usage_estimated"} & set(answered)


def test_a_response_in_the_background_that_is_read_as_it_comes_is_whole(older: Any, sink: MemorySink) -> None:
    for _event in older.responses.create(
        model="gpt-5", input="Hi", stream=True, extra_body={"background": True}
    ):
        pass
    (answered,) = of_kind("answer", sink)
    assert (answered["llm_message"], answered["input_tokens"]) == ({"text": TEXT}, 20)
