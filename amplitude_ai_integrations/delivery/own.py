"""Delivery by a sender of our own, from an outbox that outlives the process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..config import AIConfig
from ..exceptions import ConfigurationError
from ..schema.values import plain
from ..version import __version__
from .flush import SHUTDOWN_SECONDS, Counts, FlushResult
from .outbox import ending
from .outbox.carrier import Carrier
from .outbox.outbox import Outbox
from .outbox.place import destination_name, spool_of
from .outbox.report import report
from .outbox.sender import Sender
from .outbox.transport import Transport, endpoints
from .sinks import WireEvent

if TYPE_CHECKING:
    from .own_client import OwnClient

Callback = Callable[[Any, int, "str | None"], object]

LOCAL_KEY: Final = "local"
_LIBRARY: Final = f"amplitude-ai-integrations/{__version__}"
_LARGEST: Final = 20_000_000  # bytes; more is refused by every endpoint
_WHOLE: Final = 100_000_000  # characters: what is made plain JSON is not shortened


def key_for(api_key: str | None, config: AIConfig) -> str:
    """Return the key to send with; a server of yours needs none.

    Raises:
        ConfigurationError: There is neither a key nor a server.
    """
    if not api_key and not config.server_url:
        raise ConfigurationError(
            "AmplitudeAI needs somewhere to send events: pass amplitude= or api_key=, set "
            "AMPLITUDE_AI_API_KEY, or set AMPLITUDE_AI_SERVER_URL to a local `amplitude-ai analytics`."
        )
    return api_key or LOCAL_KEY


class OutboxSink:
    """Keeps events in an outbox, in the caller's thread, and sends them from another."""

    is_background = True

    def __init__(self, api_key: str, config: AIConfig) -> None:
        self.api_key = api_key
        self.config = config
        self.server_url, large = endpoints(config)
        self._client: OwnClient | None = None
        self._callback = config.on_event_callback
        spool, why_memory = spool_of(config, destination_name(api_key, self.server_url))
        self.outbox = Outbox(spool, why_memory)
        if self._callback is not None:
            self._begin_to_tell()
        self.carrier = Carrier(self.outbox, Transport(self.server_url, large), api_key)
        self.sender = Sender(self.outbox, self.carrier)
        ending.note(self.sender)
        if spool is not None and spool.has_any():
            self.sender.start()

    @property
    def client(self) -> OwnClient:
        """An official client for plugins, and for events that are not ours; made when first asked for."""
        if self._client is None:
            from .own_client import OwnClient

            self._begin_to_tell()
            self._client = OwnClient(self.api_key, self.config, self._keep_event, self.flush)
        return self._client

    def send(self, event: WireEvent) -> None:
        """Keep the event, after the plugins have seen it where there are any."""
        client = self._client
        if client is not None and (client.has_plugins or client.configuration.opt_out):
            from .official import WholeEvent

            client.track(WholeEvent(event, None))
        else:
            self._keep_event(event)

    def _keep_event(self, event: WireEvent) -> None:
        event["library"] = _LIBRARY
        try:
            payload = msgspec.json.encode(event)
        except (TypeError, ValueError, RecursionError):  # a hook or a plugin has put something odd in
            payload = msgspec.json.encode(plain(event, _WHOLE))
        self.keep(payload)

    def keep(self, payload: bytes) -> None:
        """Keep an event that is JSON already."""
        if len(payload) > _LARGEST:
            self.outbox.refuse(payload, f"larger than {_LARGEST // 1_000_000} MB")
            return
        self.outbox.append(payload)

    def flush(self) -> FlushResult:
        """Begin to deliver everything kept so far."""
        if self._client is not None:
            self._client.flush_others()
        return FlushResult([self.sender.flush()], self.counts)

    def close(self, timeout: float = SHUTDOWN_SECONDS) -> None:
        """Deliver what can be delivered in time; the rest stays in the outbox."""
        if self._client is not None:
            self._client.flush_others()
        self.sender.begin_to_finish(time.monotonic() + timeout)
        self.sender.finish()

    def status(self) -> dict[str, Any]:
        """Return the counters and what stands in the way, for people to read."""
        return report(self.outbox, self.server_url, self.carrier.trouble)

    def counts(self) -> Counts:
        """Say how many events arrived, wait, and are lost."""
        return self.outbox.counters.counts()

    def _begin_to_tell(self) -> None:
        from .official import sent_event  # imported here, since the sender's thread must not

        self._event: Callable[[WireEvent], Any] = sent_event
        self.outbox.tell = self._tell

    def _tell(self, payload: bytes, code: int, message: str | None) -> None:
        client, callback = self._client, self._callback
        wants_answers = client is not None and client.wants_answers
        if callback is None and not wants_answers:
            return
        event = self._event(json.loads(payload))
        if client is not None and wants_answers:
            client.answer(event, code, message)
        if callback is not None:
            callback(event, code, message)
