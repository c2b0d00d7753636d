"""Converse: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage, count, known, peek
from ..schema.values import to_json
from .bedrock_attachments import attachments_of
from .bedrock_models import PROVIDER, model_of


def usage_of(usage: Any) -> Usage | None:
    """Return token counts; the vendor counts cached tokens beside ``inputTokens`` and in the total.

    A version of botocore that knows of no cache leaves the cached ones out, but not of the total.
    """
    sent, written = count(peek(usage, "inputTokens")), count(peek(usage, "outputTokens"))
    if sent is None and written is None:
        return None
    read, created = count(peek(usage, "cacheReadInputTokens")), count(peek(usage, "cacheWriteInputTokens"))
    parts = (sent or 0) + (read or 0) + (created or 0)
    everything = (count(peek(usage, "totalTokens")) or 0) - (written or 0)
    inputs = max(parts, everything)
    return Usage(inputs, written, inputs + (written or 0), None, read, created)


class Converse:
    """Maps conversations."""

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        messages = _dictionaries(payload.get("messages"))
        start, end = _since_last_answer(messages)
        new, last = messages[start:end], messages[start - 1] if start else {}
        said = [_text(item.get("content")) for item in new if item.get("role") == "user"]
        blocks = [block for item in new for block in _blocks(item)]
        asked = _calls(last)
        settings = peek(payload, "inferenceConfig")
        return RequestFacts(
            PROVIDER,
            model_of(payload.get("modelId")),
            user_text="\n\n".join(text for text in said if text),
            history=(start, _text(last.get("content"))),
            attachments=attachments_of(blocks),
            tool_results=[
                _tool_result(block["toolResult"], asked) for block in blocks if "toolResult" in block
            ],
            system_prompt=_system(payload) or None,
            tools=_tools(peek(payload, "toolConfig", "tools")),
            temperature=known(peek(settings, "temperature"), int, float),
            top_p=known(peek(settings, "topP"), int, float),
            max_output_tokens=count(peek(settings, "maxTokens")),
            service_tier=known(peek(payload, "serviceTier", "type"), str),
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole."""
        blocks = _blocks(peek(payload, "output", "message"))
        thoughts = [peek(block, "reasoningContent", "reasoningText", "text") for block in blocks]
        return ResponseFacts(
            model=_routed_to(payload),
            text="".join(map(_words, blocks)),
            reasoning="\n".join(text for text in thoughts if text),
            tool_calls=[_tool_call(block["toolUse"]) for block in blocks if "toolUse" in block],
            finish_reason=peek(payload, "stopReason"),
            usage=usage_of(peek(payload, "usage")),
            request_id=peek(payload, "ResponseMetadata", "RequestId"),
            service_tier=peek(payload, "serviceTier", "type"),
        )

    def accumulator(self) -> ConverseEvents:
        """Return a new gatherer of events."""
        return ConverseEvents()

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        messages = _dictionaries(payload.get("messages"))
        results = (peek(block, "toolResult", "content") for item in messages for block in _blocks(item))
        said = [_system(payload), *(_text(item.get("content")) for item in messages), *map(_text, results)]
        return "\n".join(text for text in said if text)


