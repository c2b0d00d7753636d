"""The shapes of OpenAI's chat completions: what is asked, and an answer whole or in chunks."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, Field, model_validator

from example_apps.fastapi_chat.scripted_replies import Reply


class Message(BaseModel):
    """One message of the conversation so far."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[dict[str, Any]] = []
    tool_call_id: str | None = None


class StreamOptions(BaseModel):
    """How the stream ends."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """The part of a request that the script reads; the rest is accepted, as by the real one."""

    model: str = Field(min_length=1)
    messages: list[Message] = Field(min_length=1)
    tools: list[dict[str, Any]] = []
    stream: bool = False
    stream_options: StreamOptions | None = None

    @model_validator(mode="after")
    def _is_coherent(self) -> ChatRequest:
        if self.stream_options and not self.stream:
            raise ValueError("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
        asked: set[str] = set()
        for message in self.messages:
            if message.role == "tool" and message.tool_call_id not in asked:
                raise ValueError("messages with role 'tool' must be a response to a preceding 'tool_calls'.")
            if message.role != "tool" and asked:
                break
            asked.discard(message.tool_call_id or "")
            asked |= {call["id"] for call in message.tool_calls}
        if asked:
            raise ValueError(f"An assistant message with 'tool_calls' lacks answers to: {', '.join(asked)}")
        return self

    @property
    def tool_names(self) -> list[str]:
        """The tools on offer."""
        return [tool["function"]["name"] for tool in self.tools if tool.get("type") == "function"]

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with a chunk of usage."""
        return self.stream_options is not None and self.stream_options.include_usage


@dataclass(frozen=True)
class Completion:
    """One reply, written the way OpenAI writes it."""

    request: ChatRequest
    reply: Reply
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    call_id: str = field(default_factory=lambda: f"call_{uuid4().hex[:24]}")

    def whole(self) -> dict[str, Any]:
        """The answer to a request without ``stream``."""
        message: dict[str, Any] = {"role": "assistant", "content": self.reply.text or None, "refusal": None}
        if self.reply.tool:
            message["tool_calls"] = [self._tool_call(self.reply.arguments)]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish_reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage()}

    def chunks(self) -> Iterator[dict[str, Any]]:
        """The answer to a request with ``stream``, a word or a piece of the arguments at a time."""
        if self.reply.tool:
            opening = {"index": 0, **self._tool_call("")}
            yield self._chunk(
                {"role": "assistant", "content": None, "tool_calls": [opening], "refusal": None}
            )
            for piece in re.findall(r"\W*\w+|\W+$", self.reply.arguments):
                yield self._chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        else:
            yield self._chunk({"role": "assistant", "content": "", "refusal": None})
            for piece in re.findall(r"\s*\S+", self.reply.text):
                yield self._chunk({"content": piece})
        yield self._chunk({}, finish_reason=self._finish_reason)
        if self.request.wants_usage:
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.request.model,
            "service_tier": "default",
            "system_fingerprint": "fp_scripted",
        }

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk = {**self._head("chat.completion.chunk"), "choices": [choice]}
        return {**chunk, "usage": None} if self.request.wants_usage else chunk

    def _tool_call(self, arguments: str) -> dict[str, Any]:
        function = {"name": self.reply.tool, "arguments": arguments}
        return {"id": self.call_id, "type": "function", "function": function}

    @property
    def _finish_reason(self) -> str:
        return "tool_calls" if self.reply.tool else "stop"

    def _usage(self) -> dict[str, Any]:
        asked = [message.model_dump(exclude_unset=True) for message in self.request.messages]
        prompt = _tokens(json.dumps([*self.request.tools, *asked]))
        completion = _tokens(self.reply.text or self.reply.arguments)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def _tokens(text: str) -> int:
    return -(-len(text) // 4)  # four letters a token, rounded up: the usual rule of thumb for English
