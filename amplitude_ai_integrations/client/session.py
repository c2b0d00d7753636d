"""A session: one conversation, as a block of code or as a handle."""

from __future__ import annotations

import threading
from contextvars import Token
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..context import stamps
from ..context.current import (
    Conversation,
    SessionContext,
    begin_trace,
    get_active_context,
    push_context,
    reset_context,
)
from ..context.identity import usable_id
from ..context.trace import Place, Trace
from ..delivery.flush import FlushResult
from ..exceptions import ConfigurationError, shielded
from ..schema.enrichments import SessionEnrichments
from ..schema.events import SessionEnd
from ..schema.facts import name, names
from .bound import BoundTracking
from .options import SessionOptions, check
from .recording import Scope
from .serverless import await_for, is_serverless, wait_for

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from . import keywords
    from .agent import BoundAgent

_LONGEST_IDLE = 1_000_000  # minutes, two years: what is longer is a mistake


class Session(BoundTracking):
    """One conversation with a user.

    As a context manager, sync or async, it lends its ids to everything inside the block (model calls,
    tools, frameworks) and tracks the Session End when the block is left. Without ``with`` its methods
    work just the same, and nothing ends by itself.

    Inside another session with the same id it joins that one: user, device, trace and turn numbers are
    shared, and only the outermost tracks the end.
    """

    def __init__(
        self,
        agent: BoundAgent,
        session_id: str | None = None,
        *,
        within: SessionContext | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        check(options, SessionOptions, "session()")
        _check_idle_timeout(options.get("idle_timeout_minutes"))
        self._recorder = agent.ai.recorder
        self._tracks_end = options.get("track_session_end", True)
        self._flushes = options.get("auto_flush")
        self._entered = _Entries()
        self._own: SessionContext | None = None
        self._ended_at: int | None = None  # how many events there were when it was ended by hand
        self._is_joined = False
        with shielded("session"):
            if within is None:
                self._open(agent, usable_id(session_id, "session_id") or agent.scope.session_id, options)
            else:
                self._delegate(agent, within)

    def _delegate(self, agent: BoundAgent, within: SessionContext) -> None:
        facts = agent.scope.agent.over(within.agent)
        if agent.parent_agent_id is None and agent.agent_id not in (None, within.agent_id):
            facts = replace(facts, parent_agent_id=within.agent_id)
        self._is_joined = True
        self._own = replace(within, agent=facts)

    def _open(self, agent: BoundAgent, wanted: str | None, options: SessionOptions) -> None:
        around = get_active_context()
        if around is not None:
            around.conversation.identify()
        facts = agent.scope.agent
        tags = names(options.get("tags"))
        if tags:
            facts = replace(facts, tags=tuple(tags))
        if around is not None:
            facts = facts.over(around.agent)
            self._is_joined = wanted is not None and around.session_id == wanted
        ids = {
            name: usable_id(options.get(name), name) or getattr(agent.scope, name)
            for name in ("user_id", "device_id", "browser_session_id")
        }
        minutes = options.get("idle_timeout_minutes")
        if self._is_joined and around is not None:
            self._own = replace(around, agent=facts)
            around.conversation.learn(**ids)
            if around.conversation.idle_timeout_minutes is None:
                around.conversation.idle_timeout_minutes = minutes
            return
        conversation = Conversation(
            wanted or stamps.new_id(),
            **ids,
            pipeline=self._recorder.pipeline,
            idle_timeout_minutes=minutes,
            around=around.conversation if around is not None else None,
        )
        conversation.identify()
        if self._flushes is None:
            is_inside = around is not None and around.conversation.flushes
            self._flushes = is_serverless() and not is_inside
        conversation.flushes = self._flushes
        trace = Trace(agent.scope.trace_id) if agent.scope.trace_id else None
        lent = around.lent if around is not None else None
        self._own = SessionContext(conversation, facts, Place(trace), lent=lent)

    @property
    def session_id(self) -> str:
        """The session's id: the one given, or a new UUID."""
        return (self._own.conversation.session_id or "") if self._own is not None else ""

    @property
    def trace_id(self) -> str:
        """The id of the trace that is current here."""
        context = self._context()
        return context.trace_id if context is not None else ""

    @property
    def user_id(self) -> str | None:
        """The user whose session it is, where known."""
        return self._own.conversation.user_id if self._own is not None else None

    @property
    def device_id(self) -> str | None:
        """The device, where known."""
        return self._own.conversation.device_id if self._own is not None else None

    @property
    def browser_session_id(self) -> str | None:
        """The browser's session, which links to its replay, where known."""
        return self._own.conversation.browser_session_id if self._own is not None else None

    @property
    def tags(self) -> tuple[str, ...]:
        """The session's tags."""
        return (self._own.agent.tags or ()) if self._own is not None else ()

    @property
    def agent_id(self) -> str | None:
        """The agent that works in this session."""
        return self._own.agent_id if self._own is not None else None

    def new_trace(self) -> str:
        """Begin a new trace in this place of the program, and return its id.

        Tasks and threads that run beside this one keep theirs.
        """
        context = self._context()
        with shielded("new_trace"):
            if context is not None:
                return begin_trace(context, is_silent=True).id
        return ""

    def run_as(self, agent: BoundAgent) -> Session:
        """Let another agent work in this session, for a ``with`` block.

        What is tracked and observed inside is that agent's, with this one as its parent; session, trace and
        turn numbers are shared, and leaving the block ends nothing. Blocks may nest, and run in parallel.

        Raises:
            ConfigurationError: ``agent`` is no agent's handle.
        """
        if not callable(getattr(agent, "session", None)) or not hasattr(agent, "scope"):
            raise ConfigurationError(f"run_as() takes what ai.agent() returns, not {type(agent).__name__}.")
        context = self._context()
        return Session(agent, within=context) if context is not None else agent.session()

    def arun_as(self, agent: BoundAgent) -> Session:
        """Let another agent work in this session, for an ``async with`` block."""
        return self.run_as(agent)

    def set_enrichments(self, enrichments: SessionEnrichments) -> None:
        """Attach a classification, to be sent with the Session End."""
        if self._own is not None:
            self._own.conversation.enrichments = enrichments

    def track_session_end(self, **fields: Unpack[keywords.BoundSessionEndFields]) -> None:
        """Say that the session is over, so that its evaluation may begin at once.

        Leaving the block then says it again only if something was tracked in between.
        """
        if self._own is None:
            return
        self._record(SessionEnd, {"enrichments": self._own.conversation.enrichments, **fields})
        self._ended_at = self._own.conversation.event_count

    def _context(self) -> SessionContext | None:
        """Return this session as it is at this place of the program: here with its trace, its own agent."""
        own = self._own
        with shielded("session"):
            active = get_active_context()
            if active is not None and own is not None and active.conversation is own.conversation:
                return active if active.agent is own.agent else replace(active, agent=own.agent)
        return own

    def _scope(self) -> Scope:
        return Scope(context=self._context())

    def __enter__(self) -> Session:
        with shielded("session"):
            if self._own is not None:
                self._own.conversation.is_over = False
                self._entered.add(push_context(self._own))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        flushing = self._leave(error)
        if flushing is not None:
            with shielded("auto_flush"):
                wait_for(flushing)

    async def __aenter__(self) -> Session:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        flushing = self._leave(error)
        if flushing is not None:
            with shielded("auto_flush"):
                await await_for(flushing)

    def _leave(self, error: BaseException | None) -> FlushResult | None:
        """Leave one entry of the block; the last one ends the session, and may begin to deliver it."""
        is_over = False
        with shielded("session end"):
            is_over = self._entered.begin_leaving() and not self._is_joined
            if is_over and self._tracks_end and self._own is not None and not self._is_ended:
                self._own.conversation.settle(partial(self._end, self._own.conversation, error))
            if is_over and self._own is not None:
                self._own.conversation.is_over = True
                self._ended_at = self._own.conversation.event_count
        with shielded("session end"):
            self._entered.reset()
        with shielded("auto_flush"):
            if is_over and self._flushes:
                return self._recorder.pipeline.flush()
        return None

    @property
    def _is_ended(self) -> bool:
        return self._own is not None and self._ended_at == self._own.conversation.event_count

    def _end(self, conversation: Conversation, error: BaseException | None) -> None:
        if conversation.around is not None and conversation.around.session_id == conversation.session_id:
            return  # the request around has said meanwhile that it is the same
        given: dict[str, Any] = {"enrichments": conversation.enrichments}
        if isinstance(error, Exception):
            given.update(is_error=True, error_type=type(error).__name__)
        self._recorder.record(SessionEnd, given, self._scope())


def _check_idle_timeout(minutes: Any) -> None:
    if minutes is None:
        return
    if (
        isinstance(minutes, bool)
        or not isinstance(minutes, (int, float))
        or not -1 <= minutes <= _LONGEST_IDLE
    ):
        raise ConfigurationError(
            f"idle_timeout_minutes is {name(minutes)[:40]}; give minutes, or -1 for a session that ends only "
            "when told."
        )


class _Entries:
    """The places a session's block was entered in, any thread's and any task's, the last of which ends it."""

    def __init__(self) -> None:
        self._tokens: list[Token[SessionContext | None]] = []
        self._open = 0
        self._lock = threading.RLock()

    def add(self, token: Token[SessionContext | None]) -> None:
        with self._lock:
            self._tokens.append(token)
            self._open += 1

    def begin_leaving(self) -> bool:
        """Tell whether this is the last place to be left; of two that leave at once, one is."""
        with self._lock:
            self._open = max(0, self._open - 1)
            return self._open == 0

    def reset(self) -> None:
        """Restore what was current before the place that was entered last of those that are here."""
        with self._lock:
            for token in reversed(self._tokens):
                if reset_context(token):
                    self._tokens.remove(token)
                    return
