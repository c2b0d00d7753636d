"""The events this package sends, and everything each of them can say.

A field's Python name gives its wire name (`schema.names.wire_name`); a field without a default is
required. Fields marked ``json`` hold the value itself until the privacy gate has seen it and travel as
a JSON string.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import UNSET

from .base import (
    MAPPINGS,
    AgentEvent,
    AttachingEvent,
    ErrorMessage,
    ErrorSource,
    ErrorType,
    FailingEvent,
    IsError,
    Maybe,
    StackTrace,
)
from .fields import Content, about


class UserMessage(AttachingEvent, kw_only=True, tag="[Agent] User Message"):
    """What a user, or an agent delegating to another, said."""

    summary: ClassVar[str] = "A message from the user, or from one agent to another."

    llm_message: Annotated[
        Maybe[Any],
        about(
            "The message itself, as {'text': ...}, whole however long.",
            content=Content.TEXT,
            argument="content",
            accepts="str",
        ),
    ] = UNSET
    message_id: Annotated[
        str, about("This message's id; scores, labels and tool calls refer to it.", accepts="str")
    ]
    component_type: Annotated[
        str, about("The kind of component: 'user_input', 'llm', 'tool', 'embedding'.", derived=True)
    ] = "user_input"
    is_regeneration: Annotated[Maybe[bool], about("The user asked for another answer.")] = UNSET
    is_edit: Annotated[Maybe[bool], about("The user changed an earlier message and sent it again.")] = UNSET
    edited_message_id: Annotated[Maybe[str], about("The id of the message that was edited.")] = UNSET
    message_source: Annotated[
        Maybe[str],
        about(
            "'user' for a person, 'agent' for one agent instructing another; by default told by the agent."
        ),
    ] = UNSET
    session_idle_timeout_minutes: Annotated[
        Maybe[int],
        about(
            "Minutes without an event after which the session counts as over (30 where unset).",
            argument="idle_timeout_minutes",
        ),
    ] = UNSET


class AIResponse(AttachingEvent, kw_only=True, tag="[Agent] AI Response"):
    """What a model answered, what it took and what it cost."""

    summary: ClassVar[str] = "A model's answer: text, tokens, cost, latency, how it ended."

    llm_message: Annotated[
        Maybe[Any],
        about(
            "The answer itself, as {'text': ...}, whole however long.",
            content=Content.TEXT,
            argument="content",
            accepts="str",
        ),
    ] = UNSET
    message_id: Annotated[str, about("This answer's id; scores and tool calls refer to it.")]
    component_type: Annotated[
        str, about("The kind of component: 'user_input', 'llm', 'tool', 'embedding'.", derived=True)
    ] = "llm"
    model_name: Annotated[str, about("The model, as its provider names it.", argument="model")]
    provider: Annotated[str, about("Who serves the model: 'openai', 'anthropic', 'google' and so on.")]
    latency_ms: Annotated[float, about("From the call to its end, in milliseconds.")]
    is_error: IsError
    error_message: ErrorMessage = UNSET
    error_type: ErrorType = UNSET
    error_source: ErrorSource = UNSET
    stack_trace: StackTrace = UNSET
    ttfb_ms: Annotated[
        Maybe[float], about("From the call to the first piece of the answer, in milliseconds.")
    ] = UNSET
    input_tokens: Annotated[Maybe[int], about("Tokens sent, those read from a cache included.")] = UNSET
    output_tokens: Annotated[Maybe[int], about("Tokens the model wrote, reasoning included.")] = UNSET
    total_tokens: Annotated[Maybe[int], about("Input and output together.")] = UNSET
    reasoning_tokens: Annotated[Maybe[int], about("Output tokens spent on reasoning.")] = UNSET
    cache_read_tokens: Annotated[
        Maybe[int], about("Input tokens the provider read from its prompt cache.")
    ] = UNSET
    cache_creation_tokens: Annotated[
        Maybe[int], about("Input tokens the provider wrote to its prompt cache.")
    ] = UNSET
    usage_estimated: Annotated[
        Maybe[bool], about("The token counts were estimated, since the provider gave none.")
    ] = UNSET
    cost_usd: Annotated[
        Maybe[float],
        about(
            "What the call cost, in US dollars; absent where the model's price is unknown.",
            argument="total_cost_usd",
        ),
    ] = UNSET
    finish_reason: Annotated[
        Maybe[str], about("Why the model stopped: 'stop', 'length', 'tool_calls' and so on.")
    ] = UNSET
    tool_calls: Annotated[
        Maybe[Any],
        about(
            "The tool calls the model asked for, as a JSON array.",
            content=Content.TEXT,
            json=True,
            accepts=MAPPINGS,
        ),
    ] = UNSET
    has_reasoning: Annotated[
        Maybe[bool], about("Whether the model reasoned before it answered.", derived=True)
    ] = UNSET
    reasoning_content: Annotated[
        Maybe[str], about("What the model reasoned, where it shows that.", content=Content.TEXT)
    ] = UNSET
    system_prompt: Annotated[Maybe[str], about("The system prompt of the call.", content=Content.TEXT)] = (
        UNSET
    )
    system_prompt_length: Annotated[
        Maybe[int], about("The system prompt's length in characters.", derived=True)
    ] = UNSET
    tool_definitions: Annotated[
        Maybe[Any],
        about(
            "The tools offered to the model (name, description, parameters) as a JSON array.",
            content=Content.TEXT,
            json=True,
            accepts=MAPPINGS,
        ),
    ] = UNSET
    tool_definitions_count: Annotated[
        Maybe[int], about("How many tools were offered to the model.", derived=True)
    ] = UNSET
    tool_definitions_hash: Annotated[
        Maybe[str],
        about("A stable hash of the tools offered: the same set gives the same hash.", derived=True),
    ] = UNSET
    temperature: Annotated[Maybe[float], about("The sampling temperature asked for.")] = UNSET
    max_output_tokens: Annotated[Maybe[int], about("The most output tokens allowed.")] = UNSET
    top_p: Annotated[Maybe[float], about("The nucleus sampling bound asked for.")] = UNSET
    is_streaming: Annotated[Maybe[bool], about("Whether the answer came as a stream.")] = UNSET
    stream_abandoned: Annotated[Maybe[bool], about("The reader left the stream before its end.")] = UNSET
    prompt_id: Annotated[Maybe[str], about("The prompt template or its version.")] = UNSET
    was_copied: Annotated[Maybe[bool], about("The user copied the answer.")] = UNSET
    was_cached: Annotated[
        Maybe[bool], about("The whole answer came from a cache of yours, not from the model.")
    ] = UNSET
    model_tier: Annotated[
        Maybe[str], about("'fast', 'standard' or 'reasoning'; by default told from the model's name.")
    ] = UNSET
    provider_request_id: Annotated[
        Maybe[str], about("The provider's own id of the call, to find it in the provider's log.")
    ] = UNSET


class ToolCall(FailingEvent, kw_only=True, tag="[Agent] Tool Call"):
    """A tool or function an agent ran."""

    summary: ClassVar[str] = "A tool the agent ran: arguments, result, latency, success."

    component_type: Annotated[
        str, about("The kind of component: 'user_input', 'llm', 'tool', 'embedding'.", derived=True)
    ] = "tool"
    invocation_id: Annotated[str, about("This run of the tool.")]
    tool_name: Annotated[str, about("The tool's name.")]
    tool_type: Annotated[
        Maybe[str], about("The kind of tool: 'function', 'mcp', 'retrieval', or a word of yours.")
    ] = UNSET
    tool_owner: Annotated[
        Maybe[str], about("Whose tool it is, for example 'customer' or the name of a team.")
    ] = UNSET
    tool_success: Annotated[bool, about("Whether the tool did its work.", argument="success")]
    latency_ms: Annotated[
        float, about("How long the tool ran, in milliseconds; 0 where it could not be measured.")
    ]
    tool_input_schema: Annotated[
        Maybe[Any],
        about(
            "The arguments the tool takes, as a JSON schema.",
            content=Content.TEXT,
            json=True,
            argument="input_schema",
            accepts="Mapping[str, Any]",
        ),
    ] = UNSET
    tool_input: Annotated[
        Maybe[Any],
        about(
            "The tool's arguments, as JSON.", content=Content.TEXT, json=True, argument="input", accepts="Any"
        ),
    ] = UNSET
    tool_output: Annotated[
        Maybe[Any],
        about(
            "What the tool returned, as JSON.",
            content=Content.TEXT,
            json=True,
            argument="output",
            accepts="Any",
        ),
    ] = UNSET
    parent_message_id: Annotated[
        Maybe[str], about("The message that led to this run: the user's, or the answer that asked for it.")
    ] = UNSET


class Embedding(FailingEvent, kw_only=True, tag="[Agent] Embedding"):
    """A text turned into a vector."""

    summary: ClassVar[str] = "An embedding call: model, tokens, dimensions, cost."

    component_type: Annotated[
        str, about("The kind of component: 'user_input', 'llm', 'tool', 'embedding'.", derived=True)
    ] = "embedding"
    span_id: Annotated[str, about("This operation's id.")]
    model_name: Annotated[str, about("The embedding model.", argument="model")]
    provider: Annotated[str, about("Who serves the model.")]
    latency_ms: Annotated[float, about("How long the call took, in milliseconds.")]
    input_tokens: Annotated[Maybe[int], about("Tokens embedded.")] = UNSET
    embedding_dimensions: Annotated[
        Maybe[int], about("The length of the vectors.", argument="dimensions")
    ] = UNSET
    cost_usd: Annotated[
        Maybe[float], about("What the call cost, in US dollars.", argument="total_cost_usd")
    ] = UNSET


class Span(FailingEvent, kw_only=True, tag="[Agent] Span"):
    """Any other step: a search, a rerank, a guardrail, an action in the world."""

    summary: ClassVar[str] = "Any other step of an agent's work."

    span_id: Annotated[str, about("This step's id.")]
    span_name: Annotated[str, about("What the step does, for example 'vector_search'.")]
    latency_ms: Annotated[float, about("How long the step took, in milliseconds.")]
    parent_span_id: Annotated[Maybe[str], about("The step this one is part of.")] = UNSET
    input_state: Annotated[
        Maybe[Any],
        about("What the step was given, as JSON.", content=Content.TEXT, json=True, accepts="Any"),
    ] = UNSET
    output_state: Annotated[
        Maybe[Any], about("What the step made, as JSON.", content=Content.TEXT, json=True, accepts="Any")
    ] = UNSET


class SessionEnd(AgentEvent, kw_only=True, tag="[Agent] Session End"):
    """The conversation is over."""

    summary: ClassVar[str] = "The end of a session; its evaluation may begin."

    is_error: Annotated[Maybe[bool], about("Whether the session's handler ended in an error.")] = UNSET
    error_type: ErrorType = UNSET
    enrichments: Annotated[
        Maybe[Any],
        about(
            "Your classification of the session (`SessionEnrichments`), as a JSON object.",
            content=Content.JUDGEMENT,
            json=True,
            accepts="SessionEnrichments",
        ),
    ] = UNSET
    abandonment_turn: Annotated[
        Maybe[int],
        about(
            "The last exchange that was answered before the user left, counted from 1; 0 where none was. "
            "Set by itself when the last message got no answer."
        ),
    ] = UNSET
    session_idle_timeout_minutes: Annotated[
        Maybe[int],
        about(
            "Minutes without an event after which the session counts as over (30 where unset).",
            argument="idle_timeout_minutes",
        ),
    ] = UNSET


class SessionEnrichment(AgentEvent, kw_only=True, tag="[Agent] Session Enrichment"):
    """The customer's own classification of a session."""

    summary: ClassVar[str] = "Your own classification of a session: topics, rubrics, outcome."

    enrichments: Annotated[
        Any,
        about(
            "Your classification of the session (`SessionEnrichments`), as a JSON object.",
            content=Content.JUDGEMENT,
            json=True,
            accepts="SessionEnrichments",
        ),
    ]


