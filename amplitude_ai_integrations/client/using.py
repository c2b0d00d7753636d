"""A block whose events all say something more."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from contextvars import Token
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..context.current import (
    WHO,
    AgentFacts,
    SessionContext,
    added,
    get_active_context,
    push_context,
    reset_context,
)
from ..context.identity import usable_id
from ..context.trace import Place, Trace
from ..exceptions import shielded
from ..schema.facts import names
from ..schema.values import plain
from .agent import BoundAgent
from .recording import Scope

if TYPE_CHECKING:
    from .client import AmplitudeAI

_PERSON = ("user_id", "device_id", "browser_session_id")


class Using(AbstractContextManager[None]):
    """Lends attributes to everything inside the block."""

    def __init__(
        self, ai: AmplitudeAI, attributes: Mapping[str, Any], marking: AbstractContextManager[None] | None
    ) -> None:
        self._ai = ai
        self._attributes = attributes
        self._marking = marking
        self._open = ExitStack()

    def __enter__(self) -> None:
        with shielded("using_attributes"):
            self._enter()
        with shielded("using_attributes"):
            if self._marking is not None:
                self._open.enter_context(self._marking)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with shielded("using_attributes"):
            self._open.__exit__(kind, error, trace)

    def _enter(self) -> None:
        around = get_active_context()
        if around is not None:
            around.conversation.identify()
        get = self._attributes.get
        session_id = usable_id(get("session_id"), "session_id")
        trace_id = usable_id(get("trace_id"), "trace_id")
        user_id, device_id, browser = (usable_id(get(name), name) for name in _PERSON)
        said = dict(facts_of(self._attributes).given)
        who = AgentFacts(**{name: said.pop(name) for name in WHO if name in said})
        lent = AgentFacts(**said)
        if around is None or session_id not in (None, around.session_id):
            scope = Scope(who, session_id, trace_id, user_id, device_id, browser)
            self._open.enter_context(BoundAgent(self._ai, scope).session(track_session_end=False))
            around = get_active_context()
            if around is not None:
                self._push(replace(around, lent=added(lent, around.lent)))
            return
        around.conversation.learn(user_id, device_id, browser)
        if who.agent_id and who.parent_agent_id is None and around.agent_id not in (None, who.agent_id):
            who = replace(who, parent_agent_id=around.agent_id)
        place = Place(Trace(trace_id)) if trace_id is not None else around.place
        agent = who.over(around.agent) if who.given else around.agent
        self._push(replace(around, agent=agent, place=place, lent=added(lent, around.lent)))

    def _push(self, context: SessionContext) -> None:
        token = push_context(context)
        self._open.callback(_leave, token)


def _leave(token: Token[SessionContext | None]) -> None:
    reset_context(token)


def facts_of(attributes: Mapping[str, Any]) -> AgentFacts:
    """Return attributes as facts, as they are now."""
    given = {name: value for name, value in attributes.items() if value is not None}
    facts = {name: given[name] for name in AgentFacts.__dataclass_fields__ if name in given}
    facts["agent_description"] = given.get("description")
    facts["properties"] = given.get("event_properties")
    for name in ("context", "groups", "properties"):
        taken = plain(facts[name]) if isinstance(facts.get(name), Mapping) else None
        facts[name] = taken if isinstance(taken, dict) else None
    tags = names(given.get("tags"))
    facts["tags"] = tuple(tags) if tags else None
    return AgentFacts.of(**facts)
