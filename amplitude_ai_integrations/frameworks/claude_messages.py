"""The Claude Agent SDK's messages in our words.

An API message arrives in parts, each an ``AssistantMessage`` with one block, the same id and the same usage.
That usage is what was known when the message began: how much the model wrote is said at the end of its
stream alone, for those who ask for partial messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import structs

from ..calls.facts import ResponseFacts, Usage, known, peek
from ..context import stamps
from ..pricing.tokens import estimate_tokens
from ..providers.anthropic_content import text_of
from ..providers.anthropic_messages import MessageEvents, answered, tier_of, usage_of

_TYPES: Final = {
    "TextBlock": "text",
    "ThinkingBlock": "thinking",
    "ToolUseBlock": "tool_use",
    "ToolResultBlock": "tool_result",
}
_FIELDS: Final = ("text", "thinking", "id", "name", "input", "tool_use_id", "content", "is_error")


def blocks_of(message: Any) -> list[dict[str, Any]]:
    """Return the blocks of a message as the API has them; the SDK's have classes instead of types."""
    content = peek(message, "content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [_block(block) for block in content or [] if type(block).__name__ in _TYPES]


def _block(block: Any) -> dict[str, Any]:
    held = {name: getattr(block, name) for name in _FIELDS if hasattr(block, name)}
    return {"type": _TYPES[type(block).__name__], **held}


def asked_tools(blocks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return the tools that a message asks for."""
    return (block for block in blocks if block["type"] == "tool_use")


def tool_results(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the tools' answers in a message."""
    return [block for block in blocks if block["type"] == "tool_result"]


class Answer:
    """One message of the API's, as its parts come."""

    def __init__(self, api_id: str | None, began: float) -> None:
        self.api_id = api_id
        self.message_id = stamps.new_id()
        self.is_more = False  # of a message that was told of already, with all it took
        self.began = began
        self.first: float | None = None  # when the first piece of a streamed one came
        self.last = began
        self.at_ms = stamps.now_ms()
        self._blocks: list[dict[str, Any]] = []
        self._message: Any = None
        self._events: MessageEvents | None = None
        self._stop_reason: str | None = None
        self._error: str | None = None

    @property
    def is_streaming(self) -> bool:
        """Whether it is seen piece by piece."""
        return self._events is not None

    @property
    def is_cut(self) -> bool:
        """Whether it is known not to be whole."""
        return self.is_streaming and self._stop_reason is None

    def takes(self, api_id: str | None) -> bool:
        """Tell whether a part with this id is one of its; a stream need not have said its own."""
        if self.api_id is None and self.is_streaming and not self._blocks:
            self.api_id = api_id
        return self.api_id == api_id

    def part(self, message: Any, blocks: list[dict[str, Any]]) -> None:
        """Take a part."""
        self._message = message
        self._blocks += blocks
        self._stop_reason = peek(message, "stop_reason") or self._stop_reason
        self._error = peek(message, "error") or self._error
        self._touch()

    def event(self, event: Any) -> None:
        """Take a piece."""
        if self._events is None:
            self._events = MessageEvents()
        is_piece = self._events.add(event)
        self._stop_reason = known(peek(event, "delta", "stop_reason"), str) or self._stop_reason
        self._touch()
        if is_piece and self.first is None:
            self.first = self.last

    def facts(self) -> ResponseFacts:
        """Return what came of it."""
        streamed = self._events.facts() if self._events is not None else ResponseFacts()
        facts = answered(self._blocks)
        facts.text = max(facts.text, streamed.text, key=len)  # of a block that was cut there is no part
        facts.reasoning = max(facts.reasoning, streamed.reasoning, key=len)
        model = known(peek(self._message, "model"), str) or streamed.model
        facts.model = None if model is None or model.startswith("<") else model  # "<synthetic>"
        facts.request_id = self.api_id
        facts.finish_reason = self._stop_reason
        usage = peek(self._message, "usage")
        facts.service_tier = tier_of(usage) or streamed.service_tier
        facts.usage = None if self.is_more else _latest(usage_of(usage), streamed.usage)
        if self._error is not None:
            facts.error_type, facts.error_message, facts.text = self._error, facts.text or None, ""
        return facts

    def usage(self, facts: ResponseFacts, model: str) -> tuple[Usage, bool]:
        """Return what it took, and whether that is an estimate."""
        usage = facts.usage or Usage()
        functions = (call["function"] for call in facts.tool_calls)
        asked = "".join(f"{function['name']}{function['arguments']}" for function in functions)
        words = facts.text + facts.reasoning + asked
        if self._stop_reason is not None or facts.error_type or self.is_more or not words:
            return usage, False
        output = max(usage.output or 0, estimate_tokens(words, model))
        return structs.replace(usage, output=output, total=(usage.input or 0) + output), True

    def _touch(self) -> None:
        self.last, self.at_ms = stamps.seconds(), stamps.now_ms()


def _latest(begun: Usage | None, streamed: Usage | None) -> Usage | None:
    return streamed if streamed is not None and streamed.output is not None else begun or streamed


def words_of(message: Any) -> str:
    """Return what a message says in words."""
    return text_of(blocks_of(message))
