"""The command line, in a shell of its own."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "amplitude_ai_integrations"]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=30, check=False)


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("amplitude-ai-integrations 0.1.0")
    assert "analytics" in run().stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nonsense"], "invalid choice"),
        (["analytics", "--port", "many"], "'many' is no port"),
        (["analytics", "--port", "70000"], "'70000' is no port"),
        (["analytics", "--db", "/dev/null/x.db"], "/dev/null/x.db"),
    ],
)
def test_bad_input_gets_one_sentence(words: list[str], sentence: str) -> None:
    answer = run(*words)
    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = run("analytics", "--port", port, "--db", str(tmp_path / "a.db"))
    assert answer.returncode == 2
    assert answer.stderr == f"amplitude-ai: Port {port} is taken. Choose another with --port.\n"


def test_analytics_starts_takes_events_and_ends(tmp_path: Path) -> None:
    database = tmp_path / "events.db"
    words = [*COMMAND, "analytics", "--port", "0", "--db", str(database)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
        assert address
        event = {"event_type": "[Agent] User Message", "user_id": "user-1"}
        event["event_properties"] = {"[Agent] Session ID": "conversation-1"}  # type: ignore[assignment]
        body = json.dumps({"api_key": "local", "events": [event]}).encode()
        post = urllib.request.Request(f"{address[0]}/2/httpapi", body, {"content-type": "application/json"})
        with urllib.request.urlopen(post) as answer:
            assert json.load(answer)["events_ingested"] == 1
        with urllib.request.urlopen(f"{address[0]}/sessions") as page:
            assert "conversation-1"[:9] in page.read().decode()
        assert database.stat().st_mode & 0o777 == 0o600
        server.send_signal(signal.SIGINT)
        _out, problems = server.communicate(timeout=10)
    assert server.returncode == 0
    assert problems == ""
    assert database.exists()
