"""What every event shares: identity, agent, privacy stamp; errors; attachments."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeVar, Union

from msgspec import UNSET, Struct, UnsetType

from .fields import Content, about
from .names import wire_name

T = TypeVar("T")
Maybe = Union[T, UnsetType]  # noqa: UP007 - type checkers read no generic alias of the other form

LABELS = "Sequence[MessageLabel]"
MAPPINGS = "Sequence[Mapping[str, Any]]"


class AgentEvent(Struct, kw_only=True, rename=wire_name, tag_field="event_type"):
    """What every event carries."""

    summary: ClassVar[str] = "What every event carries."
    is_server_side: ClassVar[bool] = False

    session_id: Annotated[Maybe[str], about("The conversation this event belongs to; one id for all of it.")]
    trace_id: Annotated[
        Maybe[str], about("One exchange inside the session: a user's message and all that answers it.")
    ] = UNSET
    turn_id: Annotated[
        Maybe[int], about("Orders the events of a session; it only rises and says nothing else.")
    ] = UNSET
    agent_id: Annotated[Maybe[str], about("The agent at work, for example 'support-bot'.")] = UNSET
    agent_name: Annotated[Maybe[str], about("A display name for the agent, where it has one.")] = UNSET
    parent_agent_id: Annotated[Maybe[str], about("The agent that delegated to this one.")] = UNSET
    customer_org_id: Annotated[
        Maybe[str], about("The customer's organization, on platforms that serve many.")
    ] = UNSET
    agent_version: Annotated[
        Maybe[str], about("The version of the agent's code, to compare one release with the next.")
    ] = UNSET
    agent_description: Annotated[
        Maybe[str], about("What the agent is for, in a sentence for people.", argument="description")
    ] = UNSET
    context: Annotated[
        Maybe[Any],
        about(
            "Your own dimensions to segment by (variant, surface, prompt revision), as a JSON object.",
            content=Content.CONTEXT,
            json=True,
            accepts="Mapping[str, Any]",
        ),
    ] = UNSET
    env: Annotated[Maybe[str], about("Where the agent runs: 'production', 'staging', 'dev'.")] = UNSET
    tags: Annotated[
        Maybe[Any],
        about(
            "Short words attached to the session, as a JSON array of strings.",
            content=Content.JUDGEMENT,
            json=True,
            accepts="Sequence[str]",
        ),
    ] = UNSET
    locale: Annotated[Maybe[str], about("The user's locale, for example 'en-US'.")] = UNSET
    span_kind: Annotated[
        Maybe[str], about("The kind of span this was in OpenTelemetry's terms, where it came from there.")
    ] = UNSET
    session_replay_id: Annotated[
        Maybe[str],
        about("Links to the browser's Session Replay, as 'device id/browser session id'.", derived=True),
    ] = UNSET
    content_mode: Annotated[
        str,
        about(
            "How much text was allowed to leave: 'full', 'metadata_only' or 'customer_enriched'.",
            derived=True,
        ),
    ]
    sdk_version: Annotated[str, about("The version of this package.", derived=True)]
    runtime: Annotated[str, about("The language runtime, 'python'.", derived=True)]
    git_sha: Annotated[Maybe[str], about("The commit the program was built from.", derived=True)] = UNSET
    git_ref: Annotated[Maybe[str], about("The branch or tag it was built from.", derived=True)] = UNSET
    git_repo: Annotated[Maybe[str], about("The repository it was built from.", derived=True)] = UNSET


IsError = Annotated[bool, about("Whether the operation failed.")]
ErrorMessage = Annotated[Maybe[str], about("What went wrong, in words.", content=Content.TEXT)]
ErrorType = Annotated[
    Maybe[str], about("The kind of error, for example the exception's class; leaves in every mode.")
]
ErrorSource = Annotated[
    Maybe[str],
    about("Who failed: 'provider' (the model's API), 'tool', 'application', or a word of yours."),
]
StackTrace = Annotated[
    Maybe[str],
    about(
        "Where in the code it failed, innermost call last; observed only under `capture_stack_trace`.",
        content=Content.TEXT,
    ),
]


class FailingEvent(AgentEvent, kw_only=True):
    is_error: IsError
    error_message: ErrorMessage = UNSET
    error_type: ErrorType = UNSET
    error_source: ErrorSource = UNSET
    stack_trace: StackTrace = UNSET


class AttachingEvent(AgentEvent, kw_only=True):
    has_attachments: Annotated[Maybe[bool], about("Whether files came with the message.", derived=True)] = (
        UNSET
    )
    attachment_types: Annotated[
        Maybe[list[str]], about("The distinct types of the attachments, sorted.", derived=True)
    ] = UNSET
    attachment_count: Annotated[Maybe[int], about("How many files came with the message.", derived=True)] = (
        UNSET
    )
    total_attachment_size_bytes: Annotated[
        Maybe[int], about("The attachments' size together, in bytes, where sizes are known.", derived=True)
    ] = UNSET
    attachments: Annotated[
        Maybe[Any],
        about(
            "Facts about each attachment (type, name, url, size, yours) as a JSON array, never its bytes.",
            content=Content.TEXT,
            json=True,
            accepts=MAPPINGS,
        ),
    ] = UNSET
    message_labels: Annotated[
        Maybe[Any],
        about(
            "Your labels of the message (key, value, confidence) as a JSON array.",
            content=Content.JUDGEMENT,
            json=True,
            argument="labels",
            accepts=LABELS,
        ),
    ] = UNSET
    message_label_map: Annotated[
        Maybe[Any],
        about(
            "The labels as one JSON object of key and value.",
            content=Content.JUDGEMENT,
            json=True,
            derived=True,
        ),
    ] = UNSET
