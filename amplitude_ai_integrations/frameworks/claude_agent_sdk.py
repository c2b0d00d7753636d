"""The Claude Agent SDK: https://code.claude.com/docs/en/agent-sdk/python."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary, finalize

from ..client.session import Session
from ..context.current import push_context, reset_context
from ..exceptions import ConfigurationError, shielded
from ..registry import AGENT_FRAMEWORKS

try:
    import claude_agent_sdk
    from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, HookMatcher, Message, Transport
except ImportError as error:
    raise AGENT_FRAMEWORKS["claude_agent_sdk"].missing() from error

from .claude_feed import HOOKS, Feed
from .claude_room import Room

_NAME: Final = "claude_agent_sdk"

Prompt = str | AsyncIterable[dict[str, Any]]
Hooks = dict[Any, list[HookMatcher]]
_Hook = Callable[[Any, Any, Any], Awaitable[Any]]
_Item = TypeVar("_Item")


class ClaudeAgentSDKTracker:
    """Makes ``[Agent]`` events of what Claude does, in the session that each call names.

    ``query()`` and ``client()`` stand for the SDK's own and do it all. With the SDK's own, give ``hooks()``
    to its options and each message to ``process()``: hooks know prompts and how long tools take, messages
    what was answered and what it cost. One tracker serves any number of sessions at once.

    Args:
        default_provider: Who sells the model.
        default_model: The model of answers that name none.
    """

    def __init__(self, *, default_provider: str = "anthropic", default_model: str | None = None) -> None:
        self._defaults = (default_provider, default_model)
        self._rooms: WeakKeyDictionary[Session, Room] = WeakKeyDictionary()

    def hooks(self, session: Session) -> Hooks:
        """Return hooks for ``ClaudeAgentOptions(hooks=...)``; make them anew for each process of Claude's.

        Raises:
            ConfigurationError: ``session`` is no session.
        """
        room, connection = self._room(session, "hooks()"), object()
        return _hooks(session, lambda told: room.feed(told.get("session_id"), (), connection))

    def process(self, session: Session, message: Message) -> None:
        """Take a message of the stream.

        Raises:
            ConfigurationError: ``session`` is no session.
        """
        room = self._room(session, "process()")
        with shielded(_NAME), _inside(session):
            room.feed_of(message).message(message)

    def options(self, session: Session, options: ClaudeAgentOptions | None = None) -> ClaudeAgentOptions:
        """Return options with our hooks beside those they have.

        Raises:
            ConfigurationError: ``session`` is no session.
        """
        return _with_hooks(options, self.hooks(session))

    def query(
        self,
        session: Session,
        *,
        prompt: Prompt,
        options: ClaudeAgentOptions | None = None,
        transport: Transport | None = None,
    ) -> AsyncIterator[Message]:
        """Return what the SDK's ``query()`` returns, with every message as it is, and watch it.

        Raises:
            ConfigurationError: ``session`` is no session.
        """
        feed = self._room(session, "query()").new_feed()
        given = _with_hooks(options, _hooks(session, lambda _told: feed))
        stream = claude_agent_sdk.query(prompt=prompt, options=given, transport=transport)
        return _Watched(stream, session, feed, prompt if isinstance(prompt, str) else None, closes=True)

    def client(
        self,
        session: Session,
        options: ClaudeAgentOptions | None = None,
        transport: Transport | None = None,
    ) -> ClaudeSDKClient:
        """Return a ``ClaudeSDKClient`` that is watched.

        Raises:
            ConfigurationError: ``session`` is no session.
        """
        feed = self._room(session, "client()").new_feed()
        given = _with_hooks(options, _hooks(session, lambda _told: feed))
        return _Client(session, feed, given, transport)

    def _room(self, session: Session, door: str) -> Room:
        if not isinstance(session, Session):
            raise ConfigurationError(
                f"{door} takes the session that agent.session() returns, not {type(session).__name__}."
            )
        room = self._rooms.get(session)
        if room is None:
            room = self._rooms[session] = Room(session._recorder, *self._defaults)
            _at_end_of(session, room.left)
        return room


class _Watched(AsyncIterator[_Item]):
    """A stream of messages that is watched; what it yields, and when, is the SDK's."""

    def __init__(
        self, stream: AsyncIterator[_Item], session: Session, feed: Feed, prompt: str | None, *, closes: bool
    ) -> None:
        self._stream = stream
        self._session = session
        self._feed = feed
        self._prompt = prompt
        self._closes = closes  # its end is the process's
        self._is_over = False

    async def __anext__(self) -> _Item:
        if self._prompt is not None:
            prompt, self._prompt = self._prompt, None
            _tell(self._session, lambda: self._feed.announced(prompt))
        try:
            message = await self._stream.__anext__()
        except BaseException as error:
            self._over(None if isinstance(error, StopAsyncIteration) else error)
            raise
        _tell(self._session, lambda: self._feed.message(message))
        return message

    async def aclose(self) -> None:
        """Close the stream, before its end or after it."""
        self._over(GeneratorExit())
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()

    def __del__(self) -> None:
        self._over(GeneratorExit())

    def _over(self, error: BaseException | None) -> None:
        """Tell how it ended; a stream that is not the process's own tells of errors alone."""
        if self._is_over or not (self._closes or isinstance(error, Exception)):
            return
        self._is_over = True
        _tell(self._session, lambda: self._feed.closed(error))


