"""From an event as it was told to an event as it leaves."""

from __future__ import annotations

import copy
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..config import AIConfig
from ..exceptions import DELIVERY, shield, shielded
from ..privacy.gate import Gate
from ..schema.base import AgentEvent
from ..schema.catalog import event_type
from ..schema.values import plain
from .flush import Counts, FlushResult
from .sinks import Sink, WireEvent

_KEPT = ("insert_id", "time")
_WHOLE = 100_000_000  # characters: what a hook returns is made plain JSON, not shortened


class Pipeline:
    """Strips, redacts and bounds an event, lets ``before_send`` see it, and hands it to the sinks."""

    def __init__(self, config: AIConfig, sinks: Sequence[Sink]) -> None:
        self.config = config
        self.gate = Gate(config)
        self.sinks = tuple(sinks)
        self.dropped: Counter[str] = Counter()

    def submit(
        self,
        kind: type[AgentEvent],
        values: Mapping[str, Any],
        envelope: Mapping[str, Any],
        custom: Mapping[Any, Any] | None = None,
    ) -> None:
        """Send one event: its fields by name, what stands around them in Amplitude's own terms
        (``insert_id``, ``time`` in ms since the epoch, ``user_id`` and so on), and the caller's properties.
        """
        config = self.config
        if config.session_sample_rate < 1 and not self._keeps(values.get("session_id")):
            self.dropped["session_sample_rate"] += 1
            return
        wire: WireEvent = {"event_type": event_type(kind), **envelope}
        wire["event_properties"] = self.gate.properties(kind, values, custom)
        final = wire if config.before_send is None else self._before_send(wire, config.before_send)
        if final is None:
            self.dropped["before_send"] += 1
            return
        for sink in self.sinks:
            self._hand(sink, final)

    def flush(self) -> FlushResult:
        """Begin to deliver everything submitted so far."""
        results = [sink.flush() for sink in self.sinks]
        return results[0] if len(results) == 1 else FlushResult(results, self.counts)

    def close(self) -> None:
        """Close the sinks."""
        for sink in self.sinks:
            with shielded("close"):
                sink.close()

    def counts(self) -> Counts:
        """Say how many events arrived, are pending and are lost, by the sink that delivers."""
        return self.sinks[-1].counts() if self.sinks else Counts(0, 0, 0)

    def _hand(self, sink: Sink, event: WireEvent) -> None:
        try:
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
