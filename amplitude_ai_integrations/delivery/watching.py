"""What is missing in the official client to know of each event what became of it.

It says nothing of a batch whose connection broke, nor of one with a key that is refused, and after a fork or
when its threads were ended it takes events that it never sends.
https://github.com/amplitude/Amplitude-Python
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from queue import Empty
from typing import Any

from amplitude import Amplitude
from amplitude.constants import PluginType
from amplitude.plugin import AmplitudeDestinationPlugin
from amplitude.worker import Workers

from .official import WholeEvent
from .own_client import renew_locks


class WatchedEvent(WholeEvent):
    """An event that knows whether it was told what became of it."""

    is_answered = False

    def callback(self, code: int, message: str | None = None) -> None:
        """Take the client's word for it."""
        self.is_answered = True
        super().callback(code, message)


class Watch:
    """Sees to it that a client answers for each of our events, in this process and in forked ones."""

    def __init__(self, client: Amplitude) -> None:
        self.client = client
        for destination in self._destinations():
            _watch(destination.workers)

    def revive(self, *, keeps_theirs: bool = False) -> None:
        """Give the client threads and a buffer of its own, as a forked child needs them.

        ``keeps_theirs`` where what waits in it beside our events is not a parent process's to send.
        """
        renew_locks(self.client)
        for destination in self._destinations():
            theirs = _theirs(destination) if keeps_theirs else []
            destination.workers = Workers()
            destination.setup(self.client)
            _watch(destination.workers)
            for event in theirs:
                destination.storage.push(event)

    def is_opted_out(self) -> bool:
        """Tell whether the customer wants nothing tracked, other than by a client that was shut down."""
        is_out = bool(getattr(self.client.configuration, "opt_out", False))
        return is_out and all(destination.workers.is_active for destination in self._destinations())

    def is_dead(self) -> bool:
        """Tell whether the threads are no more that events are left to."""
        return any(_is_dead(destination.workers) for destination in self._destinations())

    def _destinations(self) -> Iterable[Any]:
        timeline = getattr(self.client, "_Amplitude__timeline", None)
        plugins = timeline.plugins[PluginType.DESTINATION] if timeline is not None else ()
        return [plugin for plugin in plugins if isinstance(plugin, AmplitudeDestinationPlugin)]


def _watch(workers: Any) -> None:
    send = workers.send

    def send_and_look(events: list[Any]) -> None:
        ours = [(event, event.retry) for event in events if isinstance(event, WatchedEvent)]
        reason = "not answered"
        try:
            send(events)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise
        finally:
            for event, retry in ours:
                if not event.is_answered and event.retry == retry:  # nor put back to be sent again
                    event.callback(0, reason)

    workers.send = send_and_look


def _theirs(destination: Any) -> list[Any]:
    """Return the customer's own events that wait for threads that are no more."""
    waiting = destination.storage.pull_all()
    batches = destination.workers.threads_pool._work_queue
    with suppress(Empty):
        while True:
            for events in getattr(batches.get_nowait(), "args", ()):
                waiting += events
    return [event for event in waiting if not isinstance(event, WatchedEvent)]


def _is_dead(workers: Any) -> bool:
    pool = workers.threads_pool
    threads = tuple(getattr(pool, "_threads", ()))
    is_open = not getattr(pool, "_shutdown", True)
    return bool(threads) and is_open and not any(thread.is_alive() for thread in threads)
