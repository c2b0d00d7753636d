"""Chat completions: https://platform.openai.com/docs/api-reference/chat."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage, count, known, peek


def text_of(content: Any) -> str:
    """Return the words of a message's content, which is a text or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, (list, tuple)):
        return ""
    texts = (part if isinstance(part, str) else peek(part, "text") for part in content)
    return "\n".join(text for text in texts if isinstance(text, str))


def _unlisted(value: Any, name: str) -> Any:
    """Return a field that the vendor's model does not list; to ask the model for it itself is slow."""
    extra = value if type(value) is dict else getattr(value, "model_extra", None)
    return extra.get(name) if extra else None


def usage_of(usage: Any, sent: str = "prompt", written: str = "completion") -> Usage | None:
    """Return token counts, under the words an API has for what is sent and what is written.

    The vendor counts cached tokens as sent and reasoning as written.
    """
    inputs, outputs = count(peek(usage, f"{sent}_tokens")), count(peek(usage, f"{written}_tokens"))
    if inputs is None and outputs is None:
        return None
    return Usage(
        inputs,
        outputs,
        count(peek(usage, "total_tokens")),
        count(peek(usage, f"{written}_tokens_details", "reasoning_tokens")),
        count(peek(usage, f"{sent}_tokens_details", "cached_tokens")),
        count(peek(usage, f"{sent}_tokens_details", "cache_write_tokens")),
    )


class ChatCompletions:
    """Maps chat completions."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        messages = [item for item in payload.get("messages") or () if isinstance(item, dict)]
        new, asked = _since_last_answer(messages)
        said = [text_of(item.get("content")) for item in new if item.get("role") == "user"]
        system = [
            text_of(item.get("content")) for item in messages if item.get("role") in ("system", "developer")
        ]
        return RequestFacts(
            self._provider,
            str(payload.get("model") or ""),
            user_text="\n\n".join(text for text in said if text),
            history=_before(messages, len(messages) - len(new)),
            tool_results=[_tool_result(item, asked) for item in new if item.get("role") == "tool"],
            system_prompt="\n\n".join(system) or None,
            tools=known(payload.get("tools"), list),
            temperature=known(payload.get("temperature"), int, float),
            top_p=known(payload.get("top_p"), int, float),
            max_output_tokens=count(payload.get("max_completion_tokens")) or count(payload.get("max_tokens")),
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole."""
        choices = peek(payload, "choices")
        choice = choices[0] if choices else None
        message = peek(choice, "message")
        return ResponseFacts(
            model=peek(payload, "model") or None,
            text=text_of(peek(message, "content")) or peek(message, "refusal") or "",
            reasoning=known(_unlisted(message, "reasoning_content"), str) or "",
            tool_calls=[_tool_call(call) for call in peek(message, "tool_calls") or ()],
            finish_reason=peek(choice, "finish_reason"),
            usage=usage_of(peek(payload, "usage")),
            request_id=peek(payload, "id"),
        )

    def accumulator(self) -> ChatChunks:
        """Return a new gatherer of chunks."""
        return ChatChunks()

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        messages = payload.get("messages") or ()
        return "\n".join(text_of(item.get("content")) for item in messages if isinstance(item, dict))


class ChatChunks:
    """Gathers a streamed chat completion; of several choices the first counts."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._found = ResponseFacts()

    def add(self, chunk: Any) -> bool:
        """Take a chunk, and tell whether it carries a piece of the answer."""
        found = self._found
        if found.request_id is None:
            found.request_id = peek(chunk, "id") or None
            found.model = peek(chunk, "model") or None
        usage = peek(chunk, "usage")
        if usage is not None:
            found.usage = usage_of(usage)
        choices = peek(chunk, "choices")
        if not choices or peek(choices[0], "index"):
            return False
        choice = choices[0]
        found.finish_reason = peek(choice, "finish_reason") or found.finish_reason
        return self._delta(peek(choice, "delta"))

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        self._found.text = "".join(self._text)
        self._found.reasoning = "".join(self._reasoning)
        self._found.tool_calls = [call for _index, call in sorted(self._calls.items())]
        return self._found

    def _delta(self, delta: Any) -> bool:
        text = peek(delta, "content") or peek(delta, "refusal")
        if text:
            self._text.append(text)
        reasoning = _unlisted(delta, "reasoning_content") or _unlisted(delta, "reasoning")
        if isinstance(reasoning, str) and reasoning:
            self._reasoning.append(reasoning)
        calls = peek(delta, "tool_calls")
        for call in calls or ():
            self._tool_call(call)
        return bool(text or reasoning or calls)

    def _tool_call(self, piece: Any) -> None:
        call = self._calls.setdefault(
            peek(piece, "index") or 0,
            {"type": "function", "id": None, "function": {"name": "", "arguments": ""}},
        )
        call["id"] = peek(piece, "id") or call["id"]
        name, arguments = _asked(piece)
        call["function"]["name"] += name or ""
        call["function"]["arguments"] += arguments or ""


def _since_last_answer(messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Any]:
    """Return the messages after the last of the assistant's, and the tools that one asked for."""
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].get("role") == "assistant":
            return messages[place + 1 :], messages[place].get("tool_calls")
    return messages, None


def _before(messages: list[dict[str, Any]], count: int) -> tuple[int, str]:
    """Return what tells one point of a conversation from another: how much was said, and what last."""
    said = sum(item.get("role") not in ("system", "developer") for item in messages[:count])
    return said, text_of(messages[count - 1].get("content")) if count else ""


def _tool_result(message: dict[str, Any], asked: Any) -> ToolResult:
    call_id = str(message.get("tool_call_id") or "")
    call = next((call for call in asked or () if peek(call, "id") == call_id), None)
    return ToolResult(
        call_id,
        _asked(call)[0] or message.get("name"),
        _asked(call)[1],
        text_of(message.get("content")),
    )


def _tool_call(call: Any) -> dict[str, Any]:
    name, arguments = _asked(call)
    return {"type": "function", "id": peek(call, "id"), "function": {"name": name, "arguments": arguments}}


def _asked(call: Any) -> tuple[str | None, str | None]:
    """Return the name and the arguments of a tool call: a function's, or a custom tool's."""
    if peek(call, "custom") is not None:
        return peek(call, "custom", "name"), peek(call, "custom", "input")
    return peek(call, "function", "name"), peek(call, "function", "arguments")
