"""Under which names spans say what they are: the GenAI conventions of today and of yesterday, OpenInference,
OpenLLMetry and OpenLIT.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from .otel_attributes import Attributes, first, text


class Part(Enum):
    """What a span is in the work of an agent."""

    CALL = "call"
    EMBEDDING = "embedding"
    TOOL = "tool"
    AGENT = "agent"
    STEP = "step"


_OPERATIONS: Final = {
    "chat": Part.CALL,
    "text_completion": Part.CALL,
    "completion": Part.CALL,
    "generate_content": Part.CALL,
    "embeddings": Part.EMBEDDING,
    "embedding": Part.EMBEDDING,
    "execute_tool": Part.TOOL,
    "invoke_agent": Part.AGENT,
    "create_agent": Part.AGENT,
    "invoke_workflow": Part.STEP,
    "retrieval": Part.STEP,
    "rerank": Part.STEP,
    # `openinference.span.kind` and `traceloop.span.kind`
    "llm": Part.CALL,
    "tool": Part.TOOL,
    "agent": Part.AGENT,
    "chain": Part.STEP,
    "retriever": Part.STEP,
    "reranker": Part.STEP,
    "guardrail": Part.STEP,
    "evaluator": Part.STEP,
    "workflow": Part.STEP,
    "task": Part.STEP,
}
_KINDS: Final = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "traceloop.span.kind",
    "llm.request.type",
)

RESPONSE_MODEL: Final = ("gen_ai.response.model", "llm.response.model")
REQUEST_MODEL: Final = (
    "gen_ai.request.model",
    "llm.model_name",
    "embedding.model_name",
    "reranker.model_name",
    "llm.request.model",
)
PROVIDER: Final = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "llm.vendor")
ADK_CALL: Final = ("gcp.vertex.agent", "call_llm")  # scope and name of a span of older versions of Google ADK
# Frameworks that give their own name as the provider's: who answers follows from the model.
FRAMEWORKS: Final = ("strands-agents", "autogen", "gcp.vertex.agent")
RESPONSE_ID: Final = ("gen_ai.response.id", "llm.response.id")
FINISH_REASON: Final = (
    "gen_ai.response.finish_reasons",
    "gen_ai.response.finish_reason",
    "anthropic.message.stop_reason",
    "llm.finish_reason",
    "llm.response.finish_reason",
    "llm.response.stop_reason",
)
SERVICE_TIER: Final = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "anthropic.response.service_tier",
)

INPUT_TOKENS: Final = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.usage.prompt_tokens",
    "llm.token_count.prompt",
)
OUTPUT_TOKENS: Final = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
    "llm.token_count.completion",
)
TOTAL_TOKENS: Final = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total")
CACHE_READ: Final = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "llm.token_count.prompt_details.cache_read",
)
CACHE_CREATION: Final = (
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.details.cache_write_tokens",
    "llm.token_count.prompt_details.cache_write",
)
REASONING_TOKENS: Final = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.details.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
)

TEMPERATURE: Final = ("gen_ai.request.temperature", "llm.request.temperature")
TOP_P: Final = ("gen_ai.request.top_p", "llm.request.top_p", "llm.top_p")
MAX_TOKENS: Final = ("gen_ai.request.max_tokens", "llm.request.max_tokens")
DIMENSIONS: Final = ("gen_ai.embeddings.dimension.count",)
STREAMS: Final = ("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming")
FIRST_CHUNK: Final = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
FIRST_CHUNK_EVENTS: Final = ("First Token Stream Event", "gen_ai.content.completion.chunk")
REASONING: Final = ("gen_ai.content.reasoning",)

SESSION_ID: Final = (
    "gen_ai.conversation.id",
    "session.id",
    "conversation.id",
    "langfuse.session.id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.conversation_id",
    "traceloop.association.properties.chat_id",
    "traceloop.association.properties.thread_id",
)
USER_ID: Final = (
    "enduser.id",
    "user.id",
    "langfuse.user.id",
    "traceloop.association.properties.user_id",
    "enduser.pseudo.id",
)
DEVICE_ID: Final = ("device.id", "app.installation.id")

AUTOGEN: Final = "autogen"  # whose ids of agents are of one run only
AGENT_ID: Final = ("gen_ai.agent.id",)
AGENT_NAME: Final = ("gen_ai.agent.name", "agent.name", "agent_name")
AGENT_DESCRIPTION: Final = ("gen_ai.agent.description",)
AGENT_VERSION: Final = ("gen_ai.agent.version",)
STEP_NAME: Final = ("gen_ai.workflow.name", "traceloop.entity.name")

TOOL_NAME: Final = ("gen_ai.tool.name", "tool.name", "traceloop.entity.name")
TOOL_TYPE: Final = ("gen_ai.tool.type",)
TOOL_CALL_ID: Final = ("gen_ai.tool.call.id", "tool_call.id", "tool.id")
TOOL_ARGUMENTS: Final = (
    "gen_ai.tool.call.arguments",
    "tool_arguments",
    "input.value",
    "tool.parameters",
    "traceloop.entity.input",
    "gcp.vertex.agent.tool_call_args",
)
TOOL_RESULT: Final = (
    "gen_ai.tool.call.result",
    "tool_response",
    "output.value",
    "traceloop.entity.output",
    "gcp.vertex.agent.tool_response",
)
# In events of their own, in which Strands says what a tool was given and returned.
TOOL_ARGUMENTS_EVENT: Final = "gen_ai.tool.message"
TOOL_RESULT_EVENT: Final = "gen_ai.choice"
GIVEN: Final = ("gen_ai.retrieval.query.text", "input.value", "traceloop.entity.input")
MADE: Final = ("gen_ai.retrieval.documents", "output.value", "final_result", "traceloop.entity.output")

_SAID: Final = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt", "gen_ai.prompt.0.role")


def part_of(attributes: Attributes) -> Part | None:
    """Tell what a span is; ``None`` if it is none of an agent's."""
    named = text(attributes, _KINDS)
    if named == "create_agent" and attributes.get("gen_ai.system") == AUTOGEN:
        return None  # an object is made, and nothing is done yet
    if named is not None:
        part = _OPERATIONS.get(named.lower())
        if part is not None:
            return part
        return Part.CALL if _is_counted(attributes) else None
    is_call = text(attributes, REQUEST_MODEL) and (_is_counted(attributes) or first(attributes, _SAID))
    return Part.CALL if is_call else None


def _is_counted(attributes: Attributes) -> bool:
    return first(attributes, (*INPUT_TOKENS, *OUTPUT_TOKENS)) is not None
