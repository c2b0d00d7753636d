"""Recorded payloads, each as the dictionary it was on the wire and as the vendor's own model."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response

Json = dict[str, Any]


def _dictionary(_model: Any, payload: Json) -> Any:
    return payload


def _object(model: Any, payload: Json) -> Any:
    return model.construct(**payload)  # as the vendor's client does, without a check


both_shapes = pytest.mark.parametrize("shape", [_dictionary, _object], ids=["dictionary", "model"])

__all__ = ["ChatCompletion", "ChatCompletionChunk", "CreateEmbeddingResponse", "Response", "both_shapes"]

CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"a":1}'}}
CHAT_USAGE: Json = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 3},
}


def chat_answer(message: Json, finish: str = "stop", **more: Any) -> Json:
    """Return a chat completion."""
    choice = {"index": 0, "finish_reason": finish, "logprobs": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        "choices": [{**choice, "message": {"role": "assistant", "content": None, **message}}],
        "usage": CHAT_USAGE,
        **more,
    }


def chat_chunk(delta: Json, finish: str | None = None, **more: Any) -> Json:
    """Return one chunk of a streamed chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def response_answer(output: list[Json], **more: Any) -> Json:
    """Return a response."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5-mini",
        "status": "completed",
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 20,
            "output_tokens": 7,
            "total_tokens": 27,
            "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 4},
            "output_tokens_details": {"reasoning_tokens": 3},
        },
        **more,
    }


def message_item(*texts: str) -> Json:
    """Return an output message of a response."""
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": content,
    }


FUNCTION_CALL: Json = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "get_weather",
    "arguments": '{"a":1}',
    "status": "completed",
}
REASONING: Json = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "First"}, {"type": "summary_text", "text": "second"}],
}
