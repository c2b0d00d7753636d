"""The WSGI example through its HTTP interface: the events of its conversation, and its demo."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import httpx2
import pytest

from amplitude_ai_integrations.context.identity import device_for
from example_apps import serving
from example_apps.fastapi_chat.processes import Child, DemoError, choose_port
from example_apps.fastapi_chat.scripted_model import scripted_model
from example_apps.fastapi_chat.scripted_replies import PACKING, SIGHTS
from example_apps.wsgi_plain import demo
from tests.conftest import Serve, running
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
def app(
    receiving: tuple[Collector, str], model_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    """The module as a server imports it: configured by its environment alone."""
    monkeypatch.setenv("OPENAI_API_KEY", "scripted")
    monkeypatch.setenv("OPENAI_BASE_URL", model_url)
    monkeypatch.setenv("AMPLITUDE_AI_SERVER_URL", receiving[1])
    monkeypatch.delenv("OPENAI_MODEL", raising=False)
    monkeypatch.delitem(sys.modules, "example_apps.wsgi_plain.app", raising=False)
    module = importlib.import_module("example_apps.wsgi_plain.app")
    yield module
    module.client.close()
    module.ai.shutdown()


@pytest.fixture
def browser(app: ModuleType) -> Iterator[httpx2.Client]:
    host = Host()
    host.app = app.application
    with on_wsgiref(host) as (url, _), httpx2.Client(base_url=url, trust_env=False) as browser:
        yield browser


class TestChat:
    def test_an_answer_is_streamed(self, browser: httpx2.Client) -> None:
        response = browser.post("/", content=demo.SEE)
        assert (response.text, response.headers["content-type"]) == (SIGHTS, "text/plain; charset=utf-8")

    def test_a_get_is_told_what_to_do(self, browser: httpx2.Client) -> None:
        response = browser.get("/")
        assert (response.status_code, response.text) == (405, "POST a question, as plain text.\n")

    def test_a_conversation_is_these_events_and_no_others(
        self, browser: httpx2.Client, app: ModuleType, collector: Collector
    ) -> None:
        thread = demo.hold(browser)
        app.ai.flush().result(timeout=5)
        who = {"Session ID": thread, "device_id": device_for(thread)}
        expected = [
            *exchange(1, demo.SEE, SIGHTS, (46, 74), **who),
            *exchange(2, demo.PACK, PACKING, (47, 47), **who),
        ]
        assert settled(collector.events) == expected


class TestDemo:
    def test_the_module_it_starts_serves_the_application(self, tmp_path: Path) -> None:
        port = choose_port(0, "the application")
        env = {**os.environ, "OPENAI_API_KEY": "k", "AMPLITUDE_AI_SERVER_URL": "http://127.0.0.1:9"}
        url, log = f"http://127.0.0.1:{port}", tmp_path / "log"
        with Child("The application", *demo.APPLICATION.command(port), url=url, env=env, log=log) as child:
            child.wait_until_it_answers()
            assert httpx2.get(url, trust_env=False).status_code == 405

    def test_it_needs_tracking(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["demo", "--once"])
        monkeypatch.setattr(serving.signal, "signal", lambda *_: None)
        monkeypatch.setenv("AMPLITUDE_TRACKING_DISABLED", "true")
        assert serving.run(demo.EXAMPLE) == 1
        assert "AMPLITUDE_TRACKING_DISABLED is set" in capsys.readouterr().err

    def test_an_empty_answer_is_no_answer(self, serve: Serve) -> None:
        from starlette.applications import Starlette
        from starlette.responses import Response
        from starlette.routing import Route

        empty = Starlette(routes=[Route("/", lambda _: Response(""), methods=["POST"])])
        with (
            httpx2.Client(base_url=serve(empty), trust_env=False) as browser,
            pytest.raises(DemoError, match="was empty"),
        ):
            demo.hold(browser)
