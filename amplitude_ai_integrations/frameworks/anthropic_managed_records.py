"""What the events of a managed agent become, and how their parts are read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ..calls.facts import peek
from ..context import stamps
from ..providers.anthropic_content import blocks_of, text_of
from ..providers.anthropic_messages import tier_of, usage_of
from ..schema.values import plain, to_json

MESSAGE: Final = "track_user_message"
ANSWER: Final = "track_ai_message"
TOOL: Final = "track_tool_call"
SPAN: Final = "track_span"
_FRACTION: Final = re.compile(r"\.(\d+)")
_ID_FIELDS: Final = {MESSAGE: "message_id", ANSWER: "message_id", TOOL: "invocation_id", SPAN: "span_id"}


@dataclass
class Record:
    """One event of ours: the method that tracks it, its own id, and the vendor's events it is made of."""

    method: str
    own_id: str
    fields: dict[str, Any]
    event_ids: tuple[str, ...]

    @property
    def keywords(self) -> dict[str, Any]:
        """The keywords of the method; under the same id it is the same event, whoever sends it again."""
        given = {name: value for name, value in self.fields.items() if value is not None}
        return {**given, _ID_FIELDS[self.method]: self.own_id}


@dataclass
class Request:
    """A request that the agent makes of its model, from its start to its end."""

    start_id: str | None
    started: float | None
    texts: list[str] = field(default_factory=list)
    message_ids: list[str] = field(default_factory=list)
    tools: list[Use] = field(default_factory=list)
    last: Any = None  # what came of it
    end: Any = None
    own_id: str = ""  # of the answer, once it is told

    @property
    def has_output(self) -> bool:
        """Whether anything came of it."""
        return bool(self.message_ids or self.tools)


@dataclass
class Use:
    """A tool that the agent uses, until its result comes."""

    event: Any
    request: Request | None


def use_call(use: Use) -> dict[str, Any]:
    """Return what an answer says of a tool that it asks for."""
    function = {"name": peek(use.event, "name"), "arguments": to_json(peek(use.event, "input") or {})}
    return {"type": "function", "id": peek(use.event, "id"), "function": function}


def usage_fields(end: Any) -> dict[str, Any]:
    """Return the tokens of a request, with the cached ones among the input."""
    usage = usage_of(peek(end, "model_usage"))
    if usage is None:
        return {}
    return {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "total_tokens": usage.total,
        "cache_read_tokens": usage.cache_read,
        "cache_creation_tokens": usage.cache_creation,
        "service_tier": tier_of(peek(end, "model_usage")),
    }


def output_of(content: Any) -> Any:
    """Return what a tool answered: its words, or all its blocks where there is more than words."""
    blocks = blocks_of(content)
    if all(peek(block, "type") == "text" for block in blocks):
        return text_of(blocks)
    dumped = [block.model_dump(mode="json") if hasattr(block, "model_dump") else block for block in blocks]
    return plain(dumped)


def seconds_of(event: Any) -> float | None:
    """Return when an event was processed, in seconds since the epoch; one that waits was not."""
    at = peek(event, "processed_at")
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(_FRACTION.sub(_microseconds, at.replace("Z", "+00:00")))
        except ValueError:
            return None
    return at.timestamp() if isinstance(at, datetime) else None


def _microseconds(fraction: re.Match[str]) -> str:
    """Return a fraction of a second in as many digits as all versions of Python read."""
    return f".{fraction[1][:6]:0<6}"


def in_time(lists: list[tuple[Any, list[Any]]]) -> list[tuple[Any, Any]]:
    """Return the events of several threads in one order, each with its thread; each list keeps its own."""
    placed = []
    for place, (thread, events) in enumerate(lists):
        at = 0.0
        for event in events:
            at = max(at, seconds_of(event) or at)
            placed.append((at, place, thread, event))
    placed.sort(key=lambda one: one[:2])
    return [(thread, event) for _at, _place, thread, event in placed]


def milliseconds(at: float | None) -> int | None:
    """Return a time as our events have it."""
    return round(at * 1000) if at is not None else None


def between(start: float | None, end: float | None) -> float:
    """Return how long something took, in milliseconds; 0 where that is not known."""
    return max(0.0, (end - start) * 1000) if start is not None and end is not None else 0.0


def trace_of(message_id: str) -> str:
    """Return the trace that a user's message begins: the same in every process."""
    return stamps.id_for(f"managed agent\0{message_id}")
