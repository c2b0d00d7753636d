"""Every public way to make a call of OpenAI's; each reads its answer as far as its caller would."""

from __future__ import annotations

from typing import Any

from openai.resources.chat.completions import Completions
from openai.resources.responses import Responses

from .provider import Way, dumped


def _chat_stream_helper(client: Any, **given: Any) -> Any:
    with client.chat.completions.stream(**given) as stream:
        return dumped(stream.get_final_completion())


def _beta_stream_helper(client: Any, **given: Any) -> Any:
    with client.beta.chat.completions.stream(**given) as stream:
        return [event.type for event in stream]


def _responses_stream_helper(client: Any, **given: Any) -> Any:
    with client.responses.stream(**given) as stream:
        return dumped(stream.get_final_response())


def _raw_stream(client: Any, **given: Any) -> Any:
    raw = client.chat.completions.with_raw_response.create(stream=True, **given)
    return [dumped(chunk) for chunk in raw.parse()]


def _streaming_parse(client: Any, **given: Any) -> Any:
    with client.chat.completions.with_streaming_response.create(**given) as response:
        return dumped(response.parse())


def _streaming_json(client: Any, **given: Any) -> Any:
    with client.responses.with_streaming_response.create(**given) as response:
        return response.json()


def _streaming_bytes(client: Any, **given: Any) -> Any:
    with client.chat.completions.with_streaming_response.create(**given) as response:
        return b"".join(response.iter_bytes())


def _streaming_lines(client: Any, **given: Any) -> Any:
    with client.chat.completions.with_streaming_response.create(stream=True, **given) as response:
        return [*response.iter_lines()]


def _streaming_chunks(client: Any, **given: Any) -> Any:
    with client.chat.completions.with_streaming_response.create(stream=True, **given) as response:
        return [dumped(chunk) for chunk in response.parse()]


def _chat(run: Any, *, is_streaming: bool = False) -> Way:
    return Way("chat", run, is_streaming)


def _response(run: Any, *, is_streaming: bool = False) -> Way:
    return Way("responses", run, is_streaming)


WAYS: dict[str, Way] = {
    "chat create": _chat(lambda client, **given: dumped(client.chat.completions.create(**given))),
    "chat raw": _chat(
        lambda client, **given: client.chat.completions.with_raw_response.create(**given).content
    ),
    "chat raw parse": _chat(
        lambda client, **given: dumped(client.chat.completions.with_raw_response.create(**given).parse())
    ),
    "chat raw, streamed": _chat(_raw_stream, is_streaming=True),
    "chat streaming response, parse": _chat(_streaming_parse),
    "chat streaming response, bytes": _chat(_streaming_bytes),
    "chat streaming response, chunks": _chat(_streaming_chunks, is_streaming=True),
    "chat streaming response, lines": _chat(_streaming_lines, is_streaming=True),
    "beta parse": _chat(lambda client, **given: dumped(client.beta.chat.completions.parse(**given))),
    "beta stream()": _chat(_beta_stream_helper, is_streaming=True),
    "responses create": _response(lambda client, **given: dumped(client.responses.create(**given))),
    "responses raw": _response(
        lambda client, **given: client.responses.with_raw_response.create(**given).content
    ),
    "responses streaming response, json": _response(_streaming_json),
    "with_options": _chat(
        lambda client, **given: dumped(client.with_options(timeout=9).chat.completions.create(**given))
    ),
    "copy": _response(lambda client, **given: dumped(client.copy().responses.create(**given))),
    "copy of a copy": _response(
        lambda client, **given: dumped(client.copy().with_options(timeout=9).responses.create(**given))
    ),
}


async def _create_later(client: Any, **given: Any) -> Any:
    return dumped(await client.chat.completions.create(**given))


async def _parse_later(client: Any, **given: Any) -> Any:
    return dumped(await client.beta.chat.completions.parse(**given))


async def _beta_stream_helper_later(client: Any, **given: Any) -> Any:
    async with client.beta.chat.completions.stream(**given) as stream:
        return [event.type async for event in stream]


async def _chat_stream_helper_later(client: Any, **given: Any) -> Any:
    async with client.chat.completions.stream(**given) as stream:
        return dumped(await stream.get_final_completion())


async def _responses_stream_helper_later(client: Any, **given: Any) -> Any:
    async with client.responses.stream(**given) as stream:
        return [dumped(event) async for event in stream]


async def _raw_later(client: Any, **given: Any) -> Any:
    raw = await client.responses.with_raw_response.create(**given)
    return dumped(raw.parse())


async def _streaming_chunks_later(client: Any, **given: Any) -> Any:
    async with client.chat.completions.with_streaming_response.create(stream=True, **given) as response:
        return [dumped(chunk) async for chunk in await response.parse()]


async def _streaming_json_later(client: Any, **given: Any) -> Any:
    async with client.chat.completions.with_streaming_response.create(**given) as response:
        return await response.json()


async def _with_options_later(client: Any, **given: Any) -> Any:
    return dumped(await client.with_options(timeout=9).responses.create(**given))


ASYNC_WAYS: dict[str, Way] = {
    "chat create": _chat(_create_later),
    "beta parse": _chat(_parse_later),
    "beta stream()": _chat(_beta_stream_helper_later, is_streaming=True),
    "responses raw": _response(_raw_later),
    "chat streaming response, chunks": _chat(_streaming_chunks_later, is_streaming=True),
    "chat streaming response, json": _chat(_streaming_json_later),
    "with_options": _response(_with_options_later),
}

if hasattr(Completions, "parse"):  # in older versions these are in `beta` alone
    WAYS["chat parse"] = _chat(lambda client, **given: dumped(client.chat.completions.parse(**given)))
    WAYS["chat raw, parse()"] = _chat(
        lambda client, **given: dumped(client.chat.completions.with_raw_response.parse(**given).parse())
    )
    WAYS["chat stream()"] = _chat(_chat_stream_helper, is_streaming=True)
    WAYS["beta create"] = _chat(lambda client, **given: dumped(client.beta.chat.completions.create(**given)))
    ASYNC_WAYS["chat stream()"] = _chat(_chat_stream_helper_later, is_streaming=True)
if hasattr(Responses, "parse"):
    WAYS["responses parse"] = _response(lambda client, **given: dumped(client.responses.parse(**given)))
    WAYS["responses stream()"] = _response(_responses_stream_helper, is_streaming=True)
    ASYNC_WAYS["responses stream()"] = _response(_responses_stream_helper_later, is_streaming=True)
