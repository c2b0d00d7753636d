"""The customer's own client, with a journal: what it loses is handed to it again."""

from __future__ import annotations

import json
import logging
import threading
import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from functools import partial
from itertools import takewhile
from typing import Any, Final

import msgspec

from ..config import AIConfig
from ..exceptions import DELIVERY, shield, shielded
from ..schema.values import plain
from .flush import Counts, FlushResult
from .official import Callback, check_ids, was_dropped
from .outbox import ending
from .outbox.backoff import delay
from .outbox.outbox import Entry, Outbox
from .outbox.place import destination_name, spool_of
from .outbox.records import Record
from .outbox.report import report
from .outbox.saying import Saying
from .outbox.sender import Sender
from .sinks import WireEvent
from .watching import Watch, WatchedEvent

_OK: Final = range(200, 300)
_REFUSED: Final = frozenset((400, 413))
_GAVE_UP: Final = "Event reached max retry"  # the client's words for an outage that was too long for it
_TRIES: Final = 3  # refusals after which an event is dead
_SILENCE: Final = 300.0  # seconds without a word after which an event counts as lost
_MOST_OPEN: Final = 20_000  # events in the client's hands; what comes then waits in the journal
_MOST_OPEN_BYTES: Final = 32_000_000
_AT_ONCE: Final = 200
_A_MOMENT: Final = 0.05  # seconds
_WHOLE: Final = 100_000_000  # characters: what is made plain JSON is not shortened


class _Inside(threading.local):
    here = False


class Handing:
    """Hands events of a journal to a client; a ``Carrier`` whose server is that client."""

    def __init__(self, outbox: Outbox, watch: Watch, callback: Callback | None) -> None:
        self.not_before = self.failed_at = self.asked_until = 0.0
        self.failures = 0
        self.trouble = ""
        self._outbox = outbox
        self._watch = watch
        self._callback = callback
        self._saying = Saying()
        self._inside = _Inside()
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._open: dict[int, tuple[float, Entry]] = {}  # by the record: until when the client may be silent
        self._open_bytes = 0  # with those that are lost
        self._lost: list[tuple[float, Entry]] = []  # when to hand it over again

    @property
    def has_room(self) -> bool:
        """Whether the client may be given more; from inside of it, it would wait for itself."""
        if self._inside.here or getattr(self._watch.client.configuration, "opt_out", False):
            return False
        return len(self._open) + len(self._lost) < _MOST_OPEN and self._open_bytes < _MOST_OPEN_BYTES

    @property
    def is_opted_out(self) -> bool:
        """Whether the customer wants nothing tracked."""
        return self._watch.is_opted_out()

    def hand(self, entry: Entry, event: WireEvent) -> None:
        """Give one event to the client, and remember that it owes an answer."""
        _, record = entry
        with self._lock:
            self._open[id(record)] = (time.monotonic() + _SILENCE, entry)
            self._open_bytes += len(record.payload)
        self._inside.here = True
        try:
            watched = WatchedEvent(event, partial(self._answered, entry))
            self._watch.client.track(watched)
            if was_dropped(self._watch.client, watched):
                self._dropped(entry)
        except Exception as error:  # noqa: BLE001 - a plugin's, or the client's own
            self._answered(entry, None, 0, type(error).__name__)
            shield.keep(DELIVERY, error)
        finally:
            self._inside.here = False

    def carry(self) -> bool:
        """Hand over what waits in the journal and what was lost; tell whether there is more at once."""
        if self._watch.is_dead():
            self._begin_again()
        self.asked_until = time.monotonic() + _A_MOMENT  # somebody who waits asks as fast as he may
        self._lose_the_silent()
        if getattr(self._watch.client.configuration, "opt_out", False):
            return False  # shut down: it would take events and forget them
        due = self._take_due()
        for entry in due:
            self.hand(entry, json.loads(entry[1].payload))
        handed = 0
        for segment in self._outbox.sendable():
            if self.has_room and handed < _AT_ONCE:
                for record in self._outbox.take_next(segment, _AT_ONCE, _MOST_OPEN_BYTES, at_least_one=True):
                    self.hand((segment, record), json.loads(record.payload))
                    handed += 1
        if due or handed:
            self._watch.client.flush()  # they have waited already
        return handed >= _AT_ONCE

    def give_back(self) -> None:
        """Nothing: the client has what it has, whichever thread gave it."""

    def forget(self) -> None:
        """Begin anew in a forked child, with threads of the client's own."""
        self._begin()
        self._inside = _Inside()
        self._watch.revive()

    def hurry(self) -> None:
        """Nothing: the client goes its own pace."""

    def limit(self, seconds: float) -> None:
        """Nothing, as above."""

    def close(self) -> None:
        """Nothing is held open."""

    def _answered(self, entry: Entry, event: Any, code: int, message: str | None = None) -> None:
        segment, record = entry
        if not self._is_first_answer(record):
            return
        if code in _OK:
            self._settle(entry, event, code, message)
        elif code in _REFUSED and not str(message).startswith(_GAVE_UP) and record.tries + 1 >= _TRIES:
            self._outbox.bury(record.payload, str(message), code, record.tries + 1, is_own=segment.is_own)
            self._settle(entry, event, code, message)
        else:
            self._lose(entry, f"{code or ''} {message}".strip())

    def _settle(self, entry: Entry, event: Any, code: int, message: str | None) -> None:
        segment, record = entry
        if not self._outbox.settle(segment, record):
            return
        if code in _OK:
            self.trouble = ""
            if segment.is_own:
                self._outbox.counters.sent += 1
            else:
                self._outbox.counters.adopted_sent += 1
        if self._callback is not None:
            with shielded("on_event_callback"):
                self._callback(event, code, message)

    def _lose(self, entry: Entry, reason: str) -> None:
        segment, record = entry
        again = (segment, record._replace(tries=record.tries + 1))
        seconds = delay(record.tries)
        with self._lock:
            self._lost.append((time.monotonic() + seconds, again))
            self._open_bytes += len(record.payload)
        self._outbox.counters.retried += 1
        self.trouble = reason
        words = "Your Amplitude client lost an event (%s); it gets it again."
        self._saying.say("lost", logging.WARNING, words, reason)

    def _take_due(self) -> list[Entry]:
        now = time.monotonic()
        with self._lock:
            due = [entry for at, entry in self._lost if at <= now]
            self._lost = [(at, entry) for at, entry in self._lost if at > now]
            self._open_bytes -= sum(len(record.payload) for _, record in due)
        return due

    def _dropped(self, entry: Entry) -> None:
        """Forget an event that a plugin keeps back; the customer wants it so."""
        segment, record = entry
        is_shut_down = getattr(self._watch.client.configuration, "opt_out", False)
        if is_shut_down or not self._is_first_answer(record):
            return
        if self._outbox.settle(segment, record) and segment.is_own:
            self._outbox.counters.appended -= 1

    def _is_first_answer(self, record: Record) -> bool:
        with self._lock:
            if self._open.pop(id(record), None) is None:
                return False
            self._open_bytes -= len(record.payload)
        return True

    def _lose_the_silent(self) -> None:
        now = time.monotonic()
        with self._lock:
            # In the order in which they were handed over, and all may be silent for as long.
            silent = [entry for _, entry in takewhile(lambda it: it[0] <= now, self._open.values())]
        for entry in silent:
            self._answered(entry, None, 0, "no answer")

    def _begin_again(self) -> None:
        """Give a client whose threads were ended new ones, and all that it had."""
        with self._lock:
            had = [entry for _, entry in self._open.values()]
            self._open.clear()
            self._open_bytes -= sum(len(record.payload) for _, record in had)
        self._watch.revive(keeps_theirs=True)
        for entry in had:
            self.hand(entry, json.loads(entry[1].payload))
        self._watch.client.flush()


