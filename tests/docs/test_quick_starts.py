"""The quick starts, followed as a newcomer does: in an empty folder, with what the pages say and nothing else."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from tests.conftest import Serve
from tests.fakes.collector import Collector
from tests.fakes.openai_server import TEXT, OpenAIServer

from .blocks import PAGES, ROOT, blocks_of

ANALYTICS = "http://127.0.0.1:8320"
Follow: TypeAlias = Callable[[Path, str], list[str]]  # writes what a page says, returns how to serve it


def programs(page: str) -> list[str]:
    return [block.code for block in blocks_of(ROOT / "docs" / page)]


def app_programs(page: str) -> list[str]:
    return [block.code for block in blocks_of(ROOT / "docs" / page) if block.mark == "app"]


def fastapi(folder: Path, _events_go_to: str) -> list[str]:
    (folder / "app.py").write_text(app_programs("fastapi.md")[0])
    return ["uvicorn", "app:app", "--port", "{port}"]


def fastapi_with_thumbs(folder: Path, _events_go_to: str) -> list[str]:
    (folder / "app.py").write_text(app_programs("fastapi.md")[1])
    return ["uvicorn", "app:app", "--port", "{port}"]


def flask(folder: Path, events_go_to: str) -> list[str]:
    program = programs("flask.md")[0]
    assert ANALYTICS in program
    (folder / "app.py").write_text(program.replace(ANALYTICS, events_go_to))
    return ["flask", "run", "--port", "{port}"]


def django(folder: Path, _events_go_to: str) -> list[str]:
    lines, urls = programs("django.md")[:2]
    subprocess.run([sys.executable, "-m", "django", "startproject", "mysite", "."], cwd=folder, check=True)
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=folder, check=True)
    settings = folder / "mysite/settings.py"
    text = settings.read_text()
    for name, line in re.findall(r"^(\w+) = \[\n( +.*\n) +\.\.\.,", lines, re.MULTILINE):
        text = text.replace(f"{name} = [\n", f"{name} = [\n{line}")
    assert text.count("amplitude_ai_integrations") == 2
    settings.write_text(text + lines[lines.index("\nAMPLITUDE_AI = ") :])
    (folder / "mysite/urls.py").write_text(urls)
    return [
        "django",
        "runserver",
        "--noreload",
        "{port}",
        "--settings",
        "mysite.settings",
        "--pythonpath",
        ".",
    ]


def wsgi(folder: Path, _events_go_to: str) -> list[str]:
    (folder / "app.py").write_text(app_programs("wsgi.md")[0])
    return ["waitress", "--listen=127.0.0.1:{port}", "app:application"]


ASK = {
    fastapi: lambda url: httpx.post(f"{url}/chat", json={"text": "What is retention?"}),
    flask: lambda url: httpx.post(f"{url}/chat", content="What is retention?"),
    django: lambda url: httpx.get(f"{url}/chat", params={"q": "What is retention?"}),
    wsgi: lambda url: httpx.post(url, content="What is retention?"),
}
AGENTS = {fastapi: "guide", flask: "support-bot", django: "travel-guide", wsgi: "support-bot"}


@contextmanager
def serving(command: list[str], folder: Path, settings: dict[str, str]) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", *(part.format(port=port) for part in command)],
        cwd=folder,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def followed(follow: Follow, folder: Path, serve: Serve) -> Iterator[tuple[str, Collector]]:
    """Serve what a page tells to write; give its address, and where its events arrive."""
    collector, model = Collector(), OpenAIServer()
    events_go_to = serve(collector.app)
    settings = {
        "AMPLITUDE_AI_SERVER_URL": events_go_to,
        "OPENAI_BASE_URL": model.url,
        "OPENAI_API_KEY": "k",
    }
    try:
        with serving(follow(folder, events_go_to), folder, settings) as url:
            yield url, collector
    finally:
        model.stop()


def arrived(collector: Collector, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Wait for so many events while the server runs; return the kind and the properties of each."""
    deadline = time.monotonic() + 10
    while len(collector.events) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return [
        (event["event_type"].removeprefix("[Agent] "), event["event_properties"])
        for event in collector.events
    ]


@pytest.mark.parametrize("follow", ASK, ids=lambda follow: follow.__name__)
def test_a_newcomer_sees_a_session(follow: Follow, tmp_path: Path, serve: Serve) -> None:
    with followed(follow, tmp_path, serve) as (url, collector):
        assert ASK[follow](url).status_code == 200
        seen = arrived(collector, 3)
    assert [kind for kind, _ in seen] == ["User Message", "AI Response", "Session End"]
    assert {properties["[Agent] Agent ID"] for _, properties in seen} == {AGENTS[follow]}


def test_a_thumb_scores_a_streamed_answer(tmp_path: Path, serve: Serve) -> None:
    headers = {"x-demo": "user-42", "x-conversation-id": "conversation-1"}
    with followed(fastapi_with_thumbs, tmp_path, serve) as (url, collector):
        answer = httpx.post(f"{url}/chat", params={"text": "What is retention?"}, headers=headers)
        thumb = {"reply_id": answer.headers["x-reply-id"], "liked": True}
        assert httpx.post(f"{url}/feedback", params=thumb, headers=headers).status_code == 200
        seen = arrived(collector, 3)
    assert answer.text == TEXT
    assert [kind for kind, _ in seen] == ["User Message", "AI Response", "Score"]
    assert {properties["[Agent] Session ID"] for _, properties in seen} == {"conversation-1"}
    answered, score = seen[1][1], seen[2][1]
    assert answered["[Agent] Message ID"] == score["[Agent] Target ID"] == thumb["reply_id"]


def test_every_application_of_the_pages_is_followed() -> None:
    apps = [block.code for page in PAGES for block in blocks_of(page) if block.mark == "app"]
    assert apps == [*app_programs("fastapi.md"), *app_programs("wsgi.md")]
    assert [len(app_programs("fastapi.md")), len(app_programs("wsgi.md"))] == [2, 1]
