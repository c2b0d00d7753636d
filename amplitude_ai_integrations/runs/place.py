"""Finding the session of a run: the one around, else the one that the door or the framework names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..context import stamps
from ..context.current import AgentFacts, Conversation, SessionContext
from ..context.identity import usable_id
from ..context.trace import Place, Trace
from .root import Root

if TYPE_CHECKING:
    from ..client.client import AmplitudeAI

_PERSON = ("user_id", "device_id", "browser_session_id")


@dataclass(frozen=True)
class Defaults:
    """What a door was told when it was made.

    ``identity`` (``session_id``, ``trace_id``, ``user_id``, ``device_id``) and ``fields`` (further keywords
    of its events) hold outside any session; ``agent`` everywhere.
    """

    identity: Mapping[str, Any] = field(default_factory=dict)
    agent: AgentFacts = field(default_factory=AgentFacts)
    fields: Mapping[str, Any] = field(default_factory=dict)


def place_for(
    active: SessionContext | None,
    defaults: Defaults,
    identity: Mapping[str, Any],
    ai: AmplitudeAI,
    *,
    opens: bool,
) -> Root:
    """Return where a run that begins now takes place.

    Outside any session, and where nobody names one, it gets one of its own if it ``opens`` one.
    """
    if active is not None:
        active.conversation.identify()
        return Root(replace(active, agent=_inside(defaults.agent, active.agent)), is_made=False, fields={})
    known = {**identity, **{name: value for name, value in defaults.identity.items() if value is not None}}
    session_id = usable_id(known.get("session_id"), "session_id")
    is_made = session_id is None and opens
    user_id, device_id, browser = (usable_id(known.get(name), name) for name in _PERSON)
    conversation = Conversation(
        stamps.new_id() if is_made else session_id,
        user_id=user_id,
        device_id=device_id,
        browser_session_id=browser,
        pipeline=ai.recorder.pipeline,
    )
    trace_id = usable_id(known.get("trace_id"), "trace_id")
    place = Place(Trace(trace_id) if trace_id is not None else None)
    return Root(SessionContext(conversation, defaults.agent, place), is_made=is_made, fields=defaults.fields)


def _inside(own: AgentFacts, around: AgentFacts) -> AgentFacts:
    """Return the agent that a door names, in a session that has one too: that one delegates to it."""
    if own.agent_id and own.parent_agent_id is None and around.agent_id not in (None, own.agent_id):
        own = replace(own, parent_agent_id=around.agent_id)
    return own.over(around)
