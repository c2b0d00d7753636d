"""The web doors: a session around each request, for any ASGI and any WSGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from .client.active import current_session
from .client.attach import client_of
from .exceptions import ConfigurationError, shielded
from .web.body import body_within, finish, finish_async
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
            if scope["type"] in _REQUESTS and self.policy.watches(scope["path"]):
                session = self._session(scope)
                session.enter()
        if session is None:
            await self.app(scope, receive, send)
            return
        try:
            if self.policy.resolvers:
                await self.app(scope, _settling(receive, session), _settling(send, session))
            else:
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
        session = None
        with shielded("begin of request"):
            if self.policy.watches(path_of(environ)):
                session = self._session(environ)
                session.enter()
        if session is None:
            return self.app(environ, start_response)
        try:
            body = self.app(environ, _noting(start_response, session))
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


def _noting(start_response: StartResponse, session: RequestSession) -> StartResponse:
    """Return a ``start_response`` that notes the error of which the application makes a page."""

    def begin(*given: Any, **more: Any) -> Any:
        exc_info = given[2] if len(given) > 2 else more.get("exc_info")
        if exc_info:
            session.failure = exc_info[1]
        return start_response(*given, **more)

    return begin


def _file_wrapper(environ: Environ) -> type | None:
    """Return the class by which the server knows files that it sends by itself."""
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper if isinstance(wrapper, type) else None


def _connection_class() -> type:
    try:
        from starlette.requests import HTTPConnection
    except ImportError as error:
        raise ConfigurationError(
            "Resolvers get Starlette's HTTPConnection: pip install starlette, or leave the resolvers out."
        ) from error
    return HTTPConnection
