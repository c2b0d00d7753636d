"""The travel guide on Django, as its demo starts it: a process of its own, spoken to over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from example_apps.django_chat import demo
from example_apps.serving import start
from tests.examples.test_fastapi_chat import CONVERSATION, Collector, serving, settled, started_with

ENDED = {**os.environ, "DJANGO_SETTINGS_MODULE": "example_apps.django_chat.settings", "OPENAI_API_KEY": "k"}


@pytest.fixture(scope="module")
def collector() -> Collector:
    return Collector()


@pytest.fixture(scope="module")
def chat_url(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("chat")
    with serving(collector) as events_url, ExitStack() as running:
        settings = started_with(events_url, running)
        yield start(demo.EXAMPLE, running, folder, settings).front.url


def arrived(collector: Collector, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 10
    while len(collector.events) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return collector.events


def test_three_turns_and_a_thumb_are_these_events_and_no_others(
    chat_url: str, collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    with httpx2.Client(base_url=chat_url, trust_env=False, timeout=20) as browser:
        browser.headers["X-Conversation-Id"] = "chat-1"
        demo.hold(browser)
    events = arrived(collector, len(CONVERSATION))
    assert settled(events) == [{**event, "user_id": "1"} for event in CONVERSATION]
    assert capsys.readouterr().out.count("\n") == 3


def test_a_stranger_is_asked_to_sign_in(chat_url: str) -> None:
    with httpx2.Client(base_url=chat_url, trust_env=False) as stranger:
        assert stranger.get("/").headers["location"] == "/login?next=/"
        assert stranger.post("/chat", json={"text": "hello"}).status_code == 403  # without a token


def test_the_pages_files_are_served(chat_url: str) -> None:
    with httpx2.Client(base_url=chat_url, trust_env=False) as stranger:
        page = stranger.get("/login").text
        for name in ("chat.css", "icon.svg"):
            assert f"/static/{name}" in page
            assert stranger.get(f"/static/{name}").status_code == 200


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "django", *words]
    return subprocess.run(
        command, env={**ENDED, **environment}, capture_output=True, text=True, check=False, timeout=30
    )


def test_the_project_passes_its_checks_and_has_its_migrations(tmp_path: Path) -> None:
    where = {"AMPLITUDE_AI_SERVER_URL": "http://127.0.0.1:9", "DATABASE": str(tmp_path / "chat.sqlite3")}
    checked = manage("check", **where)
    assert (checked.stdout, checked.stderr) == ("System check identified no issues (0 silenced).\n", "")
    assert manage("makemigrations", "--check", "--dry-run", **where).stdout == "No changes detected\n"
