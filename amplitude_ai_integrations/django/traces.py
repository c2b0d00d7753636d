"""What a question leaves behind in a request, and how to leave nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.utils.functional import LazyObject, empty

_KEPT: Final = ("_acached_user", "_cached_user")


@contextmanager
def untouched(request: Any) -> Iterator[None]:
    """Leave the request as it was: to ask for its user marks the response with ``Vary: Cookie``.

    A user who was looked up here for the first time is forgotten, so that whoever asks next is seen to ask.
    """
    session, user = getattr(request, "session", None), getattr(request, "user", None)
    was_accessed, key = getattr(session, "accessed", True), getattr(session, "session_key", None)
    known = {name for name in _KEPT if hasattr(request, name)}
    was_unasked = is_unasked(user)
    try:
        yield
    finally:
        if not was_accessed and session is not None and not session.modified:
            session.accessed = False
            if session.session_key != key:  # it is not there any more, for which the cookie would be deleted
                session._session_key = key
                session.__dict__.pop("_session_cache", None)
            for name in {*_KEPT} - known:
                request.__dict__.pop(name, None)
            if was_unasked and user is not None:
                user._wrapped = empty


def is_unasked(user: Any) -> bool:
    """Tell whether nobody has asked yet who this is."""
    return issubclass(type(user), LazyObject) and user._wrapped is empty
