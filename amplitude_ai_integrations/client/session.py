"""A session: one conversation, as a block of code or as a handle."""

from __future__ import annotations

import threading
from contextvars import Token
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..context.current import (
    Conversation,
    SessionContext,
    begin_trace,
    get_active_context,
    push_context,
    reset_context,
)
from ..context.identity import new_id, usable_id
from ..exceptions import ConfigurationError, shielded
from ..schema.enrichments import SessionEnrichments
from ..schema.events import SessionEnd
from .bound import BoundTracking
from .recording import Scope

if TYPE_CHECKING:
    from .agent import BoundAgent


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
        idle_timeout_minutes: int | None = None,
        user_id: str | None = None,
        device_id: str | None = None,
        browser_session_id: str | int | None = None,
        track_session_end: bool = True,
        tags: list[str] | tuple[str, ...] | None = None,
    ) -> None:
        if idle_timeout_minutes is not None and idle_timeout_minutes < -1:
            raise ConfigurationError(
                f"idle_timeout_minutes is {idle_timeout_minutes}; give minutes, or -1 for a session that "
                "ends only when told."
            )
        self._recorder = agent.ai.recorder
        self._tracks_end = track_session_end
        self._entered = _Entries()
        self._enrichments: SessionEnrichments | None = None
        self._own: SessionContext | None = None
        self._is_joined = False
        ids = {"user_id": user_id, "device_id": device_id, "browser_session_id": browser_session_id}
        with shielded("session"):
            wanted = usable_id(session_id or agent.scope.session_id, "session_id")
            self._open(agent, wanted, ids, idle_timeout_minutes, tags)

    def _open(
        self,
        agent: BoundAgent,
        wanted: str | None,
        ids: dict[str, Any],
        idle_timeout_minutes: int | None,
        tags: list[str] | tuple[str, ...] | None,
    ) -> None:
        around = get_active_context()
        if around is not None:
            around.conversation.identify()
        facts = agent.scope.agent
        if isinstance(tags, (list, tuple)) and tags:
            facts = replace(facts, tags=tuple(tags))
        if around is not None:
            facts = facts.over(around.agent)
            self._is_joined = wanted is not None and around.session_id == wanted
        if self._is_joined and around is not None:
            self._own = replace(around, agent=facts)
            return
        known = {name: usable_id(ids[name] or getattr(agent.scope, name), name) for name in ids}
        conversation = Conversation(
            wanted or new_id(),
            **known,
            pipeline=self._recorder.pipeline,
            idle_timeout_minutes=idle_timeout_minutes,
            around=around.conversation if around is not None else None,
        )
        conversation.identify()
        self._own = SessionContext(conversation, facts)

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

    def new_trace(self) -> str:
        """Begin a new trace in this place of the program, and return its id.

        Tasks and threads that run beside this one keep theirs.
        """
        context = self._context()
        with shielded("new_trace"):
            if context is not None:
                return begin_trace(context, is_silent=True).id
        return ""

    def set_enrichments(self, enrichments: SessionEnrichments) -> None:
        """Attach a classification, to be sent with the Session End."""
        self._enrichments = enrichments

    def _context(self) -> SessionContext | None:
        with shielded("session"):
            active = get_active_context()
            if active is not None and self._own is not None and active.conversation is self._own.conversation:
                return active
        return self._own

    def _scope(self) -> Scope:
        return Scope(context=self._context())

    def __enter__(self) -> Session:
        with shielded("session"):
            if self._own is not None:
                self._entered.add(push_context(self._own))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with shielded("session end"):
            is_last = self._entered.is_last
            if is_last and self._tracks_end and not self._is_joined and self._own is not None:
                self._own.conversation.settle(partial(self._end, self._own.conversation, error))
        with shielded("session end"):
            token = self._entered.take()
            if token is not None:
                reset_context(token)

    async def __aenter__(self) -> Session:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _end(self, conversation: Conversation, error: BaseException | None) -> None:
        if conversation.around is not None and conversation.around.session_id == conversation.session_id:
            return  # the request around has said meanwhile that it is the same
        given: dict[str, Any] = {"enrichments": self._enrichments}
        if isinstance(error, Exception):
            given.update(is_error=True, error_type=type(error).__name__)
        self._recorder.record(SessionEnd, given, self._scope())


class _Entries:
    """The places a session's block was entered in: one each thread and task, the last of which ends it."""

    def __init__(self) -> None:
        self._tokens: dict[int, list[Token[SessionContext | None]]] = {}
        self._lock = threading.RLock()

    @property
    def is_last(self) -> bool:
        """Whether at most one place has not been left yet."""
        with self._lock:
            return sum(map(len, self._tokens.values())) <= 1

    def add(self, token: Token[SessionContext | None]) -> None:
        with self._lock:
            self._tokens.setdefault(threading.get_ident(), []).append(token)

    def take(self) -> Token[SessionContext | None] | None:
        with self._lock:
            here = self._tokens.get(threading.get_ident())
            return here.pop() if here else None
