"""Anthropic's managed agents, which run in the vendor's cloud:
https://platform.claude.com/docs/en/managed-agents/overview.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, timezone
from typing import Any, Final

from ..calls.facts import peek
from ..client.bound import BoundTracking
from ..context.forks import Guarded
from ..context.recent import Recent
from ..exceptions import ConfigurationError, shielded
from ..registry import PROVIDERS
from .anthropic_managed_records import in_time, seconds_of
from .anthropic_managed_thread import Thread, Turns

try:
    import anthropic  # noqa: F401 - whose clients are asked
except ImportError as error:
    raise PROVIDERS["anthropic"].missing() from error

_WHERE: Final = "anthropic_managed"
_NAME: Final = "managed_agent"
_MOST_EVENTS: Final = 100_000  # of which is known that they were told
_MOST_SESSIONS: Final = 1_000
_OVERLAP: Final = 60.0  # seconds; an event may be listed later than one that was processed after it
_CHILD: Final = "session.thread_created"
_THREAD_STATUS: Final = "session.thread_status_"
_SESSION_STATUS: Final = "session.status_"
_OTHERS_TOOLS: Final = (
    "agent.tool_use", "agent.mcp_tool_use", "agent.custom_tool_use", "user.tool_result",
    "user.custom_tool_result",
)  # fmt: skip


class _Known:
    """What is known of one managed session: its turns, its threads, and who works in them."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.threads: dict[str | None, Thread] = {}
        self.has_children = False
        self.name: str | None = None
        self.model: str | None = None
        self.is_described = False
        self.latest: float | None = None


