"""What LiteLLM tells of a call, mapped; the callback itself is tested where LiteLLM is installed."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations.calls.covering import cover, takes_cover, uncover
from amplitude_ai_integrations.calls.facts import Usage
from amplitude_ai_integrations.providers.litellm_calls import adapter_of

CHAT: dict[str, Any] = {
    "id": "chatcmpl-1",
    "model": "claude-sonnet-4-20250514",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "total_tokens": 1100,
        "prompt_tokens_details": {"cached_tokens": 700},
        "cache_creation_input_tokens": 200,
    },
}
SELLERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "bedrock": "aws",
    "vertex_ai": "google",
    "gemini": "google",
    "azure_ai": "azure",
    "xai": "x-ai",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "hosted_vllm": "self-hosted",
    "some_new_seller": "some_new_seller",
}


def adapter(call_type: str = "completion", seller: str = "anthropic") -> Any:
    return adapter_of({"call_type": call_type, "custom_llm_provider": seller})


@pytest.mark.parametrize(("theirs", "ours"), SELLERS.items())
def test_who_answers(theirs: str, ours: str) -> None:
    assert adapter(seller=theirs).request({"model": "m", "messages": []}).provider == ours


def test_what_was_written_to_a_cache_is_among_the_tokens_sent() -> None:
    facts = adapter().response({"response": CHAT, "was_cached": False})
    assert facts.usage == Usage(1000, 100, 1100, None, 700, 200)
    assert (facts.text, facts.finish_reason, facts.was_cached) == ("Hello.", "stop", False)


def test_a_stream_is_one_piece_that_says_nothing_of_its_beginning() -> None:
    chunks = adapter().accumulator()
    assert chunks.facts().text == ""
    assert chunks.add({"response": CHAT, "was_cached": True}) is False
    assert (chunks.facts().text, chunks.facts().was_cached) == ("Hello.", True)


@pytest.mark.parametrize("call_type", ["image_generation", "transcription", "rerank", "moderation", "None"])
def test_what_is_no_call_of_a_model_for_words_or_vectors(call_type: str) -> None:
    assert adapter(call_type) is None


def _said(words: str) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": words}]}


def test_a_cover_is_good_for_one_call_of_the_same_content() -> None:
    above = object()
    cover(above, _said("Hi"))
    taken = [takes_cover(payload) for payload in (_said("Hello"), _said("Hi"), _said("Hi"))]
    assert taken == [False, True, False]


def test_a_cover_that_nobody_takes_is_taken_back() -> None:
    above = object()
    cover(above, {"model": "m", "input": ["Hi"]})
    uncover(above)
    assert not takes_cover({"model": "m", "input": ["Hi"]})


def test_covers_that_nobody_takes_back_are_bounded() -> None:
    above = object()
    for number in range(1_001):
        cover(above, _said(str(number)))
    assert [takes_cover(_said(number)) for number in ("0", "1", "1000")] == [False, True, True]
    uncover(above)
