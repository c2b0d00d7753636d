"""Who has signed in, found out without leaving a trace in the request or its session."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any, Final

from .resolving import LateAnswer
from .traces import is_unasked, untouched

_UNKNOWN: Final = object()


def signed_in(request: Any) -> Any:
    """Return the primary key of the user who has signed in, as text.

    Where the handler has not asked for the user yet, the answer waits until it is done: to ask before it
    would cost it the ``Vary: Cookie`` of its response, or a second query. Afterwards a copy of the session
    is asked, so that the request's own counts as untouched.
    """
    user = _known_user(request)
    return LateAnswer(partial(_find, request)) if user is _UNKNOWN else _id_of(user)


def user_of_scope(scope: Any) -> str | None:
    """Return the primary key of the user of a Channels connection, as text."""
    user = scope.get("user")
    return None if is_unasked(user) else _id_of(user)


def _find(request: Any) -> str | None:
    user = _known_user(request)
    if user is not _UNKNOWN:
        return _id_of(user)
    if _is_djangos(request.user):
        return _id_of(_user_of(getattr(request, "session", None)))
    with untouched(request):
        return _id_of(request.user)


def _known_user(request: Any) -> Any:
    """Return the user as far as somebody has asked for it already."""
    user = getattr(request, "user", None)
    if not is_unasked(user):
        return user
    kept = request.__dict__
    return kept.get("_acached_user") or kept.get("_cached_user") or _UNKNOWN


def _is_djangos(user: Any) -> bool:
    """Tell whether it is ``AuthenticationMiddleware`` that would look the user up."""
    look_up = user.__dict__.get("_setupfunc")
    return getattr(look_up, "__module__", None) == "django.contrib.auth.middleware"


def _user_of(session: Any) -> Any:
    if session is None or session.session_key is None:
        return None
    from django.contrib.auth import get_user

    data = session.__dict__.get("_session_cache")
    if data is None:
        data = type(session)(session.session_key).load()
    return get_user(SimpleNamespace(session=_Copy(data)))


class _Copy(dict[str, Any]):
    """A session to read: what is done to it (an outdated one is flushed) the real one does not feel."""

    def flush(self) -> None:
        self.clear()

    def cycle_key(self) -> None:
        pass


def _id_of(user: Any) -> str | None:
    key = getattr(user, "pk", None)
    return str(key) if key is not None and getattr(user, "is_authenticated", False) else None
