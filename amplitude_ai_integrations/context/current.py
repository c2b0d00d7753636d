"""Who is speaking: one immutable view in one ContextVar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from ..schema.facts import name
from .trace import Place, Trace

if TYPE_CHECKING:
    from ..delivery.pipeline import Pipeline


class OpenCall(Protocol):
    """A model call whose answer is still coming."""

    def left(self) -> None:
        """Nobody reads it any more."""


class Conversation:
    """One session as everything inside it shares it: its id, whose it is, and what its events may say."""

    def __init__(
        self,
        session_id: str | None,
        *,
        user_id: str | None = None,
        device_id: str | None = None,
        browser_session_id: str | None = None,
        pipeline: Pipeline | None = None,
        idle_timeout_minutes: int | None = None,
        around: Conversation | None = None,
    ) -> None:
        self.session_id = session_id
        self.user_id = user_id
        self.device_id = device_id
        self.browser_session_id = browser_session_id
        self.pipeline = pipeline
        self.idle_timeout_minutes = idle_timeout_minutes
        self.around = around  # the one this one is opened in: where no user is given, its user counts
        self.enrichments: Any = None  # for the Session End, wherever in the session they were found
        self.is_over = False
        self.is_handed_on = False  # to a background task, which goes on with it
        self.flushes = False  # whether the end of its block delivers its events
        self.agent: AgentFacts | None = None  # what the request says of the agent, where one does
        self.last_trace: Trace | None = None
        self.event_count = 0
        self._open_calls: WeakSet[OpenCall] | None = None  # made for the few that need it

    @property
    def is_waiting(self) -> bool:
        """Whether somebody has been asked whose session this is, and has not answered yet."""
        return self.around is not None and self.around.is_waiting

    @property
    def open_calls(self) -> WeakSet[OpenCall]:
        """The streams of this session that have not ended yet."""
        if self._open_calls is None:
            self._open_calls = WeakSet()
        return self._open_calls

    @property
    def has_open_calls(self) -> bool:
        """Whether an answer of this session is still being streamed."""
        return bool(self._open_calls)

    def settle(self, record: Callable[[], None]) -> None:
        """Call ``record`` once it is known whose session this is: at once, if that around it knows."""
        if self.around is None:
            record()
        else:
            self.around.settle(partial(self._settled, record))

    def identify(self) -> None:
        """Find out whose session this is, as far as that is possible now."""
        if self.around is not None:
            self.around.identify()
            self._inherit(self.around)

    def _settled(self, record: Callable[[], None]) -> None:
        if self.around is not None:
            self._inherit(self.around)
        record()

    def learn(self, user_id: str | None, device_id: str | None, browser_session_id: str | None) -> None:
        """Take whose session it is, as far as that was not known."""
        if user_id is not None and self.user_id not in (None, user_id):
            return  # another person's: to lend them a device would make one person of two
        if self.user_id is None:
            self.user_id = user_id
        if self.device_id is None:
            self.device_id = device_id
        if self.browser_session_id is None:
            self.browser_session_id = browser_session_id

    def _inherit(self, around: Conversation) -> None:
        self.learn(around.user_id, around.device_id, around.browser_session_id)


@dataclass(frozen=True)
class AgentFacts:
    """What is known of the agent at work; each is sent only where it is set."""

    agent_id: str | None = None
    agent_name: str | None = None
    parent_agent_id: str | None = None
    customer_org_id: str | None = None
    agent_version: str | None = None
    agent_description: str | None = None
    context: Mapping[str, Any] | None = None
    env: str | None = None
    locale: str | None = None
    tags: tuple[str, ...] | None = None
    groups: Mapping[str, Any] | None = None
    properties: Mapping[str, Any] | None = None  # of the caller's own, on each event

    @classmethod
    def of(cls, **given: Any) -> AgentFacts:
        """Return facts from whatever was given: what is no text becomes one."""
        shaped: dict[str, Any] = {}
        for field_name, value in given.items():
            is_word = field_name not in ("context", "groups", "properties", "tags")
            shaped[field_name] = name(value) or None if is_word and value is not None else value
        return cls(**shaped)

    def __post_init__(self) -> None:
        given = {name: value for name, value in self.__dict__.items() if value is not None}
        object.__setattr__(self, "_given", given)  # once, since threads share an agent

    @property
    def given(self) -> dict[str, Any]:
        """The facts that are set, by name."""
        given: dict[str, Any] = self.__dict__["_given"]
        return given

    def over(self, other: AgentFacts) -> AgentFacts:
        """Return these facts where they are set, and those of the place around where they are not."""
        return AgentFacts(**merged(self.given, other.given))


def added(own: AgentFacts, around: AgentFacts | None) -> AgentFacts:
    """Return these facts over those around: of what can be added to, both."""
    return AgentFacts(**with_more(around.given, own.given)) if around is not None else own


def with_more(facts: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts and more of them: mappings and tags are added to, others replaced."""
    whole = {**facts, **more}
    for key in ("context", "groups", "properties"):
        if isinstance(facts.get(key), Mapping) and isinstance(more.get(key), Mapping):
            whole[key] = {**facts[key], **more[key]}
    if "tags" in facts and "tags" in more:
        whole["tags"] = (*facts["tags"], *more["tags"])
    return whole


