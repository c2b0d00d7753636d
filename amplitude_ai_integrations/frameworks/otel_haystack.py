"""What Haystack's own tracer says in attributes of its own, in the words of the conventions.

What a span is, its name alone says; what was said and counted is there only if contents are traced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .otel_attributes import Attributes, listed, parsed

Said = dict[str, Any]
_PREFIX: Final = "haystack."


def conventions(name: str, attributes: Attributes) -> Said:
    """Return what a span of Haystack's says; nothing of any other."""
    if not name.startswith(_PREFIX):
        return {}
    if name == "haystack.agent.run":  # whose agent has no name there
        return _step("agent", attributes, "haystack.agent.input", "haystack.agent.output")
    if name == "haystack.pipeline.run":
        return _step("pipeline", attributes, "haystack.pipeline.input_data", "haystack.pipeline.output_data")
    if name == "haystack.agent.step.tool":
        return _tool(attributes)
    if name == "haystack.agent.step.llm":
        return _call(attributes, "haystack.agent.step.llm")
    return _component(attributes) if name == "haystack.component.run" else {}


def _step(name: str, attributes: Attributes, given: str, made: str) -> Said:
    said = {"input.value": attributes.get(given), "output.value": attributes.get(made)}
    return {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": name, **_known(said)}


def _component(attributes: Attributes) -> Said:
    kind = str(attributes.get("haystack.component.type"))
    if kind.endswith("Generator"):
        return _call(attributes, "haystack.component")
    if kind.endswith("Embedder"):
        made = _mapping(attributes.get("haystack.component.output"))
        return {"gen_ai.operation.name": "embeddings", **_counted(_mapping(made.get("meta")))} if made else {}
    if kind == "Agent":
        name = attributes.get("haystack.component.name")
        return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    return {}


def _tool(attributes: Attributes) -> Said:
    result = attributes.get("haystack.agent.step.tool.output")
    said = {
        "gen_ai.tool.name": attributes.get("haystack.tool.name"),
        "gen_ai.tool.call.arguments": attributes.get("haystack.agent.step.tool.input"),
        "gen_ai.tool.call.result": result,
    }
    if attributes.get("haystack.tool.error"):
        message = _mapping(result).get("error")
        said.update({"error.type": "ToolInvocationError", "error.message": message})
    return {"gen_ai.operation.name": "execute_tool", **_known(said)}


def _call(attributes: Attributes, place: str) -> Said:
    given, made = _mapping(attributes.get(f"{place}.input")), _mapping(attributes.get(f"{place}.output"))
    if not given and not made:
        return {}  # without contents nothing is known of it, not even its model
    asked = given.get("messages", given.get("prompt"))
    messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else listed(asked)
    replies = made.get("replies")
    answers = replies if isinstance(replies, list) else []
    first = next((reply for reply in answers if isinstance(reply, Mapping)), {})
    meta = first.get("meta") or next(iter(listed(made.get("meta"))), {})
    said = {
        "gen_ai.input.messages": [_message(message) for message in messages],
        "gen_ai.output.messages": [_message(answer) for answer in answers],
        "gen_ai.response.finish_reason": meta.get("finish_reason"),
        "gen_ai.tool.definitions": [
            tool["data"] for tool in listed(given.get("tools")) if isinstance(tool.get("data"), Mapping)
        ],
        **_counted(meta),
    }
    return {"gen_ai.operation.name": "chat", **_known(said)}


def _counted(meta: Mapping[str, Any]) -> Said:
    usage = _mapping(meta.get("usage"))
    read = _mapping(usage.get("prompt_tokens_details")).get("cached_tokens")
    thought = _mapping(usage.get("completion_tokens_details")).get("reasoning_tokens")
    return _known(
        {
            "gen_ai.response.model": meta.get("model"),
            "gen_ai.usage.input_tokens": usage.get("prompt_tokens"),
            "gen_ai.usage.output_tokens": usage.get("completion_tokens"),
            "gen_ai.usage.cache_read.input_tokens": read,
            "gen_ai.usage.reasoning.output_tokens": thought,
        }
    )


def _message(message: Any) -> Said:
    if isinstance(message, str):
        return {"role": "assistant", "content": message}
    content = message.get("content")
    parts = [_part(part) for part in content] if isinstance(content, list) else content
    return {"role": message.get("role"), "content": parts}


def _part(part: Any) -> Any:
    """Return a part of a message, which is what its only key says."""
    if not isinstance(part, Mapping):
        return part
    if "text" in part:
        return {"type": "text", "content": part["text"]}
    call, result = part.get("tool_call"), part.get("tool_call_result")
    if isinstance(call, Mapping):
        return {"type": "tool_call", **call, "name": call.get("tool_name")}
    if isinstance(result, Mapping):
        origin = _mapping(result.get("origin"))
        told = {"id": origin.get("id"), "name": origin.get("tool_name"), "response": result.get("result")}
        return {"type": "tool_call_response", **told}
    thought = _mapping(part.get("reasoning")).get("reasoning_text")
    return {"type": "reasoning", "content": thought} if thought else part


def _mapping(value: Any) -> Mapping[str, Any]:
    found = parsed(value)
    return found if isinstance(found, Mapping) else {}


def _known(said: Said) -> Said:
    return {name: value for name, value in said.items() if value not in (None, [])}
