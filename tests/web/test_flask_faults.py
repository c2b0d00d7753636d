"""Whatever of ours fails on the way of a request, Flask and its visitor see no difference."""

from __future__ import annotations

from typing import Any

import flask
import pytest

from amplitude_ai_integrations import AmplitudeAI

from .flask_applications import SPEAKING, build
from .flask_login_applications import build_with_login
from .test_wsgi_faults import Later
from .wsgi_faults import harmed_by_faults

pytestmark = [
    pytest.mark.usefixtures("swallowing"),
    pytest.mark.filterwarnings("ignore:Assigning a code object"),  # a function's in a coroutine's place
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),  # it was to be, by what raises
]


def visit(client: Any, path: str) -> tuple[Any, ...]:
    response = client.get(path, buffered=True)
    response.close()
    # A file comes with the time of day, which goes on.
    headers = [(name, value) for name, value in response.headers if name != "Date"]
    return (response.status, headers, response.data)


@pytest.mark.parametrize("path", [*SPEAKING, "/raising-before", "/refused", "/silent", "/file"])
def test_a_fault_in_any_function_of_ours_changes_no_response(path: str, ai: AmplitudeAI) -> None:
    app = build(
        ai,
        user_id_resolver=lambda _: Later(),
        groups=lambda _: {"theme": flask.session.get("theme", "dark")},
        exclude=["^/none"],
    )
    client = app.test_client()
    harmed, count = harmed_by_faults(lambda: visit(client, path))
    assert harmed == []
    assert count > (60 if path in SPEAKING else 15)


@pytest.mark.parametrize("path", ["/open", "/spoken-first", "/guarded", "/streamed", "/guarded-stream"])
def test_a_fault_while_the_user_is_found_changes_no_response(path: str, ai: AmplitudeAI) -> None:
    app, _ = build_with_login(ai)
    client = app.test_client()
    client.get("/login/ada")
    harmed, count = harmed_by_faults(lambda: visit(client, path))
    assert harmed == []
    assert count > 60
