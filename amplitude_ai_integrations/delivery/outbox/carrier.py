"""One request after the other, and what its answer means for each event."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from .backoff import Backoff
from .outbox import Entry, Outbox
from .people import ids_of
from .records import Record
from .saying import Saying
from .transport import ERRORS, Transport
from .verdicts import Kind, Verdict, judge, unreachable

MOST_EVENTS: Final = 200
MOST_BYTES: Final = 900_000  # of events in a request; Amplitude takes less than 1 MB
_THROTTLED: Final = 30.0  # seconds that Amplitude asks to wait
_QUOTA_FIRST: Final = 5.0  # seconds, doubled each time: when the day turns there, nobody here knows
_QUOTA_LONGEST: Final = 3600.0
_ALIVE: Final = 10.0  # seconds for which a server that took something counts as well
_QUICKLY: Final = 0.05
_UNEXPLAINED_LONGEST: Final = 30.0
_REMEMBERED_MS: Final = 7 * 24 * 3600 * 1000  # for so long Amplitude knows an insert id
_TEN_MINUTES: Final = 600.0
_MOST_WORDS: Final = 300  # characters of a reason
_HARDLY_LARGE: Final = 100_000  # bytes
_SECRET: Final = 8  # characters; what is shorter is no key of Amplitude's


@dataclass
class Batch:
    """Events of one request."""

    entries: list[Entry]
    is_large: bool = False
    taken_at: float = field(default_factory=time.monotonic)

    def halves(self) -> tuple[Batch, Batch]:
        """Return it as two."""
        middle = len(self.entries) // 2
        first, second = self.entries[:middle], self.entries[middle:]
        return Batch(first, self.is_large, self.taken_at), Batch(second, self.is_large, self.taken_at)

    def without(self, entries: Sequence[Entry]) -> Batch:
        """Return the rest."""
        gone = {id(record) for _, record in entries}
        return Batch(
            [entry for entry in self.entries if id(entry[1]) not in gone], self.is_large, self.taken_at
        )


class Carrier:
    """Carries events from an outbox to a server; used by one thread at a time."""

    def __init__(self, outbox: Outbox, transport: Transport, api_key: str) -> None:
        self.not_before = 0.0  # on the monotonic clock
        self.failed_at = 0.0
        self.asked_until = 0.0  # by the server, which nobody's hurry overrides
        self.trouble = ""  # why the last request failed
        self._outbox = outbox
        self._transport = transport
        self._key = api_key
        self._head = b'{"api_key":' + json.dumps(api_key).encode() + b',"events":['
        self._batches: deque[Batch] = deque()
        self._backoff = Backoff()
        self._taken_at = 0.0
        self._saying = Saying()
        self._do: dict[Kind, Callable[[Batch, Verdict], None]] = {
            Kind.TAKEN: self._settle,
            Kind.REFUSED: self._part,
            Kind.THROTTLED: self._throttle,
            Kind.TOO_LARGE: self._shrink,
            Kind.UNEXPLAINED: self._search,
            Kind.LATER: self._wait,
            Kind.CLOSED: self._park,
        }

    @property
    def failures(self) -> int:
        """How many requests have failed in a row."""
        return self._backoff.failures

    def carry(self) -> bool:
        """Send one request; tell whether there is reason to send another at once."""
        batch = self._batches.popleft() if self._batches else self._gather()
        if not batch.entries:
            return False
        is_full = len(batch.entries) == MOST_EVENTS or _bytes(batch.entries) > MOST_BYTES // 2
        stale = [entry for entry in batch.entries if self._is_stale(entry[1])]
        if stale:
            self._condemn(stale, 0, "sent seven days ago without an answer")
            batch = batch.without(stale)
        if batch.entries:
            self._send(batch)
        return bool(self._batches) or is_full

    def give_back(self) -> None:
        """Begin anew after the thread that carried has died in the middle of it."""
        self._batches.clear()
        self._transport.close()
        self._outbox.give_back()

    def forget(self) -> None:
        """Begin anew in a forked child: what was being carried is its parent's."""
        self._batches.clear()
        self._transport.abandon()
        self._backoff.reset()
        self.not_before = 0.0
        self.trouble = ""

    def hurry(self) -> None:
        """Try again at once: there is little time left."""
        self._backoff.reset()
        self.not_before = 0.0

    def limit(self, seconds: float) -> None:
        """Let no request take longer."""
        self._transport.timeout = max(0.05, seconds)

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def _gather(self) -> Batch:
        entries: list[Entry] = []
        room = MOST_BYTES
        for segment in self._outbox.sendable():
            most = MOST_EVENTS - len(entries)
            if not most or room <= 0:
                break
            for record in self._outbox.take_next(segment, most, room, at_least_one=not entries):
                entries.append((segment, record))
                room -= len(record.payload) + 1
        return Batch(entries, is_large=room < 0 and len(entries) == 1)

    def _send(self, batch: Batch) -> None:
        try:
            verdict = judge(self._transport.post(self._body(batch), is_large=batch.is_large))
        except ERRORS as error:
            verdict = unreachable(error)
        verdict = replace(verdict, reason=self._fit_to_show(verdict.reason))
        self._do[verdict.kind](batch, verdict)

    def _fit_to_show(self, reason: str) -> str:
        """Return what a server says without the key, which Amplitude repeats, and what moves cursors."""
        if len(self._key) >= _SECRET:
            reason = reason.replace(self._key, "...")
        return "".join(sign if sign.isprintable() else " " for sign in reason[:_MOST_WORDS])

    def _body(self, batch: Batch) -> Iterable[bytes]:
        yield self._head
        yield b",".join(record.payload for _, record in batch.entries)
        yield b'],"options":{"min_id_length":1}}'

    def _settle(self, batch: Batch, verdict: Verdict) -> None:
        """All have arrived."""
        counters = self._outbox.counters
        settled = self._outbox.settle_all(batch.entries)
        own = sum(segment.is_own for segment, _ in settled)
        counters.sent += own
        counters.adopted_sent += len(settled) - own
        for _, record in settled:
            self._tell(record, verdict.status, "sent")
        self._outbox.save()
        self._backoff.reset()
        self._taken_at = time.monotonic()
        self.not_before, self.trouble = 0.0, ""

    def _part(self, batch: Batch, verdict: Verdict) -> None:
        """Those with a fault are dead; the rest is sent again."""
        refused = [entry for index, entry in enumerate(batch.entries) if index in verdict.indexes]
        if not refused:
            self._search(batch, verdict)
            return
        self._condemn(refused, verdict.status, verdict.reason)
        self._again(batch.without(refused))

    def _throttle(self, batch: Batch, verdict: Verdict) -> None:
        """Those of some people wait; the rest is sent again."""
        late = [
            entry
            for index, entry in enumerate(batch.entries)
            if index in verdict.indexes or (not verdict.indexes and _people(entry[1]) & verdict.people)
        ]
        if not late:
            self._wait(batch, verdict)
            return
        seconds = verdict.after or _THROTTLED
        if verdict.is_quota:
            tries = min(record.tries for _, record in late)
            seconds = min(_QUOTA_LONGEST, _QUOTA_FIRST * 2.0 ** min(tries, 20))
        self._put_off(late, seconds)
        self._again(batch.without(late))
        self._say_failing(verdict)

    def _shrink(self, batch: Batch, verdict: Verdict) -> None:
        """Too large: as two, or alone to where more is taken; this batch only, not the next ones."""
        if len(batch.entries) > 1:
            self._again(*batch.halves())
        elif not batch.is_large and self._transport.has_large:
            self._again(Batch(batch.entries, is_large=True))
        elif _bytes(batch.entries) < _HARDLY_LARGE:
            self._search(batch, verdict)  # whoever says so is not well, or is a proxy with a narrow door
        else:
            self._condemn(batch.entries, verdict.status, verdict.reason)

    def _search(self, batch: Batch, verdict: Verdict) -> None:
        """Refused without a reason: halve, until the event at fault stands alone.

        It is given up only when it was refused alone before, and the server took another since: else it is
        the server that is not well, or something before it.
        """
        is_alive = time.monotonic() - self._taken_at < _ALIVE and self._taken_at > 0
        if not is_alive:
            self._fail(verdict, self._backoff.next())
        if len(batch.entries) > 1:
            # Behind other halves: the sooner something is taken, the sooner it is known who is at fault.
            self._batches.extend(reversed(batch.halves()))
            self._pause(_QUICKLY)
            return
        ((_, record),) = batch.entries
        if record.tries and self._taken_at > batch.taken_at:
            self._condemn(batch.entries, verdict.status, verdict.reason)
        else:
            self._put_off(batch.entries, min(_UNEXPLAINED_LONGEST, 2.0 ** min(record.tries, 10)))

    def _wait(self, batch: Batch, verdict: Verdict) -> None:
        """Send the same again after a while."""
        if verdict.is_uncertain:
            batch = self._noting_tried(batch)
        self._outbox.counters.retried += len(batch.entries)
        self._again(batch)
        self._heed(verdict)
        self._fail(verdict, max(self._backoff.next(), verdict.after or 0.0))

    def _heed(self, verdict: Verdict) -> None:
        if verdict.after:
            self.asked_until = time.monotonic() + verdict.after

    def _park(self, batch: Batch, verdict: Verdict) -> None:
        """Keep everything until somebody has mended the key, the address, or what stands between."""
        self.trouble = verdict.reason
        if verdict.is_key and self._outbox.tell is not None:
            for record in self._outbox.untold():
                self._tell(record, verdict.status, f"{verdict.reason}; kept, and sent once the key is good")
            for taken in (batch, *self._batches):
                taken.entries = [(it, record._replace(is_told=True)) for it, record in taken.entries]
        self._outbox.counters.retried += len(batch.entries)
        self._again(batch)
        self._heed(verdict)
        self.failed_at = time.monotonic()
        self._pause(max(self._backoff.next(is_parked=True), verdict.after or 0.0))
        self._saying.say(
            "parked",
            logging.ERROR,
            "%s refuses all events (%s). Check the API key, AMPLITUDE_AI_SERVER_ZONE and "
            "AMPLITUDE_AI_SERVER_URL; the events are kept until then.",
            self._transport.server,
            verdict.reason,
            every=_TEN_MINUTES,
        )

    def _again(self, *batches: Batch) -> None:
        self._batches.extendleft(batch for batch in reversed(batches) if batch.entries)

    def _put_off(self, entries: list[Entry], seconds: float) -> None:
        self._outbox.counters.retried += len(entries)
        stuck = self._outbox.put_off(entries, seconds)
        self._outbox.save()
        if stuck:
            self._again(Batch(stuck))
            self._pause(min(seconds, _THROTTLED))

    def _condemn(self, entries: Sequence[Entry], status: int, reason: str) -> None:
        for segment, record in entries:
            if self._outbox.settle(segment, record):
                self._outbox.bury(record.payload, reason, status, record.tries + 1, is_own=segment.is_own)
                self._tell(record, status, reason)
        self._outbox.save()
        self._saying.say(
            "dead",
            logging.ERROR,
            "An event was refused for good (%s); `amplitude-ai spool` shows it.",
            reason,
        )

    def _noting_tried(self, batch: Batch) -> Batch:
        """Note when the events may have arrived for the first time."""
        now_ms = time.time_ns() // 1_000_000
        for segment, record in batch.entries:
            segment.note_tried(record.end, now_ms)
        self._outbox.save()
        tried = [(it, record._replace(first_ms=record.first_ms or now_ms)) for it, record in batch.entries]
        return Batch(tried, batch.is_large, batch.taken_at)

    def _is_stale(self, record: Record) -> bool:
        return bool(record.first_ms) and time.time_ns() // 1_000_000 - record.first_ms > _REMEMBERED_MS

    def _tell(self, record: Record, status: int, words: str) -> None:
        if not record.is_told:
            self._outbox.tell_of(record.payload, status, words)

    def _fail(self, verdict: Verdict, seconds: float) -> None:
        self.failed_at = time.monotonic()
        self._pause(seconds)
        self._say_failing(verdict)

    def _pause(self, seconds: float) -> None:
        self.not_before = max(self.not_before, time.monotonic() + seconds)

    def _say_failing(self, verdict: Verdict) -> None:
        self.trouble = verdict.reason
        waiting = self._outbox.counters.waiting
        words = "%s does not take events now (%s); %d wait, and are sent as soon as it does."
        server = self._transport.server
        self._saying.say("failing", logging.WARNING, words, server, verdict.reason, waiting)


def _bytes(entries: Sequence[Entry]) -> int:
    return sum(len(record.payload) for _, record in entries)


def _people(record: Record) -> frozenset[str]:
    ids = ids_of(record.payload)
    return frozenset(str(one) for one in (ids.user_id, ids.device_id) if one)
