"""The web doors: a session around each request, for any ASGI and any WSGI application."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from .client.active import current_session
from .client.attach import client_of
from .client.serverless import await_for
from .exceptions import ConfigurationError, shielded
from .web.body import body_within, finish, finish_async
from .web.conversation import RequestConversation
from .web.environ import headers_of, path_of
from .web.options import Policy
from .web.request import RequestSession

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .web.options import WebOptions

__all__ = ["AmplitudeAIMiddleware", "AmplitudeAIWSGIMiddleware", "current_session"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]
WSGIApplication: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

_Channel: TypeAlias = Callable[..., Awaitable[Any]]
_Hear: TypeAlias = Callable[[RequestConversation], Awaitable[None]]

_REQUESTS = {"http", "websocket"}
# A visitor who leaves is nobody's error.
_DEPARTURES = {"WebSocketDisconnect", "ClientDisconnect", "ClientDisconnected"}


class AmplitudeAIMiddleware:
    """Lends each HTTP request and WebSocket a session, so that the agents inside need no ids.

    ``app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, session_id_resolver=...)``. A resolver
    gets Starlette's ``HTTPConnection``. The session spans the streamed body and background tasks. It ends
    with the request only if its id was made for it; an id from your application names a conversation,
    which outlives the request. What waits when the server shuts down is delivered, five seconds at most.

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
            if scope["type"] in _REQUESTS and self.policy.watches(scope["path"]):
                session = self._session(scope)
                session.enter()
        if session is None:
            if scope["type"] == "lifespan":
                send = _delivering_at_the_end(send, self.policy)
            await self.app(scope, receive, send)
            return
        with shielded("begin of request"):
            if scope["type"] == "http":
                send = _noting_status(send, session)
            if self.policy.resolvers:
                receive = _settling(receive, session, self._hear)
                send = _settling(send, session, self._hear)
        try:
            await self.app(scope, receive, send)
        except BaseException as error:
            if type(error).__name__ not in _DEPARTURES:
                session.failure = error
            raise
        finally:
            with shielded("end of request"):
                await finish_async(session)
            with shielded("end of request"):
                session.leave()

    async def _hear(self, conversation: RequestConversation) -> None:
        """Begin to await resolvers, beside what goes on: a slow one holds up nothing but its events."""
        conversation.hear_soon()

    def _session(self, scope: Scope) -> RequestSession:
        return RequestSession(self.policy, lambda: self._connection(scope), lambda: scope["headers"])  # type: ignore[misc]  # asked for only where there are resolvers


class AmplitudeAIWSGIMiddleware:
    """The same for any WSGI application: ``app = AmplitudeAIWSGIMiddleware(app, amplitude_ai=ai)``.

    A resolver gets the environ. The session spans the body that the application returns, and ends at its
    ``close()``. Asynchronous resolvers are awaited between the pieces of the body, on a loop of their own.

    Args:
        app: The application around which this stands.
        amplitude_ai: An ``AmplitudeAI``, or an ``Amplitude`` client.
        options: See ``WebOptions``.

    Raises:
        ConfigurationError: An option does not exist or is of the wrong kind.
    """

    def __init__(self, app: WSGIApplication, *, amplitude_ai: Any, **options: Unpack[WebOptions]) -> None:
        self.app = app
        self.policy = Policy.of(client_of(amplitude_ai, "amplitude_ai"), options)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        session, begin = None, start_response
        with shielded("begin of request"):
            if self.policy.watches(path_of(environ)):
                session = self._session(environ)
                session.enter()
                begin = self._noting(start_response, session)
        if session is None:
            return self.app(environ, start_response)
        try:
            body = self.app(environ, begin)
        except BaseException as error:
            session.failure = error
            with shielded("end of request"):
                finish(session)
            raise
        finally:
            with shielded("end of request"):
                session.leave()
        with shielded("body"):
            return body_within(body, session, _file_wrapper(environ))
        return body

    def _session(self, environ: Environ) -> RequestSession:
        return RequestSession(self.policy, lambda: environ, partial(headers_of, environ))

    def _noting(self, start_response: StartResponse, session: RequestSession) -> StartResponse:
        """Return a ``start_response`` that notes what becomes of the request."""

        def begin(status: str, *given: Any, **more: Any) -> Any:
            with shielded("response"):
                exc_info = given[1] if len(given) > 1 else more.get("exc_info")
                if exc_info:
                    session.failure = exc_info[1]
                session.answered(int(status[:3]))
            return start_response(status, *given, **more)

        return begin


def _noting_status(send: Send, session: RequestSession) -> Send:
    """Return a channel that notes what becomes of the request."""

    async def through(message: Message) -> None:
        if message["type"] == "http.response.start":
            with shielded("response"):
                session.answered(message["status"])
        await send(message)

    return through


_AT_THE_END = 1.0  # seconds; what is left then is on disk, and the end of the process goes on with it


def _delivering_at_the_end(send: Send, policy: Policy) -> Send:
    """Return a channel that delivers what waits before it says that the application is down.

    Servers end a process then by the signal that they were sent, without any of its exit hooks.
    """

    async def through(message: Message) -> None:
        if message["type"] == "lifespan.shutdown.complete":
            with shielded("end of server"):
                is_kept = policy.ai.recorder.pipeline.is_kept
                await await_for(policy.ai.flush(), _AT_THE_END if is_kept else None)
        await send(message)

    return through


def _settling(channel: _Channel, session: RequestSession, hear: _Hear) -> _Channel:
    """Return a channel at which the asynchronous resolvers are heard that have been asked meanwhile."""
    conversation = session.conversation

    async def through(*message: Any) -> Any:
        if conversation.is_waiting:
            with shielded("resolver"):
                await hear(conversation)
        return await channel(*message)

    return through


def _file_wrapper(environ: Environ) -> type | None:
    """Return the class by which the server knows files that it sends by itself."""
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is None or isinstance(wrapper, type):
        return wrapper
    return io.IOBase  # uWSGI's is a function, which gives the file itself back


def _connection_class() -> type:
    try:
        from starlette.requests import HTTPConnection
    except ImportError as error:
        raise ConfigurationError(
            "Resolvers get Starlette's HTTPConnection: pip install starlette, or leave the resolvers out."
        ) from error
    return HTTPConnection
