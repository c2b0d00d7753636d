"""``flask amplitude-ai doctor``, ``status`` and ``flush``."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import flask
from flask.cli import AppGroup

from .login import logged_in_user

if TYPE_CHECKING:
    from ..diagnostics import Finding

_TOPIC = "flask"

commands = AppGroup("amplitude-ai", help="Agent analytics: check the setup, look at it, deliver events.")


@commands.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--no-mock-check", is_flag=True, help="Make and deliver no event on this machine.")
def doctor(path: Path, no_mock_check: bool) -> None:
    """Find out whether events would be made, and would arrive.

    PATH is the folder of your project, by default this one. The exit status is 1 if there is a problem.
    """
    from ..diagnostics import examine, report
    from ..diagnostics.doctor import has_problem

    state = _state()
    findings = list(examine(path, live=not no_mock_check, more=_about(state), ai=state.client))
    click.echo(report(findings))
    if has_problem(findings):
        raise SystemExit(1)


@commands.command()
def status() -> None:
    """Show what is installed and configured; events are those of this process, not of a running server."""
    from ..diagnostics import status_text

    click.echo(status_text(_state().client))


@commands.command()
@click.option("--timeout", default=10.0, show_default=True, help="Seconds to wait at most.")
def flush(timeout: float) -> None:
    """Deliver what waits in this process, not in a running server; exit status 1: something stays behind."""
    flushing = _state().client.flush()
    with suppress(TimeoutError, FutureTimeoutError):
        flushing.result(timeout)
    click.echo(f"{flushing.delivered} delivered, {flushing.pending} pending, {flushing.dead} dead")
    if flushing.pending or flushing.dead:
        raise SystemExit(1)


def _state() -> Any:
    return flask.current_app.extensions["amplitude_ai"]


def _about(state: Any) -> Iterator[Finding]:
    """Say what the app's own settings make of its requests."""
    from ..diagnostics import Finding

    app = flask.current_app
    yield Finding(_TOPIC, "ok", f"AmplitudeAIFlask stands around the app {app.name!r}.")
    user = state.policy.resolvers.get("user_id")
    if user is None or (user is logged_in_user and not hasattr(app, "login_manager")):
        words = "Nothing tells who the user is: events go under an id of their session."
        fix = "Set AMPLITUDE_AI_USER_ID_RESOLVER to a function of the request, or set Flask-Login up."
        yield Finding(_TOPIC, "hint", words, fix)
    if "session_id" not in state.policy.resolvers:
        words = "Nothing tells which conversation a request belongs to: each is a session of its own."
        fix = "Set AMPLITUDE_AI_SESSION_ID_RESOLVER to a function that returns the conversation's id."
        yield Finding(_TOPIC, "hint", words, fix)
