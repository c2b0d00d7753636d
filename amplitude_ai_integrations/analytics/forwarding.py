"""Sends what the collector takes on to Amplitude, from an outbox for each project."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final
from uuid import uuid4

from ..delivery.flush import Counts
from ..delivery.own import LOCAL_KEY, OutboxSink
from ..exceptions import ConfigurationError
from ..schema.catalog import event_type
from ..schema.server_events import SERVER_EVENTS
from .store.arrival import Arrival
from .target import Target

MOST_KEYS: Final = 16  # each has a thread, a connection and a file
_MOST_REMEMBERED: Final = 10_000
_SECONDS_TO_CLOSE: Final = 1.0  # the server's own grace comes before it
_DERIVED: Final = frozenset(map(event_type, SERVER_EVENTS))  # by Amplitude, which has them


class NotKeptError(Exception):
    """Events cannot be kept until they are delivered, so they must not be stored either."""


def add_key(body: Any) -> None:
    """Let a request without a key mean the relay's project."""
    if isinstance(body, dict) and not str(body.get("api_key") or "").strip():
        body["api_key"] = LOCAL_KEY


def identify(events: Iterable[dict[str, Any]], body: bytes, now_ms: int) -> None:
    """Give events what makes them the same event whenever they arrive: an insert id and a time.

    A request that is sent again is told by its bytes, but not where it says no time: then two that happened
    at different times look alike.
    """
    request = blake2b(body, digest_size=12).hexdigest()
    for index, event in enumerate(events):
        if not event.get("insert_id"):
            event["insert_id"] = f"{request}-{index}" if "time" in event else uuid4().hex
        event.setdefault("time", now_ms)


class Forwarding:
    """The outboxes; events are kept by one thread."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._closed = Counts(0, 0, 0)
        self._kept: dict[int | None, None] = {}
        own = OutboxSink(target.api_key, target.config)
        _check_disk(own)
        self._sinks = {target.api_key: own}  # the one used last stands last

    def keep(self, arrivals: Sequence[Arrival]) -> None:
        """Keep events that are about to be stored: a kill in between leaves them to be sent and stored again.

        Raises:
            NotKeptError: They would be lost with this process, or there are too many projects.
        """
        forwarded = [
            (self._sink(arrival.api_key), arrival)
            for arrival in arrivals
            if arrival.api_key is not None and arrival.event.event_type not in _DERIVED
        ]
        sinks = {id(sink): sink for sink, _ in forwarded}.values()
        _check_durable(sinks)
        for sink, arrival in forwarded:
            if arrival.dedup_hash not in self._kept:  # else it was, but could not be stored
                sink.keep(arrival.raw)
                self._kept[arrival.dedup_hash] = None
        _check_durable(sinks)
        while len(self._kept) > _MOST_REMEMBERED:
            del self._kept[next(iter(self._kept))]

    def counts(self) -> Counts:
        """Say how many events arrived, wait, and are lost, those of killed relays before this one too."""
        return Counts(*map(sum, zip(self._closed, *map(_counts, tuple(self._sinks.values())), strict=True)))

    def close(self) -> None:
        """Deliver what can be delivered in a short time; the rest waits for the next start."""
        deadline = time.monotonic() + _SECONDS_TO_CLOSE
        for sink in self._sinks.values():
            sink.sender.begin_to_finish(deadline)
        for sink in self._sinks.values():
            sink.sender.finish()

    def _sink(self, key: str | None) -> OutboxSink:
        if not key or key == LOCAL_KEY:
            key = self._target.api_key
        sink = self._sinks.pop(key, None) or self._open(key)
        self._sinks[key] = sink
        return sink

    def _open(self, key: str) -> OutboxSink:
        if len(self._sinks) >= MOST_KEYS:
            self._close_one()
        return OutboxSink(key, self._target.config)

    def _close_one(self) -> None:
        for key, sink in self._sinks.items():
            if key != self._target.api_key and sink.outbox.is_empty:
                del self._sinks[key]
                sink.close(_SECONDS_TO_CLOSE)
                self._closed = Counts(*map(sum, zip(self._closed, _counts(sink), strict=True)))
                return
        raise NotKeptError(f"Events of {MOST_KEYS} projects wait already")


def _check_disk(sink: OutboxSink) -> None:
    spool = sink.outbox.spool
    if spool is None:
        return
    try:
        segment = spool.create()
    except OSError as error:
        raise ConfigurationError(
            f"{spool.folder} cannot keep events ({error.strerror or error}): set AMPLITUDE_AI_SPOOL to "
            "another folder, or to 'off' to have them wait in memory."
        ) from None
    segment.remove()
    segment.let_go()


def _check_durable(sinks: Iterable[OutboxSink]) -> None:
    for sink in sinks:
        if sink.outbox.spool is not None and not sink.outbox.is_durable:
            raise NotKeptError(f"{sink.outbox.spool.folder} cannot be written ({sink.outbox.why_memory})")


def _counts(sink: OutboxSink) -> Counts:
    counters, own = sink.outbox.counters, sink.counts()
    dead = counters.adopted_dead.total()
    waiting = max(0, counters.adopted - counters.adopted_sent - dead)
    return Counts(own.delivered + counters.adopted_sent, own.pending + waiting, own.dead + dead)
