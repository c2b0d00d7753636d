"""Completions of a text: what a request asks, what an answer says, what chunks add up to."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types import Completion

from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts, Usage
from amplitude_ai_integrations.providers.openai_completions import Completions

from .payloads import CHAT_USAGE, both_shapes

COMPLETIONS = Completions("openai")
USAGE = Usage(20, 7, 27, 3, 8)


def completion(*texts: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "text": text, "finish_reason": finish, "logprobs": None} for text in texts]
    common = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "davinci-002"}
    return {**common, "choices": choices, **more}


def test_a_request_tells_what_it_asks() -> None:
    asked = {"model": "davinci-002", "prompt": "Once", "temperature": 0, "top_p": 1, "max_tokens": 9}
    assert COMPLETIONS.request(asked) == RequestFacts(
        "openai", "davinci-002", user_text="Once", temperature=0, top_p=1, max_output_tokens=9
    )


@pytest.mark.parametrize(
    ("prompt", "text"), [(["Once", "twice"], "Once\n\ntwice"), ([1, 2], ""), ([[1], [2]], ""), (None, "")]
)
def test_only_words_are_said(prompt: Any, text: str) -> None:
    assert COMPLETIONS.request({"model": "m", "prompt": prompt}).user_text == text


@both_shapes
def test_a_whole_answer(shape: Any) -> None:
    payload = completion(" upon a time", finish="length", usage=CHAT_USAGE)
    assert COMPLETIONS.response(shape(Completion, payload)) == ResponseFacts(
        model="davinci-002",
        text=" upon a time",
        finish_reason="length",
        usage=USAGE,
        request_id="cmpl-1",
    )


@pytest.mark.parametrize("shape", [dict, Completion.construct], ids=["dictionary", "model"])
def test_chunks_add_up(shape: Any) -> None:
    chunks = [completion(" upon"), completion(" a time", finish="stop"), completion(usage=CHAT_USAGE)]
    gathered = COMPLETIONS.accumulator()
    assert [gathered.add(shape(**chunk)) for chunk in chunks] == [True, True, False]
    facts = gathered.facts()
    assert (facts.text, facts.finish_reason, facts.usage) == (" upon a time", "stop", USAGE)
    assert (facts.model, facts.request_id) == ("davinci-002", "cmpl-1")
