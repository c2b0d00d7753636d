"""Gemini through google-genai: generated content, by the client's models and chats and by our facade."""

from __future__ import annotations

import base64
import json
import ssl
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

from google import genai
from google.genai import errors, types

from amplitude_ai_integrations.pricing.cost import Tokens
from amplitude_ai_integrations.providers import gemini as ours

from ...fakes.gemini_server import GeminiServer
from ..expected import Event, counted
from .provider import HTTP_ERRORS, Api, Ask, Failure, Provider, Ran, Way, dumped

MODEL = "gemini-2.5-flash"

_SENDS: Any = import_module("google.genai._api_client")
_REQUESTS: Any = None if hasattr(_SENDS, "httpx") else _SENDS.requests  # as the oldest versions send
_HTTP: Any = import_module("httpx2" if find_spec("httpx2") else "httpx")
_COUNTED = types.GenerateContentResponseUsageMetadata.model_fields
_OPTIONS = types.HttpOptions.model_fields
# Older versions have no word for tokens of thoughts, and answers without an id.
_THOUGHTS = 3 if "thoughts_token_count" in _COUNTED else None
_ID = "resp_1" if "response_id" in types.GenerateContentResponse.model_fields else None

_OLDEST = {
    "fail": "it takes an error for an empty chunk",
    "timeout": "its error names an address, which is taken out",
    "cancel": "it reads its streams without giving way to other tasks",
}


def arguments(ask: Ask) -> dict[str, Any]:
    """Return the arguments of a request."""
    said: list[Any] = [{"text": ask.words}]
    if ask.image is not None:
        said.append({"inline_data": {"mime_type": "image/png", "data": base64.b64decode(ask.image)}})
    contents: list[Any] = [{"role": "user", "parts": said}]
    if ask.ran is not None:
        named = {"id": ask.ran.call_id, "name": ask.ran.name}
        call = {**named, "args": json.loads(ask.ran.arguments)}
        result = {**named, "response": {"output": ask.ran.result}}
        contents.append({"role": "model", "parts": [{"function_call": call}]})
        contents.append({"role": "user", "parts": [{"function_response": result}]})
    config: dict[str, Any] = {"system_instruction": ask.system} if ask.system else {}
    if ask.tool is not None:
        config["tools"] = [{"function_declarations": [ask.tool.function]}]
    return {"model": MODEL, "contents": contents, "config": config}


def piece(chunk: Any) -> str:
    """Return the piece of text in a chunk."""
    return "".join(part.text or "" for part in _parts(chunk) if not part.thought)


def _parts(response: Any) -> list[Any]:
    content = response.candidates[0].content if response.candidates else None
    return (content.parts or []) if content else []


def shown(response: Any) -> Any:
    """Return a response as data, without the time at which it was sent."""
    http = getattr(response, "sdk_http_response", None)
    for name in ("date", "Date") if http is not None and http.headers else ():
        http.headers.pop(name, None)
    return dumped(response)


def counts(written: int) -> Event:
    """Return what is counted when so much of an answer was written."""
    return counted(MODEL, "google", Tokens(20, 3 + written, 8), _THOUGHTS)


async def _stream_later(client: Any, **given: Any) -> Any:
    return await client.aio.models.generate_content_stream(**given)


def _chat(client: Any, given: dict[str, Any]) -> tuple[Any, str, dict[str, Any]]:
    """Return a chat in which what is given comes next, that, and our keywords."""
    *before, last = given.pop("contents")
    chat = client.chats.create(model=given.pop("model"), config=given.pop("config"), history=before)
    return chat, last["parts"][0]["text"], given


def _send(client: Any, **given: Any) -> Any:
    chat, message, own = _chat(client, given)
    return shown(chat.send_message(message, **own)), shown(chat._curated_history[-1])


def _send_and_stream(client: Any, **given: Any) -> Any:
    chat, message, own = _chat(client, given)
    return [shown(chunk) for chunk in chat.send_message_stream(message, **own)], len(chat._curated_history)


async def _send_later(client: Any, **given: Any) -> Any:
    chat, message, own = _chat(client.aio, given)
    return shown(await chat.send_message(message, **own)), shown(chat._curated_history[-1])


async def _send_and_stream_later(client: Any, **given: Any) -> Any:
    chat, message, own = _chat(client.aio, given)
    chunks = [shown(chunk) async for chunk in await chat.send_message_stream(message, **own)]
    return chunks, len(chat._curated_history)


async def _generate_later(client: Any, **given: Any) -> Any:
    return shown(await client.aio.models.generate_content(**given))


async def _read_later(client: Any, **given: Any) -> Any:
    return [shown(chunk) async for chunk in await client.aio.models.generate_content_stream(**given)]


