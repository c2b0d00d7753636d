"""One process of Claude's: what its hooks and its messages say becomes runs, answers and tools.

An answer is told when the next one begins, or what it belongs to ends: tools answer before the last parts of
the message that asks for them have come. Tools are told after the answer that asked for them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from ..calls.facts import known, peek
from ..client.failures import ToldFailure
from ..client.recording import Recorder
from ..context import stamps
from ..context.forks import Guarded
from ..context.memory import Spent
from ..runs.run import Run
from .claude_costs import RunCost, Totals, rests, total
from .claude_ending import GOES_ON, LEFT, Ending, ending_of
from .claude_messages import Answer, asked_tools, blocks_of, tool_results, words_of
from .claude_telling import Telling
from .claude_tools import MOST, Subagent, Tool, Tools

_ENDED: Final = ("completed", "failed", "stopped", "killed")  # states of a task that goes no further


class Feed(Guarded):
    """Follows one process; each method is called inside the session that it works for.

    ``connection`` is whatever tells one process from another that goes on with the same conversation.
    """

    def __init__(
        self, recorder: Recorder, provider: str, model: str | None, connection: object = None
    ) -> None:
        super().__init__()
        self.connection = connection
        self._telling = Telling(recorder, provider, model)
        self._totals = Totals()
        self._tools = Tools()
        self._id = stamps.new_id()
        self._count = 0
        self._main: Run | None = None
        self._subagents: OrderedDict[str, Subagent] = OrderedDict()  # by the tool call that each is
        self._of_hooks: dict[str, str] = {}  # what hooks and tasks call a subagent -> that tool call
        self._answers: dict[str | None, Answer] = {}  # that come now, by whose they are; None: the main agent
        self._asked_at: dict[str | None, float] = {}  # since when it is a model's turn
        self._told: dict[str, Spent] = {}  # what this run's answers took, by model
        self._told_last: dict[str | None, str | None] = {}  # the API's id of whose last answer
        self._is_announced = False  # a prompt, of which the hook will speak too
        self._has_hooks = False
        self._has_messages = False

    def reconnected(self, connection: object) -> None:
        """Another process goes on with this conversation, and counts anew."""
        if connection is not self.connection:
            self.connection = connection
            self._totals.reset()

    def knows(self, tool_id: Any) -> bool:
        """Tell whether a tool is one of this process's."""
        return tool_id in self._tools or tool_id in self._subagents

    def announced(self, prompt: str) -> None:
        """A prompt is about to be sent; where one is being answered, it waits for its turn."""
        with self._lock:
            if self._main is None:
                self._is_announced = True
                self._asked(prompt)

    def hook(self, event: str, told: Any) -> None:
        """A hook is called."""
        with self._lock:
            self._has_hooks = True
            if event == "Stop" and not self._has_messages:
                self.closed()  # nobody processes messages, and so this is the end
            _HOOKS.get(event, Feed._ignored)(self, told)

    def message(self, message: Any) -> None:
        """A message has come."""
        with self._lock:
            self._has_messages = True
            _MESSAGES.get(type(message).__name__, Feed._ignored)(self, message)
            self._bound()

    def closed(self, error: BaseException | None = None) -> None:
        """Nothing more comes: it is over, something raised, or nobody listens any more."""
        with self._lock:
            self._is_announced = False
            ending = LEFT if error is None else Ending.by(error)
            for of in [*self._answers]:
                self._flush_answer(of, ending.of_parts)
            self._tell_tools(lambda _tool: True, ending.of_parts)
            for tool_id in [*self._subagents]:
                self._end_subagent(tool_id, ending.of_parts)
            if self._main is not None:
                self._end_main(self._main, ending)

    # Prompts and the main agent

    def _prompt_hook(self, told: Any) -> None:
        if self._is_announced:
            self._is_announced = False
        else:
            self._asked(str(peek(told, "prompt") or ""))

    def _asked(self, prompt: str, source: str | None = None) -> None:
        if self._main is not None:
            self._flush_answer(None)
        run = self._main_run(prompt)
        if run is not None and prompt:
            self._telling.said(run, prompt, source)
        self._asked_at[None] = stamps.seconds()

    def _main_run(self, prompt: str = "") -> Run | None:
        if self._main is None:
            self._count += 1
            self._main = self._telling.agent(f"{self._id}-{self._count}", None, None, prompt)
            self._asked_at[None] = stamps.seconds()
        return self._main

    # Subagents

    def _run_of(self, of: str | None) -> Run | None:
        """Return the agent that a message or a tool is of."""
        if of is None:
            return self._main_run()
        subagent = self._subagents.get(of) or self._begin_subagent(of, None)
        return subagent.run if subagent is not None else None

    def _begin_subagent(self, tool_id: str, name: str | None) -> Subagent | None:
        tool = self._tools.get(tool_id)
        above = self._run_of(tool.of if tool is not None and tool.of != tool_id else None)
        kind = tool.delegates_to or tool.name if tool is not None else None
        prompt = known(peek(tool.arguments, "prompt"), str) if tool is not None else None
        run = self._telling.agent(f"{self._id}-{tool_id}", above, name or kind or "subagent", prompt or "")
        if run is None:
            return None
        self._asked_at[tool_id] = stamps.seconds()
        subagent = self._subagents[tool_id] = Subagent(run, prompt)
        subagent.is_in_background = tool is not None and tool.is_in_background
        return subagent

    def _introduce(self, tool_id: str) -> None:
        """Tell of the answer that asked for a subagent, and of what that was asked for."""
        tool, subagent = self._tools.get(tool_id), self._subagents.get(tool_id)
        if tool is not None and tool.asked_by is not None and self._answers.get(tool.of) is tool.asked_by:
            self._flush_answer(tool.of)
        if subagent is not None and subagent.prompt:
            self._telling.said(subagent.run, subagent.prompt)
            subagent.prompt = None

    def _subagent_hook(self, told: Any) -> None:
        agent_id, kind = str(peek(told, "agent_id")), known(peek(told, "agent_type"), str)
        if agent_id in self._of_hooks:  # one that is resumed
            return
        waiting = [tool for tool in self._tools if tool.delegates_to and tool.id not in self._subagents]
        fitting = [tool for tool in waiting if tool.delegates_to == kind] or waiting
        tool_id = fitting[0].id if fitting else agent_id
        self._of_hooks[agent_id] = tool_id
        self._begin_subagent(tool_id, kind)

    def _subagent_stop_hook(self, told: Any) -> None:
        subagent = self._subagents.get(self._of_hooks.get(str(peek(told, "agent_id")), ""))
        if subagent is not None:
            subagent.stopped = stamps.seconds()
            subagent.said = known(peek(told, "last_assistant_message"), str)

    def _end_subagent(self, tool_id: str, ending: Ending, result: Any = None) -> None:
        subagent = self._subagents.get(tool_id)
        if subagent is None:
            return
        self._introduce(tool_id)
        self._flush_answer(tool_id, ending)
        self._tell_tools(lambda tool: self._agent_of(tool) == tool_id, ending)
        del self._subagents[tool_id]
        self._asked_at.pop(tool_id, None)
        self._told_last.pop(tool_id, None)
        until = subagent.stopped or stamps.seconds()
        took_ms = (until - subagent.run.started) * 1000
        self._telling.ended(subagent.run, ending, subagent.said or result, took_ms)

    # Tools

    def _tool_hook(self, told: Any) -> None:
        tool = self._tools.made(
            str(peek(told, "tool_use_id")), peek(told, "tool_name"), peek(told, "tool_input")
        )
        tool.started(known(peek(told, "agent_id"), str))

    def _tool_done_hook(self, told: Any) -> None:
        tool = self._tools.get(str(peek(told, "tool_use_id")))
        if tool is None or tool.is_over:
            return
        tool.ended(told)
        name = known(peek(told, "tool_response", "agentId"), str)
        if name is not None:
            self._of_hooks[name] = tool.id

    def _tool_answered(self, block: dict[str, Any]) -> None:
        tool = self._tools.get(str(block.get("tool_use_id")))
        if tool is None:
            return
        tool.answered(block)
        subagent = self._subagents.get(tool.id)
        if subagent is not None and tool.is_in_background:
            subagent.is_in_background = True
        elif subagent is not None:
            self._end_subagent(tool.id, Ending(error=tool.failure), tool.output)
        self._asked_at[tool.of] = stamps.seconds()

    def _tell_tools(self, is_told: Callable[[Tool], bool], ending: Ending = GOES_ON) -> None:
        for tool in self._tools:
            if is_told(tool):
                self._tell_tool(tool, ending)

    def _tell_tool(self, tool: Tool, ending: Ending) -> None:
        self._tools.take(tool)
        run = self._run_of(self._agent_of(tool))
        if run is not None:
            self._telling.tool(run, tool, ending)

    def _agent_of(self, tool: Tool) -> str | None:
        if tool.asked_by is None and tool.agent_id is not None:
            of = self._of_hooks.get(tool.agent_id)
            return of if of in self._subagents else None
        return tool.of if tool.of in self._subagents else None

    # Answers

    def _assistant(self, message: Any) -> None:
        of = known(peek(message, "parent_tool_use_id"), str)
        answer = self._answer(of, known(peek(message, "message_id"), str))
        blocks = blocks_of(message)
        answer.part(message, blocks)
        for block in asked_tools(blocks):
            tool = self._tools.made(str(block["id"]), block["name"], block["input"])
            tool.asked_by, tool.of = answer, of
            if tool.agent_id is not None and of is not None:
                self._of_hooks[tool.agent_id] = of

    def _piece(self, message: Any) -> None:
        of, event = known(peek(message, "parent_tool_use_id"), str), peek(message, "event")
        if peek(event, "type") == "message_start":
            self._flush_answer(of)
            self._answer(of, known(peek(event, "message", "id"), str)).event(event)
        elif of in self._answers:
            self._answers[of].event(event)

    def _answer(self, of: str | None, api_id: str | None) -> Answer:
        self._run_of(of)
        answer = self._answers.get(of)
        if answer is not None and answer.takes(api_id):
            return answer
        self._flush_answer(of)
        if of is not None:
            self._introduce(of)
        answer = self._answers[of] = Answer(api_id, self._asked_at.get(of) or stamps.seconds())
        answer.is_more = api_id is not None and api_id == self._told_last.get(of)
        return answer

    def _flush_answer(
        self,
        of: str | None,
        ending: Ending = GOES_ON,
        *,
        taken: Spent | None = None,
        most_usd: float | None = None,
    ) -> None:
        """Tell of an answer, and of the tools it asked for that are done."""
        answer = self._answers.pop(of, None)
        if answer is None:
            return
        self._told_last[of] = answer.api_id
        self._asked_at[of] = max(answer.last, self._asked_at.get(of, 0.0))
        run = self._run_of(of)
        if run is not None:
            model, spent = self._telling.answer(run, answer, ending, taken=taken, most_usd=most_usd)
            self._told[model] = total([self._told.get(model, Spent()), spent])
        self._tell_tools(lambda tool: tool.is_over and tool.asked_by is answer)

    # What else comes

    def _user(self, message: Any) -> None:
        blocks, of = blocks_of(message), known(peek(message, "parent_tool_use_id"), str)
        results = tool_results(blocks)
        for block in results:
            self._tool_answered(block)
        answer = self._answers.get(of)
        if results and answer is not None and answer.api_id is None:
            self._flush_answer(of)  # of an SDK that does not say which parts are one message
        ids = {result["tool_use_id"] for result in results}
        self._tell_tools(
            lambda tool: (
                tool.is_over
                and (tool.id in ids or tool.asked_by is not None)
                and tool.asked_by not in self._answers.values()
            )
        )
        if not results and of is None and self._main is None and not self._has_hooks:
            kind = peek(message, "origin", "kind")
            self._asked(words_of(message), None if kind in (None, "human") else "agent")

    def _system(self, message: Any) -> None:
        if peek(message, "subtype") == "init":
            self._telling.model = known(peek(message, "data", "model"), str)

    def _task_started(self, message: Any) -> None:
        tool_id = known(peek(message, "tool_use_id"), str)
        if tool_id is not None:
            self._of_hooks[str(peek(message, "task_id"))] = tool_id

    def _task(self, message: Any) -> None:
        tool_id = peek(message, "tool_use_id") or self._of_hooks.get(str(peek(message, "task_id")))
        if tool_id is None or peek(message, "status") not in _ENDED or tool_id in self._tools:
            return
        has_failed = peek(message, "status") == "failed"
        words = str(peek(message, "summary") or "")
        failure = ToldFailure("TaskFailed", words) if has_failed else None
        self._end_subagent(tool_id, Ending(error=failure), words or None)

    def _reset(self, _message: Any) -> None:
        self._totals.reset()

    def _result(self, message: Any) -> None:
        cost = self._totals.take(message)
        run = self._main_run()
        if run is None:
            return
        ending = ending_of(message)
        self._flush_all(ending.of_parts, cost)
        going_on = {of for of in self._subagents if self._goes_on(of)}
        self._tell_tools(lambda tool: self._agent_of(tool) not in going_on, ending.of_parts)
        for tool_id in [*self._subagents]:
            if tool_id not in going_on:
                self._end_subagent(tool_id, ending.of_parts)
        if cost is not None:
            for model, spent in rests(cost, self._told, self._telling.model_or("")):
                self._telling.rest(run, model, spent)
        took_ms = known(peek(message, "duration_ms"), int, float)
        self._end_main(run, ending, peek(message, "result"), took_ms)

    def _flush_all(self, ending: Ending, cost: RunCost | None) -> None:
        """Tell of the answers that are the last, whose cost is known by what is left of the whole."""
        is_only = not self._told and len(self._answers) == 1
        for of in [*self._answers]:
            if cost is None:
                self._flush_answer(of, ending)
            elif is_only and len(cost.shares) <= 1 and cost.whole.input_tokens:
                self._flush_answer(of, ending, taken=cost.whole)
            else:
                left = cost.whole.cost_usd - total(self._told.values()).cost_usd
                self._flush_answer(of, ending, most_usd=left)

    def _goes_on(self, tool_id: str) -> bool:
        """Tell whether a subagent works on when the main agent is done."""
        tool, subagent = self._tools.get(tool_id), self._subagents[tool_id]
        return subagent.stopped is None and (
            tool.is_in_background if tool is not None else subagent.is_in_background
        )

    def _end_main(self, run: Run, ending: Ending, result: Any = None, took_ms: float | None = None) -> None:
        self._telling.ended(run, ending, result, took_ms)
        self._is_announced = False
        self._main = None
        self._told = {}
        self._told_last.pop(None, None)

    def _bound(self) -> None:
        """Give up what has been under way for too long."""
        tool = self._tools.too_many()
        if tool is not None:
            self._tell_tool(tool, GOES_ON)
        if len(self._subagents) > MOST:
            self._end_subagent(next(iter(self._subagents)), GOES_ON)
        while len(self._of_hooks) > MOST:
            del self._of_hooks[next(iter(self._of_hooks))]

    def _ignored(self, _told: Any) -> None:
        """It says nothing that an event tells of."""


_HOOKS: Final[dict[str, Callable[[Feed, Any], None]]] = {
    "UserPromptSubmit": Feed._prompt_hook,
    "PreToolUse": Feed._tool_hook,
    "PostToolUse": Feed._tool_done_hook,
    "PostToolUseFailure": Feed._tool_done_hook,
    "SubagentStart": Feed._subagent_hook,
    "SubagentStop": Feed._subagent_stop_hook,
}
HOOKS: Final = (*_HOOKS, "Stop")
_MESSAGES: Final[dict[str, Callable[[Feed, Any], None]]] = {
    "AssistantMessage": Feed._assistant,
    "StreamEvent": Feed._piece,
    "UserMessage": Feed._user,
    "SystemMessage": Feed._system,
    "TaskStartedMessage": Feed._task_started,
    "TaskNotificationMessage": Feed._task,
    "TaskUpdatedMessage": Feed._task,
    "ConversationResetMessage": Feed._reset,
    "ResultMessage": Feed._result,
}
