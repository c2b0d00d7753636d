"""Streams that tell when they end, whichever way that is.

A stream ends in one of five ways: it is read to its end, it raises, the loop over it is left, it is closed,
or its response is. Each of them is seen at the moment it happens; the first one counts.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from .observation import Observation

Hidden = Callable[[Any], bool]


def _nothing(_chunk: Any) -> bool:
    return False


class SyncTap:
    """Stands in for a stream's inner iterator, passes every chunk on, and lets the observation see it."""

    def __init__(self, inner: Any, observation: Observation, is_hidden: Hidden = _nothing) -> None:
        self._inner = inner
        self._observation = observation
        self._is_hidden = is_hidden
        self.is_pulling = False

    def __iter__(self) -> SyncTap:
        return self

    def __next__(self) -> Any:
        while True:
            self.is_pulling = True
            try:
                chunk = next(self._inner)
            except StopIteration:
                self._observation.finished()
                raise
            except BaseException as error:
                self._observation.failed(error)
                raise
            finally:
                self.is_pulling = False
            self._observation.chunk(chunk)
            if not self._is_hidden(chunk):
                return chunk

    def close(self) -> None:
        """Close the inner iterator, as closing a generator does."""
        self._observation.left(_reason())
        self._inner.close()


class AsyncTap:
    """The same for a stream that is read with ``async for``."""

    def __init__(self, inner: Any, observation: Observation, is_hidden: Hidden = _nothing) -> None:
        self._inner = inner
        self._observation = observation
        self._is_hidden = is_hidden
        self.is_pulling = False

    def __aiter__(self) -> AsyncTap:
        return self

    async def __anext__(self) -> Any:
        while True:
            self.is_pulling = True
            try:
                chunk = await self._inner.__anext__()
            except StopAsyncIteration:
                self._observation.finished()
                raise
            except BaseException as error:
                self._observation.failed(error)
                raise
            finally:
                self.is_pulling = False
            self._observation.chunk(chunk)
            if not self._is_hidden(chunk):
                return chunk

    async def aclose(self) -> None:
        """Close the inner iterator, as closing a generator does."""
        self._observation.left(_reason())
        await self._inner.aclose()


class _Loop:
    """What a ``for`` loop over a stream holds; dropping it is how a loop is left."""

    def __init__(self, tap: Any) -> None:
        self._tap = tap

    def __del__(self) -> None:
        self._tap._observation.left(_reason())

    def close(self) -> None:
        """Leave the loop, as closing a generator does."""
        self._tap._observation.left(_reason())


class _SyncLoop(_Loop):
    def __iter__(self) -> _SyncLoop:
        return self

    def __next__(self) -> Any:
        return next(self._tap)


class _AsyncLoop(_Loop):
    def __del__(self) -> None:
        self._tap._observation.left(_reason() or _cancellation())

    def __aiter__(self) -> _AsyncLoop:
        return self

    async def __anext__(self) -> Any:
        return await self._tap.__anext__()

    async def aclose(self) -> None:
        """Leave the loop, as closing a generator does."""
        self.close()


def observe_sync(stream: Any, observation: Observation, is_hidden: Hidden = _nothing) -> None:
    """Observe a stream that has its chunks in ``_iterator`` and its HTTP response in ``response``."""
    tap = SyncTap(stream._iterator, observation, is_hidden)
    stream._iterator = tap
    kind: Any = type(stream)
    stream.__class__ = _sync_class(kind)
    _on_close(stream.response, "close", tap, observation)


def observe_async(stream: Any, observation: Observation, is_hidden: Hidden = _nothing) -> None:
    """Observe the asynchronous kind of the same."""
    tap = AsyncTap(stream._iterator, observation, is_hidden)
    stream._iterator = tap
    kind: Any = type(stream)
    stream.__class__ = _async_class(kind)
    _on_close(stream.response, "aclose", tap, observation)


def _on_close(response: Any, method: str, tap: SyncTap | AsyncTap, observation: Observation) -> None:
    # Helpers of the vendor close the response and not the stream, so that is where closing is seen. A
    # stream that comes to its end closes its own response while a chunk is being pulled.
    close = getattr(response, method)

    def closing(*args: Any, **kwargs: Any) -> Any:
        if not tap.is_pulling:
            observation.left(_reason())
        return close(*args, **kwargs)

    setattr(response, method, closing)


@cache
def _sync_class(stream_class: Any) -> type:
    return _looking_the_same(stream_class, {"__iter__": lambda stream: _SyncLoop(stream._iterator)})


@cache
def _async_class(stream_class: Any) -> type:
    return _looking_the_same(stream_class, {"__aiter__": lambda stream: _AsyncLoop(stream._iterator)})


def _looking_the_same(stream_class: Any, methods: dict[str, Any]) -> type:
    names = {"__module__": stream_class.__module__, "__qualname__": stream_class.__qualname__}
    return type(stream_class.__name__, (stream_class,), {**methods, **names})


def _reason() -> str | None:
    """Return the name of the exception that is on its way through here, if one is."""
    kind = sys.exc_info()[0]
    return None if kind in (None, GeneratorExit, StopIteration, StopAsyncIteration) else kind.__name__


def _cancellation() -> str | None:
    """Return the name of a cancellation that is under way in this task, at another ``await`` than ours."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return None
    cancelling = getattr(task, "cancelling", None)  # new in Python 3.11
    return "CancelledError" if cancelling is not None and cancelling() else None
