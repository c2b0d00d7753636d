"""What each kind of event says, in the words of OpenTelemetry's GenAI conventions.

https://opentelemetry.io/docs/specs/semconv/gen-ai/
For steps that are no model call, tool or agent they have no word, so those speak OpenInference's. What has no
name anywhere goes under ``amplitude.`` and the field's own name.
"""

from __future__ import annotations

from typing import Any, Final

from ...pricing.names import infer_provider
from ...schema.facts import number
from . import messages
from .event import Event, written

Attributes = dict[str, Any]

_OURS: Final = "amplitude."
_LARGEST: Final = 2**63  # integers are 64 bits wide there
_UNSAID: Final = ("sdk_version", "runtime", "error_message", "stack_trace", "component_type")

_ALL: Final = {
    "session_id": "gen_ai.conversation.id",
    "agent_id": "gen_ai.agent.id",
    "agent_name": "gen_ai.agent.name",
    "agent_description": "gen_ai.agent.description",
    "agent_version": "gen_ai.agent.version",
}
_CALL: Final = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_creation_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "is_streaming": "gen_ai.request.stream",
    "provider_request_id": "gen_ai.response.id",
}
_TOOL: Final = {
    "tool_name": "gen_ai.tool.name",
    "tool_type": "gen_ai.tool.type",
    "invocation_id": "gen_ai.tool.call.id",
    "tool_input": "gen_ai.tool.call.arguments",
    "tool_output": "gen_ai.tool.call.result",
}
_EMBEDDING: Final = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "embedding_dimensions": "gen_ai.embeddings.dimension.count",
}
_STEP: Final = {"input_state": "input.value", "output_state": "output.value"}
_SCORE: Final = {
    "score_name": "gen_ai.evaluation.name",
    "score_value": "gen_ai.evaluation.score.value",
    "score_label": "gen_ai.evaluation.score.label",
    "comment": "gen_ai.evaluation.explanation",
    "provider_request_id": "gen_ai.response.id",
}
# Who serves a model, by the conventions' names; others keep ours.
_PROVIDERS: Final = {
    "aws": "aws.bedrock",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex": "gcp.vertex_ai",
    "vertex_ai": "gcp.vertex_ai",
    "x-ai": "x_ai",
    "xai": "x_ai",
}


def of_call(event: Event) -> Attributes:
    """Return what a model call says beside what it was asked."""
    said = {"gen_ai.operation.name": "chat", **_model(event), **_renamed(event, _CALL)}
    said["gen_ai.output.messages"] = messages.answer(event)
    said["gen_ai.system_instructions"] = messages.instructions(event)
    said["gen_ai.tool.definitions"] = messages.definitions(event)
    first = number(event.take("ttfb_ms"))
    said["gen_ai.response.time_to_first_chunk"] = first / 1000 if first is not None else None
    why = event.take("finish_reason")
    said["gen_ai.response.finish_reasons"] = [why] if isinstance(why, str) and why else None
    return said


def of_tool(event: Event) -> Attributes:
    """Return what the run of a tool says."""
    return {"gen_ai.operation.name": "execute_tool", **_renamed(event, _TOOL)}


def of_embedding(event: Event) -> Attributes:
    """Return what an embedding call says."""
    return {"gen_ai.operation.name": "embeddings", **_model(event), **_renamed(event, _EMBEDDING)}


def of_agent(event: Event) -> Attributes:
    """Return what the run of an agent says beside who it is."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.input.messages": messages.stated("user", event.take("input_state")),
        "gen_ai.output.messages": messages.stated("assistant", event.take("output_state")),
    }


def of_step(event: Event) -> Attributes:
    """Return what any other step says."""
    return {"openinference.span.kind": "CHAIN", **_renamed(event, _STEP)}


def of_score(event: Event) -> Attributes:
    """Return what a judgement says, for the event that carries it."""
    return _plain(_renamed(event, _SCORE))


def finished(event: Event, said: Attributes) -> Attributes:
    """Return all that an event's span says: ``said``, what all events do, and what has no name there."""
    whole = {**said, **around(event), **_failing(event)}
    for name, value in event.rest().items():
        if name not in _UNSAID:
            whole[_OURS + name] = value
    return _plain(whole)


def around(event: Event) -> Attributes:
    """Return who is speaking, and where."""
    said = _renamed(event, _ALL)
    said["session.id"] = event.session_id
    said["user.id"] = event.around("user_id")
    said["device.id"] = event.around("device_id")
    said[_OURS + "groups"] = event.around("groups")
    return _plain(said)


_SAID: Final = {
    "session_id": ("gen_ai.conversation.id", "session.id"),
    "user_id": ("user.id",),
    "device_id": ("device.id",),
    "agent_id": ("gen_ai.agent.id",),
    "agent_name": ("gen_ai.agent.name",),
    "agent_version": ("gen_ai.agent.version",),
    "description": ("gen_ai.agent.description",),
    "input_state": ("input.value",),
    "output_state": ("output.value",),
}


def said_of(keywords: Attributes) -> Attributes:
    """Return keywords of ours as attributes of a span that the program makes."""
    said: Attributes = {}
    for keyword, value in keywords.items():
        if keyword == "event_properties" and isinstance(value, dict):
            said.update((f"{_OURS}event_properties.{key}", one) for key, one in value.items())
        else:
            said.update((name, value) for name in _SAID.get(keyword, (_OURS + keyword,)))
    return _plain(said)


def _failing(event: Event) -> Attributes:
    """Return how it failed; of what only was told to stop, why goes under our own name."""
    if not event.is_error:
        return {}
    return {"error.type": event.take("error_type") or "_OTHER"}


def _model(event: Event) -> Attributes:
    model, provider = event.take("model_name"), event.take("provider")
    if not provider and isinstance(model, str):
        provider = infer_provider(model)
    if isinstance(provider, str):
        provider = _PROVIDERS.get(provider, provider)
    return {
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
    }


def _renamed(event: Event, names: dict[str, str]) -> Attributes:
    return {theirs: event.take(ours) for ours, theirs in names.items()}


def _plain(said: Attributes) -> Attributes:
    """Return attributes of the kinds that every version of OpenTelemetry takes."""
    return {name: _value(value) for name, value in said.items() if value is not None and value != ""}


def _value(value: Any) -> Any:
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return float(value)
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return written(value) if isinstance(value, (dict, list, tuple)) else value
