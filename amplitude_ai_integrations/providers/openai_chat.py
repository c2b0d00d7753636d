"""Chat completions: https://platform.openai.com/docs/api-reference/chat."""

from __future__ import annotations

from typing import Any

from ..calls.attachments import attachment
from ..calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage, count, fields, known, peek
from ..calls.pieces import Pieces
from .openai_parts import files_in, sound


def text_of(content: Any) -> str:
    """Return the words of a message's content, which is a text or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, (list, tuple)):
        return ""
    texts = (part if isinstance(part, str) else peek(part, "text") for part in content)
    return "\n".join(text for text in texts if isinstance(text, str))


_ROLES_OF_TOOLS = ("tool", "function")


def _unlisted(value: Any, name: str) -> Any:
    """Return a field that the vendor's model does not list; to ask the model for it itself is slow."""
    extra = value if type(value) is dict else getattr(value, "model_extra", None)
    return extra.get(name) if extra else None


def _reasoning(message: Any) -> str:
    """Return what a model thought, which each vendor adds under one of two names."""
    given = _unlisted(message, "reasoning_content") or _unlisted(message, "reasoning")
    return given if isinstance(given, str) else ""


def usage_of(usage: Any, sent: str = "prompt", written: str = "completion") -> Usage | None:
    """Return token counts, under the words an API has for what is sent and what is written.

    The vendor counts cached tokens as sent and reasoning as written; xAI counts reasoning beside it, which
    only the total tells. DeepSeek has a name of its own for what was read from its cache.
    """
    inputs, outputs = count(peek(usage, f"{sent}_tokens")), count(peek(usage, f"{written}_tokens"))
    if inputs is None and outputs is None:
        return None
    total = count(peek(usage, "total_tokens"))
    reasoning = count(peek(usage, f"{written}_tokens_details", "reasoning_tokens"))
    if reasoning and total == (inputs or 0) + (outputs or 0) + reasoning:
        outputs = (outputs or 0) + reasoning
    cached = count(peek(usage, f"{sent}_tokens_details", "cached_tokens"))
    return Usage(
        inputs,
        outputs,
        total,
        reasoning,
        count(_unlisted(usage, "prompt_cache_hit_tokens")) if cached is None else cached,
        count(peek(usage, f"{sent}_tokens_details", "cache_write_tokens")),
    )


def cost_of(usage: Any) -> float | None:
    """Return what a call cost in US dollars, where the seller says so: OpenRouter, Perplexity."""
    said = _unlisted(usage, "cost")
    cost: float | None = known(peek(said, "total_cost") if isinstance(said, dict) else said, int, float)
    if cost is None or not _unlisted(usage, "is_byok"):
        return cost
    # With a key of the caller's own, OpenRouter's part is its fee; the model's seller asks the rest.
    upstream = peek(_unlisted(usage, "cost_details"), "upstream_inference_cost")
    return cost + (known(upstream, int, float) or 0)


