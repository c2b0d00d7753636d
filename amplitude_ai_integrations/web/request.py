"""The session of one request: from before its first byte to after its last."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import Token
from typing import Any

from ..client.recording import Scope
from ..context import stamps
from ..context.current import SessionContext, get_active_context, push_context, reset_context
from ..context.trace import Place
from ..delivery.flush import FlushResult
from ..exceptions import shielded
from ..schema.events import SessionEnd, Span
from .conversation import RequestConversation, ServiceTrace
from .options import Policy

_FAILURE = 500  # from this status on, it is the server that failed


class RequestSession:
    """The session of one request, from before its first byte to after its last.

    A server may come back for each piece of the body, and do other requests in between: ``enter`` and
    ``leave`` bracket what runs for this request, and whatever was current at a leave is so again at the next
    enter.
    """

    __slots__ = (
        "__weakref__",
        "_context",
        "_is_over",
        "_token",
        "_view",
        "conversation",
        "failure",
        "started",
        "status",
    )

    def __init__(self, policy: Policy, request: Callable[[], Any], headers: Callable[[], Any]) -> None:
        self.started = stamps.seconds()
        self.status = 0  # of the response, where it says that the server failed
        self.failure: BaseException | None = (
            None  # what the handler raised, also if a layer made a page of it
        )
        self.conversation = RequestConversation(policy, request, headers)
        place = Place(ServiceTrace(headers) if policy.propagates else None)
        self._context = SessionContext(self.conversation, policy.agent, place)
        self._view: SessionContext | None = self._context
        self._is_over = False
        self._token: Token[SessionContext | None] | None = None

    def enter(self) -> None:
        """Make this session the current one."""
        self._token = push_context(self._view)

    def leave(self) -> None:
        """Restore what was current before."""
        if self._token is not None:
            token, self._token = self._token, None
            self._view = get_active_context()
            reset_context(token)

    def answered(self, status: int) -> None:
        """Note the status of the response, and the error of which it is made, while that is handled."""
        if status >= _FAILURE:
            self.status = status
            self.failure = self.failure or sys.exc_info()[1]

    def end(self) -> FlushResult | None:
        """Close the account of this request, if an agent spoke in it; a second call does nothing.

        The session ends if this request is all there was to it. Where it goes on, a handler's error is
        recorded as a failed step. Returns the delivery to wait for, where the request is to wait for one.
        """
        if self._is_over:
            return None
        self._is_over = self.conversation.is_over = True
        try:
            return self._close() if self.conversation.event_count else None
        finally:
            self.failure = None  # its traceback holds the handler's variables

    def _close(self) -> FlushResult | None:
        with shielded("open streams"):
            for call in tuple(self.conversation.open_calls):
                call.left()  # its reader is gone with the request, and will not be seen to leave
        with shielded("end of request"):
            self._record_end()
        policy = self.conversation.policy
        return policy.ai.recorder.pipeline.flush() if policy.flushes else None

    def _record_end(self) -> None:
        policy, failure = self.conversation.policy, self._failure()
        scope = Scope(context=self._context)
        last = self.conversation.last_trace
        if self._ends_here():
            where = {"trace_id": last.id if last is not None else None}
            policy.ai.recorder.record(SessionEnd, {**where, **failure}, scope)
        elif failure:
            took = (stamps.seconds() - self.started) * 1000
            step = {"span_name": "request", "latency_ms": took, "error_message": str(self.failure or "")}
            policy.ai.recorder.record(Span, {**step, **failure}, scope)

    def _failure(self) -> dict[str, Any]:
        if isinstance(self.failure, Exception):
            return {"is_error": True, "error_type": type(self.failure).__name__}
        return {"is_error": True, "error_type": f"HTTP {self.status}"} if self.status else {}

    def _ends_here(self) -> bool:
        conversation, policy = self.conversation, self.conversation.policy
        if not policy.tracks_end or conversation.is_from_service:
            return False
        if policy.end_session is not None:
            return policy.end_session
        return not conversation.is_from_application and not conversation.is_handed_on
