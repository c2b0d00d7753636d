"""What ``flush()`` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, NamedTuple


class Counts(NamedTuple):
    """How many events of this process have arrived, are on their way, and will not arrive."""

    delivered: int
    pending: int
    dead: int


class FlushResult(Future[None], list["Future[Any]"]):
    """The list of futures that older code iterates over, and itself a future of them all.

    ``.result()`` waits for what was pending; ``await asyncio.wrap_future(result)`` does so without
    blocking the loop. ``delivered``, ``pending`` and ``dead`` count events as they stand when asked.
    """

    __hash__ = object.__hash__  # type: ignore[assignment]  # a future is told apart by identity

    def __init__(self, parts: Iterable[Future[Any] | None], counts: Callable[[], Counts]) -> None:
        Future.__init__(self)
        list.__init__(self, [part for part in parts if part is not None])
        self._counts = counts
        self._open = len(self)
        if not self._open:
            self.set_result(None)
        for part in self:
            part.add_done_callback(self._part_done)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"FlushResult({self._counts()})"

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

    def _part_done(self, _part: Future[Any]) -> None:
        self._open -= 1
        if self._open == 0:
            self.set_result(None)
