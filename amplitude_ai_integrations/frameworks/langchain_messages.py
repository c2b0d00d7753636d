"""LangChain's messages and results as the facts of a model call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from langchain_core.messages import convert_to_openai_messages

from ..calls.facts import RequestFacts, ResponseFacts, Usage, count, known, peek
from ..pricing.names import infer_provider
from ..providers.openai_chat import ChatCompletions, text_of
from ..schema.values import plain

_ASKED: Final = (
    "model", "tools", "functions", "temperature", "top_p", "max_tokens", "max_completion_tokens",
    "service_tier",
)  # fmt: skip


def asked(messages: Sequence[Any], params: Mapping[str, Any], metadata: Mapping[str, Any]) -> RequestFacts:
    """Map what is sent: messages, what the model is invoked with, and what LangChain says of the model.

    https://docs.langchain.com/langsmith/ls-metadata-parameters lists the latter.
    """
    said = {name: params[name] for name in _ASKED if params.get(name) is not None}
    model = str(params.get("model") or params.get("model_name") or metadata.get("ls_model_name") or "")
    payload = {**said, "model": model, "messages": [_message(message) for message in messages]}
    return ChatCompletions(_provider(metadata, model)).request(payload)


def words(messages: Sequence[Any]) -> str:
    """Return all words that are sent."""
    return "\n".join(text_of(peek(message, "content")) for message in messages)


def answered(result: Any) -> ResponseFacts:
    """Map what came back: an ``LLMResult``, of several answers the first."""
    answers = peek(result, "generations") or [[]]
    generation = answers[0][0] if answers[0] else None
    message = peek(generation, "message")
    about = peek(message, "response_metadata") or peek(generation, "generation_info") or {}
    usage, is_cached = _usage(message, result)
    return ResponseFacts(
        model=known(about.get("model_name") or about.get("model"), str),
        text=text_of(peek(message, "content")) or str(peek(generation, "text") or ""),
        reasoning=_reasoning(message),
        tool_calls=[_tool_call(call) for call in peek(message, "tool_calls") or ()],
        finish_reason=known(about.get("finish_reason") or about.get("stop_reason"), str),
        usage=usage,
        request_id=known(about.get("id"), str),
        service_tier=known(about.get("service_tier"), str),
        was_cached=is_cached,
    )


def last_words(value: Any) -> Any:
    """Return what a chain is given or makes; of a conversation its last message."""
    messages = value.get("messages") if isinstance(value, dict) else None
    if not isinstance(messages, (list, tuple)) or not messages:
        return plain(value)
    last = messages[-1]
    if isinstance(last, tuple):  # as people write messages: ("user", "What is retention?")
        return text_of(last[-1])
    return text_of(peek(last, "content") if not isinstance(last, str) else last)


def _message(message: Any) -> Any:
    try:
        return convert_to_openai_messages(message)
    except (ValueError, TypeError, KeyError):  # content blocks of a vendor's own
        return {"role": _ROLES.get(message.type, message.type), "content": text_of(message.content)}


_ROLES: Final = {"human": "user", "ai": "assistant"}


def _provider(metadata: Mapping[str, Any], model: str) -> str:
    said = str(metadata.get("ls_provider") or "")
    return infer_provider(f"{said}/{model}", said) or infer_provider(model, said) or said


def _reasoning(message: Any) -> str:
    content = peek(message, "content")
    blocks = content if isinstance(content, list) else ()
    found = [peek(block, "thinking") or peek(block, "reasoning") for block in blocks]
    found.append((peek(message, "additional_kwargs") or {}).get("reasoning_content"))
    return "\n".join(text for text in found if isinstance(text, str) and text)


def _tool_call(call: Any) -> dict[str, Any]:
    function = {"name": peek(call, "name"), "arguments": json.dumps(plain(peek(call, "args")))}
    return {"type": "function", "id": peek(call, "id"), "function": function}


def _usage(message: Any, result: Any) -> tuple[Usage | None, bool]:
    """Return token counts, and whether LangChain's cache answered, which says that it cost nothing."""
    usage = peek(message, "usage_metadata")
    if not usage:
        return _older_usage((peek(result, "llm_output") or {}).get("token_usage")), False
    sent, written = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    # Anthropic's are told by how long they are kept, and the sum of them is then 0.
    by_age = (count(sent.get("ephemeral_5m_input_tokens")) or 0) + (
        count(sent.get("ephemeral_1h_input_tokens")) or 0
    )
    counts = Usage(
        count(usage.get("input_tokens")),
        count(usage.get("output_tokens")),
        count(usage.get("total_tokens")),
        count(written.get("reasoning")),
        count(sent.get("cache_read")),
        by_age or count(sent.get("cache_creation")),
    )
    return counts, usage.get("total_cost") == 0


def _older_usage(usage: Any) -> Usage | None:
    sent, written = count(peek(usage, "prompt_tokens")), count(peek(usage, "completion_tokens"))
    return (
        None if sent is None and written is None else Usage(sent, written, count(peek(usage, "total_tokens")))
    )
