"""Every way a streamed answer can end, written once for each of the two kinds of client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from ...fakes.model_server import TEXT
from ..expected import Event
from .answers import HALF
from .provider import Api, Provider

LEFT: Event = {"stream_abandoned": True, "finish_reason": None}


class BodyError(Exception):
    """What the consumer's own code raises."""


@dataclass(frozen=True)
class Stream:
    """A stream about to be opened, and what is known of its kind."""

    provider: Provider
    api: Api
    open: Callable[[], Any]

    def is_second(self, chunk: Any) -> bool:
        """Tell whether a chunk carries the second piece of the answer."""
        return self.api.piece(chunk) == "two "


Read = Callable[[Stream], Any]


@dataclass(frozen=True)
class Ending:
    """How a stream is consumed, and what its event then says; a reader returns the vendor's error, if any."""

    words: str
    read: Read | None  # None where only a task can end so
    read_async: Read
    text: str | None = None
    changes: Event = field(default_factory=dict)
    needs: str = ""  # what a provider may lack


def read_all(given: Stream) -> None:
    for _chunk in given.open():
        pass


async def read_all_async(given: Stream) -> None:
    async for _chunk in await given.open():
        pass


def _break(given: Stream) -> None:
    for chunk in given.open():
        if given.is_second(chunk):
            break


async def _break_async(given: Stream) -> None:
    async for chunk in await given.open():
        if given.is_second(chunk):
            break


def _with_read(given: Stream) -> None:
    with given.open() as stream:
        for _chunk in stream:
            pass


async def _with_read_async(given: Stream) -> None:
    async with await given.open() as stream:
        async for _chunk in stream:
            pass


def _with_break(given: Stream) -> None:
    with given.open() as stream:
        for chunk in stream:
            if given.is_second(chunk):
                break


async def _with_break_async(given: Stream) -> None:
    async with await given.open() as stream:
        async for chunk in stream:
            if given.is_second(chunk):
                break


def _close(given: Stream) -> None:
    stream = given.open()
    chunks = iter(stream)
    while not given.is_second(next(chunks)):
        pass
    given.provider.close_stream(stream)


async def _close_async(given: Stream) -> None:
    stream = await given.open()
    chunks = aiter(stream)
    while not given.is_second(await anext(chunks)):
        pass
    await given.provider.aclose_stream(stream)


def _never_iterated(given: Stream) -> None:
    given.provider.close_stream(given.open())


async def _never_iterated_async(given: Stream) -> None:
    await given.provider.aclose_stream(await given.open())


def _dropped(given: Stream) -> None:
    given.open()


async def _dropped_async(given: Stream) -> None:
    await given.open()


def _read_on(given: Stream) -> None:
    stream = given.open()
    for chunk in stream:
        if given.is_second(chunk):
            break
    for _chunk in stream:
        pass


async def _read_on_async(given: Stream) -> None:
    stream = await given.open()
    async for chunk in stream:
        if given.is_second(chunk):
            break
    async for _chunk in stream:
        pass


def _fail_in_the_body(given: Stream, stream: Any) -> None:
    for chunk in stream:
        if given.is_second(chunk):
            raise BodyError


async def _fail_in_the_body_async(given: Stream, stream: Any) -> None:
    async for chunk in stream:
        if given.is_second(chunk):
            raise BodyError


def _raise(given: Stream) -> None:
    with pytest.raises(BodyError):
        _fail_in_the_body(given, given.open())


async def _raise_async(given: Stream) -> None:
    with pytest.raises(BodyError):
        await _fail_in_the_body_async(given, await given.open())


def _with_raise(given: Stream) -> None:
    with pytest.raises(BodyError), given.open() as stream:
        _fail_in_the_body(given, stream)


async def _with_raise_async(given: Stream) -> None:
    async def read() -> None:
        async with await given.open() as stream:
            await _fail_in_the_body_async(given, stream)

    with pytest.raises(BodyError):
        await read()


def failing(errors: Callable[[Provider], tuple[type[BaseException], ...]]) -> tuple[Read, Read]:
    """Return the two readers of a stream that raises one of a provider's errors, which they return."""

    def read(given: Stream) -> BaseException:
        with pytest.raises(errors(given.provider)) as caught:
            read_all(given)
        return caught.value

    async def read_async(given: Stream) -> BaseException:
        with pytest.raises(errors(given.provider)) as caught:
            await read_all_async(given)
        return caught.value

    return read, read_async


async def _cancel_async(given: Stream, *, is_reading: bool) -> None:
    has_two = asyncio.Event()

    async def consume() -> None:
        async for chunk in await given.open():
            if given.is_second(chunk):
                has_two.set()
                if not is_reading:
                    await asyncio.sleep(10)

    task = asyncio.create_task(consume())
    await asyncio.wait_for(has_two.wait(), 10)
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _cancel_reading(given: Stream) -> None:
    await _cancel_async(given, is_reading=True)


async def _cancel_working(given: Stream) -> None:
    await _cancel_async(given, is_reading=False)


# Before Python 3.11 nothing tells of a cancellation at an `await` that is not the stream's.
_CANCELLED_ELSEWHERE = "CancelledError" if sys.version_info >= (3, 11) else None

ENDINGS = {
    "read to the end": Ending("Hi", read_all, read_all_async, TEXT),
    "read to the end in with": Ending("Hi", _with_read, _with_read_async, TEXT, needs="with"),
    "break": Ending("Hi", _break, _break_async, HALF, LEFT),
    "with and break": Ending("Hi", _with_break, _with_break_async, HALF, LEFT, needs="with"),
    "close": Ending("Hi", _close, _close_async, HALF, LEFT),
    "never iterated": Ending("Hi", _never_iterated, _never_iterated_async, None, LEFT),
    "never iterated, and dropped": Ending("Hi", _dropped, _dropped_async, None, LEFT),
    "left, and read on": Ending("Hi", _read_on, _read_on_async, TEXT),
    # A bare loop is only dropped; nothing tells why. With `with`, the stream learns of the exception.
    "body raises": Ending("Hi", _raise, _raise_async, HALF, LEFT),
    "body raises in with": Ending(
        "Hi", _with_raise, _with_raise_async, HALF, {**LEFT, "error_type": "BodyError"}, needs="with"
    ),
    "cancelled while reading": Ending(
        "stall", None, _cancel_reading, HALF, {**LEFT, "error_type": "CancelledError"}, "cancel"
    ),
    "cancelled in the body": Ending(
        "Hi", None, _cancel_working, HALF, {**LEFT, "error_type": _CANCELLED_ELSEWHERE}
    ),
    "cut by the server": Ending(
        "cut", *failing(lambda provider: provider.cuts), HALF, {"finish_reason": None}
    ),
    "timeout": Ending(
        "stall", *failing(lambda provider: provider.timeouts), HALF, {"finish_reason": None}, "timeout"
    ),
}
