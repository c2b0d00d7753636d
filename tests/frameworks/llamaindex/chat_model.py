"""A model for LlamaIndex on the vendor's real client: the vendor's own package for it does not admit its newest."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import openai
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.utils import parse_partial_json
from pydantic import PrivateAttr


class ChatModel(FunctionCallingLLM):
    """OpenAI's chat completions; its messages carry tool calls as LlamaIndex's own integration has them."""

    model: str = "gpt-4o"
    temperature: float | None = None
    _client: openai.OpenAI = PrivateAttr()
    _async_client: openai.AsyncOpenAI = PrivateAttr()

    def __init__(self, url: str, http: Any = None, **fields: Any) -> None:
        super().__init__(**fields)
        options: dict[str, Any] = {"api_key": "k", "base_url": url, "max_retries": 0}
        self._client = openai.OpenAI(**options)
        self._async_client = openai.AsyncOpenAI(**options, http_client=http)

    @classmethod
    def class_name(cls) -> str:
        return "openai_llm"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name=self.model, is_chat_model=True, is_function_calling_model=True)

    def close(self) -> None:
        self._client.close()

    async def aclose(self) -> None:
        await self._async_client.close()

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return _whole(self._client.chat.completions.create(**self._asked(messages, kwargs)))

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return _whole(await self._async_client.chat.completions.create(**self._asked(messages, kwargs)))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        def pieces() -> Iterator[ChatResponse]:
            answer = _Answer()
            with self._client.chat.completions.create(**self._streamed(messages, kwargs)) as stream:
                for chunk in stream:
                    yield answer.with_piece(chunk)

        return pieces()

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        async def pieces() -> AsyncIterator[ChatResponse]:
            answer = _Answer()
            stream = await self._async_client.chat.completions.create(**self._streamed(messages, kwargs))
            async with stream:
                async for chunk in stream:
                    yield answer.with_piece(chunk)

        return pieces()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        answer = self.chat([ChatMessage(role="user", content=prompt)], **kwargs)
        return CompletionResponse(text=answer.message.content or "", raw=answer.raw)

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        answer = await self.achat([ChatMessage(role="user", content=prompt)], **kwargs)
        return CompletionResponse(text=answer.message.content or "", raw=answer.raw)

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        raise NotImplementedError

    def _prepare_chat_with_tools(
        self, tools: Any, user_msg: Any = None, chat_history: Any = None, **kwargs: Any
    ) -> Any:
        messages = [*(chat_history or ())]
        if user_msg is not None:
            messages.append(
                ChatMessage(role="user", content=user_msg) if isinstance(user_msg, str) else user_msg
            )
        asked = {"tools": [tool.metadata.to_openai_tool() for tool in tools]} if tools else {}
        return {"messages": messages, **asked}

    def get_tool_calls_from_response(self, response: Any, **kwargs: Any) -> list[ToolSelection]:
        return [_selected(call) for call in response.message.additional_kwargs.get("tool_calls", ())]

    def _asked(self, messages: Sequence[ChatMessage], options: Any) -> Any:
        said = {"tools": options["tools"]} if options.get("tools") else {}
        if self.temperature is not None:
            said["temperature"] = self.temperature
        return {"model": self.model, "messages": [_sent(message) for message in messages], **said}

    def _streamed(self, messages: Sequence[ChatMessage], options: Any) -> Any:
        return {**self._asked(messages, options), "stream": True, "stream_options": {"include_usage": True}}


class _Answer:
    """An answer as it comes."""

    def __init__(self) -> None:
        self._text = ""
        self._calls: list[Any] = []

    def with_piece(self, chunk: Any) -> ChatResponse:
        delta = chunk.choices[0].delta if chunk.choices else None
        piece = (delta.content or "") if delta is not None else ""
        self._text += piece
        for call in (delta.tool_calls or ()) if delta is not None else ():
            if call.id:
                self._calls.append(call.model_dump())
            else:
                self._calls[call.index]["function"]["arguments"] += call.function.arguments
        more = {"tool_calls": self._calls} if self._calls else {}
        message = ChatMessage(role="assistant", content=self._text, additional_kwargs=more)
        return ChatResponse(message=message, raw=chunk, delta=piece)


def _whole(answer: Any) -> ChatResponse:
    said = answer.choices[0].message
    more = {"tool_calls": [call.model_dump() for call in said.tool_calls]} if said.tool_calls else {}
    message = ChatMessage(role="assistant", content=said.content, additional_kwargs=more)
    return ChatResponse(message=message, raw=answer)


def _sent(message: ChatMessage) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role.value, "content": message.content}
    if message.role == MessageRole.TOOL:
        return {**said, "tool_call_id": message.additional_kwargs["tool_call_id"]}
    calls = message.additional_kwargs.get("tool_calls")
    return {**said, "tool_calls": calls} if calls else said


def _selected(call: Any) -> ToolSelection:
    written = call["function"]["arguments"]
    try:
        arguments = json.loads(written)
    except ValueError:  # as far as they came
        arguments = parse_partial_json(written) if written.startswith("{") else {}
    return ToolSelection(tool_id=call["id"], tool_name=call["function"]["name"], tool_kwargs=arguments)
