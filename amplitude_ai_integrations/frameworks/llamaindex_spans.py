"""What LlamaIndex's spans stand for: of the many it has, those that people would name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.tools import BaseTool
from llama_index.core.workflow import StopEvent, Workflow

from ..calls.facts import peek
from ..client.failures import ToldFailure
from ..context.current import AgentFacts
from ..runs.run import Kind
from ..schema.values import plain
from .llamaindex_unread import stream_of

_CALLS: Final[tuple[tuple[type[Any], Kind, tuple[str, ...]], ...]] = (
    (BaseTool, Kind.TOOL, ("call", "acall", "__call__")),
    (BaseChatEngine, Kind.STEP, ("chat", "achat", "stream_chat", "astream_chat")),
    (BaseQueryEngine, Kind.STEP, ("query", "aquery")),
    (BaseRetriever, Kind.STEP, ("retrieve", "aretrieve")),
    (BaseSynthesizer, Kind.STEP, ("synthesize", "asynthesize")),
    (BaseNodePostprocessor, Kind.STEP, ("_postprocess_nodes", "_apostprocess_nodes")),
)
_ASKED: Final = ("message", "str_or_query_bundle", "query", "query_bundle")
_UNDESCRIBED: Final = "An agent that can perform a task"  # what agents are described as that are not


class Span(NamedTuple):
    """A span that is to be told of: what it is, how it is called, and what it is given."""

    kind: Kind
    name: str
    asked: Any = None
    facts: AgentFacts | None = None


def told_of(method: str, instance: Any, given: Mapping[str, Any]) -> Span | None:
    """Return what a span is told as, or ``None`` if it is a detail of another."""
    if isinstance(instance, Workflow):
        return _workflow(instance, given) if method == "run" else None
    for kind, what, methods in _CALLS:
        if isinstance(instance, kind) and method in methods:
            if what is Kind.TOOL:
                return Span(what, _name_of_tool(instance), _arguments(given))
            if kind is BaseNodePostprocessor and "rerank" not in type(instance).__name__.lower():
                return None  # which takes no model, and no time
            # Agents before workflows were chat engines, which this shows.
            is_agent = kind is BaseChatEngine and hasattr(instance, "agent_worker")
            return Span(Kind.AGENT if is_agent else what, type(instance).__name__, _asked(given))
    return None


def is_team(instance: Any) -> bool:
    """Tell a workflow of several agents, of which one after the other is at work."""
    return isinstance(instance, Workflow) and hasattr(instance, "root_agent") and hasattr(instance, "agents")


def is_agent(instance: Any) -> bool:
    """Tell a workflow that is an agent."""
    return isinstance(instance, Workflow) and hasattr(instance, "take_step")


def agent_facts(agent: Any) -> AgentFacts:
    """Return what an agent says of itself."""
    said = peek(agent, "description")
    return AgentFacts.of(agent_description=said if said and said != _UNDESCRIBED else None)


def asked_of_workflow(given: Mapping[str, Any]) -> Any:
    """Return what a workflow is started with: of an agent's, the user's message."""
    start = given.get("start_event")
    said = given if start is None else _fields(start)
    said = {**said, **said["kwargs"]} if isinstance(said.get("kwargs"), dict) else said
    message = said.get("user_msg") or next(iter(reversed(said.get("chat_history") or ())), None)
    if message is not None:
        return message if isinstance(message, str) else peek(message, "content")
    shown = {name: value for name, value in said.items() if name not in _MACHINERY and value is not None}
    return plain(shown) or None


def result_of(result: Any) -> Any:
    """Return what a span came to, as people read it; an answer that is still to be read says nothing."""
    if stream_of(result) is not None:
        return None
    if isinstance(result, list):
        return {"documents": [_document(node) for node in result]}
    if isinstance(result, StopEvent):
        result = _fields(result) if result.result is None else result.result
    for path in (("response", "content"), ("response",), ("content",)):
        words = peek(result, *path)
        if isinstance(words, str):
            return words
    response = peek(result, "response")
    return result if isinstance(result, (str, dict)) else plain(result if response is None else response)


def failure_in(output: Any) -> ToldFailure | None:
    """Return how a tool failed that says so in what it returns."""
    if peek(output, "is_error") is not True:
        return None
    error = peek(output, "exception")
    return ToldFailure(
        type(error).__name__ if error is not None else "ToolError", str(peek(output, "content"))
    )


_MACHINERY: Final = ("init_state", "tags", "ctx", "args", "kwargs", "self", "memory", "start_event", "_data")


def _workflow(workflow: Any, given: Mapping[str, Any]) -> Span:
    asked = asked_of_workflow(given)
    if is_team(workflow):
        return Span(Kind.HIDDEN, type(workflow).__name__, asked)
    if is_agent(workflow):
        return Span(Kind.AGENT, str(workflow.name), asked, agent_facts(workflow))
    return Span(Kind.STEP, type(workflow).__name__, asked)


def _fields(value: Any) -> dict[str, Any]:
    """Return what an event of a workflow holds, also under names of the user's own."""
    declared = getattr(value, "__dict__", {})
    more = getattr(value, "_data", None)
    return {**declared, **(more if isinstance(more, dict) else {})}


def _name_of_tool(tool: Any) -> str:
    return str(peek(tool, "metadata", "name") or type(tool).__name__)


def _arguments(given: Mapping[str, Any]) -> Any:
    """Return a tool's arguments, out of the ``*args`` and ``**kwargs`` of the method that calls it."""
    named = {name: value for name, value in given.items() if name not in ("args", "kwargs", "input")}
    named.update(given.get("kwargs") or {})
    positional = list(given.get("args") or ())
    if "input" in given:
        positional.insert(0, given["input"])
    named = {name: value for name, value in named.items() if not _is_context(value)}
    if not positional:
        return named
    return positional[0] if len(positional) == 1 and not named else {"input": positional, **named}


def _is_context(value: Any) -> bool:
    """Tell the workflow's own context, which tools may ask for and no model gives."""
    return hasattr(value, "store") and hasattr(value, "write_event_to_stream")


def _asked(given: Mapping[str, Any]) -> Any:
    said = next((given[name] for name in _ASKED if given.get(name) is not None), None)
    return said if isinstance(said, str) or said is None else peek(said, "query_str")


def _document(node: Any) -> dict[str, Any]:
    inner = peek(node, "node")
    text = inner.get_content() if hasattr(inner, "get_content") else None
    return {"content": text, "metadata": peek(inner, "metadata"), "score": peek(node, "score")}
