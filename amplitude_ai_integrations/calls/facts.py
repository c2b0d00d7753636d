"""What an adapter tells of a call: three pure mappings into these values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct, field


class Usage(Struct, frozen=True):
    """Token counts as every vendor means them here: ``input`` includes cached, ``output`` reasoning."""

    input: int | None = None
    output: int | None = None
    total: int | None = None
    reasoning: int | None = None
    cache_read: int | None = None
    cache_creation: int | None = None


class ToolResult(Struct, frozen=True):
    """A tool's answer found among the messages of a call."""

    call_id: str
    name: str | None
    arguments: Any
    output: Any
    is_error: bool = False


class RequestFacts(Struct):
    """What is asked: only what is new since the model last spoke counts as said now."""

    provider: str
    model: str
    is_embedding: bool = False
    user_text: str = ""
    history: object = None  # tells one point of a conversation from another
    attachments: list[dict[str, Any]] = field(default_factory=list)  # each by `attachments.attachment`
    tool_results: list[ToolResult] = field(default_factory=list)
    system_prompt: str | None = None
    tools: list[Any] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    service_tier: str | None = None  # as asked for; what the answer says goes before it


class ResponseFacts(Struct):
    """What came back, as far as it came."""

    model: str | None = None
    text: str = ""
    reasoning: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    finish_reason: str | None = None
    usage: Usage | None = None
    cost_usd: float | None = None  # where the seller says it; else it is worked out
    request_id: str | None = None
    service_tier: str | None = None  # as the vendor says it: "flex", "priority", "batch", ...
    attachments: list[dict[str, Any]] = field(default_factory=list)  # pictures, sound: see `RequestFacts`
    was_cached: bool = False  # by a gateway that kept a whole answer, which costs nothing
    dimensions: int | None = None
    error_type: str | None = None
    error_message: str | None = None


class Accumulator(Protocol):
    """Gathers the chunks of one streamed answer."""

    def add(self, chunk: Any) -> bool:
        """Take a chunk, and tell whether it carries a piece of the answer."""

    def facts(self) -> ResponseFacts:
        """Return what came so far."""


class Adapter(Protocol):
    """One vendor's API, as pure mappings over payloads: dictionaries or the vendor's own models."""

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole."""

    def accumulator(self) -> Accumulator:
        """Return a new gatherer of chunks."""

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent, to estimate their tokens where the vendor does not count."""


def peek(value: Any, *path: str) -> Any:
    """Follow names through dictionaries and objects alike; ``None`` where one is missing."""
    for name in path:
        if value is None:
            return None
        value = value.get(name) if type(value) is dict else getattr(value, name, None)
    return value


def fields(value: Any) -> Mapping[str, Any]:
    """Return what a dictionary or a vendor's model holds; for many looks at one value, as for each chunk."""
    return value if type(value) is dict else getattr(value, "__dict__", _NOTHING)


_NOTHING: Mapping[str, Any] = {}


def count(value: Any) -> int | None:
    """Return a token count, or ``None`` for anything that is none (vendors send sentinels)."""
    return value if type(value) is int else None


def known(value: Any, *kinds: type) -> Any:
    """Return a value only if it is of these types; what a caller did not give may be a sentinel."""
    return value if isinstance(value, kinds) and not isinstance(value, bool) else None
