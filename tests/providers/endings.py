"""Every way a streamed answer can end, written once for each of the two kinds of client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest

from ..fakes.openai_server import TEXT
from .expected import Event

Open = Callable[[], Any]


class BodyError(Exception):
    """What the consumer's own code raises."""


def piece(chunk: Any) -> str:
    """Return the piece of text in a chunk of either API."""
    if hasattr(chunk, "choices"):
        return (chunk.choices[0].delta.content or "") if chunk.choices else ""
    return chunk.delta if chunk.type == "response.output_text.delta" else ""


@dataclass(frozen=True)
class Ending:
    """How a stream is consumed, and what its event then says."""

    words: str
    read: Callable[[Open], Any] | None  # None where only a task can end so
    read_async: Callable[[Open], Any]
    text: str | None = None
    changes: Event = field(default_factory=dict)


LEFT: Event = {"stream_abandoned": True, "finish_reason": None}


def _read(begin: Open) -> None:
    for _chunk in begin():
        pass


async def _read_async(begin: Open) -> None:
    async for _chunk in await begin():
        pass


def _break(begin: Open) -> None:
    for chunk in begin():
        if piece(chunk) == "two ":
            break


async def _break_async(begin: Open) -> None:
    async for chunk in await begin():
        if piece(chunk) == "two ":
            break


def _with_read(begin: Open) -> None:
    with begin() as stream:
        for _chunk in stream:
            pass


async def _with_read_async(begin: Open) -> None:
    async with await begin() as stream:
        async for _chunk in stream:
            pass


def _with_break(begin: Open) -> None:
    with begin() as stream:
        for chunk in stream:
            if piece(chunk) == "two ":
                break


async def _with_break_async(begin: Open) -> None:
    async with await begin() as stream:
        async for chunk in stream:
            if piece(chunk) == "two ":
                break


def _close(begin: Open) -> None:
    stream = begin()
    while piece(next(stream)) != "two ":
        pass
    stream.close()


async def _close_async(begin: Open) -> None:
    stream = await begin()
    while piece(await stream.__anext__()) != "two ":
        pass
    await stream.close()


def _never_iterated(begin: Open) -> None:
    begin().close()


async def _never_iterated_async(begin: Open) -> None:
    await (await begin()).close()


def _fail_in_the_body(stream: Any) -> None:
    for chunk in stream:
        if piece(chunk) == "two ":
            raise BodyError


async def _fail_in_the_body_async(stream: Any) -> None:
    async for chunk in stream:
        if piece(chunk) == "two ":
            raise BodyError


def _raise(begin: Open) -> None:
    with pytest.raises(BodyError):
        _fail_in_the_body(begin())


async def _raise_async(begin: Open) -> None:
    with pytest.raises(BodyError):
        await _fail_in_the_body_async(await begin())


def _with_raise(begin: Open) -> None:
    with pytest.raises(BodyError), begin() as stream:
        _fail_in_the_body(stream)


async def _with_raise_async(begin: Open) -> None:
    async def read() -> None:
        async with await begin() as stream:
            await _fail_in_the_body_async(stream)

    with pytest.raises(BodyError):
        await read()


def _fails_with(error: type[Exception]) -> tuple[Callable[[Open], None], Callable[[Open], Any]]:
    def read(begin: Open) -> None:
        with pytest.raises(error):
            _read(begin)

    async def read_async(begin: Open) -> None:
        with pytest.raises(error):
            await _read_async(begin)

    return read, read_async


async def _cancel_async(begin: Open, *, is_reading: bool) -> None:
    has_two = asyncio.Event()

    async def consume() -> None:
        async for chunk in await begin():
            if piece(chunk) == "two ":
                has_two.set()
                if not is_reading:
                    await asyncio.sleep(10)

    task = asyncio.create_task(consume())
    await has_two.wait()
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _cancel_reading(begin: Open) -> None:
    await _cancel_async(begin, is_reading=True)


async def _cancel_working(begin: Open) -> None:
    await _cancel_async(begin, is_reading=False)


def _error(kind: type[Exception], **more: Any) -> Event:
    error = {"is_error": True, "error_type": kind.__name__, "error_source": "provider"}
    return {**error, "finish_reason": None, **more}


_CUT = _fails_with(openai.APIConnectionError)
_TIMEOUT = _fails_with(openai.APITimeoutError)
_HALF = "One two "
# Before Python 3.11 nothing tells of a cancellation at an `await` that is not the stream's.
_CANCELLED_ELSEWHERE = "CancelledError" if sys.version_info >= (3, 11) else None

ENDINGS = {
    "read to the end": Ending("Hi", _read, _read_async, TEXT),
    "read to the end in with": Ending("Hi", _with_read, _with_read_async, TEXT),
    "break": Ending("Hi", _break, _break_async, _HALF, LEFT),
    "with and break": Ending("Hi", _with_break, _with_break_async, _HALF, LEFT),
    "close": Ending("Hi", _close, _close_async, _HALF, LEFT),
    "never iterated": Ending("Hi", _never_iterated, _never_iterated_async, None, LEFT),
    # A bare loop is only dropped; nothing tells why. With `with`, the stream learns of the exception.
    "body raises": Ending("Hi", _raise, _raise_async, _HALF, LEFT),
    "body raises in with": Ending(
        "Hi", _with_raise, _with_raise_async, _HALF, {**LEFT, "error_type": "BodyError"}
    ),
    "cancelled while reading": Ending(
        "stall", None, _cancel_reading, _HALF, {**LEFT, "error_type": "CancelledError"}
    ),
    "cancelled in the body": Ending(
        "Hi", None, _cancel_working, _HALF, {**LEFT, "error_type": _CANCELLED_ELSEWHERE}
    ),
    "cut by the server": Ending(
        "cut", *_CUT, _HALF, _error(openai.APIConnectionError, error_message="Connection error.")
    ),
    "timeout": Ending(
        "stall", *_TIMEOUT, _HALF, _error(openai.APITimeoutError, error_message="Request timed out.")
    ),
}
