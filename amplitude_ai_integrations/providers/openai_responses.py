"""The Responses API: https://platform.openai.com/docs/api-reference/responses."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, ToolResult, count, known, peek
from ..calls.pieces import Pieces
from .openai_chat import text_of, usage_of
from .openai_parts import files_in, files_made

_FROM_THE_MODEL = {"reasoning", "mcp_approval_request", "mcp_list_tools"}
_CALLS = {"function_call", "custom_tool_call"}
_CALL_OUTPUTS = {"function_call_output", "custom_tool_call_output"}
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
        said = [item.get("content") for item in new if item.get("role") == "user"]
        calls = {item.get("call_id"): item for item in items if item.get("type") in _CALLS}
        system = [
            text_of(item.get("content")) for item in items if item.get("role") in ("system", "developer")
        ]
        instructions = known(payload.get("instructions"), str)
        return RequestFacts(
            self._provider,
            str(payload.get("model") or ""),
            user_text="\n\n".join(text for content in said if (text := text_of(content))),
            attachments=[file for content in said for file in files_in(content)],
            history=(len(items) - len(new), payload.get("previous_response_id")),
            tool_results=[_tool_result(item, calls) for item in new if item.get("type") in _CALL_OUTPUTS],
            system_prompt="\n\n".join([instructions, *system] if instructions else system) or None,
            tools=known(payload.get("tools"), list),
            temperature=known(payload.get("temperature"), int, float),
            top_p=known(payload.get("top_p"), int, float),
            max_output_tokens=count(payload.get("max_output_tokens")),
            service_tier=known(payload.get("service_tier"), str),
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole."""
        output = peek(payload, "output") or ()
        messages = [item for item in output if peek(item, "type") == "message" and not _is_of_the_user(item)]
        parts = [part for message in messages for part in peek(message, "content") or ()]
        thoughts = [
            part
            for item in output
            if peek(item, "type") == "reasoning"
            for part in [*(peek(item, "summary") or ()), *(peek(item, "content") or ())]
        ]
        error = peek(payload, "error")
        calls = [_tool_call(item) for item in output if peek(item, "type") in _CALLS]
        return ResponseFacts(
            model=peek(payload, "model") or None,
            text="".join(peek(part, "text") or peek(part, "refusal") or "" for part in parts),
            reasoning="\n".join(text for part in thoughts if (text := peek(part, "text"))),
            tool_calls=calls,
            finish_reason=_finish_reason(payload, has_calls=bool(calls)),
            usage=usage_of(peek(payload, "usage"), "input", "output"),
            request_id=peek(payload, "id"),
            service_tier=peek(payload, "service_tier"),
            attachments=files_made(output),
            error_type=str(peek(error, "code") or "error") if error else None,
            error_message=peek(error, "message"),
        )

    def accumulator(self) -> ResponseEvents:
        """Return a new gatherer of events."""
        return ResponseEvents(self)

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        given = payload.get("input")
        said = [given] if isinstance(given, str) else [text_of(item.get("content")) for item in _items(given)]
        instructions = known(payload.get("instructions"), str)
        return "\n".join([instructions, *said] if instructions else said)


class Compactions(Responses):
    """Maps the shortening of a conversation, in which nobody says anything new."""

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        asked = super().request(payload)
        asked.user_text, asked.attachments, asked.tool_results = "", [], []
        return asked


class ResponseEvents:
    """Gathers a streamed response; its last event holds the whole of it."""

    def __init__(self, adapter: Responses) -> None:
        self._adapter = adapter
        self._text = Pieces()
        self._reasoning = Pieces()
        self._calls: list[dict[str, Any]] = []
        self._error: Any = None
        self._begun: Any = None
        self._whole: Any = None

    def add(self, chunk: Any) -> bool:
        """Take an event, and tell whether it carries a piece of the answer."""
        kind = peek(chunk, "type")
        if kind in _PIECES:
            self._text.add(peek(chunk, "delta") or "")
            return True
        if kind in _REASONING_PIECES:
            self._reasoning.add(peek(chunk, "delta") or "")
            return True
        if kind == "response.created":
            self._begun = peek(chunk, "response")
        elif kind in _ENDS:
            self._whole = peek(chunk, "response")
        elif kind == "response.output_item.done" and peek(chunk, "item", "type") in _CALLS:
            self._calls.append(_tool_call(peek(chunk, "item")))
        elif kind == "error":
            self._error = chunk
        return bool(kind == "response.function_call_arguments.delta")

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        begun = self._begun if self._whole is None else self._whole
        found = self._adapter.response(begun)
        found.text = found.text or self._text.text()
        found.reasoning = found.reasoning or self._reasoning.text()
        found.tool_calls = found.tool_calls or self._calls
        if self._whole is None:
            found.finish_reason = None
        if self._error is not None:
            found.error_type = str(peek(self._error, "code") or "error")
            found.error_message = peek(self._error, "message")
        return found


def _is_of_the_user(item: Any) -> bool:
    return peek(item, "role") not in ("assistant", None)


def _finish_reason(payload: Any, *, has_calls: bool) -> str | None:
    """Return why the model stopped, in the words of chat completions where both APIs have a word for it."""
    reason: str | None = peek(payload, "incomplete_details", "reason") or peek(payload, "status")
    if reason == "completed":
        return "tool_calls" if has_calls else "stop"
    return reason


def _items(given: Any) -> list[dict[str, Any]]:
    return [item for item in given if isinstance(item, dict)] if isinstance(given, (list, tuple)) else []


def _since_last_answer(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for place in range(len(items) - 1, -1, -1):
        kind = str(items[place].get("type"))
        is_answer = kind.endswith("_call") or kind in _FROM_THE_MODEL
        if is_answer or items[place].get("role") == "assistant":
            return items[place + 1 :]
    return items


def _tool_result(item: dict[str, Any], calls: dict[Any, dict[str, Any]]) -> ToolResult:
    call = calls.get(item.get("call_id"))
    output = item.get("output")
    return ToolResult(
        str(item.get("call_id") or ""),
        peek(call, "name"),
        _arguments(call),
        text_of(output) or output,
    )


def _tool_call(item: Any) -> dict[str, Any]:
    function = {"name": peek(item, "name"), "arguments": _arguments(item)}
    return {"type": "function", "id": peek(item, "call_id"), "function": function}


def _arguments(call: Any) -> Any:
    """Return what a tool was called with: a function's arguments, or a custom tool's input."""
    arguments = peek(call, "arguments")
    return peek(call, "input") if arguments is None else arguments
