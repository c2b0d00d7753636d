"""From an event as it was told to an event as it leaves."""

from __future__ import annotations

import copy
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any

from ..config import AIConfig, ContentMode
from ..exceptions import DELIVERY, shield, shielded
from ..privacy.gate import Gate
from ..schema.base import AgentEvent
from ..schema.catalog import event_type
from ..schema.freezing import frozen
from ..schema.values import plain
from .deferred import LARGE, Deferred, characters
from .flush import Counts, FlushResult
from .sinks import ConsoleSink, PlacingSink, Sink, WireEvent

_KEPT = ("insert_id", "time")
_WHOLE = 100_000_000  # characters: what a hook returns is made plain JSON, not shortened


class Pipeline:
    """Strips, redacts and bounds an event, lets ``before_send`` see it, and hands it to the sinks.

    Where delivery is ours, what takes long is done in a thread: until then, and only until then, an event is
    in memory alone. A sink of somebody else's gets each event before the call returns.
    """

    def __init__(self, config: AIConfig, sinks: Sequence[Sink]) -> None:
        self.config = config
        self.gate = Gate(config)
        self.sinks = tuple(sinks)
        self.also: list[Sink] = []  # which take the events as well, and do not count
        self.dropped: Counter[str] = Counter()
        is_redacting = config.redact_pii or config.custom_redaction_patterns or config.custom_redaction_fn
        has_words = config.content_mode is not ContentMode.METADATA_ONLY
        can_wait = bool(sinks) and getattr(sinks[-1], "is_background", False)
        self.is_kept = can_wait  # what is not delivered now is delivered by another process
        self._deferred = Deferred() if can_wait and has_words and is_redacting else None

    def branch(self, config: AIConfig) -> Pipeline:
        """Return a pipeline with another configuration, which ends in the same sinks.

        What waits to be redacted waits in one queue, so that a flush of either waits for all of it.
        """
        is_to_print = config.debug and not (self.config.debug or self.config.dry_run)
        branch = Pipeline(config, (ConsoleSink(), *self.sinks) if is_to_print and self.sinks else self.sinks)
        branch.dropped = self.dropped
        branch.also = self.also
        if branch._deferred is not None:
            self._deferred = self._deferred or branch._deferred
            branch._deferred = self._deferred
        return branch

    def submit(
        self,
        kind: type[AgentEvent],
        values: Mapping[str, Any],
        envelope: Mapping[str, Any],
        custom: Mapping[Any, Any] | None = None,
        within: str | None = None,
    ) -> None:
        """Send one event: its fields by name, what stands around them in Amplitude's own terms
        (``insert_id``, ``time`` in ms since the epoch, ``user_id`` and so on), the caller's properties, and
        the id of the step it is a part of.
        """
        config = self.config
        if config.session_sample_rate < 1 and not self._keeps(values.get("session_id")):
            self.dropped["session_sample_rate"] += 1
            return
        if self._deferred is not None and (size := self._size(values, custom)):
            kept = {name: frozen(value) for name, value in values.items()}
            own = plain(custom) if custom else None
            # Functions of the caller's find the context in which they would have been called at once.
            job = partial(copy_context().run, self._pass, kind, kept, envelope, own, within)
            if self._deferred.take(job, size):
                return
        self._pass(kind, values, envelope, custom, within)

    def _size(self, values: Mapping[str, Any], custom: Mapping[Any, Any] | None) -> int:
        """Return the characters of an event that is to be redacted later; 0 for one that need not wait."""
        size = characters(custom) if custom else 0
        for value in values.values():
            if type(value) is str:
                size += len(value)
            elif type(value) in (dict, list, tuple):
                size += characters(value)
        return size or 1 if size > LARGE or self.config.custom_redaction_fn is not None else 0

    def _pass(
        self,
        kind: type[AgentEvent],
        values: Mapping[str, Any],
        envelope: Mapping[str, Any],
        custom: Mapping[Any, Any] | None,
        within: str | None,
    ) -> None:
        wire: WireEvent = {"event_type": event_type(kind), **envelope}
        wire["event_properties"] = self.gate.properties(kind, values, custom)
        final = wire if self.config.before_send is None else self._before_send(wire, self.config.before_send)
        if final is None:
            self.dropped["before_send"] += 1
            return
        for sink in self.also:
            self._hand(sink, final, within)
        for sink in self.sinks:
            self._hand(sink, final, within)

    def flush(self) -> FlushResult:
        """Begin to deliver everything submitted so far."""
        if self._deferred is not None and self._deferred.waiting:
            return FlushResult([self._deferred.then(self._flush_sinks)], self.counts)
        return self._flush_sinks()

    def close(self, timeout: float) -> None:
        """Close the sinks, within ``timeout`` seconds where they can wait."""
        deadline = time.monotonic() + timeout
        if self._deferred is not None:
            self._deferred.begin_to_finish(deadline)
        for sink in (*self.sinks, *self.also):
            with shielded("close"):
                sink.close(max(0.0, deadline - time.monotonic()))

    def counts(self) -> Counts:
        """Say how many events arrived, are pending and are lost, by the sink that delivers."""
        counts = self.sinks[-1].counts() if self.sinks else Counts(0, 0, 0)
        if self._deferred is not None and self._deferred.waiting:
            return counts._replace(pending=counts.pending + self._deferred.waiting)
        return counts

    def status(self) -> dict[str, Any]:
        """Return what is known of delivery, by the sink that delivers, for people to read."""
        told = getattr(self.sinks[-1], "status", None) if self.sinks else None
        if told is None:
            return {}
        return {**told(), "waiting_for_redaction": self._deferred.waiting if self._deferred else 0}

    def _flush_sinks(self) -> FlushResult:
        results = [sink.flush() for sink in (*self.sinks, *self.also)]
        return results[0] if len(results) == 1 else FlushResult(results, self.counts)

    def _hand(self, sink: Sink, event: WireEvent, within: str | None) -> None:
        try:
            if within is not None and isinstance(sink, PlacingSink):
                sink.send_within(event, within)
            else:
                sink.send(event)
        except Exception as error:  # noqa: BLE001 - a sink that fails must not keep the next from its event
            shield.keep(DELIVERY, error)

    def _keeps(self, session_id: str | None) -> bool:
        """Tell whether a session is of those to keep; every process says the same of it."""
        if not session_id:
            return True
        place = hashlib.blake2b(session_id.encode(), digest_size=8).digest()
        return int.from_bytes(place, "big") < self.config.session_sample_rate * 2**64

    def _before_send(self, wire: WireEvent, hook: Callable[..., Any]) -> WireEvent | None:
        try:
            answer = hook(copy.deepcopy(wire))
        except Exception as error:
            self.dropped["before_send failed"] += 1
            if shield.reraise:
                raise
            shield.note("before_send", error)
            return wire
        if answer is None:
            return None
        if _is_event(answer):
            told = {name: plain(value, _WHOLE) for name, value in answer.items()}
            # By these the server tells events apart and in order; a hook that loses one has not meant to.
            kept = {name: wire[name] for name in _KEPT if type(told.get(name)) is not type(wire[name])}
            return {**told, **kept}
        self.dropped["before_send returned no event"] += 1
        return wire


def _is_event(answer: object) -> bool:
    return (
        isinstance(answer, Mapping)
        and isinstance(answer.get("event_type"), str)
        and isinstance(answer.get("event_properties"), Mapping)
        and bool(answer.get("user_id") or answer.get("device_id"))
    )
