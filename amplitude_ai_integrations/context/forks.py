"""What begins anew in a forked child, also where nobody tells Python of the fork."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

Hook = Callable[[], object]

_hooks: list[Hook] = []
_pid = os.getpid()


def in_each_child(hook: Hook) -> None:
    """Call ``hook`` in each forked child, in the order in which hooks were given."""
    _hooks.append(hook)


def notice() -> None:
    """Begin anew if this process was forked unnoticed: uWSGI forks in C, and Python's hooks do not run."""
    if _pid != os.getpid():
        _begin_anew()


def _begin_anew() -> None:
    global _pid  # noqa: PLW0603 - a process's own, and a fork is another process
    _pid = os.getpid()
    for hook in _hooks:
        hook()


def _watch_uwsgi() -> None:
    # https://uwsgi-docs.readthedocs.io/en/latest/PythonDecorators.html#uwsgidecorators.postfork
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is None:
        return
    theirs = getattr(uwsgi, "post_fork_hook", None)

    def after_fork() -> None:
        notice()
        if theirs is not None:
            theirs()

    uwsgi.post_fork_hook = after_fork


class Guarded:
    """Has a lock of its own, ``_lock``, and a new one in each forked child."""

    def __init__(self) -> None:
        self._lock: Any = threading.RLock()
        _holders.add(self)


_holders: WeakSet[Guarded] = WeakSet()


def _renew() -> None:
    for holder in tuple(_holders):
        holder._lock = threading.RLock()


in_each_child(_renew)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
_watch_uwsgi()
