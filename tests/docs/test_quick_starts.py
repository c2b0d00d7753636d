"""The quick starts, followed as a newcomer does: in an empty folder, with what the pages say and nothing else."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import Serve
from tests.fakes.collector import Collector
from tests.fakes.openai_server import OpenAIServer

from .blocks import ROOT, blocks_of

ANALYTICS = "http://127.0.0.1:8320"


def programs(page: str) -> list[str]:
    return [block.code for block in blocks_of(ROOT / "docs" / page)]


def fastapi(folder: Path, _events_go_to: str) -> list[str]:
    (folder / "app.py").write_text(programs("fastapi.md")[0])
    return ["uvicorn", "app:app", "--port", "{port}"]


def flask(folder: Path, events_go_to: str) -> list[str]:
    program = programs("flask.md")[0]
    assert ANALYTICS in program
    (folder / "app.py").write_text(program.replace(ANALYTICS, events_go_to))
    return ["flask", "run", "--port", "{port}"]


def django(folder: Path, _events_go_to: str) -> list[str]:
    lines, urls = programs("django.md")[:2]
    subprocess.run([sys.executable, "-m", "django", "startproject", "mysite", "."], cwd=folder, check=True)
    settings = folder / "mysite/settings.py"
    text = settings.read_text()
    for name, line in re.findall(r"^(\w+) = \[\n( +.*\n) +\.\.\.,", lines, re.MULTILINE):
        text = text.replace(f"{name} = [\n", f"{name} = [\n{line}")
    assert text.count("amplitude_ai_integrations") == 2
    settings.write_text(text)
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


ASK = {
    fastapi: lambda url: httpx.post(f"{url}/chat", json={"text": "What is retention?"}),
    flask: lambda url: httpx.post(f"{url}/chat", content="What is retention?"),
    django: lambda url: httpx.get(f"{url}/chat", params={"q": "What is retention?"}),
}


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
        process.send_signal(signal.SIGINT)
        process.wait(20)


@pytest.mark.parametrize("follow", ASK, ids=lambda follow: follow.__name__)
def test_a_newcomer_sees_a_session(follow: object, tmp_path: Path, serve: Serve) -> None:
    collector, model = Collector(), OpenAIServer()
    events_go_to = serve(collector.app)
    settings = {
        "AMPLITUDE_AI_SERVER_URL": events_go_to,
        "OPENAI_BASE_URL": model.url,
        "OPENAI_API_KEY": "k",
    }
    command = follow(tmp_path, events_go_to)  # type: ignore[operator]
    try:
        with serving(command, tmp_path, settings) as url:
            assert ASK[follow](url).status_code == 200  # type: ignore[index]
            deadline = time.monotonic() + 10
            while len(collector.events) < 3 and time.monotonic() < deadline:
                time.sleep(0.05)
    finally:
        model.stop()
    kinds = [event["event_type"].removeprefix("[Agent] ") for event in collector.events]
    assert kinds == ["User Message", "AI Response", "Session End"]
