"""Sends what ended processes have left, and dead letters again, while somebody waits for it."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from contextlib import suppress
from typing import Any, Final, NamedTuple

from ...config import AIConfig
from .carrier import Carrier
from .deadletters import DeadLetter
from .deadletters import _read as read_letter
from .keeping import Destination
from .outbox import SEGMENT_BYTES, Outbox
from .records import encode_again
from .segments import Segment
from .sifting import sift
from .spool import Spool
from .transport import TIMEOUT, Transport, endpoints

_LEAST_WAIT: Final = 0.01  # seconds
_GLANCE: Final = 0.05  # seconds for which somebody who looks at a file may hold it


class Replayed(NamedTuple):
    """What became of events."""

    delivered: int
    refused: Counter[str]  # dead letters now, by reason
    left: int
    held: int  # in files of living processes, which send them
    unknown: int  # files of a later version of this package
    trouble: str  # why the last request failed


def replay(place: Destination, api_key: str, config: AIConfig, *, dead: bool, patience: float) -> Replayed:
    """Send what no living process holds until none is left, or none arrives for ``patience`` seconds.

    Raises:
        OSError: The dead letters cannot be put back; they are as they were.
    """
    if dead:
        put_back(place)
    outbox = Outbox(place.spool)
    url, large_url = endpoints(config)
    carrier = Carrier(outbox, Transport(url, large_url), api_key)
    try:
        _carry(outbox, carrier, patience)
    finally:
        outbox.save()
        carrier.close()
        outbox.close()
    found = place.summary()
    counters = outbox.counters
    return Replayed(
        counters.adopted_sent,
        counters.adopted_dead,
        found.events - found.held_events,
        found.held_events,
        found.unknown,
        carrier.trouble,
    )


def put_back(place: Destination) -> int:
    """Let dead letters wait again, each once, and return how many.

    Raises:
        OSError: They cannot be written; all are dead letters still.
    """
    back = _Back(place.spool)
    try:
        sift(place.folder, back.keep, back.secure)
    finally:
        back.end()
    return back.count


def _carry(outbox: Outbox, carrier: Carrier, patience: float) -> None:
    done = 0
    deadline = time.monotonic() + patience
    while _has_more(outbox):
        now = time.monotonic()
        if now >= deadline:
            return
        due = outbox.next_due()
        ready_at = now if outbox.has_ready(now) else due or now
        if (wait := max(carrier.not_before, ready_at) - now) > 0:
            time.sleep(min(wait, deadline - now))
            continue
        carrier.limit(min(TIMEOUT, patience))
        carrier.carry()
        outbox.save()
        counters = outbox.counters
        if (so_far := counters.adopted_sent + counters.adopted_dead.total()) > done:
            done = so_far
            deadline = time.monotonic() + patience
        else:
            time.sleep(_LEAST_WAIT)


def _has_more(outbox: Outbox) -> bool:
    if outbox.adopt() or not outbox.is_empty:
        return True
    time.sleep(_GLANCE)
    return bool(outbox.adopt())


class _Back:
    """Segments that dead letters are written to, held until all of them are safe."""

    def __init__(self, spool: Spool) -> None:
        self.count = 0
        self._spool = spool
        self._segments: list[Segment] = []
        self._seen: set[bytes] = set()
        self._is_safe = False

    def keep(self, line: bytes) -> bool:
        """Take a letter, and tell whether it stays what it is since it cannot be sent."""
        letter = read_letter(line)
        if letter is None or not isinstance(letter.event, dict):
            return True
        payload = _payload(letter)
        if letter.event.get("insert_id") and payload in self._seen:  # left twice by a replay that was killed
            return False
        self._seen.add(payload)
        if not self._segments or self._segments[-1].size > SEGMENT_BYTES:
            self._segments.append(self._spool.create())
        # Its callback was called when it was given up.
        self._segments[-1].append(encode_again(payload, 0, 0, is_told=True))
        self.count += 1
        return False

    def secure(self) -> None:
        """Have everything on the disk itself."""
        for segment in self._segments:
            os.fsync(segment.fd)
        self._is_safe = True

    def end(self) -> None:
        """Let them be adopted; where not all of them got that far, the letters are where they were."""
        for segment in self._segments:
            if not self._is_safe:
                segment.remove()
            segment.let_go()


def _payload(letter: DeadLetter) -> bytes:
    parts: dict[str, Any] = {"separators": (",", ":")}
    with suppress(UnicodeEncodeError):  # half a character
        return json.dumps(letter.event, ensure_ascii=False, **parts).encode()
    return json.dumps(letter.event, **parts).encode()
