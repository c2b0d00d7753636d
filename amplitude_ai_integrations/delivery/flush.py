"""What ``flush()`` returns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Final, NamedTuple

_ROUNDS = 8  # tries in all; the waits between them add up to about three seconds
_FIRST_WAIT = 0.025  # seconds, doubled each round

FLUSH_SECONDS: Final = 10.0  # after which a flush is over, delivered or not
SHUTDOWN_SECONDS: Final = 5.0

Parts = Iterable["Future[Any] | None"]


class Counts(NamedTuple):
    """How many events of this process have arrived, are on their way, and will not arrive."""

    delivered: int
    pending: int
    dead: int


class FlushResult(Future[None], list["Future[Any]"]):
    """The list of futures that older code iterates over, and itself a future of them all.

    ``.result()`` waits for what was pending; ``await asyncio.wrap_future(result)`` does so without
    blocking the loop. ``delivered``, ``pending`` and ``dead`` count events as they stand when asked.

    ``again`` flushes once more: the official client calls a batch done that it has only put back, too
    large or refused for now. It is tried a few times; what is left after that stays pending.
    """

    __hash__ = object.__hash__  # type: ignore[assignment]  # a future is told apart by identity

    def __init__(
        self, parts: Parts, counts: Callable[[], Counts], again: Callable[[], Parts] | None = None
    ) -> None:
        Future.__init__(self)
        list.__init__(self, _given(parts))
        self._counts = counts
        self._again = again
        self._round = 1
        self._await(list(self))

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"FlushResult({self._counts()})"

    def cancel(self) -> bool:
        """Refuse: whoever gives up waiting does not stop the delivery, for which others may wait too."""
        return False

    @property
    def delivered(self) -> int:
        """Events the server took."""
        return self._counts().delivered

    @property
    def pending(self) -> int:
        """Events still on their way."""
        return self._counts().pending

    @property
    def dead(self) -> int:
        """Events the server refused for good."""
        return self._counts().dead

    def _await(self, parts: list[Future[Any]]) -> None:
        self._open = len(parts)
        if not parts:
            self._parts_done()
        for part in parts:
            part.add_done_callback(self._part_done)

    def _part_done(self, _part: Future[Any]) -> None:
        self._open -= 1
        if not self._open:
            self._parts_done()

    def _parts_done(self) -> None:
        if self._again is None or not self._counts().pending:
            self.set_result(None)
            return
        # Waiting is for a thread of its own: this may be the caller's, or the client's only free one.
        thread = threading.Thread(target=self._await_rest, name="amplitude-ai-flush", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending
            self.set_result(None)

    def _await_rest(self) -> None:
        # Where nothing is handed out though events are pending, the client is sending them.
        while self._again is not None and self._round < _ROUNDS and self._counts().pending:
            time.sleep(_FIRST_WAIT * 2 ** (self._round - 1))
            self._round += 1
            try:
                parts = _given(self._again())
            except RuntimeError:  # the client was shut down meanwhile
                break
            if parts:
                self._await(parts)
                return
        self.set_result(None)


def _given(parts: Parts) -> list[Future[Any]]:
    return [part for part in parts if part is not None]
