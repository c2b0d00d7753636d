"""What the pages read: sessions, turns and steps, as plain immutable values.

Times are milliseconds since the epoch, durations milliseconds, cost US dollars. ``None`` means
"not known", which is never the same as zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

State = Literal["live", "closed"]
StepKind = Literal["model", "tool", "retrieval", "step", "agent"]


@dataclass(frozen=True, slots=True)
class TurnShape:
    """One turn as a bar: how long the reply took, where that time went, how it ended."""

    reply_ms: float | None
    model_ms: float
    tool_ms: float
    is_error: bool = False
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session in the list; every figure comes from the roll-up, none from a scan of events."""

    session_id: str
    title: str | None  # first line of the first user message; None where no text was recorded
    agent: str | None  # the agent of the session's first event that names one
    agents: int
    user_id: str | None
    device_id: str | None
    state: State
    first_ms: int
    last_ms: int
    turns: int
    tools: int
    model_calls: int
    tokens: int | None
    cost_usd: float | None
    is_price_known: bool  # False when a model call with tokens came without a cost
    slowest_ms: float | None
    errors: int
    last_turn_failed: bool
    abandoned_turn: int | None
    negative_feedback: int
    content_mode: str | None
    shape: tuple[TurnShape, ...] = ()
    is_estimated: bool = False  # some tokens were estimated, and with them what they cost


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One page of the list, newest activity first, with the cursors of its neighbours."""

    rows: tuple[SessionRow, ...]
    total: int
    first: int  # position of the first row, from 1; 0 when there is none
    newer: str | None
    older: str | None


@dataclass(frozen=True, slots=True)
class Score:
    name: str
    value: float
    source: str
    comment: str | None
    target_id: str | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class Message:
    """A user message. ``text`` is None where the content was not recorded."""

    event_id: int
    message_id: str | None
    text: str | None
    at_ms: int
    source: str
    is_regeneration: bool = False
    is_edit: bool = False
    attachments: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A model call, a tool call, an embedding or any other span, with what happened inside it."""

    event_id: int
    step_id: str
    kind: StepKind
    name: str
    agent: str | None
    parent_agent: str | None
    started_ms: float
    latency_ms: float | None  # None where it was not measured
    ttfb_ms: float | None = None
    model: str | None = None
    provider: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: float | None = None
    is_estimated: bool = False
    is_error: bool = False
    is_stopped: bool = False  # the consumer stopped reading the stream
    error_type: str | None = None
    error_message: str | None = None
    finish_reason: str | None = None
    text: str | None = None  # what the model said
    reasoning: str | None = None
    system_prompt: str | None = None
    tool_calls: str | None = None  # JSON
    input: str | None = None  # JSON or text
    output: str | None = None  # JSON or text
    was_copied: bool = False
    scores: tuple[Score, ...] = ()
    children: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange: from a message of the user to the next."""

    number: int
    trace_id: str | None
    user: Message | None
    delegated: tuple[Message, ...]  # messages one agent sent another
    steps: tuple[Step, ...]
    started_ms: float
    ended_ms: float
    reply_ms: float | None
    model_ms: float
    tool_ms: float
    tokens: int | None
    cost_usd: float | None
    errors: int
    is_failed: bool
    is_stopped: bool
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class ModelUse:
    model: str
    calls: int
    input_tokens: int | None
    cache_read_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    ttfb_p50_ms: float | None
    latency_p50_ms: float | None
    cost_usd: float | None
    is_estimated: bool = False
    is_embedding: bool = False  # its calls are retrievals, which a session's model calls do not count


@dataclass(frozen=True, slots=True)
class ToolUse:
    tool: str
    calls: int
    failed: int
    latency_p50_ms: float | None


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """Everything the page of one session shows."""

    row: SessionRow
    turns: tuple[Turn, ...]
    models: tuple[ModelUse, ...]
    tools: tuple[ToolUse, ...]
    scores: tuple[Score, ...]  # on the session as a whole
    agents: tuple[str, ...]
    closed_by: Literal["explicit", "idle"] | None
    idle_minutes: int
    agent_version: str | None = None
    agent_description: str | None = None
    customer_org_id: str | None = None
    env: str | None = None
    locale: str | None = None
    context: str | None = None  # JSON
    runtime: str | None = None
    sdk_version: str | None = None
    replay_id: str | None = None
    tool_definitions_count: int | None = None
    tool_definitions_hash: str | None = None
    redactions: dict[str, int] = field(default_factory=dict)  # placeholder -> how many, in this session


@dataclass(frozen=True, slots=True)
class Totals:
    """What the foot of the navigation says."""

    events: int
    sessions: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A session's place in the list, and the sessions beside it."""

    newer: str | None
    older: str | None
    position: int
    total: int
