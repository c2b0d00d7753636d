"""What spans of agents do not say: who delegates to whom, what they are asked, which tool call is which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..calls import tools
from ..calls.facts import ResponseFacts
from ..context.current import AgentFacts
from ..context.recent import Recent
from ..runs.run import Run
from ..schema.values import state

_MOST: Final = 1_000  # agents that are remembered after they ended


class Relay:
    """Knows of agents under one parent who handed over to whom."""

    def __init__(self) -> None:
        self._spoke: Recent[tuple[object, str], Run] = Recent(_MOST)
        self._handed: Recent[tuple[object, str], Run] = Recent(_MOST)

    def handed_over(self, agent: Run, to: str) -> None:
        """One agent hands over to another, which begins when it has ended."""
        self._handed.put((_parent(agent), to), agent)

    def before(self, parent_id: object, name: str) -> tuple[Run | None, AgentFacts | None]:
        """Return who delegates to an agent that begins, and who it is if it spoke before."""
        by, itself = self._handed.pop((parent_id, name)), self._spoke.get((parent_id, name))
        return (by, None) if by is None or itself is None else (itself, itself.agent)

    def begun(self, agent: Run) -> None:
        """An agent begins."""
        self._spoke.put((_parent(agent), agent.name), agent)


def note_question(agent: Run | None, words: Callable[[], str]) -> None:
    """Take what an agent is given, which only its first question says."""
    if agent is not None and agent.given.get("input_state") is None:
        agent.given["input_state"] = state(words() or None)


def note_answer(agent: Run | None, answer: ResponseFacts) -> None:
    """Take what an agent says, and remember which tools it asks for."""
    if agent is None:
        return
    calls = [call for call in answer.tool_calls if call.get("id")]
    agent.kept = [(call["function"].get("name"), call["id"]) for call in calls]
    agent.given["output_state"] = state(answer.text or None) or agent.given.get("output_state")


def take_asked(agent: Run | None, name: str) -> str | None:
    """Return under which id a tool that begins was asked for, each once; they begin in that order."""
    for place, (asked, call_id) in enumerate((agent.kept if agent is not None else None) or ()):
        if asked is not None and (name == asked or name.endswith(f".{asked}")):
            del agent.kept[place]  # type: ignore[union-attr]
            return str(call_id)
    return None


def forget_handoffs(agent: Run) -> None:
    """Let what was asked for and is no tool not be told as one when its result is sent: tools ran before."""
    context = agent.context(None)
    for _name, call_id in agent.kept or ():
        tools.answer(tools.place_of(context, context.session_id), call_id)
    agent.kept = None


def _parent(run: Run) -> object:
    return run.parent.id if run.parent is not None else None