class Gemini(Provider):
    """One client makes both kinds of calls."""

    name = "gemini"
    apis: ClassVar[dict[str, Api]] = {
        "generate": Api(
            arguments,
            whole=lambda client, **given: client.models.generate_content(**given),
            streamed=lambda client, **given: client.models.generate_content_stream(**given),
            whole_async=lambda client, **given: client.aio.models.generate_content(**given),
            streamed_async=_stream_later,
            piece=piece,
            text=piece,
            says={
                "model_name": MODEL,
                "provider": "google",
                "finish_reason": "STOP",
                "provider_request_id": _ID,
                **counts(4),
            },
            left=lambda _ask, _text: counts(2),
            asks={"finish_reason": "STOP"},
            ran=Ran(),
            fails=None if _REQUESTS else Failure((errors.ServerError,)),
        )
    }
    ways: ClassVar[dict[str, Way]] = {
        "generate_content": Way(
            "generate", lambda client, **given: shown(client.models.generate_content(**given))
        ),
        "generate_content_stream": Way(
            "generate",
            lambda client, **given: [
                shown(chunk) for chunk in client.models.generate_content_stream(**given)
            ],
            is_streaming=True,
        ),
        "send_message": Way("generate", _send),
        "send_message_stream": Way("generate", _send_and_stream, is_streaming=True),
    }
    async_ways: ClassVar[dict[str, Way]] = {
        "generate_content": Way("generate", _generate_later),
        "generate_content_stream": Way("generate", _read_later, is_streaming=True),
        "send_message": Way("generate", _send_later),
        "send_message_stream": Way("generate", _send_and_stream_later, is_streaming=True),
    }
    patches = (ours.patch_gemini,)
    statuses: ClassVar = {
        "error500": (errors.ServerError,),
        "error429": (errors.ClientError,),
        "error401": (errors.ClientError,),
    }
    cuts = (_REQUESTS.RequestException,) if _REQUESTS else HTTP_ERRORS
    timeouts = cuts
    doors = frozenset(
        {
            "Gemini.__getattr__",
            "PublicCall.chunk",
            "PublicCall.failed",
            "PublicCall.finished",
            "PublicCall.left",
            "_Door.begin",
            "_Door.returned",
            "_Request.begin",
            "_Request.returned",
        }
    )
    lacks: ClassVar[dict[str, str]] = {
        "with": "its streams are plain generators",
        **({} if "retry_options" in _OPTIONS else {"retries": "this version sends a request once"}),
        **(_OLDEST if _REQUESTS else {}),
    }

    def serve(self) -> GeminiServer:
        return GeminiServer()

    def bare(self, fake: Any, kind: str, **options: Any) -> Any:
        return _kept(genai.Client(**_options(fake, kind, **options)))

    def swap(self, fake: Any, kind: str, amplitude: Any, **options: Any) -> Any:
        return _kept(ours.Gemini(amplitude, **_options(fake, kind, **options)))

    async def aclose(self, client: Any) -> None:
        if "httpx_async_client" in _OPTIONS:
            await client._api_client._http_options.httpx_async_client.aclose()

    async def aclose_stream(self, stream: Any) -> None:
        await stream.aclose()

    def plain(self, value: Any) -> Any:
        return shown(value)

    def stop(self) -> None:
        connections().close()
        connections.cache_clear()
        while _opened:
            _opened.pop().close()


_opened: list[Any] = []


def _kept(client: Any) -> Any:
    """Remember the connections of the oldest clients, which nothing gives back where a stream is left."""
    send = client._api_client._request

    def sending(*given: Any, **more: Any) -> Any:
        response = send(*given, **more)
        if hasattr(response.response_stream, "close"):
            _opened.append(response.response_stream)
        return response

    if _REQUESTS:
        client._api_client._request = sending
    return client


@cache
def connections() -> Any:
    """Return connections for all synchronous calls: to prepare for TLS takes longer than most tests."""
    return _HTTP.Client()


@cache
def _unused() -> Any:
    return _HTTP.AsyncClient(verify=_tls())


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _options(fake: Any, kind: str, timeout: float | None = None, retries: int = 0) -> dict[str, Any]:
    """Return the arguments that lead a client to the fake."""
    http = {**fake.options}
    if "httpx_client" in _OPTIONS:
        http["httpx_client"] = connections()
        http["httpx_async_client"] = _HTTP.AsyncClient(verify=_tls()) if kind == "async" else _unused()
    if timeout is not None:
        http["timeout"] = int(timeout * 1000)
    if retries:
        http["retry_options"] = {"attempts": retries + 1, "initial_delay": 0.001, "jitter": 0}
    return {"api_key": "k", "http_options": http}


GEMINI = Gemini()