class ConverseEvents:
    """Gathers a streamed conversation."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thoughts: dict[int, list[str]] = {}
        self._calls: dict[int, dict[str, Any]] = {}
        self._arguments: dict[int, list[str]] = {}
        self._found = ResponseFacts()

    def add(self, chunk: Any) -> bool:
        """Take an event, and tell whether it carries a piece of the answer."""
        found = self._found
        block = peek(chunk, "contentBlockDelta") or peek(chunk, "contentBlockStart")
        if block is not None:
            place = peek(block, "contentBlockIndex") or 0
            return self._delta(place, peek(block, "delta") or peek(block, "start"))
        if "messageStop" in chunk:
            found.finish_reason = peek(chunk, "messageStop", "stopReason")
        elif "metadata" in chunk:
            found.usage = usage_of(peek(chunk, "metadata", "usage"))
            found.model = _routed_to(chunk["metadata"])
            found.service_tier = peek(chunk, "metadata", "serviceTier", "type")
        elif "ResponseMetadata" in chunk:
            found.request_id = peek(chunk, "ResponseMetadata", "RequestId")
        return False

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        found = self._found
        found.text = "".join(self._text)
        found.reasoning = "\n".join("".join(pieces) for _place, pieces in sorted(self._thoughts.items()))
        for place, call in self._calls.items():
            call["function"]["arguments"] = "".join(self._arguments[place]) or "{}"
        found.tool_calls = [call for _place, call in sorted(self._calls.items())]
        return found

    def _delta(self, place: int, delta: Any) -> bool:
        text = peek(delta, "text")
        thought = peek(delta, "reasoningContent", "text")
        call = peek(delta, "toolUse")
        if text:
            self._text.append(text)
        if thought:
            self._thoughts.setdefault(place, []).append(thought)
        if call is not None:
            self._tool_call(place, call)
        return bool(text or thought or call)

    def _tool_call(self, place: int, piece: Any) -> None:
        if "toolUseId" in piece:
            self._calls[place] = _tool_call(piece)
        self._arguments.setdefault(place, []).append(piece.get("input") or "")


def _dictionaries(given: Any) -> list[dict[str, Any]]:
    return [item for item in given if isinstance(item, dict)] if isinstance(given, (list, tuple)) else []


def _blocks(message: Any) -> list[dict[str, Any]]:
    return _dictionaries(peek(message, "content"))


def _words(block: dict[str, Any]) -> str:
    """Return the words of one block of content; a picture, a document or a cache point has none."""
    if "citationsContent" in block:
        cited = _dictionaries(peek(block, "citationsContent", "content"))
        return "".join(map(_words, cited))
    text = block.get("text") or peek(block, "guardContent", "text", "text")
    return text if isinstance(text, str) else ""


def _text(content: Any) -> str:
    return "\n".join(text for block in _dictionaries(content) if (text := _words(block)))


def _system(payload: Any) -> str:
    return "\n\n".join(text for block in _dictionaries(payload.get("system")) if (text := _words(block)))


def _since_last_answer(messages: list[dict[str, Any]]) -> tuple[int, int]:
    """Return where what is new begins and ends.

    An assistant's message at the very end is no answer yet: the model is to go on with it.
    """
    end = len(messages)
    while end and messages[end - 1].get("role") == "assistant":
        end -= 1
    start = end
    while start and messages[start - 1].get("role") != "assistant":
        start -= 1
    return start, end


def _calls(message: dict[str, Any]) -> dict[str, Any]:
    """Return the tools that a message asks for, by id."""
    calls = [block["toolUse"] for block in _blocks(message) if "toolUse" in block]
    return {str(peek(call, "toolUseId")): call for call in calls}


def _tool_result(result: Any, asked: dict[str, Any]) -> ToolResult:
    call_id = str(peek(result, "toolUseId") or "")
    call = asked.get(call_id)
    output = [block.get("json") or _words(block) for block in _blocks(result)]
    is_text = all(isinstance(part, str) for part in output)
    return ToolResult(
        call_id,
        peek(call, "name"),
        None if call is None else to_json(peek(call, "input")),
        "\n".join(filter(None, output)) if is_text else output[0] if len(output) == 1 else output,
        is_error=peek(result, "status") == "error",
    )


def _tool_call(call: Any) -> dict[str, Any]:
    function = {"name": peek(call, "name"), "arguments": to_json(peek(call, "input"))}
    return {"type": "function", "id": peek(call, "toolUseId"), "function": function}


def _tools(given: Any) -> list[Any] | None:
    """Return tools in the words that the other vendors have for them."""
    specs = (item.get("toolSpec") or item.get("systemTool") for item in _dictionaries(given))
    tools = [
        {
            "name": peek(spec, "name"),
            "description": peek(spec, "description"),
            "input_schema": peek(spec, "inputSchema", "json"),
        }
        for spec in specs
        if spec
    ]
    return tools or None


def _routed_to(payload: Any) -> str | None:
    """Return the model that a prompt router chose, where it says so."""
    return model_of(peek(payload, "trace", "promptRouter", "invokedModelId")) or None
