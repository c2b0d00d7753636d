"""CrewAI's model calls as facts: prompts in OpenAI's words, answers and counts in each vendor's."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Final

from ..calls.facts import RequestFacts, ResponseFacts, Usage, count, known, peek
from ..pricing.names import infer_provider
from ..providers.openai_chat import ChatCompletions, text_of
from ..schema.values import json_of, plain

_WRITTEN_AS_PYTHON: Final = 5
_ASKED: Final = ("temperature", "top_p", "max_tokens")
_SENT: Final = ("prompt_tokens", "prompt_token_count", "input_tokens", "inputTokens")
_WRITTEN: Final = ("completion_tokens", "candidates_token_count", "output_tokens", "outputTokens")
_READ: Final = ("cached_prompt_tokens", "cache_read_input_tokens", "cacheReadInputTokens")
_CREATED: Final = ("cache_creation_tokens", "cache_creation_input_tokens", "cacheWriteInputTokens")
# Where these are what is sent, what comes from the cache is counted beside it.
_BESIDE: Final = (("input_tokens", "cache_read_input_tokens"), ("inputTokens", "cacheReadInputTokens"))


def asked(model: Any, event: Any) -> RequestFacts:
    """Map what is sent: CrewAI's model, and the event that tells of its call."""
    name = str(event.model or peek(model, "model") or "")
    payload = {
        **{key: value for key in _ASKED if (value := peek(event, key)) is not None},
        "model": name,
        "messages": messages_of(event.messages),
        "tools": [whole(tool) for tool in event.tools or ()] or None,
    }
    return ChatCompletions(_provider(model, name)).request(payload)


def messages_of(messages: Any) -> list[Any]:
    """Return what is sent as a list of messages."""
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    return [whole(message) for message in messages or ()]


def last_words(messages: Any) -> str:
    """Return what was said last."""
    return next((text_of(peek(message, "content")) for message in reversed(messages_of(messages))), "")


def all_words(messages: Any) -> str:
    """Return all words that are sent."""
    return "\n".join(text_of(peek(message, "content")) for message in messages_of(messages))


def answered(event: Any) -> ResponseFacts:
    """Map what came back: a text, an object of the caller's, or the tools that the model asks for."""
    response = event.response
    calls = tool_calls(response) if isinstance(response, (list, tuple)) else []
    return ResponseFacts(
        text="" if calls else _text(response),
        tool_calls=calls,
        finish_reason=known(peek(event, "finish_reason"), str),
        usage=usage_of(peek(event, "usage")),
        request_id=known(peek(event, "response_id"), str),
    )


def tool_calls(response: Any) -> list[dict[str, Any]]:
    """Return the tools that an answer asks for, in OpenAI's words."""
    return [call for part in response if (call := _tool_call(part)) is not None]


def usage_of(usage: Any) -> Usage | None:
    """Return token counts, under whichever names CrewAI passes on: those of each vendor, or its own."""
    if not isinstance(usage, Mapping):
        return None
    sent, written = _first(usage, _SENT), _first(usage, _WRITTEN)
    if sent is None and written is None:
        return None
    read, created = _first(usage, _READ), _first(usage, _CREATED)
    if sent is not None and any(_are_beside(usage, *names) for names in _BESIDE):
        sent += (read or 0) + (created or 0)
    total = sent + written if sent is not None and written is not None else None
    return Usage(sent, written, total, count(usage.get("reasoning_tokens")), read, created)


def whole(value: Any, depth: int = 1) -> Any:
    """Return a part of a list in an event of CrewAI's, which writes as Python what is five levels deep."""
    if depth == _WRITTEN_AS_PYTHON:
        return _read(value) if isinstance(value, str) else value
    if isinstance(value, dict):
        return {name: whole(part, depth + 1) for name, part in value.items()}
    return [whole(part, depth + 1) for part in value] if isinstance(value, list) else value


def _read(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):  # an object, or cut
        return text


def _provider(model: Any, name: str) -> str:
    said = str(peek(model, "provider") or "")
    return infer_provider(f"{said}/{name}", said) or infer_provider(name, said) or said


def _text(response: Any) -> str:
    if isinstance(response, str):
        return response
    return "" if response is None else json_of(plain(response))


def _tool_call(part: Any) -> dict[str, Any] | None:
    call = peek(part, "toolUse") or peek(part, "function_call") or part
    function = peek(call, "function") or call
    name = peek(function, "name")
    if not isinstance(name, str):
        return None
    given: Any = next((found for key in ("arguments", "input", "args") if (found := peek(function, key))), {})
    return {
        "type": "function",
        "id": peek(call, "id") or peek(call, "toolUseId"),
        "function": {"name": name, "arguments": given if isinstance(given, str) else json_of(plain(given))},
    }


def _first(usage: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((found for name in names if (found := count(usage.get(name))) is not None), None)


def _are_beside(usage: Mapping[str, Any], sent: str, read: str) -> bool:
    return sent in usage and read in usage and not any(name in usage for name in _SENT[: _SENT.index(sent)])
