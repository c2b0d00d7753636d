"""One trace whose events are still coming: who is part of whom, and what has not been told yet."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any, Final, NamedTuple

from . import attributes, messages
from .event import Event, written
from .ids import span_number
from .told import Told

_MOST_ASKED: Final = 50  # messages that wait for an answer
_MOST_AGENTS: Final = 1_000
_MOST_ANSWERS: Final = 1_000


class _Place(NamedTuple):
    """Where an answer stands, for the tools it asks for."""

    span: int
    parent: int


class _Agent:
    """An agent that works in a trace without a run of its own."""

    def __init__(self, agent_id: str, number: int, event: Event) -> None:
        self.id = agent_id
        self.number = number
        self.within: int | None = None
        self.parent_id = event.text("parent_agent_id")
        self.started, self.ended = event.started, event.ended
        self.attributes = _who(event)


class _Run(NamedTuple):
    """The run of an agent that an event told of."""

    span: int
    started: int
    ended: int

    def is_around(self, agent: _Agent) -> bool:
        """Whether all that the agent did by itself was in its time."""
        return self.started <= agent.started and agent.ended <= self.ended


class OpenTrace:
    """One exchange, from its first event to the time when it is over."""

    def __init__(self, number: int, trace_id: str, event: Event) -> None:
        self.number = number
        self.id = trace_id
        self.session_id = event.session_id
        self.root = span_number(trace_id, "trace")
        self.is_over = False
        self.heard = time.monotonic()
        self._started, self._ended = event.started, event.ended
        self._attributes = _who(event)
        self._asked: OrderedDict[str, list[Any]] = OrderedDict()
        self._agents: dict[str, _Agent] = {}
        self._runs: OrderedDict[str, _Run] = OrderedDict()
        self._answers: OrderedDict[str, _Place] = OrderedDict()
        self._is_answered = False

    def hear(self, event: Event) -> None:
        """Take note of when an event was."""
        self.heard = time.monotonic()
        self._started = min(self._started, event.started)
        self._ended = max(self._ended, event.ended)

    def asked(self, event: Event) -> None:
        """Keep what a user said for the model call that answers it."""
        words = event.words()
        waiting = self._asked.setdefault(event.agent_id or "", [])
        if words and not self.is_over and len(waiting) < _MOST_ASKED:
            waiting.append(messages.said("user", words))

    def question(self, agent_id: str | None) -> str | None:
        """Return the messages that an agent's call answers, which nobody has answered before."""
        waiting = self._asked.pop(agent_id or "", None)
        if not waiting and not self._is_answered and self._asked:
            waiting = self._asked.popitem()[1]  # they were said to the session's agent, and another answers
        self._is_answered = True
        return written(waiting) if waiting else None

    def place(self, event: Event, span: int, within: str | None, *, is_agent: bool) -> int:
        """Return the span that an event's is a part of."""
        nearest = event.text("parent_span_id") or within
        if nearest is not None:
            parent = span_number(nearest)
        elif is_agent:
            around = self._agents.get(event.text("parent_agent_id") or "")
            parent = around.number if around is not None else self.root
        else:
            parent = self._beside(event) or self._agent(event)
        if is_agent and event.agent_id is not None:
            self._run_of(event.agent_id, _Run(span, event.started, event.ended))
        message_id = event.text("message_id")
        if message_id is not None:
            self._answers[message_id] = _Place(span, parent)
            if len(self._answers) > _MOST_ANSWERS:
                self._answers.popitem(last=False)
        return parent

    def asking_for(self, event: Event, span: int) -> int | None:
        """Return the span of the answer that asked for a tool's run."""
        asking = self._answers.get(event.text("parent_message_id") or "")
        return asking.span if asking is not None and asking.span != span else None

    def close(self) -> list[Told]:
        """Return the spans of what no event tells of: the agents, and the exchange as a whole."""
        self.is_over = True
        told = [self._told_agent(agent) for agent in self._agents.values()]
        waiting = [message for waiting in self._asked.values() for message in waiting]
        self._asked.clear()
        said = {**self._attributes, **self._derived()}
        if waiting:
            said["gen_ai.input.messages"] = written(waiting)
        whole = Told("exchange", self.number, self.root, None, self._started, self._ended, said)
        return [*told, whole]

    def _beside(self, event: Event) -> int | None:
        """Return the place of the answer that asked for a tool: its run is a part of the same."""
        asking = self._answers.get(event.text("parent_message_id") or "")
        return asking.parent if asking is not None else None

    def _agent(self, event: Event) -> int:
        if event.agent_id is None:
            return self.root
        agent = self._agents.get(event.agent_id)
        if agent is None:
            if self.is_over or len(self._agents) >= _MOST_AGENTS:
                return self.root  # the span of an agent that is new would never be told
            number = span_number(f"{self.id}\0{event.agent_id}", "agent")
            agent = self._agents[event.agent_id] = _Agent(event.agent_id, number, event)
        agent.started = min(agent.started, event.started)
        agent.ended = max(agent.ended, event.ended)
        return agent.number

    def _run_of(self, agent_id: str, run: _Run) -> None:
        """Note an agent's run, and put into it what the agent did by itself meanwhile."""
        self._runs[agent_id] = run
        if len(self._runs) > _MOST_AGENTS:
            self._runs.popitem(last=False)
        agent = self._agents.get(agent_id)
        if agent is not None and agent.within is None and run.is_around(agent):
            agent.within = run.span

    def _above(self, agent: _Agent) -> int:
        """Return the span that an agent's is a part of."""
        if agent.within is not None:
            return agent.within
        above = self._agents.get(agent.parent_id or "")
        if above is None:
            run = self._runs.get(agent.parent_id or "")
            return run.span if run is not None and run.is_around(agent) else self.root
        seen = {agent.id}
        higher: _Agent | None = above
        while higher is not None:
            if higher.id in seen:  # two that hand over to each other
                return self.root
            seen.add(higher.id)
            higher = self._agents.get(higher.parent_id or "")
        return above.number

    def _told_agent(self, agent: _Agent) -> Told:
        parent = self._above(agent)
        said = {**agent.attributes, **self._derived(), "gen_ai.operation.name": "invoke_agent"}
        name = said.get("gen_ai.agent.name") or agent.id
        return Told(
            f"invoke_agent {name}", self.number, agent.number, parent, agent.started, agent.ended, said
        )

    def _derived(self) -> dict[str, Any]:
        return {"amplitude.trace_id": self.id, "amplitude.derived": True}


def _who(event: Event) -> dict[str, Any]:
    """Return who is speaking as an event says it, which is left to say it too."""
    return attributes.around(event.copy())
