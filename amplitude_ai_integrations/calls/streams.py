"""Streams that tell when they end, whichever way that is.

A stream ends when it is read to its end, when it raises, when it or its response is closed, or when nothing
holds it any more, as where the loop over it is left. Each of these is seen at the moment it happens; the
first one counts. Whoever holds a stream may leave a loop and read on.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any

from ..exceptions import shield, shielded
from .observation import Observation

Hides = Callable[[Any], bool]


class _Ending:
    """What is to be done when a stream is dropped; it holds nothing of the stream."""

    def __init__(self, observation: Observation) -> None:
        self.reason: str | None = None  # why the last loop over it was left, if that is known
        self._observation = observation

    def __call__(self) -> None:
        self._observation.left(self.reason)


class _Tap:
    """Stands in for a stream's inner iterator, passes every chunk on, and lets the observation see it.

    ``hides`` tells which chunks are not the caller's, since we asked for them.
    """

    def __init__(self, inner: Any, observation: Observation, hides: Hides | None) -> None:
        self.inner = inner
        self.observation = observation
        self.ending = _Ending(observation)
        self.is_pulling = False
        self._hides = hides

    def shows(self, chunk: Any) -> bool:
        """Observe a chunk, and tell whether the caller gets it."""
        self.observation.chunk(chunk)
        return self._hides is None or not self._hides(chunk)


class SyncTap(_Tap):
    """For streams that are read with ``for``."""

    def __iter__(self) -> SyncTap:
        return self

    def __next__(self) -> Any:
        while True:
            self.is_pulling = True
            try:
                chunk = next(self.inner)
            except StopIteration:
                self.observation.finished()
                raise
            except BaseException as error:
                self.observation.failed(error)
                raise
            finally:
                self.is_pulling = False
            try:
                if self.shows(chunk):
                    return chunk
            except Exception as error:  # noqa: BLE001 - as `shielded`, which would be felt with each chunk
                shield.keep("stream", error)
                return chunk

    def close(self) -> None:
        """Close the inner iterator, as closing a generator does."""
        self.observation.left()
        self.inner.close()


class AsyncTap(_Tap):
    """For streams that are read with ``async for``."""

    def __aiter__(self) -> AsyncTap:
        return self

    async def __anext__(self) -> Any:
        while True:
            self.is_pulling = True
            try:
                chunk = await self.inner.__anext__()
            except StopAsyncIteration:
                self.observation.finished()
                raise
            except BaseException as error:
                self.observation.failed(error)
                raise
            finally:
                self.is_pulling = False
            try:
                if self.shows(chunk):
                    return chunk
            except Exception as error:  # noqa: BLE001 - as `shielded`, which would be felt with each chunk
                shield.keep("stream", error)
                return chunk

    async def aclose(self) -> None:
        """Close the inner iterator, as closing a generator does."""
        self.observation.left()
        await self.inner.aclose()


class _SyncLoop:
    """What a ``for`` loop over a stream holds: as a generator over it would, the stream, and no more."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._tap: SyncTap = stream._iterator

    def __iter__(self) -> _SyncLoop:
        return self

    def __next__(self) -> Any:
        return next(self._tap)

    def close(self) -> None:
        """Leave the loop, as closing a generator does; the stream can be read on."""


class _AsyncLoop:
    """What an ``async for`` loop over a stream holds."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._tap: AsyncTap = stream._iterator
        self._cancelled = 0
        with shielded("stream"):
            self._cancelled = cancellations()

    def __aiter__(self) -> _AsyncLoop:
        return self

    async def __anext__(self) -> Any:
        return await self._tap.__anext__()

    async def aclose(self) -> None:
        """Leave the loop, as closing a generator does; the stream can be read on."""

    def __del__(self) -> None:
        with shielded("stream"):
            self._tap.ending.reason = cancellation(self._cancelled)


def observe_sync(stream: Any, observation: Observation, hides: Hides | None = None) -> None:
    """Observe a stream that has its chunks in ``_iterator`` and its HTTP response in ``response``."""
    _observe(stream, SyncTap(_iterator_of(stream), observation, hides), _sync_class, "close")


def observe_async(stream: Any, observation: Observation, hides: Hides | None = None) -> None:
    """Observe the asynchronous kind of the same."""
    _observe(stream, AsyncTap(_iterator_of(stream), observation, hides), _async_class, "aclose")


def _iterator_of(stream: Any) -> Any:
    """Return a stream's inner iterator, such that it does not hold the stream.

    Where it does, as a generator that is a method of it, only the garbage collector would tell when the
    stream is dropped. Its twin's is the same, and nothing of the first has run.
    """
    iterator = stream._iterator
    frame = getattr(iterator, "gi_frame", None) or getattr(iterator, "ag_frame", None)
    if frame is None or frame.f_locals.get("self") is not stream:
        return iterator
    twin = object.__new__(type(stream))
    vars(twin).update(vars(stream))
    del twin._iterator
    return twin.__stream__()


def _observe(stream: Any, tap: _Tap, observed: Callable[[Any], type], close: str) -> None:
    kind: Any = type(stream)
    stream.__class__ = observed(kind)
    stream._iterator = tap
    weakref.finalize(stream, tap.ending)
    _on_close(stream.response, close, tap)


def _on_close(response: Any, method: str, tap: _Tap) -> None:
    # Helpers of the vendor close the response and not the stream, so that is where closing is seen. A
    # stream that comes to its end closes its own response while a chunk is being pulled.
    # The stream is not to be held by this: one that is dropped gives back its connection.
    close, known = getattr(response, method), weakref.ref(tap)

    def closing(*args: Any, **kwargs: Any) -> Any:
        tap = known()
        if tap is not None and not tap.is_pulling:
            tap.observation.left()
        return close(*args, **kwargs)

    setattr(response, method, closing)


@cache
def _sync_class(stream_class: Any) -> type:
    def leave(stream: Any, kind: type[BaseException] | None, *rest: Any) -> Any:
        with shielded("stream"):
            stream._iterator.observation.left(kind.__name__ if kind else None)
        return stream_class.__exit__(stream, kind, *rest)

    methods = {"__iter__": lambda stream: _SyncLoop(stream), "__exit__": leave}  # noqa: PLW0108 - a class would not be bound
    return looking_the_same(stream_class, methods)


@cache
def _async_class(stream_class: Any) -> type:
    async def leave(stream: Any, kind: type[BaseException] | None, *rest: Any) -> Any:
        with shielded("stream"):
            stream._iterator.observation.left(kind.__name__ if kind else None)
        return await stream_class.__aexit__(stream, kind, *rest)

    methods = {"__aiter__": lambda stream: _AsyncLoop(stream), "__aexit__": leave}  # noqa: PLW0108 - as above
    return looking_the_same(stream_class, methods)


def looking_the_same(stream_class: Any, methods: dict[str, Any]) -> type:
    """Return a subclass with other methods and the same name."""
    names = {"__module__": stream_class.__module__, "__qualname__": stream_class.__qualname__}
    return type(stream_class.__name__, (stream_class,), {**methods, **names})


def cancellations() -> int:
    """Return how often this task has been asked to cancel itself, which may be over."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return 0
    cancelling = getattr(task, "cancelling", None)  # new in Python 3.11
    return cancelling() if cancelling is not None else 0


def cancellation(before: int = 0) -> str | None:
    """Return the name of a cancellation that is under way in this task, at another ``await`` than ours.

    ``before`` is what ``cancellations`` said when the stream was begun to be read.
    """
    return "CancelledError" if cancellations() > before else None
