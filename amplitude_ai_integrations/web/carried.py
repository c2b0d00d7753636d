"""What travels with a job: ids, numbers and facts of the agent as plain JSON, and nothing that was said."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Annotated, Any, Final, Literal

import msgspec

from ..context.current import AgentFacts, Conversation, SessionContext, merged
from ..context.identity import usable_id
from ..context.memory import memory_of
from ..context.trace import Place, Trace
from ..delivery.pipeline import Pipeline
from ..exceptions import logger
from ..schema.values import plain

_MOST_BYTES: Final = 16_384  # brokers bound the headers of a message; the agent's dimensions give way
_DIMENSIONS: Final = ("context", "groups", "tags", "agent_description")

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
_MOST_TURNS: Final = 10**9
_Turn = Annotated[int, msgspec.Meta(ge=0, le=_MOST_TURNS)]
_Minutes = Annotated[int, msgspec.Meta(ge=-1, le=1_000_000)]


class _Agent(msgspec.Struct, omit_defaults=True):
    """The facts of the agent that goes on."""

    agent_id: _Id | None = None
    agent_name: _Id | None = None
    parent_agent_id: _Id | None = None
    customer_org_id: _Id | None = None
    agent_version: _Id | None = None
    agent_description: str | None = None
    context: dict[str, Any] | None = None
    env: _Id | None = None
    locale: _Id | None = None
    tags: tuple[str, ...] | None = None
    groups: dict[str, Any] | None = None


class _Trace(msgspec.Struct, omit_defaults=True):
    """The exchange that goes on, and what must not be told of it a second time."""

    id: _Id
    has_user_message: bool = False
    user_by_hand: bool = False
    user_key: _Id | None = None
    parent_message_id: _Id | None = None


class _Carried(msgspec.Struct, omit_defaults=True):
    v: Literal[1]
    session_id: _Id
    trace: _Trace
    agent: _Agent
    turn: _Turn = 0
    user_id: _Id | None = None
    device_id: _Id | None = None
    browser_session_id: _Id | None = None
    idle_timeout_minutes: _Minutes | None = None
    span_id: _Id | None = None


def written(context: SessionContext, session_id: str) -> dict[str, Any]:
    """Return a place of a program in the form that travels."""
    conversation = context.conversation
    said = conversation.agent
    facts = merged(said.given, context.agent.given) if said is not None else context.agent.given
    carried = _Carried(
        v=1,
        session_id=session_id,
        trace=_trace_written(context.trace),
        agent=_Agent(**{name: plain(value, _MOST_BYTES) for name, value in facts.items()}),
        turn=min(memory_of(session_id).turn, _MOST_TURNS),
        user_id=conversation.user_id,
        device_id=conversation.device_id,
        browser_session_id=conversation.browser_session_id,
        idle_timeout_minutes=conversation.idle_timeout_minutes,
        span_id=context.span_id,
    )
    return _fitting(msgspec.to_builtins(carried))


def read(carried: Any, pipeline: Pipeline) -> SessionContext | None:
    """Return the place from which a program goes on; ``None`` for what is not ours, or not whole."""
    found = _checked(carried)
    session_id = usable_id(found.session_id, "session_id") if found is not None else None
    if found is None or session_id is None:
        return None
    conversation = Conversation(
        session_id,
        user_id=usable_id(found.user_id, "user_id"),
        device_id=usable_id(found.device_id, "device_id"),
        browser_session_id=usable_id(found.browser_session_id, "browser_session_id"),
        pipeline=pipeline,
        idle_timeout_minutes=found.idle_timeout_minutes,
    )
    memory_of(session_id).take_turn(found.turn)
    facts = AgentFacts.of(**{name: getattr(found.agent, name) for name in found.agent.__struct_fields__})
    return SessionContext(conversation, facts, Place(_trace_read(found.trace)), found.span_id)


def _checked(carried: Any) -> _Carried | None:
    if carried is None:
        return None
    try:
        if isinstance(carried, (str, bytes)):
            return msgspec.json.decode(carried, type=_Carried)
        return msgspec.convert(carried, _Carried)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


class _Known:
    """A user's message that was observed where the job came from; its words stayed there."""

    def __init__(self, digest: str) -> None:
        self.digest = digest

    def __eq__(self, other: object) -> bool:
        return _digest(other) == self.digest

    __hash__ = None  # type: ignore[assignment]  # only ever compared


def _digest(user_key: object) -> str:
    if isinstance(user_key, _Known):
        return user_key.digest
    return hashlib.blake2b(repr(user_key).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _trace_written(trace: Trace) -> _Trace:
    return _Trace(
        id=trace.id,
        has_user_message=trace.has_user_message,
        user_by_hand=trace.user_by_hand,
        user_key=_digest(trace.user_key) if trace.user_key is not None else None,
        parent_message_id=trace.parent_message_id,
    )


def _trace_read(found: _Trace) -> Trace:
    trace = Trace(usable_id(found.id, "trace_id"))
    trace.has_user_message = found.has_user_message
    trace.user_by_hand = found.user_by_hand
    trace.user_key = _Known(found.user_key) if found.user_key is not None else None
    trace.parent_message_id = found.parent_message_id
    return trace


def _fitting(carried: dict[str, Any]) -> dict[str, Any]:
    """Return what travels, without the agent's dimensions where they are too large for that."""
    for name in _DIMENSIONS:
        if len(msgspec.json.encode(carried)) <= _MOST_BYTES:
            break
        if carried["agent"].pop(name, None) is not None:
            _say_large(name)
    return carried


@cache
def _say_large(name: str) -> None:
    words = "A job carries at most %d bytes, and leaves the agent's %s behind; its events go without."
    logger.warning(words, _MOST_BYTES, name)
