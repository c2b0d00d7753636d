"""What is patched in this process now, and the way back."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable
from functools import cache
from itertools import count
from typing import Final, NamedTuple

from .. import registry
from ..calls.replacing import Undo
from ..calls.reporting import Reporting
from ..client.active import silent_client
from ..context.forks import Guarded
from ..exceptions import ProviderError, logger
from .ways import Way, find, go

_MOST_KEPT: Final = 1_000


class _Patch(NamedTuple):
    """A way that was gone: where its clients report to, and the numbered steps back."""

    reporting: Reporting
    steps: list[tuple[int, Undo]]


class Patches(Guarded):
    """The ways that were gone, each once.

    What another tool has since put over ours cannot be taken away from below it. Ours then lets every call
    through untouched, and is gone with the next ``take_back`` after the other tool has left.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now: dict[Way, _Patch] = {}
        self._below: deque[tuple[int, Undo]] = deque(maxlen=_MOST_KEPT)
        self._numbers = count()

    def put(self, way: Way, reporting: Reporting) -> None:
        """Observe all clients of a way's classes; if they are already, only change where they report to.

        Raises:
            ProviderError: As ``find`` and ``go``.
        """
        with self._lock:
            put = None if way in self._now else find(way)  # imports the vendor, which may bring this here
            if put is None or way in self._now:
                _redirect(self._now[way].reporting, reporting)
                return
            own = copy.copy(reporting)
            try:
                undos = go(way, put, own)
            except ProviderError:
                _silence(own)  # half the way may have been gone
                raise
            self._now[way] = _Patch(own, [(next(self._numbers), undo) for undo in undos])
            registry.note_observed(way.provider)

    def put_what_can_be(self, ways: Iterable[Way], reporting: Reporting) -> bool:
        """Go the ways that can be gone, say once why others cannot, and tell whether one could."""
        return True in [self._can_put(way, reporting) for way in ways]  # all of them, not up to the first

    def _can_put(self, way: Way, reporting: Reporting) -> bool:
        try:
            self.put(way, reporting)
        except ProviderError as error:
            _say_once(str(error))
            return False
        return True

    def take_back(self, ways: Iterable[Way]) -> None:
        """Go back, the last step first."""
        with self._lock:
            for way in ways:
                patch = self._now.pop(way, None)
                if patch is not None:
                    _silence(patch.reporting)
                    self._below.extend(patch.steps)
                    registry.forget_observed(way.provider)
            for _number, undo in sorted(self._below, key=lambda step: step[0], reverse=True):
                undo()


def _redirect(reporting: Reporting, there: Reporting) -> None:
    vars(reporting).update(vars(there))  # all of it at once: other threads are making calls


def _silence(reporting: Reporting) -> None:
    _redirect(reporting, Reporting(silent_client()))


@cache
def _say_once(words: str) -> None:
    logger.warning("patch(): %s", words)


patches: Final = Patches()
