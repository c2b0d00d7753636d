"""An app with Flask-Login, whose users are loaded from a table that counts its readers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
import flask_login
from flask import Flask, Response, request, stream_with_context

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.flask import AmplitudeAIFlask

from .reading import AGENT


class User(flask_login.UserMixin):
    """A row; like one of a database session that was closed, it may have become unreadable."""

    def __init__(self, user_id: str) -> None:
        self.row: str | None = user_id

    def get_id(self) -> str:
        if self.row is None:
            raise RuntimeError("the row is not attached to a session")
        return self.row


class Table:
    """The users, by id."""

    def __init__(self) -> None:
        self.users = {"ada": True, "grace": True}
        self.read: list[str] = []

    def load(self, user_id: str) -> User | None:
        self.read.append(user_id)
        return User(user_id) if self.users.get(user_id) else None


def build_with_login(ai: AmplitudeAI, *, tracked: bool = True, **options: Any) -> tuple[Flask, Table]:
    """Return the app and its table."""
    app = Flask("login")
    app.secret_key = "k"
    app.logger.disabled = True
    table = Table()
    manager = flask_login.LoginManager(app)
    manager.user_loader(table.load)
    if tracked:
        AmplitudeAIFlask(app, ai, **{"agent_id": AGENT, **options})
    _views(app, ai)
    return app, table


def _views(app: Flask, ai: AmplitudeAI) -> None:
    def speak() -> None:
        ai.track_user_message(content="hello")
        ai.agent().track_ai_message("you said hello", model="gpt-4o-mini", provider="openai", latency_ms=5.0)

    @app.get("/login/<user_id>")
    def login(user_id: str) -> str:
        flask_login.login_user(User(user_id), remember="remember" in request.args)
        return "in"

    @app.get("/logout")
    def logout() -> str:
        flask_login.logout_user()
        speak()
        return "out"

    @app.get("/switch/<user_id>")
    def switch(user_id: str) -> str:
        flask_login.login_user(User(user_id))
        speak()
        return "in"

    @app.get("/open")
    def open_to_all() -> str:
        speak()
        return "done"

    @app.get("/open-async")
    async def open_async() -> str:
        speak()
        return "done"

    @app.get("/guarded")
    @flask_login.login_required
    def guarded() -> str:
        speak()
        return "done"

    @app.get("/spoken-first")
    def spoken_first() -> str:
        speak()
        return str(flask_login.current_user.get_id())

    @app.get("/silent")
    def silent() -> str:
        return "ok"

    def pieces() -> Iterator[str]:
        yield "one "
        speak()
        yield "two"

    @app.get("/streamed")
    def streamed() -> Response:
        return Response(pieces())

    @app.get("/streamed-with-context")
    def streamed_with_context() -> Response:
        return Response(stream_with_context(pieces()))

    @app.get("/guarded-stream")
    @flask_login.login_required
    def guarded_stream() -> Response:
        user = flask_login.current_user._get_current_object()

        @flask.after_this_request
        def closed(response: Response) -> Response:
            user.row = None
            return response

        return Response(pieces())
