"""Where events wait until they are delivered: on disk, or in memory where there is no disk."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from weakref import WeakSet

from ...context.forks import in_each_child, notice
from ...exceptions import logger, shielded
from .counters import Counters
from .deadletters import DeadLetters
from .later import AnySegment, Later
from .memory import MemorySegment
from .records import Record, encode, encode_again
from .saying import Saying
from .segments import LATER, Segment
from .spool import Spool

SEGMENT_BYTES: Final = 4 * 1024 * 1024
MEMORY_BYTES: Final = 8 * 1024 * 1024
_DISK_AGAIN: Final = 5.0  # seconds until a disk that failed is tried again
_ENOUGH: Final = 200  # events that are sent without waiting for more
_MOST_FILES: Final = 48  # that are held at once; a crash loop may leave thousands
_MOST_UNTOLD: Final = 20_000  # dropped events that the callback is still to hear of
_AN_HOUR: Final = 3600.0  # seconds
_TOGETHER: Final = 2.0  # seconds; what is put off until about the same time shares a file

Entry = tuple[AnySegment, Record]
Tell = Callable[[bytes, int, "str | None"], object]
CAP: Final = "spool full"
RING: Final = "memory full"


class Outbox:
    """Takes events from any thread and keeps them, each in the order it came.

    ``append`` may be called from anywhere, also where it is running already: by a signal handler, by an
    object that is collected, by a handler of the log.
    """

    def __init__(self, spool: Spool | None, why_memory: str = "", tell: Tell | None = None) -> None:
        self.spool = spool
        self.why_memory = why_memory
        self.tell = tell
        self._saying = Saying()
        self.dead_letters = DeadLetters(spool.folder) if spool is not None else None
        self.wake: Callable[[bool], None] = lambda _enough: None
        self.begin_anew()
        _all.add(self)

    def begin_anew(self) -> None:
        """Begin with nothing, as a forked child does: what waits is its parent's."""
        for segment in getattr(self, "segments", ()):
            if isinstance(segment, Segment):
                segment.let_go()
        # Held by `with` alone, which nothing comes between that ends a thread or interrupts it.
        self._lock = threading.RLock()
        self._nested: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.segments: list[AnySegment] = []
        self._later = Later(SEGMENT_BYTES, MEMORY_BYTES)
        self._active: Segment | None = None
        self._memory: MemorySegment | None = None
        self._left: set[Path] = set()  # own files that were let go of with events in them
        self.is_full = False  # more may be left than was taken over
        self._disk_at = 0.0
        self._unsaid = ""
        self._dropped: list[Record] = []
        self._untold: deque[bytes] = deque(maxlen=_MOST_UNTOLD)
        self.counters = Counters()
        self._unwoken = 0

    def append(self, payload: bytes, *, is_taken: bool = False) -> Entry | None:
        """Keep one event, given as JSON.

        ``is_taken`` where the caller delivers it, and settles what is returned: ``None`` where others that
        came before wait for the sender, which then delivers this one too.
        """
        notice()
        if self.is_inside:
            self._nested.put(payload)
            return None
        entry = None
        while True:
            with self._lock:
                segment, start = self._keep(encode(payload))
                self.counters.appended += 1
                if is_taken and segment.taken == start:
                    entry = (segment, segment.take_last(start, payload))
            if self._dropped or self._unsaid:
                self._say_trouble()
            nested = self._next_nested()
            if nested is None:
                break
            payload, is_taken = nested, False
        self._unwoken += 1
        is_enough = self._unwoken >= _ENOUGH
        if is_enough:
            self._unwoken = 0
        self.wake(is_enough)
        return entry

    def drain_nested(self) -> None:
        """Keep what was put aside by an append that was killed before it came to it."""
        while (payload := self._next_nested()) is not None:
            self.append(payload)

    def _next_nested(self) -> bytes | None:
        if self._nested.empty():  # as nearly always; an exception each time would be felt
            return None
        try:
            return self._nested.get_nowait()  # another thread may just have taken the last one
        except queue.Empty:
            return None

    def sendable(self) -> list[AnySegment]:
        """Return what may be sent now, oldest first."""
        now = time.monotonic()
        with self._lock:
            self.segments[:0] = self._later.take_due(now)
            return list(self.segments)

    def bring_forward(self) -> None:
        """Let what was put off be sent now."""
        with self._lock:
            self._later.bring_forward()

    def next_due(self) -> float | None:
        """Return when the next of what was put off may be sent, on the monotonic clock."""
        return self._later.next_due()

    def take_next(
        self, segment: AnySegment, most: int, most_bytes: int, *, at_least_one: bool
    ) -> list[Record]:
        """Take records of a segment to be sent."""
        if isinstance(segment, MemorySegment):
            with self._lock:
                return segment.take_next(most, most_bytes, at_least_one=at_least_one)
        before, begin = segment.bad, segment.taken
        try:
            found, end = segment.read_next(most, most_bytes, at_least_one=at_least_one)
        except OSError as error:  # what is in it is left to a process for which the disk works
            if segment.fd >= 0:  # else it was let go of meanwhile
                logger.warning("%s cannot be read (%s); it is left as it is.", segment.path, error)
            self._leave(segment)
            return []
        with self._lock:
            if segment.taken != begin:  # meanwhile it was dropped to make room, or an append took its own
                return []
            segment.take_all(found, end)
            self.counters.bad += segment.bad - before
        return found

    def settle(self, segment: AnySegment, record: Record) -> bool:
        """Note that a record needs nothing more; tell whether it was not settled before."""
        with self._lock:
            return segment.settle(record.start)

    def settle_all(self, entries: list[Entry]) -> list[Entry]:
        """Note that records need nothing more; return those that were not settled before."""
        with self._lock:
            return [entry for entry in entries if entry[0].settle(entry[1].start)]

    def put_off(self, entries: list[Entry], seconds: float) -> list[Entry]:
        """Move records to where they wait for a time without holding up others; return those that cannot be
        moved, since the disk that has them takes nothing more.
        """
        at = time.monotonic() + seconds
        stuck = []
        with self._lock:
            near = max(_TOGETHER, seconds / 4)  # else a long wait would open a file every two seconds
            targets = {is_own: self._later.near(at, near, is_own=is_own) for is_own in (True, False)}
            for segment, record in entries:
                line = encode_again(record.payload, record.tries + 1, record.first_ms, record.is_told)
                is_own = segment.is_own
                target = self._put(targets[is_own], line, at, is_own=is_own, segment=segment)
                if target is None:
                    stuck.append((segment, record))
                    continue
                targets[is_own] = target
                segment.settle(record.start)
        if self._dropped:
            self._say_trouble()
        return stuck

    def save(self) -> None:
        """Write down what is settled, and give its space back."""
        with self._lock:
            for segment in (*self.segments, *self._later.segments):
                self._save(segment)

    def adopt(self) -> int:
        """Take over what ended processes have left; return how many events."""
        if self.spool is None:
            return 0
        held = {segment.path for segment in self._files()}
        events = found = 0
        self._left = {path for path in self._left if path.exists()}
        self.is_full = len(held) >= _MOST_FILES
        if self.is_full:
            return 0
        for segment in self.spool.orphans(held):
            try:
                waiting = segment.waiting()
            except OSError:  # the disk fails
                continue
            if not waiting:
                self.take_next(segment, 1, 1, at_least_one=True)  # counts what is torn in it
                segment.remove()
                segment.let_go()
                continue
            segment.is_own = segment.path in self._left
            with self._lock:
                self.segments.insert(found, segment)
            found += 1
            if not segment.is_own:
                events += waiting
                self.counters.adopted += waiting
            if len(held) + found >= _MOST_FILES:
                self.is_full = True
                break
        return events

    def renew_lost(self) -> None:
        """Begin a new segment where somebody has removed the one that is written to."""
        active = self._active
        if active is not None and not active.is_in_place():
            with self._lock:
                self._active = None

    def give_back(self) -> None:
        """Have everything that was taken and not settled be taken again, for its taker has died."""
        with self._lock:
            for segment in self.segments:
                segment.give_back()

    def close(self) -> None:
        """Let go of the files: what is left in them is for the next process, or for the next event."""
        with self._lock:
            for segment in self._files():
                if segment.is_done:
                    segment.remove()
                elif segment.is_own:
                    self._left.add(segment.path)
                segment.let_go()
            memory = self._memory
            self.segments = [memory] if memory is not None and not memory.is_done else []
            self._later.forget_files()
            self._active = None

    def untold(self) -> Iterator[Record]:
        """Yield the records that the callback has not had, and count them as told."""
        for segment in tuple(self.segments):
            with self._lock:
                records = segment.untold()
            yield from records

    def marks(self) -> list[tuple[AnySegment, int, int]]:
        """Return how far the outbox is filled now; see ``is_settled``."""
        with self._lock:
            due = self._later.brought_forward
            return [(it, it.round, it.size) for it in (*self.segments, *due) if not it.is_done]

    def is_settled(self, marks: list[tuple[AnySegment, int, int]]) -> bool:
        """Tell whether all that was there at a time is delivered, dead, or put off."""
        return all(segment.round != turn or segment.settled >= size for segment, turn, size in marks)

    @property
    def has_left(self) -> bool:
        """Whether files of this process's own were let go of with events in them."""
        return bool(self._left)

    @property
    def is_inside(self) -> bool:
        """Whether this thread is in the middle of something here, which a signal handler has interrupted."""
        return self._lock._is_owned()  # type: ignore[attr-defined, no-any-return]

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._later.segments and all(segment.is_done for segment in tuple(self.segments))

    @property
    def is_durable(self) -> bool:
        """Whether what waits outlives the process."""
        return self.spool is not None and all(isinstance(it, Segment) or it.is_done for it in self.segments)

    def has_ready(self, now: float) -> bool:
        """Tell whether there is something to send at ``now`` on the monotonic clock."""
        due = self._later.next_due()
        return any(not it.is_done for it in tuple(self.segments)) or (due is not None and due <= now)

    @property
    def oldest(self) -> float:
        """The age in seconds of the segment part that has waited longest; 0 where nothing waits."""
        waiting = [it.began for it in (*self.segments, *self._later.segments) if not it.is_done]
        return time.monotonic() - min(waiting) if waiting else 0.0

    def _keep(self, line: bytes) -> tuple[AnySegment, int]:
        """Write a record where it can be written, and return where that is."""
        now = 0.0
        if self.spool is not None and (not self._disk_at or self._disk_at <= (now := time.monotonic())):
            try:
                active = self._active or self._begin_segment()
                start = active.append(line)
            except OSError as error:
                self._disk_at = (now or time.monotonic()) + _DISK_AGAIN
                self.why_memory = self._unsaid = f"{error.strerror or error}"
            else:
                if self._disk_at:
                    self._disk_at, self.why_memory = 0.0, ""
                if active.size > SEGMENT_BYTES:
                    self._turn_over()
                return active, start
        return self._keep_in_memory(line)

    def _begin_segment(self) -> Segment:
        assert self.spool is not None  # noqa: S101 - looked at by the caller
        segment = self.spool.create()
        self.segments.append(segment)  # first: an interrupt may come between
        self._active = segment
        self.why_memory = ""
        return segment

    def _turn_over(self) -> None:
        """Go on in a new segment."""
        self._active = None
        self._make_room()

    def _make_room(self) -> None:
        """Drop the oldest segments until the rest is within bounds."""
        assert self.spool is not None  # noqa: S101 - asked only where there are files
        used = self.spool.used()
        while used > self.spool.most_bytes:
            files = [segment for segment in self._files() if segment is not self._active]
            if len(files) < 2:  # the newest is kept, whatever others take
                break
            oldest = min(files, key=lambda it: it.path.name)
            self._drop(CAP, oldest.left(), is_own=oldest.is_own)
            oldest.taken = oldest.size
            used -= oldest.size
            self._discard(oldest)

    def _keep_in_memory(self, line: bytes) -> tuple[AnySegment, int]:
        memory = self._memory
        if memory is None:
            memory = self._memory = MemorySegment(MEMORY_BYTES)
        if memory not in self.segments:
            self.segments.append(memory)
        start = memory.size
        self._drop(RING, memory.append(line))
        return memory, start

    def _drop(self, why: str, records: list[Record], *, is_own: bool = True) -> None:
        if records:
            (self.counters.dropped if is_own else self.counters.adopted_dropped)[why] += len(records)
            self._dropped += records

    def _say_trouble(self) -> None:
        """Say what went wrong while the lock was held."""
        reason, self._unsaid = self._unsaid, ""
        if reason:
            words = "Events wait in memory, at most %d MB: %s (%s). Set AMPLITUDE_AI_SPOOL to another folder."
            folder = self.spool.folder.parent if self.spool is not None else None
            self._saying.say(
                "memory", logging.WARNING, words, MEMORY_BYTES >> 20, reason, folder, every=_AN_HOUR
            )
        with self._lock:
            dropped, self._dropped = self._dropped, []
        if dropped:
            words = "Too many events wait; the oldest are dropped. status() counts them."
            self._saying.say("dropped", logging.ERROR, words)
        if self.tell is not None:  # by the sender: what a callback does must not hold up whoever tracks
            self._untold.extend(record.payload for record in dropped if not record.is_told)

    def tell_dropped(self) -> None:
        """Tell the callback of the events that had to make room."""
        while self._untold:
            self.tell_of(self._untold.popleft(), 0, "dropped: too many events wait")

    def tell_of(self, payload: bytes, code: int, words: str) -> None:
        """Tell the callback, if there is one, what became of an event."""
        if self.tell is not None:
            with (
                suppress(SystemExit),
                shielded("on_event_callback"),
            ):  # it would end one thread
                self.tell(payload, code, words)

    def _put(
        self, target: AnySegment | None, line: bytes, at: float, *, is_own: bool, segment: AnySegment
    ) -> AnySegment | None:
        if target is None and self.spool is not None:
            try:
                target = self.spool.create(LATER)
                target.is_own = is_own
                self._later.add(at, target)
                self._make_room()
            except OSError:  # the caller keeps what cannot be put off
                pass
        if isinstance(target, Segment):
            try:
                target.append(line)
            except OSError:
                target = None
            else:
                return target
        if target is None:
            if isinstance(segment, Segment):
                return None
            target = self._later.ring(at, is_own=is_own)
        self._drop(RING, target.append(line), is_own=is_own)
        return target

    def refuse(self, payload: bytes, reason: str) -> None:
        """Let an event be dead that cannot be sent at all."""
        self.counters.appended += 1
        self.bury(payload, reason, 0, 0, is_own=True)
        self.tell_of(payload, 0, reason)

    def bury(self, payload: bytes, reason: str, status: int, attempts: int, *, is_own: bool) -> None:
        """Keep an event among the dead."""
        (self.counters.dead if is_own else self.counters.adopted_dead)[_short(reason)] += 1
        if self.dead_letters is None:
            return
        try:
            self.dead_letters.add(payload, reason, status, attempts)
        except OSError as error:
            logger.debug("A dead letter cannot be written: %s", error)

    def _save(self, segment: AnySegment) -> None:
        if not isinstance(segment, Segment):
            if segment.is_done and segment is not self._memory and segment in self.segments:
                self.segments.remove(segment)
            return
        try:
            if not segment.is_done:
                segment.save()
            elif segment is self._active:
                segment.empty()
            else:
                self._discard(segment)
        except OSError:  # what is settled may be sent again, which its insert id tells
            pass

    def _discard(self, segment: Segment) -> None:
        if segment in self.segments:
            self.segments.remove(segment)
        self._later.forget(segment)
        segment.remove()

    def _leave(self, segment: Segment) -> None:
        with self._lock:
            if segment in self.segments:
                self.segments.remove(segment)
            if segment is self._active:
                self._active = None

    def _files(self) -> list[Segment]:
        every = (*self.segments, *self._later.segments)
        return [segment for segment in every if isinstance(segment, Segment)]


_all: WeakSet[Outbox] = WeakSet()


def _begin_anew() -> None:
    for outbox in tuple(_all):
        outbox.begin_anew()


in_each_child(_begin_anew)


def _short(reason: str) -> str:
    """Return a reason without what is different each time, to count by."""
    return reason.partition("(")[0].strip()[:80]
