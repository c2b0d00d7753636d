"""One event, from the arguments of a call to the pipeline: who, where, when, which turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final

from ..config import AIConfig
from ..context import stamps
from ..context.current import (
    AgentFacts,
    Conversation,
    SessionContext,
    get_active_context,
    merged,
    trace_of_message,
    with_more,
)
from ..context.forks import notice
from ..context.identity import device_for, groups_of, replay_id, usable_id
from ..context.memory import Origin, SessionMemory, memory_of
from ..context.trace import Trace
from ..delivery.pipeline import Pipeline
from ..exceptions import logger, shield, shielded
from ..schema.base import AgentEvent
from ..schema.events import AIResponse, Score, SessionEnd, Span, ToolCall, UserMessage
from ..schema.facts import number
from ..schema.freezing import frozen
from ..schema.values import plain
from .arguments import fields_given, validate, warn_of_json
from .derive import check_price, derive
from .linking import claim_the_rest, link, message_judged
from .person import user_properties
from .plan import Plan, plan_of
from .updates import updates_of

_MOST_TURNS: Final = 2**53  # beyond it a number is not itself in JSON
_END_OF_TIME: Final = 2**53
_APART: Final = ("groups", "properties")  # they stand beside an event's fields
_AGENT_FIELDS: Final = tuple(name for name in AgentFacts.__dataclass_fields__ if name not in _APART)


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

    def within(self, pipeline: Pipeline | None) -> Pipeline:
        """Return the pipeline for an event inside a session that has this one.

        What the session's configuration keeps back stays back, whichever client the event came from.
        """
        return pipeline or self.pipeline

    def record(
        self,
        kind: type[AgentEvent],
        given: dict[str, Any],
        scope: Scope,
        *,
        by_hand: bool = True,
        question: object = None,
        is_total: bool = False,
    ) -> str:
        """Record one event and return its id (empty for the kinds that have none).

        ``by_hand`` is false for what an observer found by itself; ``question`` is then what tells one
        user message from another. ``is_total`` says that cost and tokens are those of the whole trace so
        far, of which only what is not recorded yet counts; where nothing is left, nothing is recorded.

        Raises:
            ValidationError: The arguments are wrong, under ``AIConfig(validate=True)`` only.
            CostCalculationError: The price is unknown, under ``AIConfig(strict_cost=True)`` only.
        """
        own_id = ""
        try:
            notice()
            plan = plan_of(kind)
            if by_hand and (self.config.validate or self.config.debug):
                warn_of_json(kind, given)
                if self.config.validate:
                    validate(kind, given)
            recording = _Recording(self, plan, given, scope, by_hand, question, is_total)
            own_id = recording.own_id
            if self.config.enabled:
                recording.start()
                return "" if recording.is_left_out else own_id
        except Exception as error:  # noqa: BLE001 - the host program must not see what is ours
            shield.keep(kind.__name__, error)
        return own_id


class _Recording:
    """One event on its way; what depends on a session that is not known yet waits for it."""

    __slots__ = (
        "at_ms", "by_hand", "given", "groups", "is_inside", "is_left_out", "is_of_another", "is_own_given",
        "is_total",
        "kind", "own_id", "plan", "question", "recorder", "scope", "session_id", "values", "within",
    )  # fmt: skip

    def __init__(
        self,
        recorder: Recorder,
        plan: Plan,
        given: dict[str, Any],
        scope: Scope,
        by_hand: bool,
        question: object,
        is_total: bool,
    ) -> None:
        self.recorder = recorder
        self.plan = plan
        self.kind = plan.kind
        self.given = given
        self.scope = scope
        self.by_hand = by_hand
        self.question = question
        self.is_total = is_total
        self.is_left_out = False
        self.is_of_another = False  # than the session's user
        self.within: str | None = None  # the step it is a part of
        self.groups: dict[str, str | list[str]] | None = None
        at_ms = given.get("timestamp_ms")
        self.at_ms = (_time_of(at_ms) if at_ms is not None else None) or stamps.now_ms()
        self.own_id = ""
        self.is_own_given = False
        if plan.id_field is not None:
            own = usable_id(given.get(plan.id_field), plan.id_field)
            self.is_own_given = own is not None
            self.own_id = own or stamps.new_id()
            given[plan.id_field] = self.own_id

    def start(self) -> None:
        """Take what is known now, and finish as soon as it is known whose session this is."""
        given, scope = self.given, self.scope
        if self.kind is Span and (more := updates_of(self.own_id)):
            self._update(more)
        session_id = usable_id(given.pop("session_id", None), "session_id")
        if session_id is None and scope.session_id is not None:
            session_id = usable_id(scope.session_id, "session_id")
        self.values = fields_given(self.plan, given)
        context = scope.context or get_active_context()
        if context is not None:
            context.conversation.identify()
        if self.kind is Score and session_id is None:
            session_id = self._session_judged(context)
        # A session that is not known yet may turn out to be the one that was given.
        is_known = context is not None and context.session_id is not None
        self.is_inside = context is not None and (not is_known or session_id in (None, context.session_id))
        self.session_id = session_id
        self._agent(context)
        try:
            derive(self.kind, self.values)
        except Exception as error:  # noqa: BLE001 - the event goes without what could not be derived
            shield.keep("derive", error)
        if self.recorder.config.strict_cost and self.by_hand and given.get("auto_calculate_cost", True):
            check_price(self.kind, self.values)
        if context is None:
            self._finish(None)
            return
        conversation = context.conversation
        if self.is_inside:
            self._trace(context)
            self._step(context)
            conversation.event_count += 1
        if conversation.is_waiting:
            self._freeze()
        conversation.settle(partial(self._finish, conversation))

    def _update(self, more: Mapping[str, Any]) -> None:
        """Take what was said of a step while it was under way."""
        own, added = (plain(said.get("event_properties")) for said in (self.given, more))
        self.given.update(more)
        if isinstance(own, dict) and isinstance(added, dict):
            self.given["event_properties"] = {**own, **added}

    def _session_judged(self, context: SessionContext | None) -> str | None:
        """Return the session a score is about, by its target alone; agent, trace and person come along."""
        origin = message_judged(self.values)
        if origin is None:
            return None
        self.values.setdefault("trace_id", origin.trace_id)
        if self.scope.agent.agent_id is None:
            self.values.setdefault("agent_id", origin.agent_id)
        is_elsewhere = context is None or context.session_id != origin.session_id
        if is_elsewhere and self._bound("user_id") is None and self._bound("device_id") is None:
            self.given["user_id"], self.given["device_id"] = origin.user_id, origin.device_id
            self.is_of_another = origin.user_id is not None or origin.device_id is not None
        return origin.session_id

    def _freeze(self) -> None:
        """Take what was given as it is now, since the event has to wait."""
        self.values = {name: frozen(value) for name, value in self.values.items()}
        for name in ("event_properties", "user_properties"):
            if name in self.given:
                self.given[name] = plain(self.given[name])

    def _agent(self, context: SessionContext | None) -> None:
        facts = self.scope.agent.given
        if context is not None:
            around = context.agent.given
            if context.conversation.agent is not None:
                around = merged(context.conversation.agent.given, around)
            facts = merged(facts, around)
            if context.lent is not None:
                facts = with_more(facts, context.lent.given)
        own_groups = self.given.get("groups")
        if own_groups is not None:
            self.groups = groups_of(own_groups)
        if not facts:
            return
        explicit = {name: self.values[name] for name in _AGENT_FIELDS if name in self.values}
        facts = merged(explicit, facts)
        groups = facts.pop("groups", None)
        self.groups = self.groups or groups_of(groups)
        self._add_properties(facts.pop("properties", None))
        self.values.update(facts)

    def _add_properties(self, more: Mapping[str, Any] | None) -> None:
        """Add properties that hold here, where the event has none of the name itself."""
        if more:
            own = plain(self.given.get("event_properties"))
            self.given["event_properties"] = {**more, **own} if isinstance(own, dict) else more

    def _lend(self, facts: AgentFacts) -> None:
        """Add what is said of the whole trace, where nothing nearer is."""
        lent = dict(facts.given)
        self.groups = self.groups or groups_of(lent.pop("groups", None))
        self._add_properties(lent.pop("properties", None))
        for name, value in lent.items():
            self.values.setdefault(name, value)

    def _trace(self, context: SessionContext) -> None:
        values, kind = self.values, self.kind
        explicit = values.get("trace_id") or self.scope.trace_id
        trace = context.trace
        if explicit and not (trace.is_begun and trace.id == explicit):
            trace = Trace(explicit)
        if kind is UserMessage and values.get("message_source") == "user":
            if explicit:
                trace.has_user_message = True
            else:
                trace = trace_of_message(context)
            trace.user_by_hand = self.by_hand
        self._follow(trace)
        if trace.facts is not None:
            self._lend(trace.facts)
        if self.plan.is_judgement:
            if trace.is_begun:
                values["trace_id"] = trace.id
            return
        if not explicit:
            context.conversation.last_trace = trace
        values["trace_id"] = trace.id

    def _follow(self, trace: Trace) -> None:
        """Link a tool call to the message it follows from: the user's, or the answer that asked for it."""
        values, kind = self.values, self.kind
        if kind is UserMessage or (kind is AIResponse and values.get("tool_calls")):
            trace.parent_message_id = self.own_id
        elif kind is ToolCall:
            if self.by_hand:
                trace.tools_by_hand[values.get("tool_name", "")] += 1
            if trace.parent_message_id is not None:
                values.setdefault("parent_message_id", trace.parent_message_id)

    def _step(self, context: SessionContext) -> None:
        if context.span_id is None or context.span_id == self.own_id:
            return
        self.within = context.span_id
        if self.kind is Span:
            self.values.setdefault("parent_span_id", context.span_id)

    def _finish(self, conversation: Conversation | None) -> None:
        inside = self._inside(conversation)
        pipeline = self.recorder.pipeline
        if conversation is not None:
            pipeline = self.recorder.within(conversation.pipeline)
            if conversation.agent is not None:
                self._late_facts(conversation.agent)
        if not pipeline.config.enabled:
            return
        session_id = self.session_id or (inside.session_id if inside else None) or None
        envelope = self._envelope(conversation, session_id)
        if self.scope.trace_id:
            self.values.setdefault("trace_id", self.scope.trace_id)
        if inside is not None and self.kind in (UserMessage, SessionEnd):
            self.values.setdefault("session_idle_timeout_minutes", inside.idle_timeout_minutes)
        self.values["session_id"] = session_id
        if session_id is not None and (self.plan.is_linked or self.plan.is_numbered):
            self._in_session(session_id, envelope, conversation, pipeline.config)
            if self.is_left_out:
                if inside is not None:
                    inside.event_count -= 1
                return
        values = {**self.plan.blanks, **self.values}
        self._person(envelope, pipeline)
        pipeline.submit(self.kind, values, envelope, self.given.get("event_properties"), self.within)

    def _person(self, envelope: dict[str, Any], pipeline: Pipeline) -> None:
        """Add what the call says of the user, as far as it may leave."""
        given = self.given.get("user_properties")
        person = user_properties(given, pipeline.gate) if given is not None else None
        if person is not None:
            envelope["user_properties"] = person

    def _inside(self, conversation: Conversation | None) -> Conversation | None:
        """Return the session around, if the event belongs to it, which may only be known by now."""
        inside = conversation if self.is_inside else None
        if inside is not None and self.session_id not in (None, inside.session_id):
            inside.event_count -= 1
            if "trace_id" not in self.given:
                self.values.pop("trace_id", None)
            return None
        return inside

    def _envelope(self, conversation: Conversation | None, session_id: str | None) -> dict[str, Any]:
        """Return what stands around an event's properties: whose it is, and when it was."""
        user_id, device_id = self._bound("user_id"), self._bound("device_id")
        browser = self._bound("browser_session_id")
        if conversation is not None and not self.is_of_another:
            theirs = conversation.user_id
            if user_id is None or theirs is None or user_id == theirs:
                # Another person has another device.
                device_id = device_id or conversation.device_id
                browser = browser or conversation.browser_session_id
            user_id = user_id or theirs
        if browser is not None:
            self.values["session_replay_id"] = replay_id(device_id, browser)
        if user_id is None and device_id is None:
            if session_id is None:
                _warn_nobody()
            device_id = device_for(session_id)
        envelope: dict[str, Any] = {"insert_id": self._insert_id(session_id), "time": self.at_ms}
        if user_id is not None:
            envelope["user_id"] = user_id
        if device_id is not None:
            envelope["device_id"] = device_id
        if browser is not None and (visit := _milliseconds(browser)) is not None:
            envelope["session_id"] = visit
        if self.groups:
            envelope["groups"] = self.groups
        return envelope

    def _bound(self, name: str) -> str | None:
        """Return an id as it was given, or bound, where it is one that Amplitude takes."""
        value = self.given.get(name)
        own = usable_id(value, name) if value is not None else None
        if own is not None:
            return own
        value = getattr(self.scope, name)
        return usable_id(value, name) if value is not None else None

    def _in_session(
        self,
        session_id: str,
        envelope: Mapping[str, Any],
        conversation: Conversation | None,
        config: AIConfig,
    ) -> None:
        values = self.values
        memory = memory_of(session_id)
        if self.is_total and not claim_the_rest(values, memory):
            self.is_left_out = True
            return
        # While an answer is still being streamed, nothing is known to be unanswered.
        is_open = conversation is not None and conversation.has_open_calls
        if self.plan.is_linked and not (is_open and self.kind is SessionEnd):
            get = values.get
            user_id, device_id = envelope.get("user_id"), envelope.get("device_id")
            origin = Origin(session_id, get("trace_id"), get("agent_id"), user_id, device_id)
            link(self.kind, values, memory, self.own_id, origin, self.question, is_claimed=self.is_total)
        if self.plan.is_numbered:
            values["turn_id"] = self._turn(session_id, memory, config)

    def _insert_id(self, session_id: str | None) -> str:
        """Return what Amplitude tells events apart by: one id of yours in one session is one event."""
        if not self.is_own_given:
            return stamps.insert_id()
        return stamps.id_for(f"{self.plan.type}\0{session_id or ''}\0{self.own_id}")

    def _late_facts(self, agent: AgentFacts) -> None:
        """Add what the request says of the agent, for an event that had to wait for it."""
        nearer = {*self.given, *self.scope.agent.given}
        if agent.context and "context" not in nearer:
            self.values["context"] = agent.context
        if agent.groups and "groups" not in nearer:
            self.groups = groups_of(agent.groups)
        if agent.parent_agent_id and "parent_agent_id" not in self.values:
            self.values["parent_agent_id"] = agent.parent_agent_id
            if self.kind is UserMessage and "message_source" not in self.given:
                self.values["message_source"] = "agent"

    def _turn(self, session_id: str, memory: SessionMemory, config: AIConfig) -> int:
        explicit = self.values.get("turn_id")
        if type(explicit) is not int:
            explicit = None
        if config.turn_counter is not None:
            with shielded("turn_counter"):
                turn = int(config.turn_counter.take(session_id, explicit))
                if not 0 < turn < _MOST_TURNS:
                    raise ValueError(f"turn_counter returned {turn}")
                return memory.take_turn(turn)  # which goes on from there if the counter fails
        return memory.take_turn(explicit)


def _time_of(value: Any) -> int | None:
    """Return a time in whole milliseconds since the epoch, or ``None`` for what is none."""
    at_ms = number(value)
    return int(at_ms) if at_ms is not None and 0 < at_ms < _END_OF_TIME else None


def _milliseconds(browser_session: str) -> int | None:
    if not browser_session.isdecimal() or len(browser_session) > 15:
        return None
    return int(browser_session) or None


@cache
def _warn_nobody() -> None:
    logger.warning(
        "An event was tracked outside any session and without a user; such events are sent under a device "
        "of this process. Open a session around them, or pass user_id=."
    )
