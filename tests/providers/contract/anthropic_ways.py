"""Every public way to make a call of Anthropic's; each reads its answer as far as its caller would."""

from __future__ import annotations

from typing import Any

from anthropic import Anthropic
from anthropic.resources.beta.messages import Messages as BetaMessages
from anthropic.resources.messages import Messages

from .provider import Way, dumped


def _message(run: Any, *, is_streaming: bool = False) -> Way:
    return Way("messages", run, is_streaming)


def _beta(run: Any, *, is_streaming: bool = False) -> Way:
    return Way("beta", run, is_streaming)


def _helper(client: Any, **given: Any) -> Any:
    with client.messages.stream(**given) as stream:
        return [dumped(event) for event in stream]


def _helper_text(client: Any, **given: Any) -> Any:
    with client.messages.stream(**given) as stream:
        return [*stream.text_stream]


def _helper_final(client: Any, **given: Any) -> Any:
    with client.messages.stream(**given) as stream:
        stream.until_done()
        return dumped(stream.get_final_message())


def _helper_after(client: Any, **given: Any) -> Any:
    with client.messages.stream(**given) as stream:
        for _event in stream:
            break
        return dumped(stream.get_final_message())


def _beta_helper(client: Any, **given: Any) -> Any:
    with client.beta.messages.stream(**given) as stream:
        return dumped(stream.get_final_message())


def _raw_streamed(client: Any, **given: Any) -> Any:
    raw = client.messages.with_raw_response.create(stream=True, **given)
    return [dumped(event) for event in raw.parse()]


def _streaming_parse(client: Any, **given: Any) -> Any:
    with client.messages.with_streaming_response.create(**given) as response:
        return dumped(response.parse())


def _streaming_json(client: Any, **given: Any) -> Any:
    with client.beta.messages.with_streaming_response.create(**given) as response:
        return response.json()


def _streaming_bytes(client: Any, **given: Any) -> Any:
    with client.messages.with_streaming_response.create(**given) as response:
        return b"".join(response.iter_bytes())


def _streaming_lines(client: Any, **given: Any) -> Any:
    with client.messages.with_streaming_response.create(stream=True, **given) as response:
        return [*response.iter_lines()]


def _streaming_events(client: Any, **given: Any) -> Any:
    with client.messages.with_streaming_response.create(stream=True, **given) as response:
        return [dumped(event) for event in response.parse()]


WAYS: dict[str, Way] = {
    "create": _message(lambda client, **given: dumped(client.messages.create(**given))),
    "stream()": _message(_helper, is_streaming=True),
    "stream(), text": _message(_helper_text, is_streaming=True),
    "stream(), final": _message(_helper_final, is_streaming=True),
    "stream(), break and final": _message(_helper_after, is_streaming=True),
    "raw": _message(
        lambda client, **given: client.messages.with_raw_response.create(**given).http_response.content
    ),
    "raw parse": _message(
        lambda client, **given: dumped(client.messages.with_raw_response.create(**given).parse())
    ),
    "raw, streamed": _message(_raw_streamed, is_streaming=True),
    "streaming response, parse": _message(_streaming_parse),
    "streaming response, bytes": _message(_streaming_bytes),
    "streaming response, lines": _message(_streaming_lines, is_streaming=True),
    "streaming response, events": _message(_streaming_events, is_streaming=True),
    "client raw": _message(
        lambda client, **given: dumped(client.with_raw_response.messages.create(**given).parse())
    ),
    "with_options": _message(
        lambda client, **given: dumped(client.with_options(timeout=9).messages.create(**given))
    ),
    "copy of a copy": _message(
        lambda client, **given: dumped(client.copy().with_options(timeout=9).messages.create(**given))
    ),
    "beta create": _beta(lambda client, **given: dumped(client.beta.messages.create(**given))),
    "beta raw": _beta(
        lambda client, **given: dumped(client.beta.messages.with_raw_response.create(**given).parse())
    ),
    "beta streaming response, json": _beta(_streaming_json),
}


async def _create_later(client: Any, **given: Any) -> Any:
    return dumped(await client.messages.create(**given))


async def _helper_later(client: Any, **given: Any) -> Any:
    async with client.messages.stream(**given) as stream:
        return [dumped(event) async for event in stream]


async def _helper_text_later(client: Any, **given: Any) -> Any:
    async with client.messages.stream(**given) as stream:
        return [text async for text in stream.text_stream]


async def _helper_final_later(client: Any, **given: Any) -> Any:
    async with client.messages.stream(**given) as stream:
        await stream.until_done()
        return dumped(await stream.get_final_message())


async def _beta_helper_later(client: Any, **given: Any) -> Any:
    async with client.beta.messages.stream(**given) as stream:
        return dumped(await stream.get_final_message())


async def _raw_later(client: Any, **given: Any) -> Any:
    raw = await client.messages.with_raw_response.create(**given)
    return raw.headers["request-id"]


async def _streaming_events_later(client: Any, **given: Any) -> Any:
    async with client.messages.with_streaming_response.create(stream=True, **given) as response:
        return [dumped(event) async for event in await response.parse()]


async def _streaming_lines_later(client: Any, **given: Any) -> Any:
    async with client.messages.with_streaming_response.create(stream=True, **given) as response:
        return [line async for line in response.iter_lines()]


async def _streaming_json_later(client: Any, **given: Any) -> Any:
    async with client.messages.with_streaming_response.create(**given) as response:
        return await response.json()


async def _with_options_later(client: Any, **given: Any) -> Any:
    return dumped(await client.with_options(timeout=9).beta.messages.create(**given))


ASYNC_WAYS: dict[str, Way] = {
    "create": _message(_create_later),
    "stream()": _message(_helper_later, is_streaming=True),
    "stream(), text": _message(_helper_text_later, is_streaming=True),
    "stream(), final": _message(_helper_final_later, is_streaming=True),
    "raw": _message(_raw_later),
    "streaming response, events": _message(_streaming_events_later, is_streaming=True),
    "streaming response, lines": _message(_streaming_lines_later, is_streaming=True),
    "streaming response, json": _message(_streaming_json_later),
    "with_options": _beta(_with_options_later),
}


async def _parse_later(client: Any, **given: Any) -> Any:
    return dumped(await client.beta.messages.parse(**given))


async def _with_middleware_later(client: Any, **given: Any) -> Any:
    async def passing(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    return dumped(await client.with_middleware(passing).messages.create(**given))


def _with_middleware(client: Any, **given: Any) -> Any:
    def passing(request: Any, call_next: Any) -> Any:
        return call_next(request)

    stream = client.with_middleware(passing).messages.create(stream=True, **given)
    return [dumped(event) for event in stream]


# What older versions do not have.
if hasattr(BetaMessages, "stream"):
    WAYS["beta stream()"] = _beta(_beta_helper, is_streaming=True)
    ASYNC_WAYS["beta stream()"] = _beta(_beta_helper_later, is_streaming=True)
if hasattr(Messages, "parse"):
    WAYS["parse"] = _message(lambda client, **given: dumped(client.messages.parse(**given)))
    WAYS["beta parse"] = _beta(lambda client, **given: dumped(client.beta.messages.parse(**given)))
    ASYNC_WAYS["beta parse"] = _beta(_parse_later)
if hasattr(Anthropic, "with_middleware"):
    WAYS["with_middleware"] = _message(_with_middleware, is_streaming=True)
    ASYNC_WAYS["with_middleware"] = _message(_with_middleware_later)
