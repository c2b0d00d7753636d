"""Streams of events that tell when they end: ``botocore.eventstream.EventStream``."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from botocore.eventstream import EventStream  # type: ignore[import-untyped]

from ..calls.observation import Observation
from ..exceptions import shielded

IsLast = Callable[[Any], bool]


class _Tap:
    """Lets the observation of a call see its stream."""

    def __init__(self, observation: Observation, is_last: IsLast) -> None:
        self.observation = observation
        self._is_last = is_last
        self._latest: Any = None

    def took(self, event: Any) -> None:
        """An event goes to the reader."""
        self._latest = event
        self.observation.chunk(event)

    def left(self) -> None:
        """The reader goes away: before the end, unless all that there is has come."""
        with shielded("stream"):
            if self._latest is not None and self._is_last(self._latest):
                self.observation.finished()
            else:
                self.observation.left()


class _ObservedStream(EventStream):  # type: ignore[misc]
    """A stream that is read, left, closed or dropped under observation."""

    _amplitude_tap: _Tap

    def __iter__(self) -> Iterator[Any]:
        return _reading(self, super().__iter__(), self._amplitude_tap)

    def close(self) -> None:
        self._amplitude_tap.left()
        super().close()


def _reading(stream: Any, events: Iterator[Any], tap: _Tap) -> Iterator[Any]:
    """Yield the events of a stream, which a loop over it keeps alive as it does without us."""
    while True:
        try:
            event = next(events)
        except StopIteration:
            tap.observation.finished()
            return
        except BaseException as error:
            tap.observation.failed(error)
            raise
        with shielded("stream"):
            tap.took(event)
        yield event


def observed(stream: EventStream, observation: Observation, is_last: IsLast) -> EventStream:
    """Return the stream observed: an object of a subclass that shares all that ``stream`` has.

    ``stream`` itself is part of a reference cycle, so that only the garbage collector would tell when it
    is dropped. ``is_last`` knows the event after which nothing comes.
    """
    twin: Any = object.__new__(_ObservedStream)
    twin.__dict__ = stream.__dict__
    twin._amplitude_tap = tap = _Tap(observation, is_last)
    weakref.finalize(twin, tap.left)
    return twin


for _name in ("__module__", "__name__", "__qualname__", "__doc__"):
    setattr(_ObservedStream, _name, getattr(EventStream, _name))