class ManagedAgentTracker(Guarded):
    """Makes ``[Agent]`` events of the events of managed agents' sessions, each once.

    What users and other agents say becomes User Messages, each request of the model's an AI Response with its
    tokens and cost, each tool a Tool Call, each run of an agent and each error a Span. Their ids are the
    vendor's own, so that what is told again, after a restart or by another process, is told under the same
    insert id, as long as the session has the same id: open it with the managed session's.

    Args:
        default_provider: Who answers.
        default_model: The model of agents where the API does not say it: ``process`` alone is not told.
        seen_ids: What an earlier tracker's ``seen_ids`` returned: these events are not told again.
        custom_tools: Whether to tell of tools that your own program runs; ``False`` where these are under
            ``@tool``, which tells of them itself.
    """

    def __init__(
        self,
        *,
        default_provider: str = "anthropic",
        default_model: str | None = None,
        seen_ids: Iterable[str] = (),
        custom_tools: bool = True,
    ) -> None:
        super().__init__()
        if isinstance(seen_ids, str):
            raise ConfigurationError("seen_ids= is a text; pass the list that seen_ids returned.")
        self._provider = default_provider
        self._model = default_model or ""
        self._custom_tools = custom_tools
        self._ids: OrderedDict[str, bool] = OrderedDict.fromkeys(seen_ids, True)  # whether it was told
        self._sessions: Recent[tuple[str | None, str], _Known] = Recent(_MOST_SESSIONS)

    @property
    def seen_ids(self) -> list[str]:
        """The ids of events that were told, to be kept and given to the next tracker.

        It needs no more than that if it reads sessions from their beginning, as ``poll`` does.
        """
        with self._lock:
            return [event_id for event_id, is_told in self._ids.items() if is_told]

    def process(
        self,
        session: BoundTracking,
        events: Any,
        *,
        thread_id: str | None = None,
        agent_name: str | None = None,
        model: str | None = None,
    ) -> list[Any]:
        """Tell of events, and return those that were new.

        Args:
            session: A session, or an agent that is bound to one.
            events: Events in their order: what ``client.beta.sessions.events.list()`` returned, a list, or
                one of them. Events may come again, and the next ones later.
            thread_id: The thread whose own events they are, for a subagent's.
            agent_name: Who works in that thread.
            model: That agent's model.

        Raises:
            ConfigurationError: ``session`` is no session.
        """
        _check_session(session)
        known = self._known(session, "")
        thread = self._thread(session, known, thread_id, agent_name, model)
        return [event for event in _each(events) if self._take(session, known, thread, thread_id, event)]

    def poll(self, session: BoundTracking, client: Any, session_id: str) -> list[Any]:
        """Ask for a managed session's events and its subagents', tell of the new ones and return them.

        The first time all are asked for, then those since. Errors of the client are the caller's.

        Args:
            session: A session of ours, or an agent that is bound to one.
            client: A client of Anthropic's.
            session_id: The managed session's id.

        Raises:
            ConfigurationError: ``session`` is no session.
        """
        _check_session(session)
        known, managed = self._known(session, session_id), client.beta.sessions
        if not known.is_described:
            _describe(known, managed.retrieve(session_id))
        lists: list[Any] = [(None, [*managed.events.list(session_id, **_since(known))])]
        if known.has_children or _has_children(lists[0][1]):
            for thread in managed.threads.list(session_id):
                if peek(thread, "parent_thread_id"):
                    own = managed.threads.events.list(thread.id, session_id=session_id)
                    lists.append((thread, [*own]))
        return self._process(session, known, lists)

    async def apoll(self, session: BoundTracking, client: Any, session_id: str) -> list[Any]:
        """Do the same with an asynchronous client."""
        _check_session(session)
        known, managed = self._known(session, session_id), client.beta.sessions
        if not known.is_described:
            _describe(known, await managed.retrieve(session_id))
        listed = managed.events.list(session_id, **_since(known))
        lists: list[Any] = [(None, [event async for event in listed])]
        if known.has_children or _has_children(lists[0][1]):
            async for thread in managed.threads.list(session_id):
                if peek(thread, "parent_thread_id"):
                    own = managed.threads.events.list(thread.id, session_id=session_id)
                    lists.append((thread, [event async for event in own]))
        return self._process(session, known, lists)

    def stream(self, session: BoundTracking, client: Any, session_id: str, **options: Any) -> Iterator[Any]:
        """Yield a managed session's events as they come, and tell of them; of earlier ones at the beginning.

        The vendor's stream goes on when the agent rests: leave the loop at ``session.status_idle``. Those of
        subagents are asked for when these rest.

        Args:
            session: See ``poll``.
            client: See ``poll``.
            session_id: See ``poll``.
            options: As ``client.beta.sessions.events.stream`` takes them.
        """
        _check_session(session)
        known = self._known(session, session_id)
        with client.beta.sessions.events.stream(session_id, **options) as events:
            self.poll(session, client, session_id)  # once the stream is open nothing is missed in between
            for event in events:
                self._process(session, known, [(None, [event])])
                if _is_resting_child(event):
                    self.poll(session, client, session_id)
                yield event

    async def astream(
        self, session: BoundTracking, client: Any, session_id: str, **options: Any
    ) -> AsyncIterator[Any]:
        """Do the same with an asynchronous client."""
        _check_session(session)
        known = self._known(session, session_id)
        async with await client.beta.sessions.events.stream(session_id, **options) as events:
            await self.apoll(session, client, session_id)
            async for event in events:
                self._process(session, known, [(None, [event])])
                if _is_resting_child(event):
                    await self.apoll(session, client, session_id)
                yield event

    def _process(self, session: BoundTracking, known: _Known, lists: list[Any]) -> list[Any]:
        return [
            event
            for child, event in in_time(lists)
            if self._take(session, known, self._thread_of(session, known, child), peek(child, "id"), event)
        ]

    def _thread_of(self, session: BoundTracking, known: _Known, child: Any) -> Thread:
        if child is None:
            return self._thread(session, known, None, known.name, known.model)
        agent = peek(child, "agent")
        model = peek(agent, "model")  # an advisor has nothing but one
        name = peek(agent, "name") or peek(agent, "type")
        return self._thread(
            session, known, child.id, name, model if isinstance(model, str) else peek(model, "id")
        )

    def _known(self, session: BoundTracking, managed_id: str) -> _Known:
        scope = session._scope()
        context = scope.context
        own_id = context.session_id if context is not None else scope.session_id
        return self._sessions.made((own_id, managed_id), _Known)

    def _thread(
        self,
        session: BoundTracking,
        known: _Known,
        thread_id: str | None,
        name: str | None,
        model: str | None,
    ) -> Thread:
        with self._lock:
            thread = known.threads.get(thread_id)
            if thread is None:
                own = _agent_of(session).get("agent_id") if thread_id is None else None
                thread = known.threads[thread_id] = Thread(
                    known.turns,
                    own or name or _NAME,
                    model or self._model,
                    self._provider,
                    custom_tools=self._custom_tools,
                    is_child=thread_id is not None,
                )
        return thread

    def _take(
        self, session: BoundTracking, known: _Known, thread: Thread, thread_id: str | None, event: Any
    ) -> bool:
        with shielded(_WHERE), self._lock:
            event_id, kind = peek(event, "id"), peek(event, "type")
            if (
                not isinstance(event_id, str)
                or not isinstance(kind, str)
                or _is_anothers(event, kind, thread_id)
            ):
                return False
            known.has_children = known.has_children or kind == _CHILD
            if thread_id is None:
                known.latest = max(known.latest or 0.0, seconds_of(event) or 0.0) or None
            thread.recall(event)
            if self._ids.get(event_id):
                thread.recall_told(event)
                return False
            if event_id in self._ids or thread.waits(event):
                return False
            self._note((event_id,), is_told=False)
            child = _child(session, thread.name) if thread_id is not None else {}
            for record in thread.read(event):
                if not self._ids.get(record.own_id):
                    getattr(session, record.method)(**{**child, **record.keywords})
                self._note(record.event_ids, is_told=True)
            return True
        return False

    def _note(self, event_ids: Iterable[str], *, is_told: bool) -> None:
        for event_id in event_ids:
            self._ids[event_id] = is_told
            if len(self._ids) > _MOST_EVENTS:
                self._ids.popitem(last=False)


