"""The end of the process: one hook for all senders, and one limit for all of them together."""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Callable
from typing import Final, Protocol
from weakref import WeakSet

from ...context.forks import in_each_child, notice
from ...exceptions import shielded

AT_EXIT: Final = 1.8  # seconds; the interpreter takes some for itself, and two are promised
IN_MEMORY: Final = 10.0  # seconds, for events that would be lost
_POOLS: Final = ("multiprocessing", "billiard")  # the latter is Celery's
_BEFORE_OTHERS: Final = 100


class Ends(Protocol):
    """Has something to deliver when the process ends, and must begin anew when it is forked."""

    def begin_to_finish(self, deadline: float) -> None:
        """Begin to deliver what can be delivered until ``deadline`` on the monotonic clock."""

    def finish(self) -> None:
        """Wait until that is done."""

    def begin_anew(self) -> None:
        """Forget what is the parent process's."""


_first: WeakSet[Ends] = WeakSet()
_all: WeakSet[Ends] = WeakSet()
_hooks: list[Callable[[], object]] = []


def note(ends: Ends) -> None:
    """Have something finish when the process ends."""
    if not _hooks:
        _hooks.append(atexit.register(_finish_all))
    _all.add(ends)


def note_first(ends: Ends) -> None:
    """Have something finish before the others, to which it adds."""
    _first.add(ends)


def note_worker() -> None:
    """Have this process finish too where it is one of multiprocessing's, which leave without ``atexit``."""
    for name in _POOLS:
        util, process = sys.modules.get(f"{name}.util"), sys.modules.get(f"{name}.process")
        if util is not None and process is not None:
            is_worker = type(process.current_process()).__name__ != "_MainProcess"
            if is_worker:
                util.Finalize(None, _finish_all, exitpriority=_BEFORE_OTHERS)


def _finish_all() -> None:
    notice()
    for one in tuple(_first):  # what these have is in memory only
        with shielded("exit"):
            one.begin_to_finish(time.monotonic() + IN_MEMORY)
            one.finish()
    deadline = time.monotonic() + AT_EXIT
    everyone = tuple(_all)
    for one in everyone:  # all at once, then each in turn, so that one that hangs takes no time of others'
        with shielded("exit"):
            one.begin_to_finish(deadline)
    for one in everyone:
        with shielded("exit"):
            one.finish()


def begin_anew() -> None:
    """Have everything forget what is the parent process's."""
    for one in (*_first, *_all):
        one.begin_anew()


in_each_child(begin_anew)
