"""Applications without a line of ours are found, with the line to add; those that have one are left alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from amplitude_ai_integrations import MockAmplitudeAI
from amplitude_ai_integrations.diagnostics import examine

from .conftest import Examined, Project

ADD = "app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai)"
FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"
IMPORTS = "from amplitude_ai_integrations import AmplitudeAI\n"
ASGI = IMPORTS + "from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware\n"
FULL = "amplitude_ai=ai, agent_id='guide', user_id_resolver=who, session_id_resolver=which"
NO_AGENT = "No agent_id is given anywhere: events do not say which agent spoke."
MADE = "ai = AmplitudeAI()"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("FastAPI", FASTAPI, ADD),
        ("FastAPI", "import fastapi as f\n\nmine = f.FastAPI()\n", ADD.replace("app.", "mine.")),
        ("Starlette", "from starlette.applications import Starlette\n\napp = Starlette(routes=[])\n", ADD),
        ("Quart", "import quart\n\napp = quart.Quart(__name__)\n", "app.asgi_app = AmplitudeAIMiddleware(app.asgi_app, amplitude_ai=ai)"),
        ("Litestar", "from litestar import Litestar\n\napp: Litestar = Litestar([])\n", "from litestar.middleware import DefineMiddleware\nLitestar(..., middleware=[DefineMiddleware(AmplitudeAIMiddleware, amplitude_ai=ai)])"),
    ],
)  # fmt: skip
def test_an_asgi_application_without_us_is_a_problem_with_its_line(
    said: Examined, name: str, text: str, line: str
) -> None:
    (found,) = said(app=text)
    assert found.state == "problem"
    assert found.words == f"{name} application without AmplitudeAIMiddleware: its requests have no session."
    assert found.fix.splitlines() == [*ASGI.splitlines(), MADE, *line.splitlines()]
    assert found.place == "app.py:3"


def test_a_flask_application_without_us_is_a_problem_with_its_line(said: Examined) -> None:
    (found,) = said(**{"web/__init__.py": "from flask import Flask\ndef make():\n    app = Flask('web')\n"})
    assert (found.state, found.place) == ("problem", "web/__init__.py:3")
    assert found.fix.splitlines() == [
        "from amplitude_ai_integrations import AmplitudeAI",
        "from amplitude_ai_integrations.flask import AmplitudeAIFlask",
        MADE,
        "AmplitudeAIFlask(app, amplitude_ai=ai)",
    ]


CELERY = "from celery import Celery\nqueue = Celery('jobs')\n"
DRAMATIQ = "from dramatiq.brokers.redis import RedisBroker\nbroker = RedisBroker()\n"


@pytest.mark.parametrize(
    ("text", "name", "home", "line"),
    [
        (CELERY, "AmplitudeAICelery", "celery", "AmplitudeAICelery(queue, amplitude_ai=ai)"),
        (DRAMATIQ, "AmplitudeAIDramatiq", "dramatiq", "broker.add_middleware(AmplitudeAIDramatiq(amplitude_ai=ai))"),
    ],
)  # fmt: skip
def test_a_worker_without_us_is_a_warning_with_its_line(
    said: Examined, text: str, name: str, home: str, line: str
) -> None:
    (found,) = said(jobs=text)
    assert (found.state, found.place) == ("warning", "jobs.py:2")
    imported = f"from amplitude_ai_integrations.workers.{home} import {name}\n"
    assert found.fix == f"{IMPORTS}{imported}{MADE}\n{line}"
    assert [one.state for one in said(jobs=text + found.fix)] == ["ok"]
    by_hand = (
        "from amplitude_ai_integrations.workers import carry_on\ndef job():\n    with carry_on(x): ...\n"
    )
    assert [one.state for one in said(jobs=text + by_hand)] == ["ok"]


def test_the_line_uses_the_client_there_is(said: Examined) -> None:
    found = said(app=IMPORTS + FASTAPI + "\nanalytics = AmplitudeAI()\n")
    assert (
        found[0].fix.splitlines()[-1] == "app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=analytics)"
    )
    assert len(found[0].fix.splitlines()) == 2
    kept = said(
        app=IMPORTS + FASTAPI + "class Service:\n    def __init__(self):\n        self.ai = AmplitudeAI()\n"
    )
    assert kept[0].fix.splitlines()[-2:] == [
        f"{MADE}   # once, above all that uses it, also for the one in app.py:7",
        ADD,
    ]


@pytest.mark.parametrize(
    "line",
    [
        f"app.add_middleware(AmplitudeAIMiddleware, {FULL})",
        f"app = AmplitudeAIMiddleware(app, {FULL})",
        f"middleware = [Middleware(AmplitudeAIMiddleware, {FULL})]",
        "class Mine(AmplitudeAIMiddleware): ...",
        "options = {}\napp.add_middleware(AmplitudeAIMiddleware, **options)",
    ],
)
def test_every_way_to_add_the_middleware_counts(said: Examined, line: str) -> None:
    found = said(app=FASTAPI + ASGI + f"ai = AmplitudeAI()\n{line}\n")
    assert [(one.state, one.words) for one in found] == [
        ("ok", "FastAPI: AmplitudeAIMiddleware stands around the requests.")
    ]


def test_the_line_may_stand_in_another_file_under_another_name(said: Examined) -> None:
    wiring = f"from amplitude_ai_integrations import middleware as m\ndef wire(app):\n    app.add_middleware(m.AmplitudeAIMiddleware, {FULL})\n"
    assert [one.state for one in said(app=FASTAPI, **{"core/wiring.py": wiring})] == ["ok"]
    wiring = f"from ..ours import AmplitudeAIMiddleware as Line\ndef wire(app):\n    app.add_middleware(Line, {FULL})\n# amplitude\n"
    assert [one.state for one in said(app=FASTAPI, **{"core/wiring.py": wiring})] == ["ok"]


def test_an_import_alone_is_no_line(said: Examined) -> None:
    assert [one.state for one in said(app=FASTAPI + ASGI)] == ["problem"]


@pytest.mark.parametrize(
    "text",
    [
        f"import flask\nfrom amplitude_ai_integrations.flask import AmplitudeAIFlask\napp = flask.Flask(__name__)\nAmplitudeAIFlask(app, {FULL})\n",
        "import flask\nfrom amplitude_ai_integrations.flask import AmplitudeAIFlask\next = AmplitudeAIFlask(agent_id='a', user_id_resolver=f, session_id_resolver=g)\napp = flask.Flask(__name__)\next.init_app(app)\n",
        f"import flask\nfrom amplitude_ai_integrations.middleware import AmplitudeAIWSGIMiddleware\napp = flask.Flask(__name__)\napp.wsgi_app = AmplitudeAIWSGIMiddleware(app.wsgi_app, {FULL})\n",
    ],
)  # fmt: skip
def test_a_flask_application_with_us_is_in_order(said: Examined, text: str) -> None:
    assert [one.state for one in said(app=text)] == ["ok"]


def test_sessions_opened_by_hand_do_without_the_middleware(said: Examined) -> None:
    found = said(
        app=FASTAPI + IMPORTS + "agent = AmplitudeAI().agent('a')\n"
        "@app.post('/')\ndef talk():\n    with agent.session(user_id='u') as s: ...\n"
    )
    assert [(one.state, one.place) for one in found] == [("hint", "app.py:3"), ("ok", "app.py:8")]


def test_a_database_session_is_no_session_of_ours(said: Examined) -> None:
    found = said(
        app=FASTAPI + IMPORTS + "@app.get('/')\ndef talk():\n    with db.session(bind=engine) as s: ...\n"
    )
    assert [one.state for one in found] == ["problem"]


def test_what_is_missing_of_a_request_is_hinted_at(said: Examined) -> None:
    text = FASTAPI + ASGI + "app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=AmplitudeAI())\n"
    found = said(app=text)
    assert [(one.state, one.words) for one in found[1:]] == [
        ("hint", "AmplitudeAIMiddleware has no session_id_resolver: each request is a session of its own."),
        ("hint", "AmplitudeAIMiddleware has no user_id_resolver: events have no user."),
        ("hint", NO_AGENT),
    ]
    assert {one.place for one in found} == {"app.py:6"}


def test_a_door_that_is_asked_itself_knows_that_better(project: Project) -> None:
    text = FASTAPI + ASGI + "app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=AmplitudeAI())\n"
    found = examine(project(app=text), live=False, ai=MockAmplitudeAI())
    assert [one.words for one in found if one.topic == "project"][1:] == [NO_AGENT]


def test_a_service_that_follows_others_takes_their_sessions(said: Examined) -> None:
    text = FASTAPI + ASGI + "ai = AmplitudeAI(config=AIConfig(propagate_context=True))\n"
    found = said(app=text + "app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai)\n")
    assert [one.words for one in found if one.state == "hint"] == [
        "AmplitudeAIMiddleware has no user_id_resolver: events have no user.",
        NO_AGENT,
    ]


def test_an_application_without_a_framework_may_have_a_line(said: Examined) -> None:
    text = f"from amplitude_ai_integrations.middleware import AmplitudeAIWSGIMiddleware\napp = AmplitudeAIWSGIMiddleware(mine, {FULL})\n"
    assert [(one.state, one.words, one.place) for one in said(app=text)] == [
        ("ok", "AmplitudeAIWSGIMiddleware stands around the requests.", "app.py:2")
    ]
    hint = said(app=text.replace(FULL, "amplitude_ai=ai, agent_id='guide'"))[1]
    assert hint.fix == "session_id_resolver=lambda environ: environ.get('HTTP_X_CONVERSATION_ID')"


def test_flask_login_knows_the_user_and_settings_name_the_session(said: Examined) -> None:
    text = (
        "import flask, flask_login\nfrom amplitude_ai_integrations.flask import AmplitudeAIFlask\n"
        "app = flask.Flask(__name__)\nAmplitudeAIFlask(app, agent_id='guide')\n"
    )
    assert [one.words for one in said(app=text)[1:]] == [
        "AmplitudeAIFlask has no session_id_resolver: each request is a session of its own."
    ]
    config = "AMPLITUDE_AI_SESSION_ID_RESOLVER = 'web.users.conversation'\n"
    assert [one.state for one in said(app=text, config=config)] == ["ok"]


def test_the_same_line_of_another_package_is_told_apart(said: Examined) -> None:
    text = (
        FASTAPI
        + f"from amplitude_ai.middleware import AmplitudeAIMiddleware\napp.add_middleware(AmplitudeAIMiddleware, {FULL})\n"
    )
    assert [(one.state, one.place) for one in said(app=text)] == [
        ("problem", "app.py:3"),
        ("warning", "app.py:5"),
    ]


SETTINGS = """# SESSION_ID_RESOLVER, AGENT_ID
INSTALLED_APPS = ["django.contrib.auth", {app}]
MIDDLEWARE = [
    {line}
    "django.middleware.common.CommonMiddleware",
]
"""
APP, LINE = '"amplitude_ai_integrations.django"', '"amplitude_ai_integrations.django.AmplitudeAIMiddleware",'


@pytest.mark.parametrize(
    ("app", "line", "expected"),
    [
        ("", "", [("problem", 3), ("warning", 2)]),
        (APP, "", [("problem", 3)]),
        ("", LINE, [("ok", 4), ("warning", 2)]),
        (APP, LINE, [("ok", 4)]),
        (APP, LINE * 2, [("ok", 4), ("problem", 4)]),
    ],
)
def test_django_settings_name_us_once(
    said: Examined, app: str, line: str, expected: list[tuple[str, int]]
) -> None:
    found = said(**{"site/settings.py": SETTINGS.format(app=app, line=line)})
    assert [(one.state, one.place) for one in found if one.place] == [
        (state, f"site/settings.py:{number}") for state, number in expected
    ]
    asked = [one.fix for one in found if not one.place]
    assert asked == (["python manage.py amplitude_ai doctor   # also checks the values"] if app else [])


def test_django_settings_may_be_spread_over_files(said: Examined) -> None:
    rest = f"from .base import *\nMIDDLEWARE.insert(0, {LINE})\nINSTALLED_APPS += [{APP}]\n"
    found = said(**{"site/base.py": SETTINGS.format(app="", line=""), "site/live.py": rest})
    assert [(one.state, one.place) for one in found if one.place] == [("ok", "site/live.py:2")]


def test_django_settings_without_conversations_are_hinted_at(said: Examined) -> None:
    settings = SETTINGS.format(app=APP, line=LINE).replace("SESSION_ID_RESOLVER", "")
    hint = said(settings=settings)[1]
    assert (hint.state, hint.words, hint.place) == (
        "hint",
        "Django: there is no SESSION_ID_RESOLVER: each request is a session of its own.",
        "settings.py:4",
    )
    own = 'AMPLITUDE_AI = {"SESSION_ID_RESOLVER": "site.chat.conversation"}'
    assert [one.state for one in said(settings=settings + own) if one.place] == ["ok"]


def test_an_agent_is_named_in_one_place_or_another(said: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    unnamed = FULL.replace("agent_id='guide', ", "")
    text = f"{FASTAPI}{ASGI}ai = AmplitudeAI()\napp.add_middleware(AmplitudeAIMiddleware, {unnamed})\n"
    (_, hint) = said(app=text)
    assert (hint.words, hint.fix) == (NO_AGENT, 'agent_id="my-agent", beside amplitude_ai=')
    named = [
        "guide = ai.agent('guide')",
        "AMPLITUDE_AI_AGENT_ID = 'guide'",
        "options = {'agent_id': 'guide'}",
    ]
    for line in named:
        assert [one.state for one in said(app=f"{text}{line}\n")] == ["ok"]
    django = SETTINGS.format(app=APP, line=LINE).replace(", AGENT_ID", "")
    assert said(app="", settings=django)[-1].fix == 'AMPLITUDE_AI = {"AGENT_ID": "my-agent", ...}'
    other = MANAGE.format(name="shop.settings")
    unused = said(**{"settings.py": django, "manage.py": other, "shop/settings.py": "MIDDLEWARE = []\n"})
    assert "events do not say" not in str([one for one in unused if one.place.startswith("settings.py")])
    monkeypatch.setenv("FLASK_AMPLITUDE_AI_AGENT_ID", "guide")
    assert NO_AGENT not in [one.words for one in said(app=text)]


MANAGE = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', '{name}')\n"


@pytest.mark.parametrize(
    ("programs", "variable", "expected"),
    [
        ({"manage.py": "site.settings"}, "", [("problem", "site/settings.py:3")]),
        ({"manage.py": "site.live"}, "", [("ok", "site/s2.py:4")]),
        ({"manage.py": "site.settings"}, "site.live", [("ok", "site/s2.py:4")]),
        ({"manage.py": "site.live"}, "site.settings", [("problem", "site/settings.py:3")]),
        ({"manage.py": "site.live", "site/wsgi.py": "site.settings"}, "", [("ok", "site/s2.py:4"), ("problem", "site/settings.py:3")]),
        ({"site/asgi.py": "site.settings"}, "", [("problem", "site/settings.py:3")]),
        ({"manage.py": "somewhere.else"}, "", [("ok", "site/s2.py:4")]),
        ({}, "", [("ok", "site/s2.py:4")]),
    ],
)  # fmt: skip
def test_the_settings_that_django_runs_with_are_judged(
    said: Examined,
    monkeypatch: pytest.MonkeyPatch,
    programs: dict[str, str],
    variable: str,
    expected: list[tuple[str, str]],
) -> None:
    if variable:
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", variable)
    files = {
        "site/settings.py": SETTINGS.format(app=APP, line=""),
        "site/s2.py": SETTINGS.format(app=APP, line=LINE),
        "site/live.py": "from .s2 import *\n",
        **{path: MANAGE.format(name=name) for path, name in programs.items()},
    }
    assert [(one.state, one.place) for one in said(**files) if one.place] == expected


def test_a_subscript_names_the_settings_too(said: Examined) -> None:
    files = {
        "settings.py": SETTINGS.format(app=APP, line=""),
        "s2.py": SETTINGS.format(app=APP, line=LINE),
        "manage.py": "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n",
    }
    assert [one.place for one in said(**files) if one.state == "problem"] == ["settings.py:3"]


def test_each_line_that_is_told_works(said: Examined, project: Project) -> None:
    """What the doctor tells to add is added, found, and runs with the real framework."""
    texts = [
        FASTAPI,
        CELERY,
        DRAMATIQ.replace("redis", "stub").replace("Redis", "Stub"),
        "from starlette.applications import Starlette\napp = Starlette(routes=[])\n",
        "import quart\napp = quart.Quart(__name__)\n",
        "import flask\napp = flask.Flask(__name__)\n",
    ]
    for number, text in enumerate(texts):
        (found,) = said(app=text)
        (state, *_) = (one.state for one in said(app=f"{text}{found.fix}\n"))
        assert state == "ok"
        (project() / "app.py").rename(project() / f"program{number}.py.txt")
    program = "import runpy, sys\nfor path in sys.argv[1:]: runpy.run_path(path)"
    words = [sys.executable, "-c", program, *sorted(map(str, project().glob("*.txt")))]
    environment = {**os.environ, "AMPLITUDE_AI_DRY_RUN": "true"}
    run = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert run.stderr == ""
    assert (run.returncode, len(words)) == (0, 3 + len(texts))