WHO = ("agent_id", "agent_name", "parent_agent_id", "agent_version", "agent_description")


def merged(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a place over those of the place around it.

    Another agent's place lends its environment and dimensions, but not who it is.
    """
    if inner.get("agent_id") and outer.get("agent_id") and inner["agent_id"] != outer["agent_id"]:
        outer = {name: value for name, value in outer.items() if name not in WHO}
    return {**outer, **inner}


@dataclass(frozen=True)
class SessionContext:
    """The view of one place in the program: conversation, agent and trace."""

    conversation: Conversation
    agent: AgentFacts = field(default_factory=AgentFacts)
    place: Place = field(default_factory=Place)
    span_id: str | None = None  # the step that is being observed here
    is_followed: bool = False  # by a thread, which may outlive the session
    lent: AgentFacts | None = None  # what the block around says of each event beside who is at work

    @property
    def session_id(self) -> str | None:
        """The session's id; ``None`` where a web request has not said yet which it is."""
        return self.conversation.session_id

    @property
    def trace_id(self) -> str:
        """The id of the current trace."""
        return self.trace.id

    @property
    def trace(self) -> Trace:
        """The trace that is current here."""
        return _place_of(self).latest()

    @property
    def user_id(self) -> str | None:
        """The user, where known."""
        return self.conversation.user_id

    @property
    def device_id(self) -> str | None:
        """The device, where known."""
        return self.conversation.device_id

    @property
    def agent_id(self) -> str | None:
        """The agent at work, where named."""
        return self.agent.agent_id


_current: ContextVar[SessionContext | None] = ContextVar("amplitude_ai_session", default=None)


# Where a session that is used without a block was moved to in this task or thread.
_moved: ContextVar[tuple[Conversation, Place] | None] = ContextVar("amplitude_ai_moved", default=None)


def get_active_context() -> SessionContext | None:
    """Return the view of the place this is called from, or ``None`` outside any session."""
    context = _current.get()
    if context is not None and context.is_followed and context.conversation.is_over:
        return None
    return context


def push_context(context: SessionContext | None) -> Token[SessionContext | None]:
    """Make ``context`` the current one; give the token to ``reset_context`` when its block ends."""
    return _current.set(context)


def reset_context(token: Token[SessionContext | None]) -> bool:
    """Restore what was current before ``push_context``, and tell whether that was to be done here.

    A generator that is finalised elsewhere runs in another context, where there is nothing to restore.
    """
    try:
        _current.reset(token)
    except ValueError:
        return False
    return True


def begin_trace(context: SessionContext, *, is_silent: bool = False) -> Trace:
    """Begin a new trace in this place of the program, and return it.

    ``is_silent`` keeps it to this place; otherwise word of it is left for where this place came from.
    """
    trace = Trace()
    _move(context, Place(trace), is_silent)
    return trace


def trace_of_message(context: SessionContext) -> Trace:
    """Return the trace of a user's message: the current one if it has none yet, else a new one.

    Either way the message takes a place of its own, so that messages which siblings send at the same time
    do not move it.
    """
    trace = context.trace
    if trace.has_user_message:
        trace = Trace()
    trace.has_user_message = True
    _move(context, Place(trace), is_silent=False)
    return trace


def _place_of(context: SessionContext) -> Place:
    active, moved = _current.get(), _moved.get()
    is_active = active is not None and active.conversation is context.conversation
    if is_active or moved is None or moved[0] is not context.conversation:
        return context.place
    return moved[1]


def _move(context: SessionContext, place: Place, is_silent: bool) -> None:
    active = _current.get()
    if active is None or active.conversation is not context.conversation:
        if not is_silent:
            _place_of(context).next = place
        context.place.next = place  # for threads and tasks that never moved
        _moved.set((context.conversation, place))
        return
    _current.set(replace(active, place=place))
    if not is_silent:
        active.place.next = place
