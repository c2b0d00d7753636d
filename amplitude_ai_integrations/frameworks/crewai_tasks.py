"""Runs that are told to stop: CrewAI says nothing of them, but asyncio does."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ..exceptions import shielded
from ..runs.run import Kind, Run
from .crewai_notes import notes_of

_Task = asyncio.Task[Any]
_task: ContextVar[weakref.ref[_Task] | None] = ContextVar("amplitude_ai_crewai_task", default=None)


class Tasks:
    """Knows which runs were begun in which of the host's tasks, and ends them when one is cancelled."""

    def __init__(self, stopped: Callable[[Run], None]) -> None:
        self._stopped = stopped
        self._runs: weakref.WeakKeyDictionary[_Task, list[Run]] = weakref.WeakKeyDictionary()

    def enter(self) -> None:
        """Something is kicked off here, in the host's own place."""
        task = _current()
        if task is None:
            return
        _task.set(weakref.ref(task))
        if task not in self._runs:
            self._runs[task] = []
            task.add_done_callback(self._done)

    def begun(self, run: Run) -> None:
        """A run begins; what is told of it carries the context of the place where it did."""
        notes, above = notes_of(run), notes_of(run.parent)
        known = _task.get()
        task = known() if known is not None else None
        runs = self._runs.get(task) if task is not None else None
        if notes is None or runs is None:
            return
        notes.task = task
        if above is not None and above.task is task:
            return
        if run.kind is Kind.HIDDEN and run.parent is not None and run.parent.kind is Kind.AGENT:
            run = run.parent  # whose work CrewAI's own flow is
        runs[:] = [other for other in runs if other.root.open]
        runs.append(run)

    def _done(self, task: _Task) -> None:
        with shielded("crewai"):
            for run in self._runs.pop(task, ()):
                if task.cancelled():
                    self._stopped(run)


def _current() -> _Task | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs here
        return None
