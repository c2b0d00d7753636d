"""The Responses API: https://platform.openai.com/docs/api-reference/responses."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage, count, known, peek
from .openai_chat import text_of

_FROM_THE_MODEL = {"function_call", "reasoning", "custom_tool_call"}
_PIECES = {"response.output_text.delta", "response.refusal.delta"}
_REASONING_PIECES = {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}
_ENDS = {"response.completed", "response.incomplete", "response.failed"}


class Responses:
    """Maps responses."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent; ``input`` is a text or a list of items."""
        given = payload.get("input")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else _items(given)
        new = _since_last_answer(items)
        said = [text_of(item.get("content")) for item in new if item.get("role") == "user"]
        calls = {item.get("call_id"): item for item in items if item.get("type") == "function_call"}
        system = [
            text_of(item.get("content")) for item in items if item.get("role") in ("system", "developer")
        ]
        instructions = known(payload.get("instructions"), str)
        return RequestFacts(
            self._provider,
            str(payload.get("model") or ""),
            user_text="\n\n".join(text for text in said if text),
            tool_results=[
                _tool_result(item, calls) for item in new if item.get("type") == "function_call_output"
            ],
            system_prompt="\n\n".join([instructions, *system] if instructions else system) or None,
            tools=known(payload.get("tools"), list),
            temperature=known(payload.get("temperature"), int, float),
            top_p=known(payload.get("top_p"), int, float),
            max_output_tokens=count(payload.get("max_output_tokens")),
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole."""
        output = peek(payload, "output") or ()
        messages = [item for item in output if peek(item, "type") == "message"]
        parts = [part for message in messages for part in peek(message, "content") or ()]
        thoughts = [
            part
            for item in output
            if peek(item, "type") == "reasoning"
            for part in [*(peek(item, "summary") or ()), *(peek(item, "content") or ())]
        ]
        error = peek(payload, "error")
        return ResponseFacts(
            model=peek(payload, "model") or None,
            text="".join(peek(part, "text") or peek(part, "refusal") or "" for part in parts),
            reasoning="\n".join(text for part in thoughts if (text := peek(part, "text"))),
            tool_calls=[_tool_call(item) for item in output if peek(item, "type") == "function_call"],
            finish_reason=peek(payload, "incomplete_details", "reason") or peek(payload, "status"),
            usage=_usage(peek(payload, "usage")),
            request_id=peek(payload, "id"),
            error_type=str(peek(error, "code") or "error") if error else None,
            error_message=peek(error, "message"),
        )

    def accumulator(self) -> ResponseEvents:
        """Return a new gatherer of events."""
        return ResponseEvents(self)

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        given = payload.get("input")
        if isinstance(given, str):
            return given
        return "\n".join(text_of(item.get("content")) for item in _items(given))


class ResponseEvents:
    """Gathers a streamed response; its last event holds the whole of it."""

    def __init__(self, adapter: Responses) -> None:
        self._adapter = adapter
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._begun: Any = None
        self._whole: Any = None

    def add(self, chunk: Any) -> bool:
        """Take an event, and tell whether it carries a piece of the answer."""
        kind = peek(chunk, "type")
        if kind in _PIECES:
            self._text.append(peek(chunk, "delta") or "")
            return True
        if kind in _REASONING_PIECES:
            self._reasoning.append(peek(chunk, "delta") or "")
            return True
        if kind == "response.created":
            self._begun = peek(chunk, "response")
        elif kind in _ENDS:
            self._whole = peek(chunk, "response")
        return bool(kind == "response.function_call_arguments.delta")

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        if self._whole is not None:
            return self._adapter.response(self._whole)
        return ResponseFacts(
            model=peek(self._begun, "model") or None,
            text="".join(self._text),
            reasoning="".join(self._reasoning),
            request_id=peek(self._begun, "id"),
        )


def _items(given: Any) -> list[dict[str, Any]]:
    return [item for item in given if isinstance(item, dict)] if isinstance(given, (list, tuple)) else []


def _since_last_answer(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for place in range(len(items) - 1, -1, -1):
        if items[place].get("role") == "assistant" or items[place].get("type") in _FROM_THE_MODEL:
            return items[place + 1 :]
    return items


def _tool_result(item: dict[str, Any], calls: dict[Any, dict[str, Any]]) -> ToolResult:
    call = calls.get(item.get("call_id"))
    output = item.get("output")
    return ToolResult(
        str(item.get("call_id") or ""),
        str(peek(call, "name") or "tool"),
        peek(call, "arguments"),
        text_of(output) or output,
    )


def _tool_call(item: Any) -> dict[str, Any]:
    function = {"name": peek(item, "name"), "arguments": peek(item, "arguments")}
    return {"type": "function", "id": peek(item, "call_id"), "function": function}


def _usage(usage: Any) -> Usage | None:
    sent, written = count(peek(usage, "input_tokens")), count(peek(usage, "output_tokens"))
    if sent is None and written is None:
        return None
    return Usage(
        sent,
        written,
        count(peek(usage, "total_tokens")),
        count(peek(usage, "output_tokens_details", "reasoning_tokens")),
        count(peek(usage, "input_tokens_details", "cached_tokens")),
        count(peek(usage, "input_tokens_details", "cache_write_tokens")),
    )
