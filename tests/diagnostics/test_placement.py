"""A line of ours that never runs, runs with each request or stands there twice is found; others are not."""

from __future__ import annotations

import pytest

from .conftest import Examined

HEAD = """import uvicorn
from fastapi import FastAPI
from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware

ai = AmplitudeAI()
app = FastAPI()
"""
ADD = "app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, user_id_resolver=f, session_id_resolver=g)"
FLASK = """from flask import Flask
from amplitude_ai_integrations.flask import AmplitudeAIFlask
app = Flask(__name__)
"""
EXTEND = "AmplitudeAIFlask(app, user_id_resolver=f, session_id_resolver=g)"


def problems(said: Examined, text: str) -> list[tuple[str, str]]:
    return [(one.words, one.place) for one in said(app=text) if one.state == "problem"]


@pytest.mark.parametrize(
    ("text", "server", "place"),
    [
        (f"{HEAD}uvicorn.run(app)\n{ADD}\n", 8, 9),
        (f"{HEAD}uvicorn.run('app:app')\n{ADD}\n", 8, 9),
        (f"{HEAD}if __name__ == '__main__':\n    uvicorn.run(app)\n    {ADD}\n", 9, 10),
        (f"{HEAD}if __name__ == '__main__':\n    uvicorn.run(app)\n{ADD}\n", 9, 10),
        (f"{HEAD}def main():\n    uvicorn.run(app)\n    if app:\n        {ADD}\n", 9, 11),
        (f"{FLASK}app.run(debug=True)\n{EXTEND}\n", 4, 5),
        (f"{FLASK}from waitress import serve\nserve(app, port=80)\n{EXTEND}\n", 5, 6),
        (f"{FLASK}from wsgiref.simple_server import make_server\nserver = make_server('', 0, app)\nserver.serve_forever()\n{EXTEND}\n", 6, 7),
    ],
)  # fmt: skip
def test_a_line_after_the_server_never_runs(said: Examined, text: str, server: int, place: int) -> None:
    ((words, where),) = problems(said, text)
    assert f"comes after app.py:{server}, which returns only when the server stops." in words
    assert where == f"app.py:{place}"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}{ADD}\nuvicorn.run(app)\n",
        f"{HEAD}if __name__ == '__main__':\n    uvicorn.run('app:app')\n{ADD}\n",  # imported once more
        f"{HEAD}uvicorn.run(app)\ndef wire():\n    {ADD}\n",  # who knows when it is called
        f"{HEAD}def serve():\n    uvicorn.run(app)\n{ADD}\nserve()\n",
        f"{HEAD}if debugging:\n    uvicorn.run(app)\nelse:\n    {ADD}\n",
        f"{HEAD}import subprocess\nsubprocess.run(['ls'])\n{ADD}\n",
        f"{FLASK}{EXTEND}\nif __name__ == '__main__':\n    app.run()\n",
    ],
)
def test_a_line_before_the_server_is_in_order(said: Examined, text: str) -> None:
    assert problems(said, text) == []


@pytest.mark.parametrize(
    "around",
    [
        "@app.get('/')\nasync def page():\n",
        "@app.post('/chat', tags=['x'])\ndef page():\n",
        "@app.on_event('startup')\ndef page():\n",
        "@app.middleware('http')\nasync def page(request, call_next):\n",
    ],
)
def test_a_line_in_a_handler_comes_too_late(said: Examined, around: str) -> None:
    assert problems(said, f"{HEAD}{around}    {ADD}\n") == [
        ("AmplitudeAIMiddleware is added in page(), after the application has started.", "app.py:10")
    ]


def test_a_line_in_a_factory_is_in_order(said: Examined) -> None:
    text = f"{HEAD}@cache\ndef make():\n    {ADD}\n    @app.get('/')\n    def page(): ...\n    return app\n"
    assert problems(said, text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"{HEAD}{ADD}\n{ADD}\n", 9),
        (f"{HEAD}app2 = AmplitudeAIMiddleware(app, amplitude_ai=ai)\napp2 = AmplitudeAIMiddleware(app, amplitude_ai=ai)\n", 9),
        (f"{HEAD}layers = [Middleware(AmplitudeAIMiddleware, amplitude_ai=ai), Middleware(AmplitudeAIMiddleware, amplitude_ai=ai)]\n", 8),
        (f"{FLASK}{EXTEND}\n{EXTEND}\n", 5),
    ],
)  # fmt: skip
def test_a_line_that_is_there_twice_is_said(said: Examined, text: str, place: int) -> None:
    ((words, where),) = problems(said, text)
    assert "is there twice; the other is in line" in words
    assert where == f"app.py:{place}"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}if one:\n    {ADD}\nelse:\n    {ADD}\n",
        f"{HEAD}other = FastAPI()\n{ADD}\n{ADD.replace('app.', 'other.')}\n",
        f"{HEAD}def a(app):\n    {ADD}\ndef b(app):\n    {ADD}\n",
        f"{HEAD}assert AmplitudeAIMiddleware\nassert AmplitudeAIMiddleware\n",
        f"{FLASK}other = Flask('o')\n{EXTEND}\nAmplitudeAIFlask(other)\n",
    ],
)
def test_one_line_for_each_application_is_in_order(said: Examined, text: str) -> None:
    assert problems(said, text) == []
