"""Who is there: a name is enough here, where a real application asks for more."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, login_user, logout_user  # type: ignore[import-untyped]

from example_apps.flask_chat.extensions import login

blueprint = Blueprint("people", __name__)


class Person(UserMixin):  # type: ignore[misc]  # its package carries no types
    """Somebody by name."""

    def __init__(self, name: str) -> None:
        self.id = name


@login.user_loader  # type: ignore[untyped-decorator]
def load(name: str) -> Person:
    """Return the person whose name is in the session."""
    return Person(name)


@blueprint.get("/login")
def door() -> str:
    """Ask for a name."""
    return render_template("login.html")


@blueprint.post("/login")
def enter() -> ResponseReturnValue:
    """Let a person in."""
    login_user(Person(request.form["name"].strip() or "guest"))
    return redirect(url_for("chat.page"))


@blueprint.post("/logout")
def leave() -> ResponseReturnValue:
    """Let a person out."""
    logout_user()
    return redirect(url_for("people.door"))