class ChatCompletions:
    """Maps chat completions."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        messages = [item for item in payload.get("messages") or () if isinstance(item, dict)]
        new, asked = _since_last_answer(messages)
        said = [item.get("content") for item in new if item.get("role") == "user"]
        system = [
            text_of(item.get("content")) for item in messages if item.get("role") in ("system", "developer")
        ]
        return RequestFacts(
            self._provider,
            str(payload.get("model") or ""),
            user_text="\n\n".join(text for content in said if (text := text_of(content))),
            attachments=[file for content in said for file in files_in(content)],
            history=_before(messages, len(messages) - len(new)),
            tool_results=[_tool_result(item, asked) for item in new if item.get("role") in _ROLES_OF_TOOLS],
            system_prompt="\n\n".join(system) or None,
            tools=known(payload.get("tools"), list) or known(payload.get("functions"), list),
            temperature=known(payload.get("temperature"), int, float),
            top_p=known(payload.get("top_p"), int, float),
            max_output_tokens=count(payload.get("max_completion_tokens")) or count(payload.get("max_tokens")),
            service_tier=known(payload.get("service_tier"), str),
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole."""
        choices = peek(payload, "choices")
        choice = choices[0] if choices else None
        message = peek(choice, "message")
        audio = peek(message, "audio")
        text = (
            text_of(peek(message, "content")) or peek(message, "refusal") or peek(audio, "transcript") or ""
        )
        calls = [_tool_call(call) for call in peek(message, "tool_calls") or ()]
        if peek(message, "function_call") is not None:
            calls.append(_tool_call({"function": peek(message, "function_call")}))
        error = None if choices else _unlisted(payload, "error")  # as some gateways fail, with status 200
        return ResponseFacts(
            model=peek(payload, "model") or None,
            text=text,
            reasoning=_reasoning(message),
            tool_calls=calls,
            finish_reason=peek(choice, "finish_reason"),
            usage=usage_of(peek(payload, "usage")),
            cost_usd=cost_of(peek(payload, "usage")),
            request_id=peek(payload, "id"),
            service_tier=peek(payload, "service_tier"),
            attachments=[*files_in(_unlisted(message, "images")), *([sound(audio)] if audio else ())],
            error_type=str(peek(error, "code") or "error") if error else None,
            error_message=peek(error, "message"),
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
        self._text = Pieces()
        self._reasoning = Pieces()
        self._calls: list[_CallPieces] = []
        self._open: dict[int, _CallPieces] = {}  # by the place the vendor gives it
        self._found = ResponseFacts()

    def add(self, chunk: Any) -> bool:
        """Take a chunk, and tell whether it carries a piece of the answer."""
        found, get = self._found, fields(chunk).get
        if found.request_id is None:
            found.request_id = get("id") or None
            found.model = get("model") or None
        if found.service_tier is None:
            found.service_tier = get("service_tier")
        usage, choices = get("usage"), get("choices")
        if usage is not None:
            found.usage, found.cost_usd = usage_of(usage), cost_of(usage)
        if not choices:
            return False
        choice = fields(choices[0]).get
        if choice("index"):
            return False
        finish_reason = choice("finish_reason")
        if finish_reason:
            found.finish_reason = finish_reason
            # Groq counts here in streams: https://console.groq.com/docs/api-reference
            found.usage = found.usage or usage_of(peek(_unlisted(chunk, "x_groq"), "usage"))
        return self._delta(choice("delta"))

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        self._found.text = self._text.text()
        self._found.reasoning = self._reasoning.text()
        self._found.tool_calls = [call.whole() for call in sorted(self._calls, key=_place)]
        return self._found

    def _delta(self, delta: Any) -> bool:
        get = fields(delta).get
        text = get("content") or get("refusal")
        if text:
            self._text.add(text if type(text) is str else text_of(text))
        audio, reasoning, calls = get("audio"), "", get("tool_calls") or ()
        more = delta if type(delta) is dict else getattr(delta, "model_extra", None)
        if more:
            audio, reasoning = audio or more.get("audio"), _reasoning(delta)
            self._reasoning.add(reasoning)
        if audio:
            self._audio(audio)
        for call in calls:
            self._tool_call(call)
        function = get("function_call")
        if function is not None:
            self._tool_call({"function": function})
        return bool(text or audio or reasoning or calls or function)

    def _audio(self, piece: Any) -> None:
        self._text.add(peek(piece, "transcript") or "")
        size = sound(piece).get("size_bytes", 0)
        before = self._found.attachments[0]["size_bytes"] if self._found.attachments else 0
        self._found.attachments = [attachment("audio", size=before + size)]

    def _tool_call(self, piece: Any) -> None:
        place, call_id = peek(piece, "index") or 0, peek(piece, "id")
        call = self._open.get(place)
        # Some gateways give all calls the same place.
        if call is None or (call_id and call.id and call_id != call.id):
            call = self._open[place] = _CallPieces(place)
            self._calls.append(call)
        call.id = call_id or call.id
        name, arguments = _asked(piece)
        call.name += name or ""
        call.arguments.add(arguments or "")


class _CallPieces:
    """One tool call as it comes."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.id: str | None = None
        self.name = ""
        self.arguments = Pieces()

    def whole(self) -> dict[str, Any]:
        """Return it as it is now."""
        function = {"name": self.name, "arguments": self.arguments.text()}
        return {"type": "function", "id": self.id, "function": function}


def _place(call: _CallPieces) -> int:
    return call.place


def _since_last_answer(messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Any]:
    """Return the messages after the last of the assistant's, and the tools that one asked for."""
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].get("role") == "assistant":
            asked = messages[place].get("tool_calls") or ()
            function = messages[place].get("function_call")
            return messages[place + 1 :], asked if function is None else [{"function": function}]
    return messages, None


def _before(messages: list[dict[str, Any]], count: int) -> tuple[int, str]:
    """Return what tells one point of a conversation from another: how much was said, and what last."""
    said = sum(item.get("role") not in ("system", "developer") for item in messages[:count])
    return said, text_of(messages[count - 1].get("content")) if count else ""


def _tool_result(message: dict[str, Any], asked: Any) -> ToolResult:
    call_id = str(message.get("tool_call_id") or "")
    call = next((call for call in asked or () if (peek(call, "id") or "") == call_id), None)
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
