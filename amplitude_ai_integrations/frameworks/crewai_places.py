"""What is part of what, and what ends, also where CrewAI's own word of it is wrong.

CrewAI keeps a stack of what is under way. A model call that fails is told twice, and takes more from the
stack than itself: from then on, events name what is further out.
"""

from __future__ import annotations

from typing import Any

from crewai.events.event_context import VALID_EVENT_PAIRS

from ..calls.facts import peek
from ..context.recent import Recent
from ..runs.run import Kind, Run
from ..runs.tree import RunTree
from .crewai_notes import notes_of


class Places:
    """Where in a tree of runs CrewAI's events belong."""

    def __init__(self, tree: RunTree) -> None:
        self._tree = tree
        self._runs: Recent[tuple[str, object], object] = Recent()
        self._of_source: Recent[tuple[str, int], list[Run]] = Recent()

    def begun(self, run: Run, source: Any, event: Any) -> None:
        """Remember whose run this is."""
        own = (event.type, id(source))
        before = self._of_source.get(own) or ()
        self._of_source.put(own, [*(other for other in before if self._is_open(other)), run])
        if event.type == "crew_kickoff_started":
            for task in peek(source, "tasks") or ():
                self._runs.put(("crew of task", str(task.id)), run.id)
        elif event.type == "task_started":
            self._runs.put(("task", str(peek(source, "id"))), run.id)
        elif run.kind is Kind.AGENT:
            self._runs.put(("agent", str(peek(source, "id"))), run.id)

    def parent(self, source: Any, event: Any) -> object:
        """Return which run something that begins is part of."""
        said, known = self._tree.get(event.parent_event_id), self._tree.get(self._known(source, event))
        if known is None or said is None:
            return event.parent_event_id if known is None else known.id
        return known.id if _is_inside(known, said) else said.id

    def ending(self, source: Any, event: Any) -> Run | None:
        """Return what ends."""
        begun = VALID_EVENT_PAIRS.get(event.type, "")
        said = self._tree.get(event.started_event_id)
        if said is not None and _began_with(said) == begun:
            return said
        of_source = reversed(self._of_source.get((begun, id(source))) or ())
        return next((run for run in of_source if self._is_open(run)), None)

    def _is_open(self, run: Run) -> bool:
        return self._tree.get(run.id) is run

    def _known(self, source: Any, event: Any) -> object:
        if event.type == "task_started":
            return self._runs.get(("crew of task", str(peek(source, "id"))))
        if event.type == "agent_execution_started":
            return self._runs.get(("task", str(peek(event, "task", "id"))))
        agent = peek(event, "agent_id") or peek(source, "agent", "id")
        return self._runs.get(("agent", str(agent))) if agent is not None else None


def _began_with(run: Run) -> str:
    notes = notes_of(run)
    return notes.began_with if notes is not None else "tool_usage_started" if run.kind is Kind.TOOL else ""


def _is_inside(run: Run, outer: Run) -> bool:
    """Tell whether a run is a part of another, at whatever depth."""
    above = run.parent
    while above is not None and above is not outer:
        above = above.parent
    return above is outer