def _check_session(session: Any) -> None:
    if not isinstance(session, BoundTracking):
        raise ConfigurationError(
            f"The first argument is {type(session).__name__}; pass a session: "
            "ai.agent(...).session(managed_session.id, user_id=...)."
        )


def _each(events: Any) -> Iterable[Any]:
    """Return events one by one; of an asynchronous page its own, since the next ones have to be awaited."""
    if isinstance(peek(events, "type"), str):
        return [events]
    if hasattr(events, "__aiter__"):
        return events.data or []
    return events  # type: ignore[no-any-return]


def _has_children(events: list[Any]) -> bool:
    return any(peek(event, "type") == _CHILD for event in events)


def _is_anothers(event: Any, kind: str, thread_id: str | None) -> bool:
    """Tell whether an event is shown in a thread though it is another's, whose own events have it too."""
    if thread_id is not None:
        return kind.startswith(_SESSION_STATUS)
    return kind.startswith(_THREAD_STATUS) or (
        kind in _OTHERS_TOOLS and bool(peek(event, "session_thread_id"))
    )


def _is_resting_child(event: Any) -> bool:
    kind = str(peek(event, "type"))
    return kind.startswith(_THREAD_STATUS) and not kind.endswith("running")


def _agent_of(session: BoundTracking) -> dict[str, Any]:
    scope = session._scope()
    return scope.context.agent.given if scope.context is not None else scope.agent.given


def _child(session: BoundTracking, name: str) -> dict[str, Any]:
    """Return what the events of a subagent say of it."""
    return {"agent_id": name, "agent_name": name, "parent_agent_id": _agent_of(session).get("agent_id")}


def _describe(known: _Known, managed: Any) -> None:
    """Take from a managed session who works in it."""
    with shielded(_WHERE):
        known.name = peek(managed, "agent", "name")
        known.model = peek(managed, "agent", "model", "id")
        known.is_described = True


def _since(known: _Known) -> dict[str, Any]:
    """Return what asks for new events alone, once the earlier ones are known."""
    if known.latest is None:
        return {}
    at = datetime.fromtimestamp(known.latest - _OVERLAP, timezone.utc)
    return {"created_at_gte": at.isoformat().replace("+00:00", "Z")}