class Score(AgentEvent, kw_only=True, tag="[Agent] Score"):
    """A judgement of one answer or of a whole session."""

    summary: ClassVar[str] = "A judgement of an answer or a session, by a user, a model or a reviewer."

    score_name: Annotated[str, about("What is judged, for example 'user-feedback'.", argument="name")]
    score_value: Annotated[float, about("The judgement: 0 or 1, 0.0 to 1.0, or a rating.", argument="value")]
    target_id: Annotated[str, about("The message or session that is judged.")]
    target_type: Annotated[str, about("'message' or 'session'.")]
    evaluation_source: Annotated[str, about("Who judged: 'user', 'ai' or 'reviewer'.", argument="source")]
    comment: Annotated[Maybe[str], about("Why, in words.", content=Content.TEXT)] = UNSET
    taxonomy_version: Annotated[Maybe[str], about("The version of the scale that was used.")] = UNSET
    evaluated_at: Annotated[Maybe[int], about("When it was judged, in ms since the epoch.")] = UNSET
    score_label: Annotated[
        Maybe[str],
        about("'very_low' to 'very_high', told from the value; set by the server only.", derived=True),
    ] = UNSET
    provider_request_id: Annotated[
        Maybe[str], about("The judged call's id at its provider, where no message id is at hand.")
    ] = UNSET


SDK_EVENTS: tuple[type[AgentEvent], ...] = (
    UserMessage,
    AIResponse,
    ToolCall,
    Embedding,
    Span,
    SessionEnd,
    SessionEnrichment,
    Score,
)
