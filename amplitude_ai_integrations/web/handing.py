"""One job, any queue: what it takes along where it is sent, and the session that goes on where it is done."""

from __future__ import annotations

from contextvars import Token
from functools import cache
from types import TracebackType
from typing import Any, Final

from ..client.client import AmplitudeAI
from ..client.failures import failure_of
from ..client.recording import Scope
from ..context import stamps
from ..context.current import (
    Conversation,
    SessionContext,
    get_active_context,
    push_context,
    reset_context,
)
from ..exceptions import logger, shielded
from ..schema.events import Span
from .carried import read, written
from .conversation import RequestConversation

KEY: Final = "amplitude_ai"  # under which it travels, in a message's headers or options


def carry() -> dict[str, Any] | None:
    """Return what a job needs so that the session goes on where it is done, as plain JSON; ``None`` outside
    any session.

    Call it when the job is sent: a session that was made for a web request is then not ended by the request.
    """
    with shielded("carry"):
        return _carried_from(get_active_context())
    return None


async def identified() -> None:
    """Wait until the asynchronous resolvers of this request have answered, so that a job takes that along."""
    with shielded("identified"):
        context = get_active_context()
        conversation = context.conversation if context is not None else None
        if conversation is not None:
            conversation.identify()
            while conversation.around is not None:
                conversation = conversation.around
            if isinstance(conversation, RequestConversation) and conversation.is_waiting:
                await conversation.await_answers()


def know_so_far(conversation: Conversation) -> None:
    """Find out whose session this is as far as that is certain now, asynchronous resolvers left aside."""
    conversation.identify()
    if isinstance(conversation, RequestConversation):
        conversation.know_so_far()
    elif conversation.around is not None:
        know_so_far(conversation.around)
        conversation.identify()  # which takes over what is known there by now


class JobSession:
    """The session of one job: the one that was carried to it, else the one in which it is done, if any.

    ``enter`` and ``leave`` bracket the job, which never ends the session. A job that fails, and in which an
    agent spoke, is recorded as a failed step under its name. One that ``is_alone``, in a worker's thread, is
    done in no session, whatever was left behind there.
    """

    def __init__(self, ai: AmplitudeAI | None, carried: Any, name: str, *, is_alone: bool = False) -> None:
        self.name = name
        self.failure: BaseException | None = None  # what the job raised
        self._ai = ai
        self._carried = carried
        self._is_alone = is_alone
        self._own: SessionContext | None = None
        self._context: SessionContext | None = None
        self._token: Token[SessionContext | None] | None = None
        self._started = 0.0
        self._said_before = 0

    def enter(self) -> None:
        """Make the session the current one."""
        self._started = stamps.seconds()
        if self._ai is None or not self._ai.config.enabled:
            return
        self._own = read(self._carried, self._ai.recorder.pipeline)
        self._context = self._own or (None if self._is_alone else get_active_context())
        if self._context is not None:
            self._said_before = self._context.conversation.event_count
        self._token = push_context(self._context)

    def leave(self) -> None:
        """Record how the job failed, if it did, and restore what was current before."""
        if self._token is None:
            return
        with shielded("end of job"):
            self._close()
        token, self._token = self._token, None
        reset_context(token)
        self.failure = None  # its traceback holds the job's variables

    def carry(self) -> dict[str, Any] | None:
        """Return what this job takes along when it is sent once more, whatever session was opened in it."""
        return _carried_from(self._own)

    def _close(self) -> None:
        if self._own is not None:
            conversation = self._own.conversation
            if conversation.has_open_calls:
                for call in tuple(conversation.open_calls):
                    call.left()  # its reader is gone with the job, and will not be seen to leave
            conversation.is_over = True
        if self.failure is not None:
            self._record(self.failure)

    def _record(self, failure: BaseException) -> None:
        ai, context = self._ai, self._context
        if ai is None or context is None or context.conversation.event_count == self._said_before:
            return
        took = (stamps.seconds() - self._started) * 1000
        step = {"span_name": self.name, "latency_ms": took, **failure_of(failure, ai.config)}
        ai.recorder.record(Span, step, Scope(context=context))

    def __enter__(self) -> JobSession:
        with shielded("begin of job"):
            self.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with shielded("end of job"):
            self.failure = error if isinstance(error, Exception) else None
            self.leave()


def _carried_from(context: SessionContext | None) -> dict[str, Any] | None:
    if context is None:
        return None
    conversation = context.conversation
    if conversation.pipeline is not None and not conversation.pipeline.config.enabled:
        return None
    know_so_far(conversation)
    session_id = conversation.session_id
    if session_id is None:
        _say_unknown()
        return written(context, stamps.new_id())
    conversation.is_handed_on = True
    return written(context, session_id)


@cache
def _say_unknown() -> None:
    logger.warning(
        "A job was sent before an asynchronous session_id_resolver had answered; its events go to a session "
        "of their own. Say `await identified()` before you send it."
    )
