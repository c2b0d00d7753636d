"""Chat completions, of models and of agents: https://docs.mistral.ai/api/endpoint/chat."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, ToolResult, count, known, peek
from ..calls.pieces import Pieces
from .mistral_content import (
    attachments_of,
    call_id,
    chunks_of,
    json_text,
    plain,
    text_of,
    thought_of,
    tool_call,
    unlisted,
    usage_of,
    words,
)


class Chat:
    """Maps chat completions."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent; an agent stands where its model would, which is not known before it answers."""
        messages = _messages(payload)
        new, asked = _since_last_answer(messages)
        said = [peek(item, "content") for item in new if peek(item, "role") == "user"]
        system = [text_of(peek(item, "content"), "\n") for item in messages if peek(item, "role") == "system"]
        return RequestFacts(
            self._provider,
            words(payload.get("model")) or words(payload.get("agent_id")) or "",
            user_text="\n\n".join(text for content in said if (text := text_of(content, "\n"))),
            history=_before(messages, len(messages) - len(new)),
            attachments=[found for content in said for found in attachments_of(content)],
            tool_results=[_tool_result(item, asked) for item in new if peek(item, "role") == "tool"],
            system_prompt="\n\n".join(system) or None,
            tools=plain(known(payload.get("tools"), list, tuple)),
            temperature=known(payload.get("temperature"), int, float),
            top_p=known(payload.get("top_p"), int, float),
            max_output_tokens=count(payload.get("max_tokens")),
            service_tier=words(payload.get("service_tier")),
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole; of several choices the first counts."""
        choices = peek(payload, "choices")
        choice = choices[0] if choices else None
        message = peek(choice, "message")
        content, usage = peek(message, "content"), peek(payload, "usage")
        return ResponseFacts(
            model=words(peek(payload, "model")),
            text=text_of(content),
            reasoning=thought_of(content) or unlisted(message, "reasoning_content") or "",
            tool_calls=[tool_call(call) for call in peek(message, "tool_calls") or ()],
            finish_reason=words(peek(choice, "finish_reason")),
            usage=usage_of(usage),
            request_id=words(peek(payload, "id")),
            service_tier=words(peek(usage, "service_tier")),
        )

    def accumulator(self) -> ChatChunks:
        """Return a new gatherer of chunks."""
        return ChatChunks()

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        return "\n".join(text_of(peek(item, "content"), "\n") for item in _messages(payload))


class ChatChunks:
    """Gathers a streamed chat completion; of several choices the first counts."""

    def __init__(self) -> None:
        self._text = Pieces()
        self._reasoning = Pieces()
        self._calls: dict[str | None, dict[str, Any]] = {}
        self._latest: dict[int, str | None] = {}  # the id of the latest call at each index
        self._found = ResponseFacts()

    def add(self, event: Any) -> bool:
        """Take an event with a chunk in it, and tell whether it carries a piece of the answer."""
        chunk, found = peek(event, "data"), self._found
        if found.request_id is None:
            found.request_id = words(peek(chunk, "id"))
            found.model = words(peek(chunk, "model"))
        usage = peek(chunk, "usage")
        if usage:
            found.usage = usage_of(usage)
            found.service_tier = words(peek(usage, "service_tier"))
        choices = peek(chunk, "choices")
        if not choices or peek(choices[0], "index"):
            return False
        found.finish_reason = words(peek(choices[0], "finish_reason")) or found.finish_reason
        return self._delta(peek(choices[0], "delta"))

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        self._found.text = self._text.text()
        self._found.reasoning = self._reasoning.text()
        self._found.tool_calls = [*self._calls.values()]
        return self._found

    def _delta(self, delta: Any) -> bool:
        content, calls = peek(delta, "content"), peek(delta, "tool_calls") or ()
        text = text_of(content)
        reasoning = thought_of(content) or unlisted(delta, "reasoning_content")
        if text:
            self._text.add(text)
        if reasoning:
            self._reasoning.add(reasoning)
        for call in calls:
            self._tool_call(call)
        return bool(text or reasoning or calls)

    def _tool_call(self, piece: Any) -> None:
        index = count(peek(piece, "index")) or 0
        id_ = call_id(piece) or self._latest.get(index)
        self._latest[index] = id_
        whole = self._calls.get(id_)
        if whole is None:
            self._calls[id_] = tool_call(piece)
        else:
            whole["function"]["arguments"] += json_text(peek(piece, "function", "arguments"))


def _messages(payload: Any) -> list[Any]:
    messages = payload.get("messages")
    return [*messages] if isinstance(messages, (list, tuple)) else []


def _since_last_answer(messages: list[Any]) -> tuple[list[Any], Any]:
    """Return the messages after the model's last, and the tools that one asked for.

    What begins an answer that the model is to go on with is none of its own.
    """
    for place in range(len(messages) - 1, -1, -1):
        if peek(messages[place], "role") == "assistant" and not peek(messages[place], "prefix"):
            return messages[place + 1 :], peek(messages[place], "tool_calls")
    return messages, None


def _before(messages: list[Any], count: int) -> tuple[int, str]:
    """Return what tells one point of a conversation from another: how much was said, and what last."""
    said = sum(peek(item, "role") != "system" for item in messages[:count])
    return said, text_of(peek(messages[count - 1], "content")) if count else ""


def _tool_result(message: Any, asked: Any) -> ToolResult:
    id_ = words(peek(message, "tool_call_id")) or ""
    call = next((tool_call(call) for call in asked or () if call_id(call) == id_), None)
    content = peek(message, "content")
    return ToolResult(
        id_,
        peek(call, "function", "name") or words(peek(message, "name")),
        peek(call, "function", "arguments"),
        text_of(content, "\n") if chunks_of(content) else None,
    )
