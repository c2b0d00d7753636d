"""Anthropic's messages: https://platform.claude.com/docs/en/api/messages."""

from __future__ import annotations

from typing import Any, Final

from msgspec import structs

from ..calls.facts import RequestFacts, ResponseFacts, Usage, count, known, peek
from .anthropic_content import (
    all_text_of,
    attachments_of,
    blocks_of,
    text_of,
    tool_calls_of,
    tool_results_of,
)

_PIECES: Final = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}


class Messages:
    """Maps messages, also those of Bedrock, Vertex AI and others that have Anthropic's API."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        messages = _messages(payload)
        start, end = _since_last_answer(messages)
        new = [peek(item, "content") for item in messages[start:end] if peek(item, "role") == "user"]
        asked = blocks_of(peek(messages[start - 1], "content")) if start else []
        said = [text_of(content) for content in new]
        inserted = [text_of(peek(item, "content")) for item in messages if peek(item, "role") == "system"]
        system = [text_of(payload.get("system")), *inserted]
        return RequestFacts(
            self._provider,
            str(payload.get("model") or ""),
            user_text="\n\n".join(text for text in said if text),
            history=(*_before(messages, start), peek(payload.get("thread"), "previous_message_id")),
            attachments=[found for content in new for found in attachments_of(content)],
            tool_results=[result for content in new for result in tool_results_of(content, asked)],
            system_prompt="\n\n".join(text for text in system if text) or None,
            tools=[*(known(payload.get("tools"), list, tuple) or ())] or None,
            temperature=known(payload.get("temperature"), int, float),
            top_p=known(payload.get("top_p"), int, float),
            max_output_tokens=count(payload.get("max_tokens")),
            service_tier="fast" if payload.get("speed") == "fast" else None,
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole."""
        facts = answered(peek(payload, "content") or [])
        facts.model = peek(payload, "model") or None
        facts.request_id = peek(payload, "id") or None
        facts.finish_reason = peek(payload, "stop_reason")
        facts.usage = usage_of(peek(payload, "usage"))
        facts.service_tier = tier_of(peek(payload, "usage"))
        return facts

    def accumulator(self) -> MessageEvents:
        """Return a new gatherer of events."""
        return MessageEvents()

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        system = text_of(payload.get("system"))
        said = [all_text_of(peek(item, "content")) for item in _messages(payload)]
        return "\n".join([system, *said] if system else said)


class MessageEvents:
    """Gathers a streamed message: https://platform.claude.com/docs/en/build-with-claude/streaming."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._found = ResponseFacts()
        self._begun: Any = None
        self._ended: Any = None

    def add(self, chunk: Any) -> bool:
        """Take an event, and tell whether it carries a piece of the answer."""
        kind = peek(chunk, "type")
        if kind == "content_block_delta":
            return self._delta(self._blocks.get(peek(chunk, "index")), peek(chunk, "delta"))
        if kind == "content_block_start":
            self._blocks[peek(chunk, "index")] = _begun(peek(chunk, "content_block"))
        elif kind == "message_start":
            message = peek(chunk, "message")
            self._begun = peek(message, "usage")
            self._found.model = peek(message, "model") or None
            self._found.request_id = peek(message, "id") or None
        elif kind == "message_delta":
            self._ended = peek(chunk, "usage")
            self._found.finish_reason = peek(chunk, "delta", "stop_reason")
        elif kind == "error":
            self._found.error_type = peek(chunk, "error", "type") or "error"
            self._found.error_message = peek(chunk, "error", "message")
        return False

    def facts(self) -> ResponseFacts:
        """Return what came so far; the tokens are counted at the end."""
        came = answered([_joined(block) for _index, block in sorted(self._blocks.items())])
        found = self._found
        found.text, found.reasoning, found.tool_calls = came.text, came.reasoning, came.tool_calls
        found.service_tier = tier_of(self._begun)
        found.usage = usage_of(self._begun, self._ended)
        if found.usage is not None and self._ended is None:  # a stream begins with a count of its own
            found.usage = structs.replace(found.usage, output=None, total=None)
        return found

    def _delta(self, block: dict[str, Any] | None, delta: Any) -> bool:
        part = _PIECES.get(peek(delta, "type"))
        if block is None or part is None:
            return False
        piece = peek(delta, part)
        if piece:
            block["pieces"].append(piece)
        return bool(piece)


def usage_of(*usages: Any) -> Usage | None:
    """Return token counts; of several, as a stream has them, the last that names a number counts.

    The vendor counts cached tokens apart from those it calls input.
    """
    sent, read, written, answer = (
        _last(usages, name)
        for name in (
            "input_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "output_tokens",
        )
    )
    if sent is None and answer is None:
        return None
    inputs = (sent or 0) + (read or 0) + (written or 0)
    reasoning = _last([peek(usage, "output_tokens_details") for usage in usages], "thinking_tokens")
    return Usage(inputs, answer, inputs + (answer or 0), reasoning, read, written)


def tier_of(usage: Any) -> str | None:
    """Return which price holds: https://platform.claude.com/docs/en/api/service-tiers, .../fast-mode."""
    if peek(usage, "speed") == "fast":
        return "fast"
    tier: str | None = known(peek(usage, "service_tier"), str)
    return tier


def answered(blocks: list[Any]) -> ResponseFacts:
    """Map the blocks of an answer; reasoning that was encrypted is not shown."""
    thoughts = (peek(block, "thinking") for block in blocks if peek(block, "type") == "thinking")
    return ResponseFacts(
        text=text_of(blocks, ""),
        reasoning="\n".join(thought for thought in thoughts if thought),
        tool_calls=tool_calls_of(blocks),
    )


def _last(usages: Any, name: str) -> int | None:
    counts = [number for usage in usages if (number := count(peek(usage, name))) is not None]
    return counts[-1] if counts else None


def _begun(block: Any) -> dict[str, Any]:
    """Return what is known of a block when it begins; some servers say all of it at once."""
    return {
        **{name: peek(block, name) for name in ("type", "id", "name", "text", "thinking", "input")},
        "pieces": [],
    }


def _joined(block: dict[str, Any]) -> dict[str, Any]:
    """Return a block as a whole answer has it, though a tool's arguments stay the text that they came as."""
    pieces = "".join(block["pieces"])
    if not pieces:
        return block
    if block["type"] == "tool_use":
        return {**block, "input": pieces}
    name = "thinking" if block["type"] == "thinking" else "text"
    return {**block, name: (block[name] or "") + pieces}


def _messages(payload: Any) -> list[Any]:
    given = payload.get("messages")
    return [*given] if isinstance(given, (list, tuple)) else []


def _since_last_answer(messages: list[Any]) -> tuple[int, int]:
    """Return where what is new begins and ends.

    An assistant's message at the very end is no answer yet: the model is to go on with it.
    """
    end = len(messages)
    while end and peek(messages[end - 1], "role") == "assistant":
        end -= 1
    start = end
    while start and peek(messages[start - 1], "role") != "assistant":
        start -= 1
    return start, end


def _before(messages: list[Any], start: int) -> tuple[int, str]:
    """Return what tells one point of a conversation from another: how much was said, and what last."""
    said = sum(peek(item, "role") != "system" for item in messages[:start])
    return said, text_of(peek(messages[start - 1], "content")) if start else ""
