"""Mistral: chat completions, which its other resources answer as well, or much alike."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any, ClassVar

from amplitude_ai_integrations.pricing.cost import Tokens
from amplitude_ai_integrations.providers import mistral as ours

from ...fakes.mistral_server import MistralServer
from ..expected import Event, counted, estimated
from .mistral_ways import ASYNC_WAYS, CACHED, CLIENT, HTTP, MODEL, MODELS, STREAM, WAYS, library
from .provider import HTTP_ERRORS, Api, Ask, Failure, Provider, sent

ERRORS: Any = MODELS if hasattr(MODELS, "SDKError") else library("errors")
# A chunk that is none: older streams raise what pydantic does.
INVALID: tuple[type[Exception], ...] = (getattr(ERRORS, "ResponseValidationError", ValueError), ValueError)


def chat_arguments(ask: Ask) -> dict[str, Any]:
    """Return the arguments of a chat completion."""
    messages: list[Any] = [{"role": "system", "content": ask.system}] if ask.system else []
    content: Any = ask.words
    if ask.image is not None:
        picture = {"type": "image_url", "image_url": f"data:image/png;base64,{ask.image}"}
        content = [{"type": "text", "text": ask.words}, picture]
    messages.append({"role": "user", "content": content})
    if ask.ran is not None:
        function = {"name": ask.ran.name, "arguments": ask.ran.arguments}
        messages.append({"role": "assistant", "tool_calls": [{"id": ask.ran.call_id, "function": function}]})
        messages.append({"role": "tool", "tool_call_id": ask.ran.call_id, "content": ask.ran.result})
    given: dict[str, Any] = {"model": MODEL, "messages": messages}
    if ask.tool is not None:
        given["tools"] = [{"type": "function", "function": ask.tool.function}]
    return given


def piece(event: Any) -> str:
    """Return the piece of text in an event of a stream."""
    content = event.data.choices[0].delta.content
    return content if isinstance(content, str) else ""


def text(answer: Any) -> str:
    """Return the text of an answer."""
    content = answer.choices[0].message.content
    return content if isinstance(content, str) else content[-1].text


async def _whole_later(client: Any, **given: Any) -> Any:
    return await client.chat.complete_async(**given)


async def _stream_later(client: Any, **given: Any) -> Any:
    return await client.chat.stream_async(**given)


def _left(ask: Ask, written: str) -> Event:
    return {**estimated(sent(ask), written, MODEL, "mistral"), "provider_request_id": "cmpl-1"}


_TEXTS_ALONE = dict.fromkeys(("think", "image"), "older versions know texts alone")
_OLDEST = {
    "with": "streams are generators",
    "retries": "a second attempt fails in a hook of the vendor's own",
}

CHAT = Api(
    chat_arguments,
    whole=lambda client, **given: client.chat.complete(**given),
    streamed=lambda client, **given: client.chat.stream(**given),
    whole_async=_whole_later,
    streamed_async=_stream_later,
    piece=piece,
    text=text,
    says={
        "model_name": MODEL,
        "provider": "mistral",
        **counted(MODEL, "mistral", Tokens(20, 7, CACHED)),
        "provider_request_id": "cmpl-1",
    },
    left=_left,
    fails=Failure(INVALID),
    lacks={} if hasattr(MODELS, "ThinkChunk") else _TEXTS_ALONE,
)


class Mistral(Provider):
    """One client makes both kinds of calls."""

    name = "mistral"
    apis: ClassVar = {"chat": CHAT}
    ways = WAYS
    async_ways = ASYNC_WAYS
    patches = (ours.patch_mistral,)
    # The oldest streams raise what they meet on the way to say so.
    statuses = dict.fromkeys(("error500", "error429", "error401"), (ERRORS.SDKError, HTTP.StreamError))
    cuts = HTTP_ERRORS
    timeouts = HTTP_ERRORS
    lacks: ClassVar[dict[str, str]] = {} if STREAM else _OLDEST

    def serve(self) -> MistralServer:
        return MistralServer()

    def bare(self, fake: Any, kind: str, **options: Any) -> Any:
        return CLIENT(**_options(fake, kind, **options))

    def swap(self, fake: Any, kind: str, amplitude: Any, **options: Any) -> Any:
        return ours.Mistral(amplitude=amplitude, **_options(fake, kind, **options))

    async def aclose(self, client: Any) -> None:
        await client.sdk_configuration.async_client.aclose()

    def close_stream(self, stream: Any) -> None:
        (stream if hasattr(stream, "close") else stream.response).close()

    async def aclose_stream(self, stream: Any) -> None:
        if hasattr(stream, "close"):
            await stream.close()
        else:  # older versions: a response, or a generator
            await getattr(stream, "response", stream).aclose()

    def is_closed(self, stream: Any) -> bool | None:
        return bool(stream.response.is_closed) if STREAM else None

    def stop(self) -> None:
        connections().close()
        connections.cache_clear()


@cache
def connections() -> Any:
    """Return connections for all synchronous calls: to prepare for TLS takes longer than most tests."""
    return HTTP.Client()


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _options(
    fake: Any, _kind: str, timeout: float | None = None, retries: int = 0, **more: Any
) -> dict[str, Any]:
    """Return the arguments that lead a client to the fake."""
    given: dict[str, Any] = {
        "api_key": "k",
        "server_url": fake.address,
        "client": connections(),
        "async_client": HTTP.AsyncClient(verify=_tls()),
        **more,
    }
    if timeout is not None:
        given["timeout_ms"] = int(timeout * 1000)
    if retries:
        retrying = library("utils.retries")
        backoff = retrying.BackoffStrategy(1, 1, 1.0, 10_000)
        given["retry_config"] = retrying.RetryConfig("backoff", backoff, retry_connection_errors=True)
    return given


MISTRAL = Mistral()
