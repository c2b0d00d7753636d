"""The command line, in a shell of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from amplitude_ai_integrations.cli.main import main

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


@pytest.mark.parametrize("absent", ["uvicorn", "starlette", "jinja2", "markdown_it"])
def test_a_package_that_analytics_needs_is_named_with_its_command(tmp_path: Path, absent: str) -> None:
    program = f"""
import sys
sys.modules[{absent!r}] = None
from amplitude_ai_integrations.cli.main import main
sys.exit(main(["analytics", "--port", "0", "--db", {str(tmp_path / "a.db")!r}]))
"""
    words = [sys.executable, "-c", program]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 2
    assert answer.stderr == (
        f"amplitude-ai: Agent Analytics needs the package {absent}: "
        "pip install 'amplitude-ai-integrations[analytics]'\n"
    )


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


KEY = "0123456789abcdef0123456789ab1234"
FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"


def shell(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a folder, with variables that are no others' of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AMPL", "NO_COLOR"))}
    environment = {**kept, "PYTHONIOENCODING": "utf-8", **variables}
    return subprocess.run(
        [*COMMAND, *words], cwd=folder, env=environment, capture_output=True, timeout=30, check=False
    )


def test_the_doctor_of_a_good_project(tmp_path: Path) -> None:
    answer = shell(tmp_path, "doctor", AMPLITUDE_AI_API_KEY=KEY)
    told = answer.stdout.decode()
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert re.findall(r"^\w.*$", told, re.MULTILINE) == [
        "environment", "versions", "project", "mock event", "mock flush", "1 hint.",
    ]  # fmt: skip
    assert "  ✓ Events go to Amplitude (US), to the project with the key ...1234." in told
    assert "  ✓ 3 events were delivered to a server on this machine." in told
    assert "\x1b" not in told


def test_the_doctor_of_a_project_with_a_problem_exits_with_one(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FASTAPI)
    answer = shell(tmp_path, "doctor", "--no-mock-check", AMPLITUDE_AI_API_KEY=KEY)
    assert answer.returncode == 1
    assert "  ✗ app.py:3: FastAPI application without AmplitudeAIMiddleware" in answer.stdout.decode()
    assert b"mock" not in answer.stdout
    elsewhere = shell(tmp_path.parent, "doctor", tmp_path.name, "--no-mock-check", AMPLITUDE_AI_API_KEY=KEY)
    assert elsewhere.stdout == answer.stdout


def test_findings_as_data(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FASTAPI)
    answer = shell(tmp_path, "doctor", "--json", AMPLITUDE_AI_API_KEY=KEY)
    findings = json.loads(answer.stdout)["findings"]
    assert answer.returncode == 1
    assert {tuple(finding) for finding in findings} == {("topic", "state", "words", "fix", "place")}
    assert [finding["place"] for finding in findings if finding["state"] == "problem"] == ["app.py:3"]


def test_status_as_text_and_as_data(tmp_path: Path) -> None:
    variables = {"AMPLITUDE_AI_API_KEY": KEY, "AMPLITUDE_AI_DEBUG": "true"}
    status = json.loads(shell(tmp_path, "status", "--json", **variables).stdout)
    assert status["events"] == "Events go to Amplitude (US), to the project with the key ...1234."
    assert status["environment"] == {"AMPLITUDE_AI_API_KEY": "...1234", "AMPLITUDE_AI_DEBUG": "true"}
    assert status["installed"]["openai"]
    text = shell(tmp_path, "status", **variables)
    assert text.returncode == 0
    assert status["events"] in text.stdout.decode().splitlines()


@pytest.mark.parametrize("words", [["status"], ["status", "--json"]])
def test_the_status_of_refused_settings_exits_with_one(tmp_path: Path, words: list[str]) -> None:
    answer = shell(tmp_path, *words, AMPLITUDE_AI_API_KEY=KEY, AMPLITUDE_AI_CONTENT_MODE="nonsense")
    assert (answer.returncode, answer.stderr) == (1, b"")
    assert "The settings are refused: " in answer.stdout.decode()


@pytest.mark.parametrize("words", [["doctor"], ["doctor", "--json"], ["status"], ["status", "--json"]])
@pytest.mark.parametrize(
    "name", ["AMPLITUDE_AI_API_KEY", "AMPLITUDE_API_KEY", "AMPLITUDE_AI_SERVER_URL", "AMPLITUDE_AI_KEY"]
)
def test_no_key_is_told(tmp_path: Path, words: list[str], name: str) -> None:
    (tmp_path / ".env").write_text(f"{name}={KEY}\n")
    (tmp_path / "app.py").write_text(
        f"from amplitude_ai_integrations import AmplitudeAI\nAmplitudeAI(api_key='{KEY}')\n"
    )
    answer = shell(tmp_path, *words, **{name: KEY})
    assert KEY[:28].encode() not in answer.stdout + answer.stderr
    assert answer.stderr == b""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["doctor", "no/such/folder"], "amplitude-ai: There is no no/such/folder; name the folder of your project.\n"),
        (["doctor", "long" * 2000], "amplitude-ai: File name too long: long"),
        (["doctor", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["status", "here"], "unrecognized arguments: here"),
    ],
)  # fmt: skip
def test_a_bad_command_line_of_the_doctor_gets_one_sentence(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    answer = shell(tmp_path, *words)
    assert (answer.returncode, answer.stdout) == (2, b"")
    assert sentence in answer.stderr.decode()
    assert "Traceback" not in answer.stderr.decode()


def test_signs_that_cannot_be_shown_are_spelled_out(tmp_path: Path) -> None:
    (tmp_path / "größe.py").write_text(FASTAPI)
    answer = shell(tmp_path, "doctor", "--no-mock-check", PYTHONIOENCODING="ascii", AMPLITUDE_AI_API_KEY=KEY)
    assert b"  x  gr\\xf6\\xdfe.py:3: FastAPI application without" in answer.stdout
    assert b"  ok Events go to Amplitude" in answer.stdout
    assert answer.stdout.isascii()


def on_a_terminal(folder: Path, **variables: str) -> str:
    """Return what a doctor prints who believes that a person reads it."""
    import pty

    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AMPL", "NO_COLOR"))}
    words = [*COMMAND, "doctor", "--no-mock-check"]
    environment = {**kept, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **variables}
    with subprocess.Popen(words, cwd=folder, env=environment, stdout=theirs) as doctor:
        os.close(theirs)
        told = b""
        with contextlib.suppress(OSError):  # how a terminal says that nobody writes any more
            while more := os.read(ours, 4096):
                told += more
        os.close(ours)
    assert doctor.returncode == 1
    return told.decode()


def test_colours_are_for_people_who_want_them(tmp_path: Path) -> None:
    assert "\x1b[31m✗\x1b[0m Neither" in on_a_terminal(tmp_path)
    assert "\x1b" not in on_a_terminal(tmp_path, NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(tmp_path, TERM="dumb")


def test_the_output_may_go_into_a_text(tmp_path: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as told:
        assert main(["doctor", "--no-mock-check", str(tmp_path)]) == 1
    assert "  x  Neither AMPLITUDE_AI_API_KEY" in told.getvalue()


def test_a_reader_who_leaves_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import openai\n" + "openai.OpenAI()\n" * 3000
    )  # more than is kept for it
    words = [*COMMAND, "doctor", "--no-mock-check"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as doctor:
        assert doctor.stdout is not None
        assert doctor.stderr is not None
        assert doctor.stdout.readline() == b"environment\n"
        doctor.stdout.close()
        assert doctor.stderr.read() == b""
    assert doctor.returncode == 141


def test_the_doctor_imports_no_vendor(tmp_path: Path) -> None:
    """With every vendor's package out of reach it says the same of the project."""
    (tmp_path / "app.py").write_text(FASTAPI)
    program = f"""
import sys
from amplitude_ai_integrations.registry import INTEGRATIONS
VENDORS = {{known.module.partition(".")[0] for known in INTEGRATIONS}} | {{"pydantic", "uvicorn", "httpx", "jinja2"}}
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in VENDORS:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Nothing())
from amplitude_ai_integrations.cli.main import main
print(main(["doctor", {str(tmp_path)!r}]), sorted(VENDORS & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "1 []"
    assert "app.py:3: FastAPI application without" in run.stdout
    assert "3 events were delivered" in run.stdout


@pytest.mark.parametrize("words", [["--help"], ["doctor", "--help"], ["status", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    program = f"""
import sys
from amplitude_ai_integrations.cli.main import main
try:
    main({words!r})
except SystemExit:
    pass
print(sorted(name for name in sys.modules if name.split(".")[-1] in ("diagnostics", "client", "amplitude", "msgspec")))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("function", "first"), [("doctor_main", "environment"), ("status_main", "amplitude-ai-integrations")]
)
def test_the_hyphenated_commands(tmp_path: Path, function: str, first: str) -> None:
    program = f"import sys; from amplitude_ai_integrations.cli.main import {function} as run; sys.exit(run())"
    words = [sys.executable, "-c", program]
    run = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert run.stdout.startswith(first)
    assert run.returncode == (function == "doctor_main")