class DurableSink:
    """Hands events to the customer's ``Amplitude`` client in the caller's thread, and to disk before that."""

    def __init__(self, client: Any, config: AIConfig) -> None:
        self.client = client
        settings = client.configuration
        name = destination_name(str(settings.api_key), str(settings.server_url), "client")
        spool, why_memory = spool_of(config, name)
        self.outbox = Outbox(spool, why_memory)
        self.carrier = Handing(self.outbox, Watch(client), config.on_event_callback)
        self.sender = Sender(self.outbox, self.carrier)
        ending.note(self)
        if spool is not None and spool.has_any():
            self.sender.start()

    def send(self, event: WireEvent) -> None:
        """Keep the event, and track it through the client, plugins and all."""
        if self.carrier.is_opted_out:
            return
        check_ids(self.client, event)
        try:
            payload = msgspec.json.encode(event)
        except (TypeError, ValueError, RecursionError):  # a hook has put something odd in
            event = plain(event, _WHOLE)
            payload = msgspec.json.encode(event)
        entry = self.outbox.append(payload, is_taken=self.carrier.has_room)
        if entry is not None:
            self.carrier.hand(entry, event)

    def flush(self) -> FlushResult:
        """Begin to deliver everything tracked so far."""
        return FlushResult([*self.client.flush(), self.sender.flush()], self.counts, again=self.client.flush)

    def close(self, timeout: float = 0.0) -> None:
        """Flush the client, which is the customer's to shut down, and wait for its answers."""
        with suppress(FutureTimeoutError, TimeoutError):
            self.flush().result(timeout)
        self.outbox.save()
        if self.outbox.is_empty:  # else the client may still answer for what it has
            self.sender.stop()

    def counts(self) -> Counts:
        """Say what the client's callbacks have told so far."""
        return self.outbox.counters.counts()

    def status(self) -> dict[str, Any]:
        """Return the counters and what stands in the way, for people to read."""
        return report(self.outbox, str(self.client.configuration.server_url), self.carrier.trouble)

    def begin_to_finish(self, deadline: float) -> None:
        """Nothing: the client has had its end before this one, and takes nothing more."""

    def finish(self) -> None:
        """Leave what it did not deliver to the next process."""
        self.sender.stop()

    def begin_anew(self) -> None:
        """Begin with nothing, as a forked child does."""
        self.sender.begin_anew()
