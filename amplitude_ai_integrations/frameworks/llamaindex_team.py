"""Workflows of several agents, of which one after the other is at work."""

from __future__ import annotations

from typing import Any

from .llamaindex_spans import agent_facts
from .watching import Watching


class Team:
    """The agents at work in one run of an ``AgentWorkflow``.

    The first one's Span lasts as long as the run; the others' are inside, from when the conversation is
    handed to them to when it is handed on.
    """

    def __init__(self, watching: Watching, run_id: str, workflow: Any, asked: Any) -> None:
        self._watching = watching
        self._run_id = run_id
        self._workflow = workflow
        self._asked = asked
        self._first: str | None = None
        self._parents: dict[str, str | None] = {}
        self._now = ""
        self._count = 0

    def at_work(self, name: str | None) -> object:
        """Return the run of the agent that works now; ``name`` says who that is, where a step does."""
        if name and name != self._now:
            self._hand_over(name)
        return self._id_of_now()

    def ended(self, result: Any) -> None:
        """The workflow is done."""
        if self._now != self._first:
            self._watching.ended(self._id_of_now(), result)
        self._watching.ended((self._run_id, 0), result)

    def failed(self, error: BaseException) -> None:
        """The workflow raised, or was told to stop."""
        if self._first is None:
            self._hand_over(str(self._workflow.root_agent))
        if self._now != self._first:
            self._watching.failed(self._id_of_now(), error)
        self._watching.failed((self._run_id, 0), error)

    def _hand_over(self, name: str) -> None:
        before, was_first = self._id_of_now(), self._now == self._first
        self._now = name
        if self._first is None:
            self._first = name
            self._begin(name, self._run_id, None, self._asked)
            return
        if name != self._first:
            self._count += 1
            self._begin(name, (self._run_id, 0), before, None)
        if not was_first:
            self._watching.ended(before)

    def _begin(self, name: str, parent_id: object, before: object, asked: Any) -> None:
        facts = agent_facts(self._workflow.agents.get(name))
        if name in self._parents:  # it was at work before, and is whose part it was then
            facts = facts.of(**{**facts.given, "parent_agent_id": self._parents[name]})
        run = self._watching.agent(
            self._id_of_now(), parent_id, name, asked=asked, delegated_by=before, facts=facts
        )
        if run is not None:
            self._parents.setdefault(name, run.agent.parent_agent_id)

    def _id_of_now(self) -> object:
        return None if self._first is None else (self._run_id, 0 if self._now == self._first else self._count)
