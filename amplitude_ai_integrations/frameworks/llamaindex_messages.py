"""LlamaIndex's messages as the facts of what a model is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..calls.facts import RequestFacts, peek
from ..pricing.names import infer_provider
from ..providers.openai_chat import ChatCompletions
from ..schema.values import plain

_ASKED: Final = (
    "tools", "functions", "temperature", "top_p", "max_tokens", "max_completion_tokens", "service_tier",
)  # fmt: skip
_ROLES: Final = {"chatbot": "assistant", "model": "assistant"}
_MODELS: Final = ("model", "model_name", "model_id")
_NOBODY: Final = ("base", "custom")  # as classes are called that say nothing else


def asked(messages: Sequence[Any], about: Mapping[str, Any], options: Mapping[str, Any]) -> RequestFacts:
    """Map what is sent: messages, what LlamaIndex says of the model, and the options of the call."""
    said = {name: value for name in _ASKED if (value := options.get(name, about.get(name))) is not None}
    model = model_of(about)
    payload = {**said, "model": model, "messages": [_message(message) for message in messages]}
    return ChatCompletions(provider_of(about)).request(payload)


def prompted(prompt: str, about: Mapping[str, Any], options: Mapping[str, Any]) -> RequestFacts:
    """Map what is sent to a model that completes a text."""
    return asked([{"role": "user", "content": prompt}], about, options)


def embedded(about: Mapping[str, Any]) -> RequestFacts:
    """Map what is said of a model that embeds."""
    return RequestFacts(provider_of(about), model_of(about), is_embedding=True)


def words_of(messages: Sequence[Any]) -> str:
    """Return all words that are sent."""
    return "\n".join(text_of(message) for message in messages)


def text_of(message: Any) -> str:
    """Return the words of a message."""
    content = peek(message, "content")
    return content if isinstance(content, str) else ""


def model_of(about: Mapping[str, Any]) -> str:
    """Return a model's name: of the placeholder that LlamaIndex has for it, nothing."""
    named = (about.get(name) for name in _MODELS)
    model = next((name for name in named if isinstance(name, str) and name), "")
    return "" if model == "unknown" else model


def provider_of(about: Mapping[str, Any]) -> str:
    """Return who sells a model, told from the name of its class, as ``openai_llm``, and from its own."""
    model = model_of(about)
    said = re.sub(
        r"[_ ]?(?:responses)?[_ ]?(?:llm|embedding)$", "", str(about.get("class_name") or "").lower()
    )
    said = said.strip("_ ")
    found = infer_provider(f"{said}/{model}") or infer_provider(model)
    return found or ("" if said in _NOBODY else said)


def tool_calls_of(message: Any) -> list[dict[str, Any]]:
    """Return the tools that a message asks for, in OpenAI's words."""
    blocks = [block for block in peek(message, "blocks") or () if _kind(block) == "tool_call"]
    if blocks:
        return [
            _tool_call(peek(block, "tool_call_id"), peek(block, "tool_name"), peek(block, "tool_kwargs"))
            for block in blocks
        ]
    calls = peek(message, "additional_kwargs", "tool_calls")  # as it was before there were blocks for it
    return [_older_call(call) for call in calls] if isinstance(calls, (list, tuple)) else []


def thoughts_of(message: Any) -> str:
    """Return what a model thought before it answered."""
    thoughts = [
        peek(block, "content") for block in peek(message, "blocks") or () if _kind(block) == "thinking"
    ]
    return "\n".join(text for text in thoughts if isinstance(text, str) and text)


def _message(message: Any) -> dict[str, Any]:
    role = getattr(peek(message, "role"), "value", None) or str(peek(message, "role"))
    more = peek(message, "additional_kwargs") or {}
    translated = {"role": _ROLES.get(role, role), "content": _content(message)}
    if translated["role"] == "assistant" and (calls := tool_calls_of(message)):
        translated["tool_calls"] = calls
    if more.get("tool_call_id"):
        translated["tool_call_id"] = more["tool_call_id"]
    if more.get("name"):
        translated["name"] = more["name"]
    return translated


def _content(message: Any) -> Any:
    blocks = peek(message, "blocks")
    if not isinstance(blocks, list) or all(_kind(block) == "text" for block in blocks):
        return text_of(message)
    return list(_parts(blocks))


def _parts(blocks: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Yield content blocks as OpenAI's parts."""
    for block in blocks:
        kind, url = _kind(block), peek(block, "url")
        url = str(url) if url is not None else None
        if kind == "text":
            yield {"type": "text", "text": peek(block, "text")}
        elif kind in ("image", "video"):
            data = url or _data_url(peek(block, f"{kind}_mimetype"), peek(block, kind))
            yield {"type": f"{kind}_url", f"{kind}_url": {"url": data}}
        elif kind == "audio":
            sound = {"data": _in_base64(peek(block, "audio")), "format": peek(block, "format")}
            yield {"type": "input_audio", "input_audio": sound}
        elif kind == "document":
            data = _data_url(peek(block, "document_mimetype"), peek(block, "data"))
            file = {"filename": peek(block, "title"), "file_data": data, "file_url": url}
            yield {"type": "file", "file": file}
        elif isinstance(inner := peek(block, "content"), list):  # a source to be cited
            yield from _parts(inner)


def _kind(block: Any) -> str:
    return str(peek(block, "block_type") or "")


def _in_base64(data: Any) -> Any:
    """Return a file's content as LlamaIndex holds it, in base64, as a text."""
    return data.decode("ascii", "replace") if isinstance(data, bytes) else None


def _data_url(mime_type: Any, data: Any) -> str | None:
    written = _in_base64(data)
    return f"data:{mime_type or 'application/octet-stream'};base64,{written}" if written else None


def _older_call(call: Any) -> dict[str, Any]:
    if peek(call, "function") is not None:
        return _tool_call(
            peek(call, "id"), peek(call, "function", "name"), peek(call, "function", "arguments")
        )
    return _tool_call(peek(call, "id"), peek(call, "name"), peek(call, "input"))


def _tool_call(call_id: Any, name: Any, arguments: Any) -> dict[str, Any]:
    written = arguments if isinstance(arguments, str) else json.dumps(plain(arguments))
    return {"type": "function", "id": call_id, "function": {"name": name, "arguments": written}}