class _Client(ClaudeSDKClient):
    """The SDK's client, which tells of its prompts and messages."""

    def __init__(
        self, session: Session, feed: Feed, options: ClaudeAgentOptions, transport: Transport | None
    ) -> None:
        super().__init__(options, transport)
        self._amplitude = (session, feed)
        _at_end_of(self, feed.closed)

    async def connect(self, prompt: Prompt | None = None) -> None:
        await super().connect(prompt)
        self._announced(prompt)

    async def query(self, prompt: Prompt, session_id: str = "default") -> None:
        self._announced(prompt)
        await super().query(prompt, session_id)

    def receive_messages(self) -> AsyncIterator[Message]:
        return _Watched(super().receive_messages(), *self._amplitude, None, closes=False)

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> bool:
        self._closed(exc_val)
        return await super().__aexit__(exc_type, exc_val, exc_tb)

    async def disconnect(self) -> None:
        self._closed(None)
        await super().disconnect()

    def _announced(self, prompt: Prompt | None) -> None:
        session, feed = self._amplitude
        if isinstance(prompt, str):
            _tell(session, lambda: feed.announced(prompt))

    def _closed(self, error: BaseException | None) -> None:
        session, feed = self._amplitude
        _tell(session, lambda: feed.closed(error))


def _tell(session: Session, tell: Callable[[], None]) -> None:
    with shielded(_NAME), _inside(session):
        tell()


def _at_end_of(owner: object, tell: Callable[[], None]) -> None:
    """Call ``tell`` when nobody holds ``owner`` any more."""

    def over() -> None:
        with shielded(_NAME):
            tell()

    finalize(owner, over).atexit = False


@contextmanager
def _inside(session: Session) -> Iterator[None]:
    """Make the session the current one, as it is at this place of the program."""
    token = push_context(session._scope().context)
    try:
        yield
    finally:
        reset_context(token)


def _hooks(session: Session, feed_of: Callable[[Any], Feed]) -> Hooks:
    return {event: [HookMatcher(hooks=[_hook(event, session, feed_of)])] for event in HOOKS}


def _hook(event: str, session: Session, feed_of: Callable[[Any], Feed]) -> _Hook:
    async def hook(told: Any, _tool_use_id: Any, _context: Any) -> dict[str, Any]:
        _tell(session, lambda: feed_of(told).hook(event, told))
        return {}  # no opinion

    return hook


def _with_hooks(options: ClaudeAgentOptions | None, ours: Hooks) -> ClaudeAgentOptions:
    options = options if options is not None else ClaudeAgentOptions()
    theirs = options.hooks or {}
    events = dict.fromkeys([*theirs, *ours])
    return replace(options, hooks={event: [*theirs.get(event, ()), *ours.get(event, ())] for event in events})
