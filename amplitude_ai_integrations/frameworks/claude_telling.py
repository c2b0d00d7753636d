"""From what is known of Claude's work to events."""

from __future__ import annotations

from typing import Any, Final

from ..calls.facts import Usage
from ..client.recording import Recorder, Scope
from ..config import AIConfig
from ..context.memory import Spent
from ..pricing.cost import Tokens, cost_usd
from ..runs.run import Kind, Run
from ..runs.tree import RunTree
from ..schema.base import AgentEvent
from ..schema.events import AIResponse, UserMessage
from ..schema.values import plain, state
from .claude_costs import LEAST_USD, spent_of
from .claude_ending import Ending
from .claude_messages import Answer
from .claude_tools import MOST, Tool

_AGENT: Final = "claude"


class _Client:
    """What a tree of runs asks of a client; a session knows no more of its own."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.config: AIConfig = recorder.config


class Telling:
    """Tells of agents, prompts, answers and tools; each in the session and the trace of its run."""

    def __init__(self, recorder: Recorder, provider: str, model: str | None) -> None:
        client: Any = _Client(recorder)
        self._recorder = recorder
        self._tree = RunTree(lambda: client, limit=MOST)
        self._provider = provider
        self._default_model = model
        self.model: str | None = None  # which answers, as the process says it
        self._last_model: str | None = None

    def agent(self, run_id: str, parent: Run | None, name: str | None, asked: str) -> Run | None:
        """An agent begins; without a parent, in the session that is current."""
        within = parent.id if parent is not None else None
        return self._tree.start(run_id, within, Kind.AGENT, name or _AGENT, input_state=state(asked or None))

    def ended(self, run: Run, ending: Ending, result: Any, took_ms: float | None) -> None:
        """An agent ends."""
        given = {"output_state": state(result), "latency_ms": took_ms}
        self._over(run, run.id, ending, given)

    def said(self, run: Run, words: str, source: str | None = None) -> None:
        """Somebody asks an agent, unless the program has told so itself."""
        trace = run.context(None).trace
        if run.parent is None and trace.user_by_hand and trace.user_key is None:
            trace.user_key = (_AGENT, words)
            return
        self._record(UserMessage, run, {"content": words, "message_source": source})

    def answer(
        self,
        run: Run,
        answer: Answer,
        ending: Ending,
        *,
        taken: Spent | None = None,
        most_usd: float | None = None,
    ) -> tuple[str, Spent]:
        """A model's answer is there; returns whose it is and what it took.

        ``taken`` is what it took, where that is known better; ``most_usd`` the most that it can have cost.
        """
        facts = answer.facts()
        model = self._last_model = facts.model or self.model_or("")
        usage, is_estimated = answer.usage(facts, model)
        cost = self._cost(model, usage, facts.service_tier)
        if taken is not None:
            usage, is_estimated, cost = _usage(taken), False, taken.cost_usd
        elif cost is not None and most_usd is not None and cost > most_usd + LEAST_USD:
            cost = max(0.0, most_usd)
        given: dict[str, Any] = {
            "content": facts.text,
            "message_id": answer.message_id,
            "model": model,
            "provider": self._provider,
            "latency_ms": (answer.last - answer.began) * 1000,
            "ttfb_ms": None if answer.first is None else (answer.first - answer.began) * 1000,
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "total_tokens": usage.total,
            "reasoning_tokens": usage.reasoning,
            "cache_read_tokens": usage.cache_read,
            "cache_creation_tokens": usage.cache_creation,
            "usage_estimated": is_estimated or None,
            "total_cost_usd": cost,
            "auto_calculate_cost": False,
            "finish_reason": facts.finish_reason,
            "tool_calls": facts.tool_calls or None,
            "reasoning_content": facts.reasoning or None,
            "is_streaming": answer.is_streaming,
            "provider_request_id": facts.request_id,
            "timestamp_ms": answer.at_ms,
            **self._cut(answer, ending),
        }
        if facts.error_type:
            given.update(
                is_error=True,
                error_type=facts.error_type,
                error_message=facts.error_message,
                error_source="provider",
            )
        self._record(AIResponse, run, given)
        return model, spent_of(usage, cost)

    def rest(self, run: Run, model: str, spent: Spent) -> None:
        """A run cost more than its messages show."""
        given = {name: value for name, value in spent._asdict().items() if name != "cost_usd"}
        given = {name: value or None for name, value in given.items()}
        given.update(input_tokens=spent.input_tokens, output_tokens=spent.output_tokens)
        self._record(
            AIResponse,
            run,
            {
                **given,
                "content": "",
                "model": model,
                "provider": self._provider,
                "latency_ms": 0.0,
                "total_cost_usd": spent.cost_usd,
                "finish_reason": "tool_use",
            },
        )

    def tool(self, run: Run, tool: Tool, around: Ending) -> None:
        """A tool is done, or nobody waits for it any more since what is ``around`` it ended."""
        if self._is_told(run, tool):
            return
        run_id, ending = ("tool", tool.id), tool.ending(around)
        asked: dict[str, Any] = {"input": plain(tool.arguments)}
        if tool.name.startswith("mcp__"):
            asked["tool_type"] = "mcp"
        with run.root.inside(run.context(run.span_id)):
            if self._tree.start(run_id, run.id, Kind.TOOL, tool.name, **asked) is None:
                return
        given = {
            "latency_ms": tool.latency_ms,
            "timestamp_ms": tool.at_ms,
            "output": plain(tool.output),
            "parent_message_id": tool.asked_by.message_id if tool.asked_by is not None else None,
        }
        if ending.reason is not None:
            given["success"] = False
        self._over(run, run_id, ending, given)

    def _over(self, run: Run, run_id: object, ending: Ending, given: dict[str, Any]) -> None:
        with run.root.inside(run.context(run.outer_span_id)):
            if ending.error is not None:
                self._tree.fail(run_id, ending.error, **given)
            else:
                self._tree.end(run_id, **given, **ending.stopped)

    @staticmethod
    def _cut(answer: Answer, ending: Ending) -> dict[str, Any]:
        """Return what is said of an answer of which the end never came."""
        is_left = answer.is_cut and ending.is_early
        return {"stream_abandoned": True, **ending.stopped} if is_left else {}

    def model_or(self, other: str) -> str:
        """Return which model answers, as far as that is known."""
        return self._last_model or self.model or self._default_model or other

    def _is_told(self, run: Run, tool: Tool) -> bool:
        """Tell whether the tool's own code, in this process, was decorated, and so told of itself."""
        name = tool.name.rpartition("__")[2] if tool.name.startswith("mcp__") else tool.name
        by_hand = run.context(None).trace.tools_by_hand
        if not by_hand[name]:
            return False
        by_hand[name] -= 1
        return True

    def _cost(self, model: str, usage: Usage, tier: str | None) -> float | None:
        if not model or (usage.input is None and usage.output is None):
            return None
        counts = (usage.input, usage.output, usage.cache_read, usage.cache_creation)
        return cost_usd(model, self._provider, Tokens(*(number or 0 for number in counts)), tier)

    def _record(self, kind: type[AgentEvent], run: Run, given: dict[str, Any]) -> None:
        given = {name: value for name, value in given.items() if value is not None}
        with run.root.inside(run.context(run.span_id)):
            self._recorder.record(kind, given, Scope(), by_hand=False)


def _usage(taken: Spent) -> Usage:
    return Usage(
        taken.input_tokens,
        taken.output_tokens,
        taken.input_tokens + taken.output_tokens,
        taken.reasoning_tokens or None,
        taken.cache_read_tokens,
        taken.cache_creation_tokens,
    )
