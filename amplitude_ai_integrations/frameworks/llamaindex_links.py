"""LlamaIndex's spans and the runs they are, or are parts of."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..calls.facts import peek
from ..client.failures import ToldFailure
from ..context.recent import Recent
from ..runs.run import Kind, Run
from .llamaindex_calls import Calls
from .llamaindex_spans import Span, failure_in, is_agent, result_of, told_of
from .llamaindex_team import Team
from .llamaindex_unread import Unread, stream_of
from .watching import Watching

if TYPE_CHECKING:
    from llama_index_instrumentation.dispatcher import active_instrument_tags
else:
    from llama_index.core.instrumentation.dispatcher import active_instrument_tags

# What a tool raises that waits for a person; it runs again when the answer is there.
_WAITS: Final = "WaitingForEvent"
_CONVERSATION: Final = ("session_id", "conversation_id", "thread_id")


class Link:
    """One of LlamaIndex's spans."""

    __slots__ = ("asked", "call_id", "error", "flow", "is_run", "method", "of", "run_id", "team")

    def __init__(self, method: str, run_id: object) -> None:
        self.method = method
        self.run_id = run_id  # the run it is, or is a part of
        self.is_run = False
        self.flow: Any = None  # the workflow whose run it is
        self.error: BaseException | None = None  # what a step of that workflow raised last
        self.of: Link | None = None  # the run of a workflow that it is a step of
        self.team: Team | None = None
        self.call_id: str | None = None  # of the tool call that it carries out
        self.asked: Any = None  # that tool call, until a tool runs for it


class Links:
    """The spans of one door that are under way."""

    def __init__(self, watching: Watching, calls: Calls, unread: Unread) -> None:
        self._watching = watching
        self._calls = calls
        self._unread = unread
        self._links: Recent[str, Link] = Recent()

    def get(self, span_id: str | None) -> Link | None:
        """Return a span that is under way."""
        return self._links.get(span_id) if span_id is not None else None

    def run_at(self, span_id: str | None) -> object:
        """Return the run that a span is, or is a part of."""
        link = self.get(span_id)
        return link.run_id if link is not None else self._unread.being_read()

    def enter(self, span_id: str, instance: Any, given: Mapping[str, Any], parent_id: str | None) -> None:
        """A span begins."""
        around = self.get(parent_id)
        run_id = self._unread.being_read() or (around.run_id if around is not None else None)
        link = Link(method_of(span_id), run_id)
        self._links.put(span_id, link)
        if around is not None and around.flow is not None:
            self._stepped(span_id, link, around, given.get("ev"))
            return
        told = told_of(link.method, instance, given)
        if told is None or self._is_same(told, around):
            return
        if told.kind is Kind.HIDDEN:
            link.team = Team(self._watching, span_id, instance, told.asked)
        run = self._begun(span_id, told, link, around)
        if run is not None:
            link.is_run, link.run_id = True, span_id
            link.flow = instance if link.method == "run" else None

    def leave(self, span_id: str, result: Any) -> None:
        """A span ends well."""
        link = self._links.pop(span_id)
        if link is None:
            return
        if result is None and link.error is not None:  # as workflows before 2 end when they fail
            self._failed(span_id, link, link.error)
            return
        if link.asked is not None:
            self._no_tool(span_id, link, result)
        if link.team is not None:
            link.team.ended(result_of(result))
        stream = stream_of(result)
        if stream is not None and self._watching.tree.get(call_at(span_id)) is not None:
            self._unread.watch(call_at(span_id), stream)
        if not link.is_run or (stream is not None and self._unread.waits(span_id, stream)):
            return
        failure = failure_in(result)
        if failure is not None:
            self._watching.failed(span_id, failure, output=peek(result, "content"))
        else:
            self._watching.ended(span_id, result_of(result))

    def drop(self, span_id: str, error: BaseException | None) -> None:
        """A span raised, or was told to stop."""
        link = self._links.pop(span_id)
        if link is None:
            return
        error = error if error is not None else CancelledError()
        self._calls.failed(call_at(span_id), error)
        if link.of is not None:
            link.of.error = error
        if link.is_run and type(error).__name__ == _WAITS:
            self._watching.tree.pop(span_id)
        else:
            self._failed(span_id, link, error)

    def cancelled(self, span_id: str) -> None:
        """A workflow, or one of its steps, is told to stop; its span will end as if all were well."""
        link = self.get(span_id)
        if link is not None:
            self._failed(span_id, link, CancelledError())

    def _begun(self, span_id: str, told: Span, link: Link, around: Link | None) -> Run | None:
        where, identity = (span_id, link.run_id, told.name), identity_of_tags()
        if told.kind is Kind.AGENT:
            return self._watching.agent(*where, asked=told.asked, facts=told.facts, identity=identity)
        if told.kind is Kind.HIDDEN:
            return self._watching.hidden(*where, identity=identity)
        if told.kind is Kind.STEP:
            return self._watching.step(*where, asked=told.asked, identity=identity)
        call_id = around.call_id if around is not None else None
        if around is not None:
            around.asked = None
        return self._watching.tool(*where, arguments=told.asked, call_id=call_id, identity=identity)

    def _stepped(self, span_id: str, link: Link, around: Link, event: Any) -> None:
        """A step of a workflow begins: a Span in one of the user's own, a detail in an agent."""
        link.of = around
        if around.team is not None:
            link.run_id = around.team.at_work(peek(event, "current_agent_name")) or link.run_id
        elif not is_agent(around.flow) and self._watching.step(span_id, link.run_id, link.method) is not None:
            link.is_run, link.run_id = True, span_id
        if link.method == "call_tool" and peek(event, "tool_id") is not None:
            link.call_id, link.asked = str(event.tool_id), event

    def _failed(self, span_id: str, link: Link, error: BaseException) -> None:
        if link.team is not None:
            link.team.failed(error)
        if link.is_run:
            self._watching.failed(span_id, error)

    def _no_tool(self, span_id: str, link: Link, result: Any) -> None:
        """A model asked for a tool that there is not, or whose span nobody saw."""
        output = peek(result, "tool_output")
        if output is None:
            return
        run_id, name, given = ("tool", span_id), link.asked.tool_name, link.asked.tool_kwargs
        self._watching.tool(run_id, link.run_id, name, arguments=given, call_id=link.call_id)
        failure = failure_in(output)
        if failure is not None:
            self._watching.failed(run_id, ToldFailure("ToolNotFound", failure.message))
        else:
            self._watching.ended(run_id, peek(output, "content"))

    def _is_same(self, told: Span, around: Link | None) -> bool:
        """Tell whether one way to call a tool, or to rerank, goes on to another."""
        run = self._watching.tree.get(around.run_id) if around is not None else None
        if run is None or (run.kind, run.name) != (told.kind, told.name):
            return False
        return told.kind is Kind.TOOL or "rerank" in told.name.lower()


def identity_of_tags() -> dict[str, Any]:
    """Return whose run it is, as ``instrument_tags`` says."""
    tags = active_instrument_tags.get()
    if not tags:
        return {}
    conversation = next((tags[name] for name in _CONVERSATION if tags.get(name)), None)
    named = {name: tags.get(name) for name in ("user_id", "device_id", "trace_id")}
    return {"session_id": conversation, **named}


def call_at(span_id: str) -> tuple[str, str]:
    """Return under which id the model call of a span is told."""
    return ("call", span_id)


def method_of(span_id: str) -> str:
    """Return which method a span is of: ``acall`` of ``FunctionTool.acall-`` and a UUID."""
    return span_id[:-37].rpartition(".")[2]
