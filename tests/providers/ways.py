"""The arguments of plain calls of OpenAI's."""

from __future__ import annotations

from typing import Any

from .expected import MODEL

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def chat(words: str, **more: Any) -> dict[str, Any]:
    """Return the arguments of a chat completion."""
    return {"model": MODEL, "messages": [{"role": "user", "content": words}], **more}


def response(words: str, **more: Any) -> dict[str, Any]:
    """Return the arguments of a response."""
    return {"model": MODEL, "input": words, **more}
