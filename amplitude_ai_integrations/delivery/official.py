"""Delivery through the official client, with what it would cut or drop put back whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from amplitude import Amplitude, BaseEvent, Config
from amplitude.event import EVENT_KEY_MAPPING

from ..config import AIConfig
from ..exceptions import ConfigurationError, logger, shielded
from .flush import Counts, FlushResult
from .sinks import WireEvent

Callback = Callable[[Any, int, "str | None"], object]

LOCAL_KEY = "local"
_FLUSH_MILLIS = 1_000  # an agent's turns should be seen within a second or two, not ten
_OK = range(200, 300)
_SHORTEST_ID = 5  # https://amplitude.com/docs/apis/analytics/http-v2, unless min_id_length says otherwise


def client_for(api_key: str | None, config: AIConfig) -> Amplitude:
    """Return a client of our own for a key, or for a server of yours that needs none.

    Raises:
        ConfigurationError: There is neither a key nor a server.
    """
    if not api_key and not config.server_url:
        raise ConfigurationError(
            "AmplitudeAI needs somewhere to send events: pass amplitude= or api_key=, set "
            "AMPLITUDE_AI_API_KEY, or set AMPLITUDE_AI_SERVER_URL to a local `amplitude-ai analytics`."
        )
    settings = Config(
        flush_interval_millis=_FLUSH_MILLIS,
        server_zone=config.server_zone,
        server_url=_endpoint(config.server_url),
        use_batch=True,  # whole conversations make large events: 20 MB a request instead of 1
        min_id_length=1,  # ids are sent as they were given; the server would refuse those below five
    )
    return Amplitude(api_key or LOCAL_KEY, settings)


def _endpoint(server_url: str | None) -> str | None:
    if server_url is None or urlsplit(server_url).path.strip("/"):
        return server_url
    return server_url.rstrip("/") + "/batch"


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
        twin = WholeEvent.__new__(WholeEvent)
        twin.__dict__.update(self.__dict__)
        twin.event_properties = dict(self.event_properties)
        return twin


class OfficialSink:
    """Hands events to an ``Amplitude`` client, ours or the customer's, in the caller's thread."""

    def __init__(self, client: Amplitude, callback: Callback | None = None, *, is_ours: bool) -> None:
        self.client = client
        self._callback = callback
        self._is_ours = is_ours
        self._lock = threading.RLock()
        self._refusals: set[int] = set()  # codes that were said
        self._taken = self._delivered = self._dead = 0

    def send(self, event: WireEvent) -> None:
        """Track the event through the client, plugins and all."""
        if not self._is_ours:
            self._check_ids(event)
        with self._lock:
            self._taken += 1
        try:
            self.client.track(WholeEvent(event, self._done))
        except Exception:
            with self._lock:
                self._dead += 1
            raise

    def _check_ids(self, event: WireEvent) -> None:
        settings = getattr(self.client, "configuration", None)
        allowed = getattr(settings, "min_id_length", None)
        shortest = allowed if type(allowed) is int else _SHORTEST_ID
        for name in ("user_id", "device_id"):
            if len(event.get(name, "x" * shortest)) < shortest:
                _warn_short(name, shortest)

    def flush(self) -> FlushResult:
        """Begin to deliver everything tracked so far."""
        return FlushResult(self.client.flush(), self.counts, again=self.client.flush)

    def close(self) -> None:
        """Flush; and shut the client down if it is ours."""
        if self._is_ours:
            self.client.shutdown()
        else:
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


@cache
def _warn_short(name: str, shortest: int) -> None:
    logger.warning(
        "A %s has fewer than %d characters, and Amplitude refuses such events; set "
        "amplitude.configuration.min_id_length = 1 on the client you passed in.",
        name,
        shortest,
    )
