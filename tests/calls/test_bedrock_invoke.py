"""Invocations of Bedrock's models: which body is whose, and what bodies and chunks say."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage
from amplitude_ai_integrations.providers.bedrock_invoke import InvokeModel, body_of

METRICS = "amazon-bedrock-invocationMetrics"
CALL = {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Paris"}}
TOLD = {
    "type": "function",
    "id": "call_1",
    "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
}


def _asked(body: Any, model: str = "m") -> RequestFacts:
    return InvokeModel(model, body).request(body)


def _said(body: Any, asked: Any, model: str = "m", **headers: str) -> ResponseFacts:
    counts = {
        f"x-amzn-bedrock-{name.replace('_', '-')}-token-count": value for name, value in headers.items()
    }
    metadata = {"RequestId": "req_1", "HTTPHeaders": counts}
    whole = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return InvokeModel(model, asked).response({"ResponseMetadata": metadata, "body": whole})


def _adds_up(asked: Any, *chunks: Any, model: str = "m") -> tuple[ResponseFacts, list[bool]]:
    gathered = InvokeModel(model, asked).accumulator()
    gathered.add({"ResponseMetadata": {"RequestId": "req_1"}})
    shown = [gathered.add({"chunk": {"bytes": json.dumps(chunk).encode()}}) for chunk in chunks]
    return gathered.facts(), shown


PROMPTS: dict[str, tuple[Any, RequestFacts]] = {
    "titan": (
        {"inputText": "Hi", "textGenerationConfig": {"temperature": 0, "topP": 0.5, "maxTokenCount": 9}},
        RequestFacts("aws", "m", user_text="Hi", history=0, temperature=0, top_p=0.5, max_output_tokens=9),
    ),
    "llama": (
        {"prompt": "Hi", "temperature": 0.1, "top_p": 0.5, "max_gen_len": 9},
        RequestFacts("aws", "m", user_text="Hi", history=0, temperature=0.1, top_p=0.5, max_output_tokens=9),
    ),
    "mistral": (
        {"prompt": "Hi", "max_tokens": 9, "temperature": None},
        RequestFacts("aws", "m", user_text="Hi", history=0, max_output_tokens=9),
    ),
    "command": (
        {"prompt": "Hi", "p": 0.5, "k": 3},
        RequestFacts("aws", "m", user_text="Hi", history=0, top_p=0.5),
    ),
    "command r": (
        {"message": "Hi", "chat_history": [{"role": "USER", "message": "Before"}], "preamble": "Be brief."},
        RequestFacts("aws", "m", user_text="Hi", history=1, system_prompt="Be brief."),
    ),
    "claude 2": (
        {"prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 9},
        RequestFacts("aws", "m", user_text="\n\nHuman: Hi\n\nAssistant:", history=0, max_output_tokens=9),
    ),
    "an image": ({"taskType": "TEXT_IMAGE", "textToImageParams": {}}, RequestFacts("aws", "m", history=0)),
    "hostile": ({"prompt": 7, "chat_history": "x", "preamble": []}, RequestFacts("aws", "m", history=0)),
}


@pytest.mark.parametrize("maker", PROMPTS)
def test_a_prompt_tells_what_it_asks(maker: str) -> None:
    body, facts = PROMPTS[maker]
    assert _asked(body) == facts


ANSWERS: dict[str, tuple[Any, ResponseFacts]] = {
    "titan": (
        {
            "inputTextTokenCount": 4,
            "results": [{"tokenCount": 2, "outputText": "Yes.", "completionReason": "FINISH"}],
        },
        ResponseFacts(text="Yes.", finish_reason="FINISH", usage=Usage(4, 2, 6)),
    ),
    "llama": (
        {
            "generation": "Yes.",
            "prompt_token_count": 4,
            "generation_token_count": 2,
            "stop_reason": "length",
        },
        ResponseFacts(text="Yes.", finish_reason="length", usage=Usage(4, 2, 6)),
    ),
    "mistral": (
        {"outputs": [{"text": "Yes.", "stop_reason": "stop"}]},
        ResponseFacts(text="Yes.", finish_reason="stop"),
    ),
    "command": (
        {"generations": [{"text": "Yes.", "finish_reason": "COMPLETE"}, {"text": "No."}]},
        ResponseFacts(text="Yes.", finish_reason="COMPLETE"),
    ),
    "command r": (
        {
            "text": "Yes.",
            "finish_reason": "COMPLETE",
            "meta": {"billed_units": {"input_tokens": 4, "output_tokens": 2}},
        },
        ResponseFacts(text="Yes.", finish_reason="COMPLETE", usage=Usage(4, 2, 6)),
    ),
    "deepseek": (
        {"choices": [{"text": "Yes.", "stop_reason": "stop"}]},
        ResponseFacts(text="Yes.", finish_reason="stop"),
    ),
    "claude 2": (
        {"completion": "Yes.", "stop_reason": "stop_sequence"},
        ResponseFacts(text="Yes.", finish_reason="stop_sequence"),
    ),
    "an image": ({"images": ["aGk="]}, ResponseFacts()),
    "nothing": ({"results": []}, ResponseFacts()),
}


@pytest.mark.parametrize("maker", ANSWERS)
def test_a_continuation_tells_what_it_says(maker: str) -> None:
    body, facts = ANSWERS[maker]
    facts.request_id = "req_1"
    assert _said(body, {"prompt": "Hi"}) == facts


def test_what_a_body_counts_goes_before_what_the_service_counts() -> None:
    titan = ANSWERS["titan"][0]
    assert _said(titan, {"inputText": "Hi"}, input="5", output="5").usage == Usage(4, 2, 6)


@pytest.mark.parametrize("body", [None, b"", b"half of {", b"[]", b"\xff"])
def test_a_body_that_is_not_there_leaves_what_the_service_counts(body: bytes | None) -> None:
    counted = {"input": "5", "output": "3", "cache_read_input": "2", "cache_write_input": "1"}
    assert _said(body, {"prompt": "Hi"}, **counted) == ResponseFacts(
        usage=Usage(8, 3, 11, None, 2, 1), request_id="req_1"
    )
    assert _said(body, {"prompt": "Hi"}, input="many").usage is None


def test_pieces_of_a_continuation_add_up() -> None:
    said, shown = _adds_up(
        {"prompt": "Hi"},
        {"generation": "Ye", "prompt_token_count": 4, "generation_token_count": 1, "stop_reason": None},
        {"generation": "s.", "prompt_token_count": None, "generation_token_count": 2, "stop_reason": None},
        {
            "generation": "",
            "generation_token_count": 3,
            "stop_reason": "stop",
            METRICS: {"inputTokenCount": 9},
        },
    )
    assert said == ResponseFacts(text="Yes.", finish_reason="stop", usage=Usage(4, 3, 7), request_id="req_1")
    assert shown == [True, True, False]


def test_the_service_counts_at_the_end_of_a_stream() -> None:
    counts = {"inputTokenCount": 4, "outputTokenCount": 2, "cacheReadInputTokenCount": 3}
    said, shown = _adds_up({"prompt": "Hi"}, {"outputs": [{"text": "Yes."}]}, {METRICS: counts})
    assert said == ResponseFacts(text="Yes.", usage=Usage(7, 2, 9, None, 3, None), request_id="req_1")
    assert shown == [True, False]


CLAUDE = {"anthropic_version": "bedrock-2023-05-31", "messages": []}


def test_claudes_request_tells_what_it_asks() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "sun"}]}
    tools = [{"name": "get_weather", "input_schema": {"type": "object"}}]
    asked = _asked(
        {
            **CLAUDE,
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [{"type": "text", "text": "I look."}, CALL]},
                {
                    "role": "user",
                    "content": [result, {"type": "text", "text": "And?"}, image, {"type": "new"}],
                },
                "hostile",
            ],
            "tools": tools,
            "max_tokens": 9,
            "temperature": 0,
            "top_p": 0.5,
        }
    )
    assert asked == RequestFacts(
        "aws",
        "m",
        user_text="And?",
        history=asked.history,
        attachments=[{"type": "image", "mime_type": "image/png", "size_bytes": 3}],
        tool_results=[ToolResult("call_1", "get_weather", '{"city":"Paris"}', "sun")],
        system_prompt="Be brief.",
        tools=tools,
        temperature=0,
        top_p=0.5,
        max_output_tokens=9,
    )
    assert _asked({**CLAUDE, "system": "Be brief."}).system_prompt == "Be brief."


CLAUDE_COUNTS = {
    "input_tokens": 10,
    "output_tokens": 7,
    "cache_read_input_tokens": 8,
    "cache_creation_input_tokens": 2,
}
CLAUDE_SAID = ResponseFacts(
    text="Yes.",
    reasoning="Hm.",
    tool_calls=[TOLD],
    finish_reason="tool_use",
    usage=Usage(20, 7, 27, None, 8, 2),
    request_id="req_1",
)


def test_claudes_answer_tells_what_it_says() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    content = [thought, {"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "Yes."}, CALL]
    answer = {"model": "claude-3", "content": content, "stop_reason": "tool_use", "usage": CLAUDE_COUNTS}
    assert _said(answer, CLAUDE) == CLAUDE_SAID


def test_claudes_chunks_add_up_to_the_answer() -> None:
    def delta(place: int, kind: str, **piece: str) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": place, "delta": {"type": kind, **piece}}

    def start(place: int, block: dict[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_start", "index": place, "content_block": block}

    begun = {"model": "claude-3", "usage": {**CLAUDE_COUNTS, "output_tokens": 1}}
    said, shown = _adds_up(
        CLAUDE,
        {"type": "message_start", "message": begun},
        start(0, {"type": "thinking", "thinking": ""}),
        delta(0, "thinking_delta", thinking="Hm."),
        delta(0, "signature_delta", signature="s"),
        start(1, {"type": "text", "text": ""}),
        delta(1, "text_delta", text="Yes."),
        start(2, {**CALL, "input": {}}),
        delta(2, "input_json_delta", partial_json='{"city":'),
        delta(2, "input_json_delta", partial_json='"Paris"}'),
        {"type": "content_block_stop", "index": 2},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop", METRICS: {"inputTokenCount": 1, "outputTokenCount": 1}},
    )
    assert said == CLAUDE_SAID
    assert shown == [False, False, True, False, False, True, False, True, True, False, False, False]


def test_a_body_is_known_by_its_shape() -> None:
    said = {"messages": [{"role": "user", "content": "Hi"}]}
    asked = {"system": [{"text": "Be brief."}], "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    opaque = "arn:aws:bedrock:us-east-1:1:imported-model/abc"
    assert _asked(said, opaque).user_text == "Hi"
    assert _asked(asked, opaque).system_prompt == "Be brief."
    assert _asked({**CLAUDE, **said}, opaque).user_text == "Hi"
    assert _asked({"texts": ["Hi"]}, opaque).is_embedding
    assert _asked({"messages": "hostile"}).user_text == ""
    assert _asked({}).user_text == ""


@pytest.mark.parametrize(
    ("body", "dimensions", "sent"),
    [
        ({"embedding": [1, 2, 3], "inputTextTokenCount": 4}, 3, 4),
        ({"embeddingsByType": {"binary": [1], "float": [1, 2]}, "inputTextTokenCount": 4}, 2, 4),
        ({"embeddings": [[1, 2], [3, 4]]}, 2, None),
        ({"embeddings": {"int8": [[1, 2, 3]]}}, 3, None),
        ({"embeddings": [{"embeddingType": "TEXT", "embedding": [1, 2]}]}, 2, None),
        ({"embedding": []}, None, None),
        ({"embeddings": {"a": {"b": "c"}}}, None, None),
        ({}, None, None),
    ],
)
def test_a_vector_has_its_length(body: Any, dimensions: int | None, sent: int | None) -> None:
    said = _said(body, {"inputText": "Hi"}, "amazon.titan-embed-text-v2:0")
    usage = None if sent is None else Usage(sent)
    assert said == ResponseFacts(dimensions=dimensions, usage=usage, request_id="req_1")


def test_the_words_that_are_sent_count() -> None:
    def words(body: Any, model: str = "m") -> str:
        return InvokeModel(model, body).prompt_text(body)

    assert words(PROMPTS["command r"][0]) == "Be brief.\nBefore\nHi"
    assert words({**CLAUDE, "system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}) == (
        "Be brief.\nHi"
    )
    assert words({"texts": ["a", "b"]}) == "a\nb"
    assert words({"inputText": "a"}, "amazon.titan-embed-text-v2:0") == "a"


def test_a_file_stays_where_it_is() -> None:
    body = io.BytesIO(b'{"prompt": "Hi"}')
    body.seek(3)
    assert body_of({"body": body}) == {"prompt": "Hi"}
    assert body.tell() == 3
    assert body_of({"body": io.StringIO("{}")}) == {}
    assert body_of({}) == {}
