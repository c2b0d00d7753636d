"""Streams that their vendor follows too, for OpenTelemetry: it goes on seeing each chunk.

Anthropic's clients tell an observer of their own of what a loop over a stream yields. The loop is ours, so
that it tells when it is left, and does the same.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from . import streams
from .observation import Observation
from .streams import looking_the_same


def observe_sync(stream: Any, observation: Observation, *hides: Any) -> None:
    """Observe a stream as ``streams.observe_sync`` does."""
    streams.observe_sync(stream, observation, *hides)
    if getattr(stream, "_observer", None) is not None:
        kind: Any = type(stream)
        stream.__class__ = _sync_class(kind)


def observe_async(stream: Any, observation: Observation, *hides: Any) -> None:
    """Observe the asynchronous kind of the same."""
    streams.observe_async(stream, observation, *hides)
    if getattr(stream, "_observer", None) is not None:
        kind: Any = type(stream)
        stream.__class__ = _async_class(kind)


class _Loop:
    """A loop over a stream, of either kind, and the vendor's observer beside it."""

    def __init__(self, stream: Any, loop: Any) -> None:
        self._stream = stream
        self._loop = loop

    def __iter__(self) -> _Loop:
        return self

    def __next__(self) -> Any:
        return self._tell(next(self._loop))

    def __aiter__(self) -> _Loop:
        return self

    async def __anext__(self) -> Any:
        return self._tell(await self._loop.__anext__())

    def close(self) -> None:
        """Leave the loop, as closing a generator does."""
        self._loop.close()

    async def aclose(self) -> None:
        """Leave the loop, as closing a generator does."""
        await self._loop.aclose()

    def _tell(self, chunk: Any) -> Any:
        observer = self._stream._observer
        if observer is not None:
            observer.item(chunk)
        return chunk


@cache
def _sync_class(stream_class: Any) -> type:
    return looking_the_same(
        stream_class, {"__iter__": lambda stream: _Loop(stream, stream_class.__iter__(stream))}
    )


@cache
def _async_class(stream_class: Any) -> type:
    return looking_the_same(
        stream_class, {"__aiter__": lambda stream: _Loop(stream, stream_class.__aiter__(stream))}
    )
