"""What is in a message of Anthropic's: a text, or a list of blocks, each a dictionary or a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..calls.attachments import attachment
from ..calls.facts import ToolResult, known, peek
from ..schema.values import to_json

# https://platform.claude.com/docs/en/build-with-claude/vision, .../pdf-support, .../files
_FILES: Final = {"image": "image", "document": "file", "container_upload": "file"}


def blocks_of(content: Any) -> list[Any]:
    """Return the blocks of a content; a text is one."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [*content] if isinstance(content, (list, tuple)) else []


def text_of(content: Any, between: str = "\n") -> str:
    """Return the words of a content: neither what was thought nor what tools answered."""
    texts = (peek(block, "text") for block in blocks_of(content) if peek(block, "type") == "text")
    return between.join(text for text in texts if isinstance(text, str))


def all_text_of(content: Any) -> str:
    """Return the words of a content, with those that tools answered."""
    answered = (peek(block, "content") for block in blocks_of(content) if _is_result(block))
    return "\n".join(text for text in (text_of(content), *map(text_of, answered)) if text)


def attachments_of(content: Any) -> list[dict[str, Any]]:
    """Return what an event says of the pictures and documents in a content."""
    return [found for block in blocks_of(content) for found in _attachments(block)]


def tool_calls_of(blocks: list[Any]) -> list[dict[str, Any]]:
    """Return the tools that an answer asks the program to run, and not those that the vendor itself runs.

    https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
    """
    return [_tool_call(block) for block in blocks if peek(block, "type") == "tool_use"]


def tool_results_of(content: Any, asked: list[Any]) -> list[ToolResult]:
    """Return the tools' answers in a content; ``asked`` are the blocks of the model's last answer."""
    calls = {peek(block, "id"): block for block in asked if peek(block, "type") == "tool_use"}
    return [_tool_result(block, calls) for block in blocks_of(content) if _is_result(block)]


def _is_result(block: Any) -> bool:
    return bool(peek(block, "type") == "tool_result")


def _tool_call(block: Any) -> dict[str, Any]:
    function = {"name": peek(block, "name"), "arguments": _arguments(block)}
    return {"type": "function", "id": peek(block, "id"), "function": function}


def _arguments(block: Any) -> str:
    """Return a tool's arguments as JSON; a stream has them as text."""
    return to_json(peek(block, "input") or {})


def _tool_result(block: Any, calls: dict[Any, Any]) -> ToolResult:
    call_id = peek(block, "tool_use_id")
    call = calls.get(call_id)
    return ToolResult(
        str(call_id or ""),
        peek(call, "name"),
        None if call is None else _arguments(call),
        text_of(peek(block, "content")),
        is_error=peek(block, "is_error") is True,
    )


def _attachments(block: Any) -> Iterator[dict[str, Any]]:
    kind = _FILES.get(known(peek(block, "type"), str) or "")
    if kind is None:
        return
    source = peek(block, "source")
    form = peek(source, "type")
    data = peek(source, "data")
    if form == "text" and isinstance(data, str):
        data = data.encode()  # words, and no base64
    yield attachment(
        kind,
        mime_type=peek(source, "media_type"),
        name=peek(block, "title"),
        data=data,
        url=peek(source, "url"),
    )
