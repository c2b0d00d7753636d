"""A server that is told to stop delivers what waits: it then ends the process without any of its exit hooks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import Serve
from tests.fakes.collector import Collector

APPLICATION = """
from fastapi import FastAPI
from amplitude_ai_integrations import AmplitudeAI, current_session
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware

app = FastAPI()
app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=AmplitudeAI())

@app.get("/")
async def chat() -> str:
    current_session().track_user_message("hello")
    return "done"
"""
SERVERS = {
    "uvicorn": ["uvicorn", "--log-level", "critical", "--port", "{port}", "app:app"],
    "hypercorn": ["hypercorn", "--log-level", "critical", "--bind", "127.0.0.1:{port}", "app:app"],
    "gunicorn": [
        "gunicorn",
        "--worker-class",
        "uvicorn_worker.UvicornWorker",
        "--bind",
        "127.0.0.1:{port}",
        "app:app",
    ],
}


def is_answered(url: str) -> bool:
    try:
        return httpx.get(url).text == '"done"'
    except httpx.TransportError:  # it is not up yet
        time.sleep(0.05)
        return False


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_that_is_stopped_delivers_what_waits(server: str, tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    collector = Collector()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [part.format(port=port) for part in SERVERS[server]]
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=tmp_path,
        env={**os.environ, "AMPLITUDE_AI_SERVER_URL": serve(collector.app)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        visited = 0
        deadline = time.monotonic() + 30
        while visited < 3 and time.monotonic() < deadline:
            visited += is_answered(f"http://127.0.0.1:{port}/")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    kinds = [event["event_type"].removeprefix("[Agent] ") for event in collector.events]
    assert kinds == ["User Message", "Session End"] * 3
