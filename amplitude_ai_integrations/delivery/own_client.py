"""The official client as callers see it where delivery is ours: their plugins run, and the outbox sends."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakSet

from amplitude import Amplitude, Config
from amplitude.constants import PluginType
from amplitude.plugin import AmplitudeDestinationPlugin, ContextPlugin, DestinationPlugin, verify_event

from ..config import AIConfig
from ..context.forks import in_each_child
from ..exceptions import logger, shielded
from .flush import FlushResult
from .sinks import WireEvent

Keep = Callable[[WireEvent], None]
_MOST_WAITING: Final = 10_000  # events with callbacks of their own; the oldest are not told any more


class _Inside(threading.local):
    here = False


class OwnClient(Amplitude):  # type: ignore[misc]  # the client's package carries no types
    """An ``Amplitude`` whose events end in an outbox instead of its own buffer."""

    def __init__(self, api_key: str, config: AIConfig, keep: Keep, flush: Callable[[], FlushResult]) -> None:
        self._flush = flush
        self._inside = _Inside()
        self._waiting: dict[str, Any] = {}
        self._own = _Outbox(keep, self.wait_for_answer)
        self._context = ContextPlugin()
        settings = Config(
            server_zone=config.server_zone,
            server_url=config.server_url,
            use_batch=config.use_batch,
            min_id_length=1,  # ids are sent as they were given; the server would refuse those below five
        )
        super().__init__(api_key, settings)
        self._context.setup(self)
        self.has_plugins = self._has_end = False
        _clients.add(self)

    def add(self, plugin: Any) -> OwnClient:
        """Let a plugin see each event before it is sent."""
        if type(plugin) is AmplitudeDestinationPlugin:
            plugin = self._own
        elif isinstance(plugin, DestinationPlugin) and not self._has_end:
            self._has_end = True
            # It may hold events of its own until then.
            getattr(super(), "_register_on_exit", lambda: atexit.register(self.shutdown))()
        self.has_plugins = True
        super().add(plugin)
        return self

    def track(self, event: Any) -> None:
        """Run the plugins over an event, and keep it until it is delivered."""
        if self._inside.here:  # a plugin that tracks would wait for itself
            if not self.configuration.opt_out:
                self._own.execute(self._context.execute(event))
            return
        self._inside.here = True
        try:
            super().track(event)
        finally:
            self._inside.here = False

    def flush(self) -> FlushResult:
        """Begin to deliver everything tracked so far."""
        return self._flush()

    def flush_others(self) -> None:
        """Flush plugins that deliver elsewhere."""
        for plugin in self._destinations():
            if callable(flush := getattr(plugin, "flush", None)):
                with shielded("flush of a plugin"):
                    flush()

    def shutdown(self) -> None:
        """Shut plugins down that deliver elsewhere, and begin to deliver; what comes later is taken too."""
        for plugin in self._destinations():
            with shielded("shutdown of a plugin"):
                plugin.shutdown()
        self._flush()

    @property
    def wants_answers(self) -> bool:
        """Whether anybody waits for what becomes of events."""
        return bool(self._waiting) or callable(self.configuration.callback)

    def wait_for_answer(self, event: Any) -> None:
        """Call an event's own callback once it is known what became of it, in this process."""
        self._waiting[event.insert_id] = event
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.pop(next(iter(self._waiting)), None)

    def answer(self, event: Any, code: int, message: str | None) -> None:
        """Say what became of an event to the callbacks of the client and of the event."""
        if callable(self.configuration.callback):
            with shielded("callback of the configuration"):
                self.configuration.callback(event, code, message)
        if (waiting := self._waiting.pop(event.insert_id, None)) is not None:
            with shielded("callback of an event"):
                waiting.callback(code, message)

    def begin_anew(self) -> None:
        """Begin with locks that no thread of a parent process holds, and without its events."""
        renew_locks(self)
        self._inside = _Inside()
        self._waiting = {}

    def _destinations(self) -> list[Any]:
        plugins = self._Amplitude__timeline.plugins[PluginType.DESTINATION]
        return [plugin for plugin in plugins if plugin is not self._own]

    def _register_on_exit(self) -> None:
        """Nothing: the outbox has a hook of its own, and takes events until the end."""


class _Outbox(DestinationPlugin):  # type: ignore[misc]
    def __init__(self, keep: Keep, wait_for_answer: Callable[[Any], None]) -> None:
        super().__init__()
        self._keep = keep
        self._wait_for_answer = wait_for_answer

    def execute(self, event: Any) -> None:
        if verify_event(event):
            if callable(event.event_callback):
                self._wait_for_answer(event)
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
        client.begin_anew()


in_each_child(_renew_all)
