"""Delivery through the customer's own client, with what it would cut or drop put back whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from functools import cache
from typing import Any

from amplitude import Amplitude, BaseEvent
from amplitude.event import EVENT_KEY_MAPPING

from ..exceptions import logger, shielded
from .flush import Counts, FlushResult
from .sinks import WireEvent

Callback = Callable[[Any, int, "str | None"], object]

_OK = range(200, 300)
_SHORTEST_ID = 5  # https://amplitude.com/docs/apis/analytics/http-v2, unless min_id_length says otherwise


_BLANK = vars(BaseEvent(""))
_ENVELOPE = frozenset(EVENT_KEY_MAPPING) - {"event_properties", "library", "version_name"}
_ATTRIBUTES = {wire: name for name, (wire, _) in EVENT_KEY_MAPPING.items()}


class WholeEvent(BaseEvent):  # type: ignore[misc]  # the client's package carries no types
    """An event whose properties reach the server as they are.

    The base class cuts every string at 1,024 characters, in place, and drops all properties for the sake
    of one it does not like; ours are plain JSON already, so they are added after it has looked.
    """

    has_reached = False  # a destination: the client copies an event for each

    def __init__(self, event: WireEvent, callback: Callback | None) -> None:
        # The base class looks at each of its fifty fields, which takes longer than all that comes after it.
        self.__dict__.update(_BLANK)
        for name in _ENVELOPE & event.keys():
            self[name] = event[name]
        self.event_callback = callback
        self.event_properties = event["event_properties"]

    def get_event_body(self) -> dict[str, Any]:
        """Return the body as the base class makes it, with the properties whole."""
        properties, self.event_properties = self.event_properties, None
        try:
            body: dict[str, Any] = super().get_event_body()
        finally:
            self.event_properties = properties
        body["event_properties"] = properties
        return body

    def __deepcopy__(self, _memo: dict[int, Any]) -> WholeEvent:
        # The client copies each event once a destination, which is half of what tracking costs. One level
        # is enough to keep what one destination adds or takes away from the next.
        self.has_reached = True
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.event_properties = dict(self.event_properties)
        return twin


def sent_event(body: WireEvent) -> WholeEvent:
    """Return an event that is JSON as the client's callbacks get theirs."""
    properties = body.get("event_properties")
    event = WholeEvent({"event_type": body.get("event_type"), "event_properties": properties}, None)
    event.__dict__.update({_ATTRIBUTES[wire]: value for wire, value in body.items() if wire in _ATTRIBUTES})
    return event


def was_dropped(client: Any, event: WholeEvent) -> bool:
    """Tell whether a client that was given an event has let it go: opted out, or through a plugin."""
    return not event.has_reached and getattr(client.track, "__func__", None) is Amplitude.track


class OfficialSink:
    """Hands events to the customer's ``Amplitude`` client, in the caller's thread."""

    def __init__(self, client: Amplitude, callback: Callback | None = None) -> None:
        self.client = client
        self._callback = callback
        self._lock = threading.RLock()
        self._refusals: set[int] = set()  # codes that were said
        self._taken = self._delivered = self._dead = 0

    def send(self, event: WireEvent) -> None:
        """Track the event through the client, plugins and all."""
        check_ids(self.client, event)
        with self._lock:
            self._taken += 1
        try:
            whole = WholeEvent(event, self._done)
            self.client.track(whole)
        except Exception:
            with self._lock:
                self._dead += 1
            raise
        if was_dropped(self.client, whole):
            with self._lock:
                self._taken -= 1

    def flush(self) -> FlushResult:
        """Begin to deliver everything tracked so far."""
        parts = self.client.flush()
        # A client that hands nothing out may be sending; a stand-in for one never answers.
        is_sending = isinstance(self.client, Amplitude) or any(part is not None for part in parts)
        return FlushResult(parts, self.counts, self.client.flush if is_sending else None)

    def close(self, timeout: float = 0.0) -> None:
        """Flush, and wait for that; the client is the customer's to shut down."""
        flushing = self.flush()
        with suppress(FutureTimeoutError, TimeoutError):
            flushing.result(timeout)

    def counts(self) -> Counts:
        """Say what the client's callbacks have told so far."""
        with self._lock:
            pending = self._taken - self._delivered - self._dead
            return Counts(self._delivered, pending, self._dead)

    def _say_refused(self, code: int, message: str | None) -> None:
        if code not in self._refusals:
            self._refusals.add(code)
            logger.error("Amplitude refused an event for good (%s): %s. status() counts them.", code, message)

    def _done(self, event: Any, code: int, message: str | None = None) -> None:
        with self._lock:
            if code in _OK:
                self._delivered += 1
            else:
                self._dead += 1
                self._say_refused(code, message)
        if self._callback is not None:
            with shielded("on_event_callback"):
                self._callback(event, code, message)


def check_ids(client: Any, event: WireEvent) -> None:
    """Say once where an id is shorter than the client's server takes."""
    settings = getattr(client, "configuration", None)
    allowed = getattr(settings, "min_id_length", None)
    shortest = allowed if type(allowed) is int else _SHORTEST_ID
    for name in ("user_id", "device_id"):
        if len(event.get(name, "x" * shortest)) < shortest:
            _warn_short(name, shortest)


@cache
def _warn_short(name: str, shortest: int) -> None:
    logger.warning(
        "A %s has fewer than %d characters, and Amplitude refuses such events; set "
        "amplitude.configuration.min_id_length = 1 on the client you passed in.",
        name,
        shortest,
    )
