"""Parts of messages in the words of Bedrock and Gemini, which Strands and Google ADK write as they are.

Such a part has no ``type``: it is what its only key says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .otel_attributes import Attributes, parsed

Part = dict[str, Any]
_KINDS: Final = {
    "text": "text",
    "toolUse": "tool_call",
    "toolResult": "tool_call_response",
    "reasoningContent": "reasoning",
    "function_call": "tool_call",
    "function_response": "tool_call_response",
}


def typed(content: Any) -> list[Part] | None:
    """Return the parts of a content in the words of the conventions; ``None`` if they are no such parts."""
    if not isinstance(content, list) or not content:
        return None
    parts = [_typed(part) for part in content]
    found = [part for part in parts if part is not None]
    return found if len(found) == len(parts) else None


def sent(attributes: Attributes) -> list[dict[str, Any]]:
    """Return the messages of the whole request that older versions of Google ADK write."""
    request = parsed(attributes.get("gcp.vertex.agent.llm_request"))
    if not isinstance(request, Mapping) or not isinstance(request.get("contents"), list):
        return []
    config = request.get("config")
    system = config.get("system_instruction") if isinstance(config, Mapping) else None
    before = [{"role": "system", "content": system}] if isinstance(system, str) else []
    return [*before, *(_message(content) for content in request["contents"] if isinstance(content, Mapping))]


def returned(attributes: Attributes) -> list[dict[str, Any]]:
    """Return the message of the whole response that older versions of Google ADK write."""
    response = parsed(attributes.get("gcp.vertex.agent.llm_response"))
    content = response.get("content") if isinstance(response, Mapping) else None
    return [_message(content)] if isinstance(content, Mapping) else []


def joined(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put together the pieces of a stream, which Google ADK writes as messages; only the last has an end."""
    whole: list[dict[str, Any]] = []
    for message in messages:
        before = whole[-1] if whole else {}
        if before.get("finish_reason") == "" and _has_parts(before) and _has_parts(message):
            parts = _run_on([*before["parts"], *message["parts"]])
            whole[-1] = {**message, "parts": parts}
        else:
            whole.append(message)
    return whole


def _run_on(parts: list[Any]) -> list[Any]:
    """Make one text of texts that follow on each other."""
    whole: list[Any] = []
    for part in parts:
        before = whole[-1] if whole else {}
        if _is_text(before) and _is_text(part) and before["type"] == part["type"]:
            whole[-1] = {**before, "content": before["content"] + part["content"]}
        else:
            whole.append(part)
    return whole


def _has_parts(message: Mapping[str, Any]) -> bool:
    return isinstance(message.get("parts"), list)


def _is_text(part: Any) -> bool:
    is_text = isinstance(part, Mapping) and part.get("type") in ("text", "reasoning")
    return is_text and isinstance(part.get("content"), str)


def _message(content: Mapping[str, Any]) -> dict[str, Any]:
    parts = content.get("parts")
    return {"role": content.get("role") or "user", "parts": typed(parts) or parts}


def _typed(part: Any) -> Part | None:
    if not isinstance(part, Mapping) or "type" in part:
        return None
    key = next((name for name in _KINDS if name in part), None)
    if key is None:
        return None
    inner = part[key]
    if isinstance(inner, str):
        return {"type": "reasoning" if part.get("thought") else "text", "content": inner}
    if not isinstance(inner, Mapping):
        return None
    if key == "reasoningContent":
        return {"type": "reasoning", "content": inner.get("reasoningText")}
    return {
        "type": _KINDS[key],
        "id": inner.get("toolUseId", inner.get("id")),
        "name": inner.get("name"),
        "arguments": inner.get("input", inner.get("args")),
        "response": inner.get("content", inner.get("response")),
    }
