"""Flask's side of one request: its request object, its contexts, its errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final

import flask
from flask.signals import got_request_exception, request_started

from ..exceptions import shielded

if TYPE_CHECKING:
    from ..web.request import RequestSession

VISIT: Final = "amplitude_ai.visit"
_SESSION_FLAGS: Final = ("accessed", "modified")
_USER: Final = "_login_user"  # Flask-Login's, once it has loaded it


class Visit:
    """One request, remembered from where Flask begins with it to the last byte of its body.

    A generator that makes a body runs when Flask's contexts are gone, and a thread never had them. Resolvers
    that are asked there run in a copy of the context in which the request began: it has the request,
    the session and ``g``, and leaving it tears nothing down a second time.
    """

    __slots__ = ("context", "environ", "request", "session")

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.session: RequestSession | None = None
        self.request: flask.Request | None = None
        self.context: Context | None = None

    def begin(self, request: flask.Request) -> None:
        """Remember the request, and the context that is current."""
        self.request = request
        self.context = copy_context()

    def forget(self) -> None:
        """Let go of it all, so that nothing waits for the garbage collector."""
        self.session = self.request = self.context = None
        self.environ.pop(VISIT, None)


def follow(app: flask.Flask) -> None:
    """Learn of the app's requests and of the errors for which it has no handler."""
    request_started.connect(_begin, app)
    got_request_exception.connect(_note, app)


def ask(resolver: Callable[[Any], Any], visit: Visit) -> Any:
    """Ask a resolver where it finds Flask's request, and return its answer, which may be to be awaited."""
    active = _active_request()
    if visit.context is not None and active is not visit.request:
        return visit.context.run(_ask, resolver, visit.request)
    if active is None:  # outside Flask, in a layer around the app
        active = flask.Request(visit.environ, populate_request=False)
    return _ask(resolver, active)


def _ask(resolver: Callable[[Any], Any], request: flask.Request | None) -> Any:
    with _untouched_session():
        answer = resolver(request)
    return _Awaited(answer, copy_context()) if isawaitable(answer) else answer


class _Awaited:
    """An answer that is awaited where Flask's contexts are those of the request, whenever that may be."""

    def __init__(self, answer: Awaitable[Any], context: Context) -> None:
        self._answer = answer
        self._context = context

    def __await__(self) -> Generator[Any, None, Any]:
        return self._context.run(asyncio.ensure_future, self._answer).__await__()


def _active_request() -> flask.Request | None:
    if not flask.has_request_context():
        return None
    request: flask.Request = flask.request._get_current_object()  # type: ignore[attr-defined]
    return request


def _begin(_app: flask.Flask, **_: Any) -> None:
    with shielded("begin of request"):
        request: flask.Request = flask.request._get_current_object()  # type: ignore[attr-defined]
        visit: Visit | None = request.environ.get(VISIT)
        if visit is not None:
            visit.begin(request)


def _note(_app: flask.Flask, exception: BaseException, **_: Any) -> None:
    with shielded("error of request"):
        request = _active_request()
        visit: Visit | None = request.environ.get(VISIT) if request is not None else None
        if visit is not None and visit.session is not None:
            visit.session.failure = exception


@contextmanager
def _untouched_session() -> Iterator[None]:
    """Leave Flask's session as the view has it: one that is read adds ``Vary: Cookie`` to the response.

    So does Flask-Login where it loads a user, and it may change the session too: a user who is loaded here
    is not kept for the view, whose own loading does all that it would do without us.
    """
    session = _open_session()
    if session is None:
        yield
        return
    content = dict(session)
    flags = {name: getattr(session, name) for name in _SESSION_FLAGS if hasattr(session, name)}
    is_loaded = _USER in flask.g
    try:
        yield
    finally:
        with shielded("Flask's session"):
            if dict(session) != content:
                session.clear()
                session.update(content)
            for name, value in flags.items():
                setattr(session, name, value)
            if not is_loaded:
                flask.g.pop(_USER, None)


def _open_session() -> Any:
    """Return the session of the current request, without marking it as read."""
    if not flask.has_request_context():
        return None
    # Until Flask 3.1.2 the context has it as `session`; where the two contexts are one, `app_ctx` is it.
    proxy = vars(flask.globals).get("request_ctx", flask.globals.app_ctx)
    context = vars(proxy._get_current_object())
    return context.get("_session", context.get("session"))
