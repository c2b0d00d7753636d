"""Conversations that the vendor keeps: https://docs.mistral.ai/api/endpoint/beta/conversations."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage, count, known, peek
from ..calls.pieces import Pieces
from .mistral_content import attachments_of, json_text, plain, text_of, thought_of, usage_of, words

_BY_THE_MODEL = {"message.output", "function.call", "tool.execution", "agent.handoff"}


class Conversations:
    """Maps what is added to a conversation, and the entries that are answered."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent: the entries that are new, since the vendor has the others."""
        entries = _entries(payload)
        new = _since_last_answer(entries)
        said = [peek(entry, "content") for entry in new if peek(entry, "role") == "user"]
        asked = payload.get("completion_args")
        return RequestFacts(
            self._provider,
            words(payload.get("model")) or words(payload.get("agent_id")) or "",
            user_text="\n\n".join(text for content in said if (text := text_of(content, "\n"))),
            history=(words(payload.get("conversation_id")), len(entries) - len(new)),
            attachments=[found for content in said for found in attachments_of(content)],
            tool_results=[_tool_result(entry, entries) for entry in new if _is_result(entry)],
            system_prompt=words(payload.get("instructions")),
            tools=plain(known(payload.get("tools"), list, tuple)),
            temperature=known(peek(asked, "temperature"), int, float),
            top_p=known(peek(asked, "top_p"), int, float),
            max_output_tokens=count(peek(asked, "max_tokens")),
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole; what tools of the vendor's did is no part of the answer."""
        entries = peek(payload, "outputs") or ()
        contents = [peek(entry, "content") for entry in entries]
        models = [model for entry in entries if (model := words(peek(entry, "model")))]
        ids = [id_ for entry in entries if (id_ := words(peek(entry, "id")))]
        return ResponseFacts(
            model=models[-1] if models else None,
            text="".join(text_of(content) for content in contents),
            reasoning="".join(thought_of(content) for content in contents),
            tool_calls=[_tool_call(entry) for entry in entries if peek(entry, "type") == "function.call"],
            usage=_usage(peek(payload, "usage")),
            request_id=ids[-1] if ids else None,
        )

    def accumulator(self) -> ConversationEvents:
        """Return a new gatherer of events."""
        return ConversationEvents()

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        said = [text_of(peek(entry, "content"), "\n") for entry in _entries(payload)]
        return "\n".join([words(payload.get("instructions")) or "", *said])


class ConversationEvents:
    """Gathers a streamed answer."""

    def __init__(self) -> None:
        self._text = Pieces()
        self._reasoning = Pieces()
        self._calls: dict[Any, dict[str, Any]] = {}
        self._found = ResponseFacts()

    def add(self, event: Any) -> bool:
        """Take an event, and tell whether it carries a piece of the answer."""
        data, found = peek(event, "data"), self._found
        kind = peek(data, "type")
        if kind == "conversation.response.done":
            found.usage = _usage(peek(data, "usage"))
        elif kind == "conversation.response.error":
            found.error_type = str(peek(data, "code") or "error")
            found.error_message = words(peek(data, "message"))
        if kind not in ("message.output.delta", "function.call.delta"):
            return False
        found.request_id = words(peek(data, "id")) or found.request_id
        found.model = words(peek(data, "model")) or found.model
        if kind == "function.call.delta":
            self._tool_call(data)
            return True
        given = peek(data, "content")
        content = given if isinstance(given, (str, list)) else [given]
        self._text.add(text_of(content))
        self._reasoning.add(thought_of(content))
        return True

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        self._found.text = self._text.text()
        self._found.reasoning = self._reasoning.text()
        self._found.tool_calls = [*self._calls.values()]
        return self._found

    def _tool_call(self, piece: Any) -> None:
        id_ = peek(piece, "tool_call_id")
        whole = self._calls.get(id_)
        if whole is None:
            self._calls[id_] = _tool_call(piece)
        else:
            whole["function"]["arguments"] += json_text(peek(piece, "arguments"))


def _entries(payload: Any) -> list[Any]:
    given = payload.get("inputs")
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return [*given] if isinstance(given, (list, tuple)) else []


def _since_last_answer(entries: list[Any]) -> list[Any]:
    for place in range(len(entries) - 1, -1, -1):
        entry = entries[place]
        is_said = peek(entry, "role") == "assistant" and not peek(entry, "prefix")
        if is_said or peek(entry, "type") in _BY_THE_MODEL:
            return entries[place + 1 :]
    return entries


def _is_result(entry: Any) -> bool:
    return bool(peek(entry, "type") == "function.result")


def _tool_result(entry: Any, entries: list[Any]) -> ToolResult:
    id_ = words(peek(entry, "tool_call_id")) or ""
    calls = (other for other in entries if peek(other, "type") == "function.call")
    call = next((_tool_call(other) for other in calls if peek(other, "tool_call_id") == id_), None)
    name, arguments = peek(call, "function", "name"), peek(call, "function", "arguments")
    return ToolResult(id_, name, arguments, words(peek(entry, "result")))


def _tool_call(entry: Any) -> dict[str, Any]:
    function = {"name": words(peek(entry, "name")), "arguments": json_text(peek(entry, "arguments"))}
    return {"type": "function", "id": words(peek(entry, "tool_call_id")), "function": function}


def _usage(usage: Any) -> Usage | None:
    """Return token counts; what the vendor's own tools found was read by the model too."""
    found, read = usage_of(usage), count(peek(usage, "connector_tokens"))
    if found is None or not read:
        return found
    return Usage((found.input or 0) + read, found.output, found.total)
