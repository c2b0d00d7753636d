"""The middleware's options, the same for every door: the user is whom an inner layer has signed in."""

from __future__ import annotations

from typing import Any

from .speech import ai, resolved

AGENT = "concierge"


def asgi_user(connection: Any) -> Any:
    return resolved(connection.headers, connection.scope.get("signed_in"))


def asgi_thread(connection: Any) -> str | None:
    return connection.headers.get("x-thread")  # type: ignore[no-any-return]


ASGI: dict[str, Any] = {
    "amplitude_ai": ai,
    "agent_id": AGENT,
    "user_id_resolver": asgi_user,
    "session_id_resolver": asgi_thread,
}


def wsgi_user(environ: Any) -> Any:
    return resolved({"x-later": environ.get("HTTP_X_LATER")}, environ.get("signed_in"))


def wsgi_thread(environ: Any) -> str | None:
    return environ.get("HTTP_X_THREAD")  # type: ignore[no-any-return]


WSGI: dict[str, Any] = {**ASGI, "user_id_resolver": wsgi_user, "session_id_resolver": wsgi_thread}


def flask_user(request: Any) -> Any:
    from flask import g

    return resolved(request.headers, g.signed_in)


def thread_of(request: Any) -> str | None:
    return request.headers.get("x-thread")  # type: ignore[no-any-return]


FLASK: dict[str, Any] = {**ASGI, "user_id_resolver": flask_user, "session_id_resolver": thread_of}


def django_user(request: Any) -> Any:
    return resolved(request.headers, request.signed_in)


DJANGO: dict[str, Any] = {
    "CLIENT": ai,
    "AGENT_ID": AGENT,
    "USER_ID_RESOLVER": f"{__name__}.django_user",
    "SESSION_ID_RESOLVER": f"{__name__}.thread_of",
}
