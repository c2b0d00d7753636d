"""Messages as the GenAI conventions write them: a role, and parts of text, reasoning and tool calls."""

from __future__ import annotations

from typing import Any

from .event import Event, parsed, written

Json = dict[str, Any]


def said(role: str, words: str) -> Json:
    """Return a message of text."""
    return {"role": role, "parts": [{"type": "text", "content": words}]}


def answer(event: Event) -> str | None:
    """Return a model's answer as the list of its one message; ``None`` where it holds no words."""
    parts: list[Json] = []
    reasoning = event.take("reasoning_content")
    if isinstance(reasoning, str) and reasoning:
        parts.append({"type": "reasoning", "content": reasoning})
    words = event.words()
    if words:
        parts.append({"type": "text", "content": words})
    calls = parsed(event.take("tool_calls"))
    parts += map(_call, calls if isinstance(calls, list) else ())
    if not parts:
        return None
    why = event.text("finish_reason")
    return written([{"role": "assistant", "parts": parts, **({"finish_reason": why} if why else {})}])


def stated(role: str, state: Any) -> str | None:
    """Return what an agent was given, or made, as the list of one message."""
    value = parsed(state)
    if isinstance(value, dict) and value.keys() == {"value"}:
        value = value["value"]
    if value is None or value == "":
        return None
    return written([said(role, value if isinstance(value, str) else written(value))])


def instructions(event: Event) -> str | None:
    """Return the system prompt as a list of parts."""
    prompt = event.take("system_prompt")
    if not isinstance(prompt, str) or not prompt:
        return None
    return written([{"type": "text", "content": prompt}])


def definitions(event: Event) -> str | None:
    """Return the tools that were offered to the model."""
    offered = parsed(event.take("tool_definitions"))
    if not isinstance(offered, list):
        return None
    return written([{"type": "function", **tool} if isinstance(tool, dict) else tool for tool in offered])


def _call(call: Any) -> Json:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return {"type": "tool_call", "name": written(call)}
    part = {"type": "tool_call", "id": call.get("id"), "name": function.get("name")}
    return {**part, "arguments": parsed(function.get("arguments"))}
