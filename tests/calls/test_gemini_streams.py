"""Generators that are watched behave as they did, and tell what happens to them once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from amplitude_ai_integrations.calls.generators import watching


class Diary:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def chunk(self, chunk: Any) -> None:
        self.told.append(chunk)

    def finished(self) -> None:
        self.told.append("finished")

    def failed(self, error: BaseException) -> None:
        self.told.append(type(error))

    def left(self) -> None:
        self.told.append("left")


class StoppedError(Exception):
    """What a reader throws in."""


def echo(seen: list[Any]) -> Generator[Any, Any, Any]:
    """Yield what was sent, go on after one error, and end with a value."""
    try:
        got = yield "first"
        try:
            yield got
        except StoppedError:
            yield "stopped"
        return "value"
    finally:
        seen.append("closed")


async def echo_later(seen: list[Any]) -> AsyncGenerator[Any, Any]:
    """Do the same, but for the value."""
    try:
        got = yield "first"
        try:
            yield got
        except StoppedError:
            yield "stopped"
    finally:
        seen.append("closed")


def test_a_watched_generator_shows_itself_as_what_it_watches() -> None:
    watched = watching(echo([]), Diary())
    assert inspect.isgenerator(watched)
    assert (watched.__name__, watched.__qualname__) == ("echo", "echo")
    later = watching(echo_later([]), Diary())
    assert inspect.isasyncgen(later)
    assert later.__name__ == "echo_later"


def test_all_that_a_reader_does_reaches_a_generator() -> None:
    diary, seen = Diary(), []
    watched = watching(echo(seen), diary)
    assert [next(watched), watched.send("second"), watched.throw(StoppedError())] == [
        "first",
        "second",
        "stopped",
    ]
    with pytest.raises(StopIteration) as ended:
        watched.send("end")
    assert ended.value.value == "value"
    assert diary.told == ["first", "second", "stopped", "finished"]
    assert seen == ["closed"]


def test_all_that_a_reader_does_reaches_an_asynchronous_generator() -> None:
    diary, seen = Diary(), []

    async def read() -> list[Any]:
        watched = watching(echo_later(seen), diary)
        got = [await anext(watched), await watched.asend("second"), await watched.athrow(StoppedError())]
        with pytest.raises(StopAsyncIteration):
            await watched.asend("end")
        return got

    assert asyncio.run(read()) == ["first", "second", "stopped"]
    assert diary.told == ["first", "second", "stopped", "finished"]
    assert seen == ["closed"]


def test_closing_closes_what_is_watched() -> None:
    diary, seen = Diary(), []
    watched = watching(echo(seen), diary)
    next(watched)
    watched.close()
    assert diary.told == ["first", "left"]
    assert seen == ["closed"]


def test_closing_closes_what_is_watched_asynchronously() -> None:
    diary, seen = Diary(), []

    async def read() -> None:
        watched = watching(echo_later(seen), diary)
        await anext(watched)
        await watched.aclose()
        assert seen == ["closed"]

    asyncio.run(read())
    assert diary.told == ["first", "left"]


def test_an_error_that_is_not_caught_is_told_and_raised() -> None:
    diary = Diary()
    watched = watching(echo([]), diary)
    next(watched)
    with pytest.raises(KeyError):
        watched.throw(KeyError())
    assert diary.told == ["first", KeyError]


def test_what_is_no_generator_is_refused() -> None:
    with pytest.raises(TypeError, match="list"):
        watching([], Diary())
