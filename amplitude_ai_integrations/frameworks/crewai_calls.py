"""CrewAI's model calls and tools: which event belongs to which call, and which tool a model asked for."""

from __future__ import annotations

from typing import Any, Final

from ..calls.facts import ResponseFacts, peek
from ..client.failures import ToldFailure
from ..context.recent import Recent
from ..runs.run import Kind, Run
from ..schema.values import json_of, plain
from .crewai_answers import ASKS, Answers, Thought
from .crewai_beneath import note_heard
from .crewai_messages import all_words, answered, asked
from .crewai_notes import Notes, notes_of, read_json
from .watching import Watching

_LOOKS_UP: Final = ("memory_", "knowledge_")


class _Call:
    """A call, under way or over."""

    def __init__(self, run_id: object) -> None:
        self.run_id = run_id
        self.is_over = False
        self.is_streamed = False
        self.tools: list[dict[str, Any]] = []  # which CrewAI's model runs itself, and does not tell of


class Calls:
    """The model calls and tools of one door."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._calls: Recent[str, _Call] = Recent()  # by CrewAI's id of each, and by its run

    def begin(self, parent: object, source: Any, event: Any) -> None:
        """A model is called. Each attempt of CrewAI's is a call of its own."""
        run: Run | None = None
        try:
            request = asked(source, event)
            around = self._watching.tree.get(parent)
            agent, kickoff = _around(around)
            if agent is not None:
                request.user_text = agent.words_of(request.user_text)
            if around is not None and _is_crewais_own(around, event):
                request.user_text = ""
            run = self._watching.call(
                event.event_id,
                parent,
                request,
                adapter=Answers(all_words(event.messages)),
                is_streaming=bool(peek(event, "stream")),
                covers=False,
                said=_source_of(kickoff) if request.user_text else None,
            )
            call = _Call(event.event_id)
            self._calls.put(event.event_id, call)
            self._calls.put(event.call_id, call)
        finally:
            watched: Any = run.call if run is not None else None
            note_heard(event.call_id, watched)

    def piece(self, event: Any) -> None:
        """A piece of an answer comes, of its text or of a tool call."""
        self._comes(event, ASKS if peek(event, "tool_call") else str(event.chunk))

    def thought(self, event: Any) -> None:
        """A piece of what a model thinks comes."""
        self._comes(event, Thought(event.chunk))

    def answered(self, event: Any) -> None:
        """A model answered."""
        call = self._open(event)
        if call is not None:
            self._answered(call, answered(event))

    def failed(self, event: Any) -> None:
        """A model call failed, which CrewAI says twice."""
        call = self._open(event)
        if call is None:
            return
        if call.tools:  # one of which failed
            self._answered(call, ResponseFacts())
            return
        self._over(call)
        self._watching.failed(call.run_id, ToldFailure("LLMCallFailed", str(event.error)))

    def tool(self, parent: object, event: Any) -> None:
        """A tool begins, which its agent's model asked for, or a model that runs its tools itself."""
        run, arguments = self._watching.tree.get(parent), read_json(event.tool_args)
        call_id = None
        if run is not None and run.kind is Kind.CALL:
            self._runs_itself(run.id, event, arguments)
        else:
            agent, _kickoff = _around(run)
            call_id = agent.take(event.tool_name, arguments) if agent is not None else None
        self._watching.tool(
            event.event_id, parent, str(event.tool_name), arguments=arguments, call_id=call_id
        )

    def tool_ended(self, run: Run, event: Any) -> None:
        """A tool is done; one that says it could not do its work failed."""
        fields: dict[str, Any] = {}
        if peek(event, "from_cache"):
            around = run.root.fields.get("event_properties") or {}
            fields["event_properties"] = {**around, "from_cache": True}
        failure = peek(event, "failure")
        if failure is None:
            self._watching.ended(run.id, event.output, **fields)
            return
        reason = str(peek(failure, "reason", "value") or "ToolFailure")
        told = ToldFailure(reason, str(peek(failure, "message") or ""))
        self._watching.failed(run.id, told, output=plain(event.output), **fields)

    def _open(self, event: Any) -> _Call | None:
        call = self._calls.get(event.call_id)
        return None if call is None or call.is_over else call

    def _answered(self, call: _Call, answer: ResponseFacts) -> None:
        if call.tools:  # what is told as the answer is what the last of them returned
            answer.text, answer.tool_calls = "", call.tools
        agent, _kickoff = _around(self._watching.tree.get(call.run_id))
        if agent is not None:
            agent.asked = list(answer.tool_calls)
        self._over(call)
        if call.is_streamed:
            self._watching.piece(call.run_id, answer)
            self._watching.ended(call.run_id)
        else:
            self._watching.answered(call.run_id, answer)

    def _comes(self, event: Any, piece: str) -> None:
        call = self._open(event)
        if call is not None:
            call.is_streamed = True
            self._watching.piece(call.run_id, piece)

    @staticmethod
    def _over(call: _Call) -> None:
        call.is_over, call.tools = True, []

    def _runs_itself(self, run_id: Any, event: Any, arguments: Any) -> None:
        call = self._calls.get(run_id)
        if call is not None:
            function = {"name": str(event.tool_name), "arguments": json_of(plain(arguments))}
            call.tools.append({"type": "function", "function": function})


def _around(run: Run | None) -> tuple[Notes | None, Notes | None]:
    """Return what is noted of the agent around, and of what was kicked off."""
    if run is None:
        return None, None
    agent, outermost = run.agent_around, run
    while outermost.parent is not None:
        outermost = outermost.parent
    return notes_of(agent), notes_of(outermost)


def _is_crewais_own(around: Run, event: Any) -> bool:
    """Tell whether nobody asks this: CrewAI does, to remember or look something up for those at work."""
    if peek(event, "agent_id") or around.kind is Kind.TOOL:
        return False
    notes = notes_of(around)
    return around.agent_around is not None or bool(notes and notes.began_with.startswith(_LOOKS_UP))


def _source_of(kickoff: Notes | None) -> dict[str, str] | None:
    """Return who says what an agent is asked: of a kickoff, the first is the user's, the rest its agents'."""
    if kickoff is None:
        return None
    is_first, kickoff.is_asked = not kickoff.is_asked, True
    if not is_first:
        return {"message_source": "agent"}
    return {"message_source": "user"} if kickoff.is_users else None
