"""Streams that are plain generators: watched by generators that behave as they do."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Generator
from typing import Any, Protocol


class Watcher(Protocol):
    """What is told of a stream, chunk by chunk and once of its end; it does not raise."""

    def chunk(self, chunk: Any) -> None:
        """A chunk came."""

    def finished(self) -> None:
        """The stream was read to its end."""

    def failed(self, error: BaseException) -> None:
        """The stream raised."""

    def left(self) -> None:
        """The reader went away."""


def watching(stream: Any, watcher: Watcher) -> Any:
    """Return a generator of the same kind that passes all on both ways: chunks, and what its reader does.

    Raises:
        TypeError: ``stream`` is no generator of either kind.
    """
    if inspect.isasyncgen(stream):
        watched: Any = _watching_async(stream, watcher)
    elif inspect.isgenerator(stream):
        watched = _watching(stream, watcher)
    else:
        raise TypeError(f"A {type(stream).__name__} is no generator.")
    watched.__name__, watched.__qualname__ = stream.__name__, stream.__qualname__
    return watched


def _watching(stream: Generator[Any, Any, Any], watcher: Watcher) -> Generator[Any, Any, Any]:
    try:
        chunk = next(stream)
        while True:
            watcher.chunk(chunk)
            try:
                sent = yield chunk
            except GeneratorExit:
                watcher.left()
                stream.close()
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in by the reader, for the stream to take
                chunk = stream.throw(error)
            else:
                chunk = stream.send(sent)
    except StopIteration as end:
        watcher.finished()
        return end.value
    except GeneratorExit:
        raise
    except BaseException as error:
        watcher.failed(error)
        raise


async def _watching_async(stream: AsyncGenerator[Any, Any], watcher: Watcher) -> AsyncGenerator[Any, Any]:
    try:
        chunk = await stream.__anext__()
        while True:
            watcher.chunk(chunk)
            try:
                sent = yield chunk
            except GeneratorExit:
                watcher.left()
                await stream.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - as above
                chunk = await stream.athrow(error)
            else:
                chunk = await stream.asend(sent)
    except StopAsyncIteration:
        watcher.finished()
    except GeneratorExit:
        raise
    except BaseException as error:
        watcher.failed(error)
        raise
