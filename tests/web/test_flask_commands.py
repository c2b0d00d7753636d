"""``flask amplitude-ai``: what the commands print, and whether they succeed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_login
import pytest
from flask import Flask

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.delivery.flush import Counts, FlushResult
from amplitude_ai_integrations.flask import AmplitudeAIFlask


class Sink(MemorySink):
    """Of its events, the last ones do not arrive."""

    def __init__(self, pending: int, dead: int) -> None:
        super().__init__()
        self.rest = (pending, dead)

    def counts(self) -> Counts:
        return Counts(len(self.events) - sum(self.rest), *self.rest)

    def flush(self) -> FlushResult:
        return FlushResult([], self.counts)


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["amplitude-ai", *words])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("pending", "dead", "code", "words"),
    [
        (0, 0, 0, "3 delivered, 0 pending, 0 dead\n"),
        (1, 0, 1, "2 delivered, 1 pending, 0 dead\n"),
        (0, 2, 1, "1 delivered, 0 pending, 2 dead\n"),
    ],
)
def test_flush_says_what_became_of_the_events(pending: int, dead: int, code: int, words: str) -> None:
    ai = AmplitudeAI(sink=Sink(pending, dead))
    app = Flask("shop")
    AmplitudeAIFlask(app, ai)
    for _ in range(3):
        ai.track_user_message(user_id="ada", content="hello")
    assert run(app, "flush", "--timeout", "1") == (code, words)


def test_status_is_that_of_the_apps_client(ai: AmplitudeAI) -> None:
    app = Flask("shop")
    AmplitudeAIFlask(app, ai)
    ai.track_user_message(user_id="ada", content="hello")
    code, said = run(app, "status")
    assert code == 0
    assert "delivered 1, pending 0, dead 0" in said
    assert "content_mode" in said


def test_each_app_answers_for_itself() -> None:
    extension = AmplitudeAIFlask()
    for count in (1, 2):
        ai = AmplitudeAI(sink=MemorySink())
        app = Flask(f"app-{count}")
        extension.init_app(app, ai)
        for _ in range(count):
            ai.track_user_message(user_id="ada", content="hello")
        assert f"delivered {count}, pending 0, dead 0" in run(app, "status")[1]


class TestDoctor:
    def doctor(self, tmp_path: Path, app: Flask, *words: str) -> tuple[int, list[str]]:
        code, said = run(app, "doctor", str(tmp_path), *words)
        return code, [" ".join(line.split()) for line in said.splitlines()]

    def test_it_says_what_the_apps_settings_leave_open(self, tmp_path: Path, ai: AmplitudeAI) -> None:
        app = Flask("shop")
        AmplitudeAIFlask(app, ai)
        code, said = self.doctor(tmp_path, app, "--no-mock-check")
        text = "\n".join(said)
        assert code == 0
        assert "AmplitudeAIFlask stands around the app 'shop'." in text
        assert "Nothing tells who the user is" in text
        assert "Nothing tells which conversation a request belongs to" in text

    @pytest.mark.parametrize("way", ["resolver", "flask-login"])
    def test_it_is_content_where_users_and_conversations_are_known(
        self, tmp_path: Path, ai: AmplitudeAI, way: str
    ) -> None:
        app = Flask("shop")
        options: dict[str, Any] = {"session_id_resolver": lambda _: "thread"}
        if way == "resolver":
            options["user_id_resolver"] = lambda _: "ada"
        else:
            flask_login.LoginManager(app)
        AmplitudeAIFlask(app, ai, **options)
        _, said = self.doctor(tmp_path, app, "--no-mock-check")
        assert "Nothing tells" not in "\n".join(said)

    def test_a_problem_makes_it_fail(self, tmp_path: Path, ai: AmplitudeAI) -> None:
        app = Flask("shop")
        AmplitudeAIFlask(app, ai)
        (tmp_path / "bot.py").write_text("from openai import OpenAI\n\nclient = OpenAI()\n")
        assert self.doctor(tmp_path, app, "--no-mock-check")[0] == 1
