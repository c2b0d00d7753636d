"""Lines of ours that are there and cannot work are told from those that do."""

from __future__ import annotations

import pytest

from amplitude_ai_integrations.diagnostics.project.arguments import OPTIONS
from amplitude_ai_integrations.web.options import WebOptions

from .conftest import Examined

FASTAPI = """from fastapi import FastAPI
from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware, AmplitudeAIWSGIMiddleware
ai = AmplitudeAI()
app = FastAPI()
"""
FLASK = FASTAPI.replace("fastapi", "flask").replace("FastAPI()", "Flask('shop')").replace("FastAPI", "Flask")
FULL = "agent_id='guide', user_id_resolver=f, session_id_resolver=g"


def problems(said: Examined, text: str) -> list[tuple[str, str, str]]:
    found = said(app=text)
    problems = [(one.words, one.fix, one.place) for one in found if one.state == "problem"]
    assert not problems or "stands around" not in str(found), found
    return problems


def test_the_options_are_those_of_the_doors() -> None:
    assert set(WebOptions.__annotations__) == OPTIONS


@pytest.mark.parametrize(
    ("line", "words", "fix"),
    [
        ("app.middleware('http')(AmplitudeAIMiddleware)", "AmplitudeAIMiddleware is given to app.middleware(), which takes a function.", "app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai)"),
        (f"app.add_middleware(AmplitudeAIMiddleware, ai=ai, {FULL})", "AmplitudeAIMiddleware is not given amplitude_ai=, and has no option ai=.", "amplitude_ai=ai"),
        (f"app.add_middleware(AmplitudeAIMiddleware, {FULL})", "AmplitudeAIMiddleware is not given amplitude_ai=.", "amplitude_ai=ai"),
        (f"app = AmplitudeAIMiddleware(app, {FULL})", "AmplitudeAIMiddleware is not given amplitude_ai=.", "amplitude_ai=ai"),
        (f"app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, userid_resolver=f, {FULL})", "AmplitudeAIMiddleware has no option userid_resolver=.", "user_id_resolver=..."),
    ],
)  # fmt: skip
def test_a_line_that_cannot_run_is_a_problem(said: Examined, line: str, words: str, fix: str) -> None:
    assert problems(said, f"{FASTAPI}{line}\n") == [(words, fix, "app.py:6")]


@pytest.mark.parametrize(
    ("text", "words", "fix"),
    [
        (f"{FASTAPI}app = AmplitudeAIWSGIMiddleware(app, amplitude_ai=ai, {FULL})\n", "AmplitudeAIWSGIMiddleware cannot serve FastAPI, which takes AmplitudeAIMiddleware.", "app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai)"),
        (f"{FLASK}app.wsgi_app = AmplitudeAIMiddleware(app.wsgi_app, amplitude_ai=ai, {FULL})\n", "AmplitudeAIMiddleware cannot serve Flask, which takes AmplitudeAIFlask.", "AmplitudeAIFlask(app, amplitude_ai=ai)"),
    ],
)  # fmt: skip
def test_the_line_of_the_other_kind_is_a_problem(said: Examined, text: str, words: str, fix: str) -> None:
    ((told, lines, place),) = problems(said, text)
    assert (told, lines.splitlines()[-1], place) == (words, fix, "app.py:6")


@pytest.mark.parametrize(
    "text",
    [
        f"{FASTAPI}app.add_middleware(AmplitudeAIMiddleware, **options)\n",
        f"{FASTAPI}app = AmplitudeAIMiddleware(*given)\n",
        f"{FASTAPI}Line = partial(AmplitudeAIMiddleware, {FULL})\napp.add_middleware(Line, amplitude_ai=ai)\n",
        f"{FASTAPI}from mine import AmplitudeAIMiddleware\napp.add_middleware(AmplitudeAIMiddleware, key=1)\n",
        f"{FASTAPI}app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, {FULL})\nother = AmplitudeAIWSGIMiddleware(plain, amplitude_ai=ai)\n",
    ],
)  # fmt: skip
def test_a_line_that_may_be_right_is_left_alone(said: Examined, text: str) -> None:
    assert problems(said, text) == []


def test_a_bridge_takes_the_line_of_the_other_kind(said: Examined) -> None:
    text = f"{FLASK}from asgiref.wsgi import WsgiToAsgi\nserved = AmplitudeAIMiddleware(WsgiToAsgi(app), amplitude_ai=ai, {FULL})\n"
    assert "cannot serve" not in str(said(app=text))


def test_an_extension_and_a_worker_are_told_as_well(said: Examined) -> None:
    flask = f"{FLASK}from amplitude_ai_integrations.flask import AmplitudeAIFlask\nAmplitudeAIFlask(app, ai, agentid='x')\n"
    assert [one[:2] for one in problems(said, flask)] == [
        ("AmplitudeAIFlask has no option agentid=.", "agent_id=...")
    ]
    celery = "from celery import Celery\nfrom amplitude_ai_integrations.workers.celery import AmplitudeAICelery\napp = Celery()\nAmplitudeAICelery(app)\n"
    assert [one[0] for one in problems(said, celery)] == ["AmplitudeAICelery is not given amplitude_ai=."]
