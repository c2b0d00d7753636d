"""The user by default: whom Flask-Login has, where the app is set up with it."""

from __future__ import annotations

import sys
from typing import Any

import flask


def logged_in_user(request: flask.Request) -> str | None:
    """Return the ``get_id()`` of Flask-Login's user.

    Nothing is loaded for a visitor who is not logged in, nor where the request's contexts have been torn
    down: there, the id is taken that Flask-Login keeps in the session.
    """
    login: Any = sys.modules.get("flask_login")
    if login is None or not flask.has_request_context() or not hasattr(flask.current_app, "login_manager"):
        return None
    if "_login_user" not in flask.g:
        kept = _kept_id(login, request)
        is_open = request.environ.get("werkzeug.request") is request
        if kept is None or not is_open:
            return kept
    user = login.current_user._get_current_object()
    try:
        return user.get_id() if user.is_authenticated else None
    except Exception:  # noqa: BLE001 - a row of a database session that was closed cannot say it any more
        return _kept_id(login, request)


def _kept_id(login: Any, request: flask.Request) -> str | None:
    """Return the id that Flask-Login has signed, in the session or in the cookie that remembers."""
    own: str | None = flask.session.get("_user_id")
    if own is not None:
        return own
    name = flask.current_app.config.get("REMEMBER_COOKIE_NAME", login.COOKIE_NAME)
    cookie = request.cookies.get(name)
    remembered: str | None = login.decode_cookie(cookie) if cookie else None
    return remembered
