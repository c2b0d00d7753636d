"""The session of one request: whose it is, what may be trusted, when it ends."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextvars import Token
from typing import Any

from ..client.recording import Scope
from ..context import stamps
from ..context.current import (
    AgentFacts,
    Conversation,
    SessionContext,
    get_active_context,
    push_context,
    reset_context,
)
from ..context.trace import Place, Trace
from ..delivery.flush import FlushResult
from ..exceptions import shielded
from ..propagation import browser_device, browser_session, extract_context, lower_headers
from ..schema.events import SessionEnd, Span
from .options import Policy
from .resolving import id_of, logged_once, mapping_of

_MOST_WAITING = 1_000  # events of one request that may wait for an asynchronous resolver


class RequestConversation(Conversation):
    """A session that finds out whose it is when an agent first speaks in it.

    A request in which none does asks no resolver and emits nothing. What an asynchronous resolver will
    say is not known yet when a synchronous caller tracks an event; such events wait, in order, until the
    server has the control to await it.
    """

    def __init__(self, policy: Policy, request: Callable[[], Any], headers: Callable[[], Any]) -> None:
        super().__init__(None, pipeline=policy.ai.recorder.pipeline)
        self.policy = policy
        self.is_from_application = False
        self.is_from_service = False
        self._request = request
        self._headers = headers
        self._lock = threading.RLock()
        self._answers: dict[str, Any] = {}
        self._is_asked = False
        self._is_known = False
        self._asking: asyncio.Future[None] | None = None
        self._waiting: list[Callable[[], None]] = []

    @property
    def is_waiting(self) -> bool:
        """Whether an asynchronous resolver has been asked and not been awaited yet."""
        return self._is_asked and not self._is_known

    def settle(self, record: Callable[[], None]) -> None:
        """Call ``record`` now if all resolvers have answered, else when they have."""
        self.identify()
        with self._lock:
            if not self._is_known:
                self._wait(record)
                return
        record()

    def identify(self) -> None:
        """Ask the resolvers, once; if all of them answer at once, that settles it."""
        with self._lock:
            if self._is_asked:
                return
            self._is_asked = True
            request = self._request() if self.policy.resolvers else None
            for name, resolver in self.policy.resolvers.items():
                with logged_once(name, resolver):
                    self._answers[name] = resolver(request)
            if not any(inspect.isawaitable(answer) for answer in self._answers.values()):
                self._know()

    async def await_answers(self) -> None:
        """Await the asynchronous resolvers, and let the events that waited go.

        A server may receive and send at once, so several may wait here; they wait for one and the same
        task, which goes on when one of them is cancelled.
        """
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._ask())
        await asyncio.shield(self._asking)

    def give_up(self) -> None:
        """Go on without the answers of asynchronous resolvers, where nobody can await them."""
        for name, answer in self._answers.items():
            if inspect.isawaitable(answer):
                self._answers[name] = None
                with logged_once(name, self.policy.resolvers[name]):
                    raise RuntimeError("there is no event loop to await it on")
        with self._lock:
            self._know()

    async def _ask(self) -> None:
        for name, answer in self._answers.items():
            if inspect.isawaitable(answer):
                self._answers[name] = None
                with logged_once(name, self.policy.resolvers[name]):
                    self._answers[name] = await answer
        with self._lock:
            self._know()

    def _wait(self, record: Callable[[], None]) -> None:
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(record)
        else:
            self.policy.ai.recorder.pipeline.dropped["waiting for a resolver"] += 1

    def _know(self) -> None:
        found = lower_headers(self._headers())
        answers = self._answers
        self.user_id = id_of(answers, "user_id")
        self.device_id = id_of(answers, "device_id") or browser_device(found)
        self.browser_session_id = id_of(answers, "browser_session_id") or browser_session(found)
        sent = extract_context(found) if self.policy.propagates else {}
        own = id_of(answers, "session_id")
        self.is_from_application = own is not None
        self.is_from_service = own is None and "session_id" in sent
        self.session_id = own or sent.get("session_id") or stamps.new_id()
        self.agent = AgentFacts(
            parent_agent_id=sent.get("agent_id"),
            context=mapping_of(answers, "context"),
            groups=mapping_of(answers, "groups"),
        )
        self._is_known = True
        waiting, self._waiting = self._waiting, []
        for record in waiting:
            with shielded("waiting event"):
                record()


class _ServiceTrace(Trace):
    """A trace that goes on in this service, if another one's headers name it."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Callable[[], Any]) -> None:
        super().__init__()
        self._headers = headers

    @property
    def id(self) -> str:
        if self._id is None:
            self._id = extract_context(self._headers()).get("trace_id")
        return super().id


class RequestSession:
    """The session of one request, from before its first byte to after its last.

    A server may come back for each piece of the body, and do other requests in between: ``enter`` and
    ``leave`` bracket what runs for this request, and whatever was current at a leave is so again at the next
    enter.
    """

    __slots__ = ("_context", "_is_over", "_token", "_view", "conversation", "failure", "started")

    def __init__(self, policy: Policy, request: Callable[[], Any], headers: Callable[[], Any]) -> None:
        self.started = stamps.seconds()
        self.failure: BaseException | None = (
            None  # what the handler raised, also if a layer made a page of it
        )
        self.conversation = RequestConversation(policy, request, headers)
        place = Place(_ServiceTrace(headers) if policy.propagates else None)
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

    def end(self) -> FlushResult | None:
        """Close the account of this request, if an agent spoke in it; a second call does nothing.

        The session ends if this request is all there was to it. Where it goes on, a handler's error is
        recorded as a failed step. Returns the delivery to wait for, where the request is to wait for one.
        """
        if self._is_over:
            return None
        self._is_over = self.conversation.is_over = True
        if not self.conversation.event_count:
            return None
        with shielded("open streams"):
            for call in tuple(self.conversation.open_calls):
                call.left()  # its reader is gone with the request, and will not be seen to leave
        with shielded("end of request"):
            self._record_end()
        self.failure = None  # its traceback holds the handler's variables
        policy = self.conversation.policy
        return policy.ai.recorder.pipeline.flush() if policy.flushes else None

    def _record_end(self) -> None:
        policy, error = self.conversation.policy, self.failure
        scope = Scope(context=self._context)
        last = self.conversation.last_trace
        failure: dict[str, Any] = {}
        if isinstance(error, Exception):
            failure = {"is_error": True, "error_type": type(error).__name__}
        if self._ends_here():
            where = {"trace_id": last.id if last is not None else None}
            policy.ai.recorder.record(SessionEnd, {**where, **failure}, scope)
        elif failure:
            took = (stamps.seconds() - self.started) * 1000
            step = {"span_name": "request", "latency_ms": took, "error_message": str(error)}
            policy.ai.recorder.record(Span, {**step, **failure}, scope)

    def _ends_here(self) -> bool:
        conversation, policy = self.conversation, self.conversation.policy
        if not policy.tracks_end or conversation.is_from_service:
            return False
        if policy.end_session is not None:
            return policy.end_session
        return not conversation.is_from_application and not conversation.is_handed_on
