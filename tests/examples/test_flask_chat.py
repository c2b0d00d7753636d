"""The Flask example through its HTTP interface: people, conversations, the events of one, and its demo."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import httpx2
import openai
import pytest
from flask import Flask

from example_apps import serving
from example_apps.fastapi_chat.scripted_model import scripted_model
from example_apps.fastapi_chat.scripted_replies import PACKING, SIGHTS
from example_apps.flask_chat import chat, demo
from example_apps.flask_chat.app import create_app
from example_apps.flask_chat.extensions import tracking
from tests.conftest import running
from tests.fakes.collector import Collector
from tests.web.wsgi_examples import exchange, settled
from tests.web.wsgi_hosting import Host, on_wsgiref


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with running(scripted_model(seconds_per_word=0)) as url:
        yield f"{url}/v1"


@pytest.fixture(scope="module")
def receiving() -> Iterator[tuple[Collector, str]]:
    collector = Collector()
    with running(collector.app) as url:
        yield collector, url


@pytest.fixture
def collector(receiving: tuple[Collector, str]) -> Collector:
    receiving[0].bodies.clear()
    return receiving[0]


@pytest.fixture
def app(receiving: tuple[Collector, str], model_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application of the factory: configured by its environment alone."""
    monkeypatch.setenv("OPENAI_API_KEY", "scripted")
    monkeypatch.setenv("OPENAI_BASE_URL", model_url)
    monkeypatch.setenv("AMPLITUDE_AI_SERVER_URL", receiving[1])
    monkeypatch.delenv("SECRET_KEY", raising=False)
    chat.conversations.clear()
    app = create_app()
    yield app
    app.extensions["model"].close()
    app.extensions["amplitude_ai"].client.shutdown()


@pytest.fixture
def browser(app: Flask) -> Iterator[httpx2.Client]:
    host = Host()
    host.app = app
    with on_wsgiref(host) as (url, _), httpx2.Client(base_url=url, trust_env=False) as browser:
        yield browser


class TestPeople:
    @pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/conversations/any")])
    def test_a_stranger_is_sent_to_the_door(self, browser: httpx2.Client, method: str, path: str) -> None:
        response = browser.request(method, path)
        assert (response.status_code, response.headers["location"].partition("?")[0]) == (302, "/login")

    def test_whoever_gives_a_name_comes_in_and_may_leave(self, browser: httpx2.Client) -> None:
        assert "Your name" in browser.get("/login").text
        page = browser.post("/login", data={"name": "ada"}, follow_redirects=True)
        assert "<span>ada</span>" in page.text
        browser.post("/logout")
        assert browser.get("/").status_code == 302


class TestChat:
    def conversation(self, browser: httpx2.Client, name: str = "ada") -> str:
        browser.post("/login", data={"name": name})
        return f"/conversations/{browser.post('/conversations').json()['id']}"

    def test_an_answer_is_streamed_and_named(self, browser: httpx2.Client) -> None:
        response = browser.post(self.conversation(browser), content=demo.SEE)
        assert (response.text, response.headers["content-type"]) == (SIGHTS, "text/plain; charset=utf-8")
        assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["x-reply-id"])

    def test_a_conversation_is_remembered_for_its_person_only(self, browser: httpx2.Client) -> None:
        path = self.conversation(browser)
        browser.post(path, content=demo.SEE)
        browser.post("/login", data={"name": "grace"})
        browser.post(path, content=demo.PACK)
        thread = path.rpartition("/")[2]
        assert chat.conversations["ada", thread] == [
            {"role": "user", "content": demo.SEE},
            {"role": "assistant", "content": SIGHTS},
        ]
        assert [one["content"] for one in chat.conversations["grace", thread]] == [demo.PACK, PACKING]

    def test_a_failed_turn_is_said_and_forgotten(self, browser: httpx2.Client, app: Flask) -> None:
        app.logger.disabled = True
        path = self.conversation(browser)
        key = ("ada", path.rpartition("/")[2])
        chat.conversations[key] = [{"role": "robot", "content": "the model server refuses this"}]
        assert browser.post(path, content=demo.SEE).text == "The model did not answer. Ask again."
        assert len(chat.conversations[key]) == 1

    def test_a_conversation_is_these_events_and_no_others(
        self, browser: httpx2.Client, app: Flask, collector: Collector
    ) -> None:
        thread = demo.hold(browser)
        app.extensions["amplitude_ai"].client.flush().result(timeout=5)
        who = {"user_id": "ada", "Session ID": thread}
        thumb = {
            "type": "Score",
            "user_id": "ada",
            "Agent ID": "travel-guide",
            "Session ID": thread,
            "Trace ID": "id-5",
            "Score Name": "user-feedback",
            "Score Value": 1.0,
            "Target ID": "id-6",
            "Target Type": "message",
            "Evaluation Source": "user",
        }
        assert settled(collector.events) == [
            *exchange(1, demo.SEE, SIGHTS, (46, 74), **who),
            *exchange(2, demo.PACK, PACKING, (148, 47), **who),
            thumb,
        ]

    def test_each_application_of_the_factory_has_a_client_of_its_own(self, app: Flask) -> None:
        other = create_app()
        try:
            for one in (app, other):
                with one.app_context():
                    assert tracking.client is one.extensions["amplitude_ai"].client
            assert other.extensions["amplitude_ai"].client is not app.extensions["amplitude_ai"].client
        finally:
            other.extensions["model"].close()
            other.extensions["amplitude_ai"].client.shutdown()


def test_the_demo_holds_its_conversation_and_says_where_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["demo", "--once"])
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(serving.signal, "signal", lambda *_: None)  # the handlers of pytest stay
    monkeypatch.setattr(serving, "APPLICATION_PORT", 0)
    monkeypatch.setattr(serving.demo, "ANALYTICS_PORT", 0)
    assert serving.run(demo.EXAMPLE) == 0
    said = capsys.readouterr().out
    assert f"  {demo.SEE}\n  {demo.PACK}\nIt is in Agent Analytics:\n" in said
    assert re.search(r"http://127\.0\.0\.1:\d+/sessions/[0-9a-f]{32}\n", said)


def test_the_model_client_is_the_vendors(app: Flask) -> None:
    assert isinstance(app.extensions["model"], openai.OpenAI)
