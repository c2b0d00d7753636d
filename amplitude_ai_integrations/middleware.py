"""The web door: a session around each request, for any ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from .client.attach import client_of
from .exceptions import ConfigurationError, shielded
from .web.options import Policy
from .web.request import RequestSession

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .web.options import WebOptions

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_Channel = Callable[..., Awaitable[Any]]
_REQUESTS = {"http", "websocket"}
_DEPARTURES = {"WebSocketDisconnect", "ClientDisconnect"}  # a visitor who leaves is nobody's error


class AmplitudeAIMiddleware:
    """Lends each HTTP request and WebSocket a session, so that the agents inside need no ids.

    ``app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, session_id_resolver=...)``. A resolver
    gets Starlette's ``HTTPConnection``. The session spans the streamed body and background tasks. It ends
    with the request only if its id was made for it; an id from your application names a conversation,
    which outlives the request.

    Args:
        app: The application around which this stands.
        amplitude_ai: An ``AmplitudeAI``, or an ``Amplitude`` client.
        options: See ``WebOptions``.

    Raises:
        ConfigurationError: An option does not exist or is of the wrong kind.
    """

    def __init__(self, app: Application, *, amplitude_ai: Any, **options: Unpack[WebOptions]) -> None:
        self.app = app
        self.policy = Policy.of(client_of(amplitude_ai, "amplitude_ai"), options)
        self._connection = _connection_class() if self.policy.resolvers else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = None
        with shielded("begin of request"):
            if scope["type"] in _REQUESTS and self._watches(scope):
                session = self._session(scope)
        if session is None:
            await self.app(scope, receive, send)
            return
        failure: BaseException | None = None
        try:
            if self.policy.resolvers:
                await self.app(scope, _settling(receive, session), _settling(send, session))
            else:
                await self.app(scope, receive, send)
        except BaseException as error:
            failure = error
            raise
        finally:
            with shielded("end of request"):
                if session.conversation.is_waiting:
                    await session.conversation.await_answers()
                session.end(None if type(failure).__name__ in _DEPARTURES else failure)
            with shielded("end of request"):
                session.leave()

    def _session(self, scope: Scope) -> RequestSession:
        return RequestSession(self.policy, lambda: self._connection(scope), lambda: scope["headers"])  # type: ignore[misc]  # asked for only where there are resolvers

    def _watches(self, scope: Scope) -> bool:
        return self.policy.ai.config.enabled and self.policy.covers(scope["path"])


def _settling(
    channel: Callable[..., Awaitable[Any]], session: RequestSession
) -> Callable[..., Awaitable[Any]]:
    """Return a channel that first awaits the asynchronous resolvers that have been asked meanwhile."""
    conversation = session.conversation

    async def through(*message: Any) -> Any:
        if conversation.is_waiting:
            with shielded("resolver"):
                await conversation.await_answers()
        return await channel(*message)

    return through


def _connection_class() -> type:
    try:
        from starlette.requests import HTTPConnection
    except ImportError as error:
        raise ConfigurationError(
            "Resolvers get Starlette's HTTPConnection: pip install starlette, or leave the resolvers out."
        ) from error
    return HTTPConnection
