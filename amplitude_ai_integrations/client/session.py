"""A session: one conversation, as a block of code or as a handle."""

from __future__ import annotations

import uuid
from contextvars import Token
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..context.current import (
    Conversation,
    SessionContext,
    get_active_context,
    push_context,
    reset_context,
    roll_trace,
)
from ..context.identity import usable_id
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
        self._agent = agent
        self._recorder = agent.ai.recorder
        self._tracks_end = track_session_end
        self._tokens: list[Token[SessionContext | None]] = []
        self._enrichments: SessionEnrichments | None = None
        around = get_active_context()
        if around is not None:
            around.conversation.identify()
        bound = agent.scope
        wanted = usable_id(session_id or bound.session_id, "session_id")
        self._is_joined = around is not None and wanted is not None and around.session_id == wanted
        facts = replace(bound.agent, tags=tuple(tags)) if tags else bound.agent
        if self._is_joined and around is not None:
            self._own = replace(around, agent=facts.over(around.agent))
            return
        host = around.conversation if around is not None else Conversation(None)
        conversation = Conversation(
            wanted or str(uuid.uuid4()),
            user_id=usable_id(user_id or bound.user_id, "user_id") or host.user_id,
            device_id=usable_id(device_id or bound.device_id, "device_id") or host.device_id,
            browser_session_id=_text(browser_session_id or bound.browser_session_id)
            or host.browser_session_id,
            gate=self._recorder.pipeline.gate,
            idle_timeout_minutes=idle_timeout_minutes,
        )
        self._own = SessionContext(conversation, facts.over(around.agent) if around is not None else facts)

    @property
    def session_id(self) -> str:
        """The session's id: the one given, or a new UUID."""
        return self._own.conversation.session_id or ""

    @property
    def trace_id(self) -> str:
        """The id of the trace that is current here."""
        return self._context().trace_id

    @property
    def user_id(self) -> str | None:
        """The user whose session it is, where known."""
        return self._own.conversation.user_id

    @property
    def device_id(self) -> str | None:
        """The device, where known."""
        return self._own.conversation.device_id

    @property
    def browser_session_id(self) -> str | None:
        """The browser's session, which links to its replay, where known."""
        return self._own.conversation.browser_session_id

    def new_trace(self) -> str:
        """Begin a new trace in this place of the program, and return its id.

        Tasks and threads that run beside this one keep theirs.
        """
        return roll_trace(self._context(), is_silent=True).id

    def set_enrichments(self, enrichments: SessionEnrichments) -> None:
        """Attach a classification, to be sent with the Session End."""
        self._enrichments = enrichments

    def _context(self) -> SessionContext:
        active = get_active_context()
        if active is not None and active.conversation is self._own.conversation:
            return active
        return self._own

    def _scope(self) -> Scope:
        context = self._context()
        return Scope(agent=context.agent, context=context)

    def __enter__(self) -> Session:
        self._tokens.append(push_context(self._own))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with shielded("session end"):
            if self._tracks_end and not self._is_joined:
                self._end(error)
        if self._tokens:
            reset_context(self._tokens.pop())

    async def __aenter__(self) -> Session:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _end(self, error: BaseException | None) -> None:
        given: dict[str, Any] = {"enrichments": self._enrichments}
        if isinstance(error, Exception):
            given.update(is_error=True, error_type=type(error).__name__)
        self._recorder.record(SessionEnd, given, Scope(agent=self._own.agent, context=self._context()))


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
