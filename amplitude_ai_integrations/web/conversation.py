"""Whose session a request's is: found out when an agent first speaks in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..context import stamps
from ..context.current import AgentFacts, Conversation
from ..context.trace import Trace
from ..exceptions import shielded
from ..propagation import browser_device, browser_session, extract_context, lower_headers
from .answers import Answers
from .options import Policy
from .resolving import id_of, mapping_of

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
        self._answers: Answers | None = None  # nobody has been asked
        self._is_known = False
        self._asking: asyncio.Future[None] | None = None
        self._is_hearing = False
        self._waiting: list[Callable[[], None]] = []

    @property
    def is_waiting(self) -> bool:
        """Whether an asynchronous resolver has been asked and not been awaited yet."""
        return self._answers is not None and not self._is_known

    def settle(self, record: Callable[[], None]) -> None:
        """Call ``record`` now if all resolvers have answered, else when they have."""
        self.identify()
        if self.is_over and not self._is_known:
            self._hear_after_the_end()
        with self._lock:
            if not self._is_known:
                self._wait(record)
                return
        record()

    def identify(self) -> None:
        """Ask the resolvers, once; if all of them answer at once, that settles it."""
        with self._lock:
            if self._answers is None:
                self._answers = Answers(self.policy.resolvers)
                self._answers.ask(self._request)
                self._know_if_complete()

    def know_so_far(self) -> None:
        """Take what is certain before asynchronous resolvers have answered, for those who cannot await them.

        The session's id is certain unless its own resolver is one of those.
        """
        with self._lock:
            if self._answers is not None and not self._is_known:
                self._take(self._answers.given, is_id_certain=self._answers.is_there("session_id"))

    async def await_answers(self) -> None:
        """Await the asynchronous resolvers, and let the events that waited go.

        A server may receive and send at once, so several may wait here; they wait for one and the same
        task, which goes on when one of them is cancelled.
        """
        self.hear_soon()
        if self._asking is not None:
            await asyncio.shield(self._asking)
        else:
            await self._hear_in_turn()

    def hear_soon(self) -> None:
        """Begin to await them, beside what goes on here: a slow one holds up nothing but its events."""
        if self._asking is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # a loop of another kind, such as trio's: they are heard at the end
                return
            self._asking = loop.create_task(self._hear_and_conclude())

    async def _hear_in_turn(self) -> None:
        if not self._is_hearing:
            self._is_hearing = True
            await self._hear_and_conclude()

    async def _hear_and_conclude(self) -> None:
        await self.hear()
        self.conclude()
        self._asking = None  # which would keep all of this alive until the next collection

    def _hear_after_the_end(self) -> None:
        """Find out what can be, for an event that comes when no server will ask any more."""
        self.hear_soon()
        if self._asking is None:
            self.find_late()
            self.conclude()

    async def hear(self) -> None:
        """Await the asynchronous resolvers; ``conclude`` is to follow."""
        if self._answers is not None:
            await self._answers.hear()

    def find_late(self) -> None:
        """Find the answers that only waited for the handler to be done, without an event loop."""
        if self._answers is not None:
            self._answers.find_late()
            with self._lock:
                self._know_if_complete()

    def conclude(self) -> None:
        """Let the events that waited go, with the answers there are; one still to come counts as failed."""
        if self._answers is not None:
            self._answers.give_up()
            with self._lock:
                self._know_if_complete()

    def _wait(self, record: Callable[[], None]) -> None:
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(record)
        else:
            self.policy.ai.recorder.pipeline.dropped["waiting for a resolver"] += 1

    def _know_if_complete(self) -> None:
        if self._is_known or self._answers is None or not self._answers.is_complete:
            return
        self._take(self._answers.given, is_id_certain=True)
        self._is_known = True
        waiting, self._waiting = self._waiting, []
        for record in waiting:
            with shielded("waiting event"):
                record()

    def _take(self, answers: Mapping[str, Any], is_id_certain: bool) -> None:
        found = lower_headers(self._headers())
        self.user_id = id_of(answers, "user_id")
        self.device_id = id_of(answers, "device_id") or browser_device(found)
        self.browser_session_id = id_of(answers, "browser_session_id") or browser_session(found)
        sent = extract_context(found) if self.policy.propagates else {}
        own = id_of(answers, "session_id")
        self.is_from_application = own is not None
        self.is_from_service = own is None and "session_id" in sent
        if is_id_certain:
            self.session_id = own or sent.get("session_id") or self.session_id or stamps.new_id()
        self.agent = AgentFacts(
            parent_agent_id=sent.get("agent_id"),
            context=mapping_of(answers, "context"),
            groups=mapping_of(answers, "groups"),
        )


class ServiceTrace(Trace):
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
