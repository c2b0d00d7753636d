"""Anthropic: messages, and their beta."""

from __future__ import annotations

import json
import ssl
from functools import cache
from typing import Any, ClassVar

import anthropic

from amplitude_ai_integrations.pricing.cost import Tokens
from amplitude_ai_integrations.pricing.tokens import estimate_tokens
from amplitude_ai_integrations.providers import anthropic as ours

from ...fakes.anthropic_server import AnthropicServer
from ..expected import Event, counted
from .anthropic_ways import ASYNC_WAYS, WAYS
from .provider import HTTP_ERRORS, NOTHING, Api, Ask, Failure, Provider

MODEL = "claude-haiku-4-5"


def arguments(ask: Ask) -> dict[str, Any]:
    """Return the arguments of a message."""
    content: Any = ask.words
    if ask.image is not None:
        source = {"type": "base64", "media_type": "image/png", "data": ask.image}
        content = [{"type": "text", "text": ask.words}, {"type": "image", "source": source}]
    messages: list[Any] = [{"role": "user", "content": content}]
    if ask.ran is not None:
        call = {"type": "tool_use", "id": ask.ran.call_id, "name": ask.ran.name}
        messages.append({"role": "assistant", "content": [{**call, "input": json.loads(ask.ran.arguments)}]})
        result = {"type": "tool_result", "tool_use_id": ask.ran.call_id, "content": ask.ran.result}
        messages.append({"role": "user", "content": [result]})
    given: dict[str, Any] = {"model": MODEL, "max_tokens": 99, "messages": messages}
    if ask.system is not None:
        given["system"] = ask.system
    if ask.tool is not None:
        tool = ask.tool
        given["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema},
        ]
    return given


async def _stream(client: Any, **given: Any) -> Any:
    return await client.messages.create(stream=True, **given)


async def _beta_stream(client: Any, **given: Any) -> Any:
    return await client.beta.messages.create(stream=True, **given)


def piece(event: Any) -> str:
    """Return the piece of text in an event."""
    return getattr(event.delta, "text", "") if event.type == "content_block_delta" else ""


def text(message: Any) -> str:
    """Return the text of a message."""
    return "".join(block.text for block in message.content if block.type == "text")


def _half_counted(written: str) -> Event:
    """Return what is known of a stream that did not come to its end: what was sent is counted at its begin."""
    tokens = Tokens(20, estimate_tokens(written, MODEL), 8, 4)
    return {**counted(MODEL, "anthropic", tokens), "usage_estimated": True}


_COMMON: dict[str, Any] = {
    "piece": piece,
    "text": text,
    "says": {
        "model_name": MODEL,
        "provider": "anthropic",
        "finish_reason": "end_turn",
        "max_output_tokens": 99,
        "provider_request_id": "msg_1",
        **counted(MODEL, "anthropic", Tokens(20, 7, 8, 4), 3),
    },
    "left": lambda _ask, written: _half_counted(written),
    "refused": {**NOTHING, "provider_request_id": "req_1"},
    "asks": {"finish_reason": "tool_use"},
    "fails": Failure((anthropic.APIStatusError,)),
}


class Anthropic(Provider):
    """Clients of Anthropic's own API."""

    name = "anthropic"
    apis: ClassVar = {
        "messages": Api(
            arguments,
            whole=lambda client, **given: client.messages.create(**given),
            streamed=lambda client, **given: client.messages.create(stream=True, **given),
            whole_async=lambda client, **given: client.messages.create(**given),
            streamed_async=_stream,
            **_COMMON,
        ),
        "beta": Api(
            arguments,
            whole=lambda client, **given: client.beta.messages.create(**given),
            streamed=lambda client, **given: client.beta.messages.create(stream=True, **given),
            whole_async=lambda client, **given: client.beta.messages.create(**given),
            streamed_async=_beta_stream,
            **_COMMON,
        ),
    }
    ways = WAYS
    async_ways = ASYNC_WAYS
    patches = (ours.patch_anthropic,)
    statuses: ClassVar = {
        "error500": (anthropic.InternalServerError,),
        "error429": (anthropic.RateLimitError,),
        "error401": (anthropic.AuthenticationError,),
    }
    cuts = (anthropic.APIConnectionError, *HTTP_ERRORS)
    timeouts = (anthropic.APITimeoutError, *HTTP_ERRORS)
    doors = frozenset({"CallKeywords.encode", "_Encoded.decode"})  # the vendor's code calls them

    def serve(self) -> AnthropicServer:
        return AnthropicServer()

    def bare(self, fake: Any, kind: str, **options: Any) -> Any:
        made = {"sync": anthropic.Anthropic, "async": anthropic.AsyncAnthropic}[kind]
        return made(**_options(fake, kind, **options))

    def swap(self, fake: Any, kind: str, amplitude: Any, **options: Any) -> Any:
        made = {"sync": ours.Anthropic, "async": ours.AsyncAnthropic}[kind]
        return made(amplitude=amplitude, **_options(fake, kind, **options))

    def is_closed(self, stream: Any) -> bool:
        return bool(stream.response.is_closed)

    def stop(self) -> None:
        connections().close()
        connections.cache_clear()


@cache
def connections() -> Any:
    """Return connections for all synchronous clients: to prepare for TLS takes longer than most tests."""
    return anthropic.DefaultHttpxClient()


@cache
def tls() -> ssl.SSLContext:
    """Return what all asynchronous clients share."""
    return ssl.create_default_context()


def _options(fake: Any, kind: str, timeout: float | None = None, retries: int = 0) -> dict[str, Any]:
    """Return the arguments that lead a client to the fake."""
    http = connections() if kind == "sync" else anthropic.DefaultAsyncHttpxClient(verify=tls())
    given = {"api_key": "k", "base_url": fake.address, "http_client": http, "max_retries": retries}
    return given if timeout is None else {**given, "timeout": timeout}


ANTHROPIC = Anthropic()
