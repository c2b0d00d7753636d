"""Streams that are their own iterators, and keep their chunks in ``generator``.

They end as those of ``streams`` do, but for a loop that is left: another can go on where it was, so that
such a stream ends when it is closed, or when nothing holds it any more.
"""

from __future__ import annotations

import weakref
from functools import cache
from typing import Any

from ..exceptions import shielded
from .observation import Observation
from .streams import AsyncTap, SyncTap, cancellation, looking_the_same


def observe_event_stream(stream: Any, observation: Observation) -> None:
    """Observe a stream of either kind; it stays the same object, of a subclass of its class."""
    kind: Any = type(stream)
    is_async = hasattr(kind, "__anext__")
    tap: Any = (AsyncTap if is_async else SyncTap)(stream.generator, observation, None)
    stream.generator = tap
    stream.__class__ = _async_class(kind) if is_async else _sync_class(kind)
    weakref.finalize(stream, dropped, observation)
    _on_close(stream.response, "aclose" if is_async else "close", tap)


def _on_close(response: Any, method: str, tap: Any) -> None:
    # Older streams are closed by their response alone. Nothing here may hold either of them: a stream that is
    # dropped gives its connection back at once.
    closed, tapped = weakref.ref(response), weakref.ref(tap)

    def closing(*args: Any, **kwargs: Any) -> Any:
        own, given = tapped(), closed()
        if own is not None and not own.is_pulling:
            own.observation.left()
        return getattr(type(given), method)(given, *args, **kwargs)

    setattr(response, method, closing)


def dropped(observation: Observation) -> None:
    """Nothing holds a stream any more: its loop was left, by a cancellation or in any other way."""
    with shielded("stream"):
        observation.left(cancellation())


def _left(stream: Any, kind: type[BaseException] | None) -> None:
    with shielded("stream"):
        stream.generator.observation.left(kind.__name__ if kind else None)


@cache
def _sync_class(stream_class: Any) -> type:
    def leave(stream: Any, kind: type[BaseException] | None, *rest: Any) -> Any:
        _left(stream, kind)
        return stream_class.__exit__(stream, kind, *rest)

    return looking_the_same(stream_class, {"__exit__": leave})


@cache
def _async_class(stream_class: Any) -> type:
    async def leave(stream: Any, kind: type[BaseException] | None, *rest: Any) -> Any:
        _left(stream, kind)
        return await stream_class.__aexit__(stream, kind, *rest)

    return looking_the_same(stream_class, {"__aexit__": leave})
