"""The tools and subagents that Claude runs, as hooks and messages tell of them, in either order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from ..calls.facts import known, peek
from ..client.failures import ToldFailure
from ..context import stamps
from ..providers.anthropic_content import text_of
from ..runs.run import Run
from .claude_ending import INTERRUPTED, Ending
from .claude_messages import Answer

MOST: Final = 1_000  # tools under way at once; of more, the oldest is taken for one that never ends
_DELEGATING: Final = ("Task", "Agent")  # the older name and the newer


class Tool:
    """One run of a tool."""

    def __init__(self, tool_id: str, name: str, arguments: Any) -> None:
        self.id = tool_id
        self.name = name
        self.arguments = arguments
        self.asked_by: Answer | None = None
        self.of: str | None = None  # the tool call that the subagent is, which asked for it
        self.agent_id: str | None = None  # that subagent by the name hooks have for it
        self.is_over = False
        self.began = stamps.seconds()
        self.latency_ms = 0.0
        self.at_ms = 0
        self.output: Any = None
        self.failure: ToldFailure | None = None
        self.is_interrupted = False

    @property
    def delegates_to(self) -> str | None:
        """The kind of the subagent it is, if it is one."""
        if self.name not in _DELEGATING:
            return None
        return known(peek(self.arguments, "subagent_type"), str) or "general-purpose"

    @property
    def is_in_background(self) -> bool:
        """Whether its subagent goes on when it has answered."""
        return (
            peek(self.arguments, "run_in_background") is True
            or peek(self.output, "status") == "async_launched"
        )

    def started(self, agent_id: str | None) -> None:
        """A hook says that it runs now."""
        self.agent_id = agent_id
        self.began = stamps.seconds()

    def ended(self, told: Any) -> None:
        """A hook says that it is done."""
        self._over(known(peek(told, "duration_ms"), int, float))
        if peek(told, "hook_event_name") != "PostToolUseFailure":
            self.output = peek(told, "tool_response")
            return
        self.is_interrupted = peek(told, "is_interrupt") is True
        self.failure = ToldFailure("ToolError", str(peek(told, "error") or ""))

    def answered(self, block: dict[str, Any]) -> None:
        """Its answer is among the messages; what a hook has said of its end is better."""
        if self.is_over:
            return
        self._over(None)
        words = text_of(block.get("content"))
        if block.get("is_error") is True:
            self.failure = ToldFailure("ToolError", words)
        else:
            self.output = words

    def _over(self, duration_ms: float | None) -> None:
        self.is_over, self.at_ms = True, stamps.now_ms()
        measured = (stamps.seconds() - self.began) * 1000
        self.latency_ms = measured if duration_ms is None else duration_ms

    def ending(self, around: Ending) -> Ending:
        """Return how it ended; one whose end never came ends as what is around it does."""
        if not self.is_over:
            self._over(None)
            return around if around.error is not None or around.reason else Ending(reason="NeverEnded")
        return Ending(reason=INTERRUPTED) if self.is_interrupted else Ending(error=self.failure)


class Subagent:
    """An agent that another one asked, through a tool."""

    def __init__(self, run: Run, prompt: str | None) -> None:
        self.run = run
        self.prompt = prompt  # until that is told
        self.stopped: float | None = None
        self.said: str | None = None  # last
        self.is_in_background = False  # once the tool that it is has answered


class Tools:
    """The tools that are not told yet."""

    def __init__(self) -> None:
        self._tools: OrderedDict[str, Tool] = OrderedDict()

    def __contains__(self, tool_id: object) -> bool:
        return tool_id in self._tools

    def __iter__(self) -> Iterator[Tool]:
        return iter([*self._tools.values()])

    def get(self, tool_id: Any) -> Tool | None:
        """Return a tool that is not told yet."""
        return self._tools.get(tool_id)

    def made(self, tool_id: str, name: Any, arguments: Any) -> Tool:
        """Return a tool that a hook or a message speaks of."""
        tool = self._tools.get(tool_id)
        if tool is None:
            tool = self._tools[tool_id] = Tool(tool_id, str(name or "tool"), arguments)
        return tool

    def take(self, tool: Tool) -> None:
        """It is told now."""
        self._tools.pop(tool.id, None)

    def too_many(self) -> Tool | None:
        """Return one that has been under way for too long."""
        return next(iter(self._tools.values())) if len(self._tools) > MOST else None
