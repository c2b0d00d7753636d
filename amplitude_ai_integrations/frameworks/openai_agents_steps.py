"""Spans of the OpenAI Agents SDK that are steps: what they are called, are given and make."""

from __future__ import annotations

import json
from typing import Any, Final

from ..calls.facts import peek

_FAILURES: Final = {
    "function": "ToolError",
    "generation": "ModelBehaviorError",
    "response": "ModelBehaviorError",
}
# What the SDK writes in place of words that are not to be traced.
_REDACTED: Final = "Error details are redacted."
STEPS: Final = frozenset(
    {"handoff", "guardrail", "custom", "mcp_tools", "transcription", "speech", "speech_group"}
)


def name_of(data: Any) -> str:
    """Return what a step is called; a handoff only knows at its end whose it is."""
    if data.type == "handoff" and peek(data, "to_agent"):
        return f"handoff to {data.to_agent}"
    return str(peek(data, "name") or {"mcp_tools": "mcp list tools"}.get(data.type) or data.type)


def given_to(data: Any) -> Any:
    """Return what a step is given. Sound is not content that anybody reads: only its form is told."""
    if data.type == "handoff":
        return {"from_agent": peek(data, "from_agent")}
    if data.type == "mcp_tools":
        return {"server": peek(data, "server")}
    if data.type == "transcription":
        return {"model": peek(data, "model"), "input_format": peek(data, "input_format")}
    if data.type == "speech":
        return {"model": peek(data, "model"), "input": peek(data, "input")}
    return {"input": data.input} if peek(data, "input") else None


def made_by(data: Any) -> Any:
    """Return what came of a step."""
    if data.type == "handoff":
        return {"to_agent": peek(data, "to_agent")}
    if data.type == "guardrail":
        return {"triggered": bool(peek(data, "triggered"))}
    if data.type == "mcp_tools":
        return {"tools": peek(data, "result")}
    if data.type == "transcription":
        return {"output": peek(data, "output")}
    if data.type == "speech":
        return {"output_format": peek(data, "output_format")}
    return peek(data, "data") or None


def arguments(text: Any) -> Any:
    """Return what a tool was called with, which the SDK has as JSON."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return text


def owner(data: Any) -> dict[str, Any]:
    """Return whose tool it is, where a server of the Model Context Protocol has it."""
    server = peek(data, "mcp_data", "server")
    return {"tool_type": "mcp", "tool_owner": str(server)} if server else {}


def failure_type(data: Any) -> str:
    """Return what to call a failure of which a span only has words."""
    return _FAILURES.get(data.type, "AgentsException")


def words_of(error: Any, *, in_short: bool = False) -> str:
    """Return what a span says of its failure; ``in_short``, only the SDK's own words for it."""
    said = None if in_short else peek(error, "data", "error")
    return said if isinstance(said, str) and said else str(peek(error, "message") or "")


def is_redacted(error: Any) -> bool:
    """Tell whether the SDK keeps the words of a failure back."""
    return words_of(error).endswith(_REDACTED)
