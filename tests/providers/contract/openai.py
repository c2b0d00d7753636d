"""OpenAI: chat completions and responses."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any, ClassVar

import openai

from amplitude_ai_integrations.providers import openai as ours

from ...fakes.openai_server import OpenAIServer
from ..expected import Event, estimated
from .openai_ways import ASYNC_WAYS, WAYS
from .provider import HTTP_ERRORS, NOTHING, Api, Ask, Failure, Provider, sent

MODEL = "gpt-4o-mini"


def chat_arguments(ask: Ask) -> dict[str, Any]:
    """Return the arguments of a chat completion."""
    messages: list[Any] = [{"role": "system", "content": ask.system}] if ask.system else []
    content: Any = ask.words
    if ask.image is not None:
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ask.image}"}}
        content = [{"type": "text", "text": ask.words}, picture]
    messages.append({"role": "user", "content": content})
    if ask.ran is not None:
        function = {"name": ask.ran.name, "arguments": ask.ran.arguments}
        call = {"id": ask.ran.call_id, "type": "function", "function": function}
        messages.append({"role": "assistant", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": ask.ran.call_id, "content": ask.ran.result})
    given: dict[str, Any] = {"model": MODEL, "messages": messages}
    if ask.tool is not None:
        given["tools"] = [{"type": "function", "function": ask.tool.function}]
    return given


def response_arguments(ask: Ask) -> dict[str, Any]:
    """Return the arguments of a response."""
    items: list[Any] = [{"role": "system", "content": ask.system}] if ask.system else []
    content: Any = ask.words
    if ask.image is not None:
        picture = {"type": "input_image", "image_url": f"data:image/png;base64,{ask.image}"}
        content = [{"type": "input_text", "text": ask.words}, picture]
    items.append({"role": "user", "content": content})
    if ask.ran is not None:
        call = {"type": "function_call", "call_id": ask.ran.call_id, "name": ask.ran.name}
        items.append({**call, "arguments": ask.ran.arguments})
        items.append({"type": "function_call_output", "call_id": ask.ran.call_id, "output": ask.ran.result})
    given: dict[str, Any] = {"model": MODEL, "input": items}
    if ask.tool is not None:
        given["tools"] = [{"type": "function", **ask.tool.function}]
    return given


async def _chat_stream(client: Any, **given: Any) -> Any:
    return await client.chat.completions.create(stream=True, **given)


async def _response_stream(client: Any, **given: Any) -> Any:
    return await client.responses.create(stream=True, **given)


_REFUSED = {**NOTHING, "provider_request_id": "req_1"}


def apis(seller: str, says: Event) -> dict[str, Api]:
    """Return both APIs; ``says`` is what all answers of who answers differ in. Chat streams count nothing unasked."""

    def estimate(ask: Ask, text: str) -> Event:
        return estimated(sent(ask), text, MODEL, seller)

    return {
        "chat": Api(
            chat_arguments,
            whole=lambda client, **given: client.chat.completions.create(**given),
            streamed=lambda client, **given: client.chat.completions.create(stream=True, **given),
            whole_async=lambda client, **given: client.chat.completions.create(**given),
            streamed_async=_chat_stream,
            piece=lambda chunk: (chunk.choices[0].delta.content or "") if chunk.choices else "",
            text=lambda answer: answer.choices[0].message.content or "",
            says=says,
            read=estimate,
            left=estimate,
            refused=_REFUSED,
            fails=Failure((openai.APIError,)),
        ),
        "responses": Api(
            response_arguments,
            whole=lambda client, **given: client.responses.create(**given),
            streamed=lambda client, **given: client.responses.create(stream=True, **given),
            whole_async=lambda client, **given: client.responses.create(**given),
            streamed_async=_response_stream,
            piece=lambda event: event.delta if event.type == "response.output_text.delta" else "",
            text=lambda answer: answer.output_text,
            says={**says, "provider_request_id": "resp_1"},
            left=estimate,
            refused=_REFUSED,
            fails=Failure(
                (),
                "One two three four.",
                {"error_type": "server_error", "error_message": "fail", "finish_reason": "failed"},
            ),
        ),
    }


@cache
def connections() -> Any:
    """Return connections for all synchronous clients: to prepare for TLS takes longer than most tests."""
    return openai.DefaultHttpxClient()


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class OpenAI(Provider):
    """What holds for all that OpenAI's package talks to."""

    name = "openai"
    bare_kinds: ClassVar[dict[str, Any]] = {"sync": openai.OpenAI, "async": openai.AsyncOpenAI}
    swap_kinds: ClassVar[dict[str, Any]] = {"sync": ours.OpenAI, "async": ours.AsyncOpenAI}
    apis = apis("openai", {})
    ways = WAYS
    async_ways = ASYNC_WAYS
    patches = (ours.patch_openai, ours.patch_async_openai)
    statuses: ClassVar = {
        "error500": (openai.InternalServerError,),
        "error429": (openai.RateLimitError,),
        "error401": (openai.AuthenticationError,),
    }
    cuts = (openai.APIConnectionError, *HTTP_ERRORS)
    timeouts = (openai.APITimeoutError, *HTTP_ERRORS)

    def serve(self) -> OpenAIServer:
        return OpenAIServer()

    def options(self, fake: Any) -> dict[str, Any]:
        """Return the arguments that lead a client to the fake."""
        return {"api_key": "k", "base_url": fake.url}

    def bare(self, fake: Any, kind: str, **options: Any) -> Any:
        return self.bare_kinds[kind](**self._options(fake, kind, **options))

    def swap(self, fake: Any, kind: str, amplitude: Any, **options: Any) -> Any:
        return self.swap_kinds[kind](amplitude=amplitude, **self._options(fake, kind, **options))

    def _options(
        self, fake: Any, kind: str, timeout: float | None = None, retries: int = 0
    ) -> dict[str, Any]:
        http = connections() if kind == "sync" else openai.DefaultAsyncHttpxClient(verify=_tls())
        given = {**self.options(fake), "http_client": http, "max_retries": retries}
        return given if timeout is None else {**given, "timeout": timeout}

    def is_closed(self, stream: Any) -> bool:
        return bool(stream.response.is_closed)

    def stop(self) -> None:
        connections().close()
        connections.cache_clear()


OPENAI = OpenAI()
