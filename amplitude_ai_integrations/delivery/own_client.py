"""The official client as callers see it where delivery is ours: their plugins run, and the outbox sends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from amplitude import Amplitude, Config
from amplitude.plugin import AmplitudeDestinationPlugin, DestinationPlugin, verify_event

from ..config import AIConfig
from ..exceptions import logger
from .flush import FlushResult
from .sinks import WireEvent

Keep = Callable[[WireEvent], None]


class _Inside(threading.local):
    here = False


class OwnClient(Amplitude):  # type: ignore[misc]  # the client's package carries no types
    """An ``Amplitude`` whose events end in an outbox instead of its own buffer."""

    def __init__(self, api_key: str, config: AIConfig, keep: Keep, flush: Callable[[], FlushResult]) -> None:
        self._keep = keep
        self._flush = flush
        self._inside = _Inside()
        self.has_plugins = False
        settings = Config(
            server_zone=config.server_zone,
            server_url=config.server_url,
            use_batch=config.use_batch,
            min_id_length=1,  # ids are sent as they were given; the server would refuse those below five
        )
        super().__init__(api_key, settings)
        self.has_plugins = False
        _clients.add(self)

    def add(self, plugin: Any) -> OwnClient:
        """Let a plugin see each event before it is sent."""
        if type(plugin) is AmplitudeDestinationPlugin:
            plugin = _Outbox(self._keep)
        self.has_plugins = True
        super().add(plugin)
        return self

    def track(self, event: Any) -> None:
        """Run the plugins over an event, and keep it until it is delivered."""
        if self._inside.here:  # a plugin that tracks would wait for itself
            self._keep(event.get_event_body())
            return
        self._inside.here = True
        try:
            super().track(event)
        finally:
            self._inside.here = False

    def flush(self) -> FlushResult:
        """Begin to deliver everything tracked so far."""
        return self._flush()

    def shutdown(self) -> None:
        """Begin to deliver everything tracked so far; what comes later is taken too."""
        self._flush()

    def _register_on_exit(self) -> None:
        """Nothing: the outbox has a hook of its own, and takes events until the end."""


class _Outbox(DestinationPlugin):  # type: ignore[misc]
    def __init__(self, keep: Keep) -> None:
        super().__init__()
        self._keep = keep

    def execute(self, event: Any) -> None:
        if verify_event(event):
            self._keep(event.get_event_body())
        else:
            logger.warning("An event without a type, or without user and device, was left out.")


_clients: WeakSet[OwnClient] = WeakSet()


def renew_locks(client: Amplitude) -> None:
    """Give a client locks that no thread of a parent process holds."""
    timeline = client._Amplitude__timeline
    timeline.locks = {kind: threading.Lock() for kind in timeline.locks}


def _renew_all() -> None:
    for client in tuple(_clients):
        renew_locks(client)
        client._inside = _Inside()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
