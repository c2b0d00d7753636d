"""One event, from the arguments of a call to the pipeline: who, where, when, which turn."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final

from msgspec import UNSET

from ..config import AIConfig
from ..context.current import (
    AgentFacts,
    Conversation,
    SessionContext,
    get_active_context,
    merged,
    trace_of_message,
)
from ..context.identity import device_for, groups_of, new_id, replay_id, usable_id
from ..context.trace import Trace, turns_of
from ..delivery.pipeline import Envelope, Pipeline
from ..exceptions import logger, shielded
from ..privacy.gate import Gate
from ..schema.base import AgentEvent
from ..schema.catalog import Field, fields_of
from ..schema.enrichments import Enrichment
from ..schema.events import (
    AIResponse,
    Embedding,
    Score,
    SessionEnd,
    SessionEnrichment,
    Span,
    ToolCall,
    UserMessage,
)
from ..schema.facts import fact
from ..schema.values import plain
from ..version import __version__
from .arguments import fields_given, validate
from .derive import derive

RUNTIME: Final = "python"
_ID_FIELDS: Final[dict[type[AgentEvent], str]] = {
    UserMessage: "message_id",
    AIResponse: "message_id",
    ToolCall: "invocation_id",
    Embedding: "span_id",
    Span: "span_id",
}
_EMPTY: Final[dict[Any, Any]] = {str: "", int: 0, float: 0.0, bool: False, Any: UNSET}
_NUMBERED = (UserMessage, AIResponse, ToolCall)
_JUDGEMENTS = (Score, SessionEnd, SessionEnrichment)  # they belong to a trace, but never begin one
_AGENT_FIELDS = tuple(name for name in AgentFacts.__dataclass_fields__ if name != "groups")


@dataclass(frozen=True)
class Scope:
    """What a door knows before the call: the agent it speaks for, and ids bound to it."""

    agent: AgentFacts = field(default_factory=AgentFacts)
    session_id: str | None = None
    trace_id: str | None = None
    user_id: str | None = None
    device_id: str | None = None
    browser_session_id: str | None = None
    context: SessionContext | None = None  # a session's own; otherwise the active one counts


class Recorder:
    """Turns the calls of every door into events of one pipeline."""

    def __init__(self, config: AIConfig, pipeline: Pipeline) -> None:
        self.config = config
        self.pipeline = pipeline

    def record(
        self,
        kind: type[AgentEvent],
        given: dict[str, Any],
        scope: Scope,
        *,
        by_hand: bool = True,
    ) -> str:
        """Record one event and return its id (empty for the kinds that have none).

        ``by_hand`` is false for what an observer found by itself.

        Raises:
            ValidationError: The arguments are wrong, under ``AIConfig(validate=True)`` only.
        """
        own_id = ""
        with shielded(kind.__name__):
            if self.config.validate and by_hand:
                validate(kind, given)
            id_field = _ID_FIELDS.get(kind)
            if id_field is not None:
                own_id = usable_id(given.get(id_field), id_field) or new_id()
                given[id_field] = own_id
            if self.config.enabled:
                _Recording(self, kind, given, scope, by_hand).start()
        return own_id


@dataclass
class _Recording:
    """One event on its way; what depends on a session that is not known yet waits for it."""

    recorder: Recorder
    kind: type[AgentEvent]
    given: dict[str, Any]
    scope: Scope
    by_hand: bool
    at_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    insert_id: str = field(default_factory=new_id)

    def start(self) -> None:
        session_id = usable_id(self.given.pop("session_id", None) or self.scope.session_id, "session_id")
        context = self.scope.context or get_active_context()
        if context is not None:
            context.conversation.identify()
        # A session that is not known yet may turn out to be the one that was given.
        is_known = context is not None and context.session_id is not None
        self.is_inside = context is not None and (not is_known or session_id in (None, context.session_id))
        self.session_id = session_id
        self.values = fields_given(self.kind, self.given)
        self._agent(context)
        self.values = _in_shape(self.kind, self.values)
        with shielded("derive"):
            derive(self.kind, self.values)
        if context is None:
            self._finish(None)
            return
        conversation = context.conversation
        if self.is_inside:
            self._trace(context)
            conversation.event_count += 1
        if conversation.is_waiting:
            self._freeze()
        conversation.settle(partial(self._finish, conversation))

    def _freeze(self) -> None:
        """Take what was given as it is now, since the event has to wait."""
        self.values = {name: _frozen(value) for name, value in self.values.items()}
        if "event_properties" in self.given:
            self.given["event_properties"] = plain(self.given["event_properties"])

    def _agent(self, context: SessionContext | None) -> None:
        facts = self.scope.agent.given
        if context is not None:
            around = context.agent.given
            if context.conversation.agent is not None:
                around = merged(context.conversation.agent.given, around)
            facts = merged(facts, around)
        explicit = {name: self.values[name] for name in _AGENT_FIELDS if name in self.values}
        facts = merged(explicit, facts)
        self.groups = groups_of(self.given.get("groups")) or groups_of(facts.pop("groups", None))
        self.values.update(facts)

    def _trace(self, context: SessionContext) -> None:
        explicit = self.values.get("trace_id") or self.scope.trace_id
        trace = Trace(explicit) if explicit else context.trace
        if self.kind is UserMessage and self.values.get("message_source") == "user" and not explicit:
            trace = trace_of_message(context)
            trace.user_by_hand = self.by_hand
        if self.kind is ToolCall and self.by_hand:
            trace.tools_by_hand[self.values.get("tool_name", "")] += 1
        if self.kind not in _JUDGEMENTS and not explicit:
            context.conversation.last_trace = trace
        if self.kind not in _JUDGEMENTS or trace.is_begun:
            self.values["trace_id"] = trace.id

    def _finish(self, conversation: Conversation | None) -> None:
        values, given, scope = self.values, self.given, self.scope
        inside = conversation if self.is_inside else None
        if inside is not None and self.session_id not in (None, inside.session_id):
            inside.event_count -= 1
            inside = None
            if "trace_id" not in given:
                values.pop("trace_id", None)
        session_id = self.session_id or (inside.session_id if inside else None)
        user_id = usable_id(given.get("user_id"), "user_id") or usable_id(scope.user_id, "user_id")
        device_id = usable_id(given.get("device_id"), "device_id") or usable_id(scope.device_id, "device_id")
        browser = usable_id(given.get("browser_session_id"), "browser_session_id")
        browser = browser or usable_id(scope.browser_session_id, "browser_session_id")
        if conversation is not None:
            user_id = user_id or conversation.user_id
            device_id = device_id or conversation.device_id
            browser = browser or conversation.browser_session_id
            self._late_facts(conversation.agent)
        if not session_id and not user_id and not device_id:
            _warn_nobody()
        values["session_replay_id"] = replay_id(device_id, browser) or UNSET
        if user_id is None and device_id is None:
            device_id = device_for(session_id)
        values["session_id"] = session_id or UNSET
        if "trace_id" not in values and scope.trace_id:
            values["trace_id"] = scope.trace_id
        self._turn(session_id)
        self._idle_timeout(inside)
        # What the session's configuration keeps back stays back, whichever client the event came from.
        pipeline = self.recorder.pipeline
        if conversation is not None and conversation.pipeline is not None:
            pipeline = conversation.pipeline
        if not pipeline.config.enabled:
            return
        pipeline.submit(
            _event(self.kind, values, pipeline.gate),
            Envelope(self.insert_id, self.at_ms, user_id, device_id, _milliseconds(browser), self.groups),
            given.get("event_properties"),
        )

    def _late_facts(self, agent: AgentFacts | None) -> None:
        """Add what the request says of the agent, for an event that had to wait for it."""
        if agent is None:
            return
        nearer = {*self.given, *self.scope.agent.given}
        if agent.context and "context" not in nearer:
            self.values["context"] = agent.context
        if agent.groups and "groups" not in nearer:
            self.groups = groups_of(agent.groups)
        if agent.parent_agent_id and "parent_agent_id" not in self.values:
            self.values["parent_agent_id"] = agent.parent_agent_id
            if self.kind is UserMessage and "message_source" not in self.given:
                self.values["message_source"] = "agent"

    def _turn(self, session_id: str | None) -> None:
        if session_id and self.kind in _NUMBERED:
            explicit = self.values.get("turn_id")
            self.values["turn_id"] = turns_of(session_id).take(explicit if type(explicit) is int else None)

    def _idle_timeout(self, conversation: Conversation | None) -> None:
        minutes = conversation.idle_timeout_minutes if conversation is not None else None
        if minutes is not None and self.kind in (UserMessage, SessionEnd):
            self.values.setdefault("session_idle_timeout_minutes", minutes)


def _event(kind: type[AgentEvent], values: Mapping[str, Any], gate: Gate) -> AgentEvent:
    missing = {item.name: _EMPTY[item.type] for item in fields_of(kind) if not item.has_default}
    stamps = {"content_mode": gate.mode.value, "sdk_version": __version__, "runtime": RUNTIME}
    return kind(**{**missing, **values, **stamps})


def _in_shape(kind: type[AgentEvent], values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with those that are no words brought to their types; what has no value goes."""
    plain_facts = _fact_fields(kind)
    shaped = {name: fact(plain_facts[name], values[name]) for name in values if name in plain_facts}
    return {name: value for name, value in {**values, **shaped}.items() if value is not None}


@cache
def _fact_fields(kind: type[AgentEvent]) -> dict[str, Field]:
    return {item.name: item for item in fields_of(kind) if item.about.content is None}


def _frozen(value: Any) -> Any:
    return value if value is UNSET or isinstance(value, (str, int, float, Enrichment)) else plain(value)


def _milliseconds(browser_session: str | None) -> int | None:
    if browser_session is None or not browser_session.isdecimal() or len(browser_session) > 15:
        return None
    return int(browser_session) or None


@cache
def _warn_nobody() -> None:
    logger.warning(
        "An event was tracked outside any session and without a user; such events are sent under a device "
        "of this process. Open a session around them, or pass user_id=."
    )
