"""Model calls of the OpenAI Agents SDK as facts: what a model is asked, and what its span says at the end."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from agents import Model

from ..calls.direct import Direct
from ..calls.facts import RequestFacts, ResponseFacts, Usage, known, peek
from ..pricing.names import infer_provider
from ..providers.gateways import gateway_at
from ..providers.openai_chat import ChatCompletions, usage_of
from ..providers.openai_responses import Responses

_METHODS: Final = {"get_response": False, "stream_response": True}
_NEAR: Final = 12  # frames: between a model's method and a processor the SDK has three
_FAKE_ID: Final = "__fake_id__"  # stands where an API of another shape has no id to give


class ModelCall(NamedTuple):
    """A call of ``Model.get_response`` or ``Model.stream_response``, with its arguments."""

    given: Mapping[str, Any]
    is_streaming: bool

    @property
    def shows_words(self) -> bool:
        """Whether what is said may be traced: ``trace_include_sensitive_data``."""
        tracing = self.given.get("tracing")
        return tracing is None or bool(tracing.include_data())


def model_call() -> ModelCall | None:
    """Return the call of a model that is made around this place.

    A span of a model call begins before it says anything, and one that fails may never say what was asked.
    The method that begins it was told all of it, under the names of the SDK's public interface.
    """
    frame = sys._getframe(1)
    for _ in range(_NEAR):
        is_streaming = _METHODS.get(frame.f_code.co_name)
        if is_streaming is not None and isinstance(frame.f_locals.get("self"), Model):
            return ModelCall(dict(frame.f_locals), is_streaming)
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None


class Spans(Direct):
    """An adapter for questions in the words of either API, and for answers that are facts already."""

    def request(self, payload: Any) -> RequestFacts:
        """Map what is asked; where nothing is known of what was said, the facts say so."""
        facts = _adapter(payload).request(payload)
        if not _has_words(payload):
            facts.history = None
        return facts

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        return _adapter(payload).prompt_text(payload)


def asked(data: Any, call: ModelCall | None) -> dict[str, Any]:
    """Return what is known of a question: in the model's call, or else in the span."""
    return _of_span(data) if call is None else _of_call(data, call)


def answered(data: Any) -> ResponseFacts | None:
    """Return the answer that a span shows, whole; ``None`` where it shows none."""
    whole, usage = peek(data, "response"), _usage(peek(data, "usage"))
    output = peek(data, "output")
    last = output[-1] if isinstance(output, (list, tuple)) and output else None
    if whole is None and peek(last, "output") is not None:
        whole = last  # a stream of chat completions, told as a response
    if whole is not None:
        facts = Responses("").response(whole)
    elif last is not None:
        facts = ChatCompletions("").response({"choices": [{"message": last}]})
    elif usage is not None:
        facts = ResponseFacts()
    else:
        return None
    facts.model = facts.model or known(peek(data, "model"), str)
    facts.request_id = None if facts.request_id == _FAKE_ID else facts.request_id
    facts.usage = usage or (None if _is_empty(facts.usage) else facts.usage)
    return facts


def is_streamed(data: Any) -> bool:
    """Tell a stream by what came of it, where that shows: a response from an API that has none."""
    output = peek(data, "output")
    return isinstance(output, list) and any(peek(item, "id") == _FAKE_ID for item in output)


def _of_call(data: Any, call: ModelCall) -> dict[str, Any]:
    given = call.given
    model, settings = given["self"], given.get("model_settings")
    name = str(peek(data, "model") or peek(model, "model") or "")
    payload = {
        "provider": _provider(name, model),
        "model": name,
        "temperature": peek(settings, "temperature"),
        "top_p": peek(settings, "top_p"),
        "max_output_tokens": peek(settings, "max_tokens"),
    }
    if not call.shows_words:
        return payload
    tools = [_tool(tool) for tool in given.get("tools") or ()]
    tools += [_handoff(handoff) for handoff in given.get("handoffs") or ()]
    return {
        **payload,
        "instructions": given.get("system_instructions"),
        "input": given.get("input"),
        "tools": tools or None,
        "previous_response_id": given.get("previous_response_id"),
    }


def _of_span(data: Any) -> dict[str, Any]:
    response, config = peek(data, "response"), peek(data, "model_config")
    name = str(peek(data, "model") or peek(response, "model") or "")
    about = response if response is not None else config
    payload = {
        "provider": infer_provider(name, "openai" if peek(data, "type") == "response" else "") or "",
        "model": name,
        "temperature": peek(about, "temperature"),
        "top_p": peek(about, "top_p"),
        "max_output_tokens": peek(response, "max_output_tokens"),
        "max_tokens": peek(config, "max_tokens"),
    }
    words = peek(data, "input")
    if not words:
        return payload
    if peek(data, "type") == "response":
        return {**payload, "instructions": peek(response, "instructions"), "input": words}
    return {**payload, "messages": [{"role": "user", "content": words}] if isinstance(words, str) else words}


def _adapter(payload: Mapping[str, Any]) -> ChatCompletions | Responses:
    provider = payload.get("provider") or ""
    return ChatCompletions(provider) if "messages" in payload else Responses(provider)


def _has_words(payload: Mapping[str, Any]) -> bool:
    return "messages" in payload or "input" in payload


def _provider(name: str, model: Any) -> str:
    """Return who answers: by the address of the SDK's own models, or else by the model's name."""
    url = peek(model, "_client", "base_url")
    seller = gateway_at(url) if isinstance(peek(url, "host"), str) else None
    return seller or infer_provider(name, "openai" if url is not None else "") or ""


def _tool(tool: Any) -> dict[str, Any]:
    schema = peek(tool, "params_json_schema")
    if schema is None:  # one that runs at the vendor's
        return {"type": str(peek(tool, "name") or type(tool).__name__)}
    return _function(peek(tool, "name"), peek(tool, "description"), schema)


def _handoff(handoff: Any) -> dict[str, Any]:
    names: Sequence[str] = ("tool_name", "tool_description", "input_json_schema")
    return _function(*(peek(handoff, name) for name in names))


def _function(name: Any, description: Any, schema: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, "description": description, "parameters": schema}


def _usage(usage: Any) -> Usage | None:
    """Return token counts; a stream whose vendor did not count has nothing but zeros."""
    counts = usage_of(usage, "input", "output")
    return None if _is_empty(counts) else counts


def _is_empty(counts: Usage | None) -> bool:
    return counts is None or not (counts.input or counts.output)
