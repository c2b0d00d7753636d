"""Delivery through the customer's own client, with what it would cut or drop put back whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
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


_ENVELOPE = frozenset(EVENT_KEY_MAPPING) - {"event_properties"}


class WholeEvent(BaseEvent):  # type: ignore[misc]  # the client's package carries no types
    """An event whose properties reach the server as they are.

    The base class cuts every string at 1,024 characters, in place, and drops all properties for the sake
    of one it does not like; ours are plain JSON already, so they are added after it has looked.
    """

    def __init__(self, event: WireEvent, callback: Callback | None) -> None:
        envelope = {name: value for name, value in event.items() if name in _ENVELOPE}
        super().__init__(callback=callback, **envelope)
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
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.event_properties = dict(self.event_properties)
        return twin


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
            self.client.track(WholeEvent(event, self._done))
        except Exception:
            with self._lock:
                self._dead += 1
            raise

    def flush(self) -> FlushResult:
        """Begin to deliver everything tracked so far."""
        return FlushResult(self.client.flush(), self.counts, again=self.client.flush)

    def close(self, timeout: float = 0.0) -> None:
        """Flush; the client is the customer's to shut down."""
        self.client.flush()

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
