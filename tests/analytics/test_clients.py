"""Other people's clients, unchanged, and a process that is killed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from amplitude import Amplitude, BaseEvent, Config
from amplitude.http_client import HttpClient

from amplitude_ai_integrations.analytics.serve import default_database, serve
from amplitude_ai_integrations.analytics.store.files import prepare
from amplitude_ai_integrations.analytics.store.reader import Reader
from amplitude_ai_integrations.exceptions import ConfigurationError

from .running import Running
from .samples import conversation


def official(server_url: str, **options: object) -> tuple[Amplitude, list[int]]:
    answers: list[int] = []
    config = Config(
        server_url=server_url,
        flush_interval_millis=50,
        callback=lambda event, code, message: answers.append(code),
    )
    for name, value in options.items():
        setattr(config, name, value)
    return Amplitude("local", config), answers


@pytest.mark.parametrize("path", ["/2/httpapi", "/batch"])
def test_the_official_client_delivers(collector: Running, path: str) -> None:
    client, answers = official(collector.url + path)
    for sent in conversation():
        client.track(BaseEvent(**sent))
    client.flush()
    client.shutdown()
    assert answers == [200] * 8
    detail = collector.reader.detail("sess-1")
    assert detail is not None
    assert [turn.user.text if turn.user else None for turn in detail.turns] == [
        "How do I export?\nThanks", "How many rows?", "Tell me more",
    ]  # fmt: skip


def test_the_official_client_drops_its_bad_events_and_delivers_the_rest(collector: Running) -> None:
    client, answers = official(collector.url + "/2/httpapi")
    for number in range(10):
        user = "bob" if number % 3 == 0 else f"user-{number}"
        client.track(BaseEvent("Button Pressed", user_id=user))
    client.flush()
    deadline = time.monotonic() + 5
    while len(answers) < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    client.shutdown()
    assert sorted(answers) == [200] * 6 + [400] * 4
    assert collector.reader.totals().events == 6


@pytest.mark.parametrize("path", ["/2/httpapi", "/batch"])
def test_a_client_that_sends_far_too_much_still_reads_why_not(collector: Running, path: str) -> None:
    answer = HttpClient.post(collector.url + path, b"x" * 45_000_000)
    assert (answer.code, answer.body) == (413, {"code": 413, "error": "Payload too large"})


SERVER = """
import sys
from pathlib import Path
from amplitude_ai_integrations.analytics import serve as serving
from amplitude_ai_integrations.analytics.app import assemble
from starlette.responses import StreamingResponse
from starlette.routing import Route

async def stream(request):
    async def follow():
        yield "listening"
        async for change in request.app.state.live.subscribe():
            yield str(change)
    return StreamingResponse(follow())

serving.create_app = lambda database, **rest: assemble(database, [Route("/stream", stream)], **rest)
serving.serve(port=0, database=Path(sys.argv[1]), ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@contextmanager
def process(database: Path) -> Iterator[tuple[subprocess.Popen[str], Running]]:
    """A server of its own; its pages are left out to start it faster."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, database], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        try:
            yield server, Running(None, int(url.rpartition(":")[2]))  # type: ignore[arg-type]
        finally:
            server.kill()


def test_a_kill_right_after_the_answer_loses_nothing(database: Path) -> None:
    acknowledged = 0
    with process(database) as (server, collector):
        for number in range(20):
            answer = collector.send(*conversation(f"sess-{number}"))
            acknowledged += answer.json["events_ingested"]
        server.send_signal(signal.SIGKILL)
        server.wait(5)
    prepare(database)
    reader = Reader(database)
    totals = reader.totals()
    row = reader.row("sess-19")
    reader.close()
    assert (acknowledged, totals.events, totals.sessions) == (160, 160, 20)
    assert row is not None
    assert row.turns == 3


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupt_ends_the_server_quietly(database: Path) -> None:
    with process(database) as (server, collector):
        assert collector.send(*conversation()).status == 200
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=5)
    assert (output, server.returncode) == ("ended\n", 0)
    assert [path.name for path in database.parent.iterdir()] == [database.name]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_open_stream_does_not_hold_the_server_back(database: Path) -> None:
    with (
        process(database) as (server, collector),
        socket.create_connection(("127.0.0.1", collector.port)) as page,
    ):
        page.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while b"listening" not in page.recv(4096):
            pass
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=5)
    assert (output, server.returncode) == ("ended\n", 0)


def test_a_taken_port_is_said_before_anything_starts(collector: Running, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=rf"Port {collector.port} is taken.*--port"):
        serve(port=collector.port, database=tmp_path / "other.db")


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70_000)])
def test_an_address_that_cannot_be_is_said(tmp_path: Path, host: str, port: int) -> None:
    with pytest.raises(ConfigurationError, match=f"Cannot listen on {host}:{port}"):
        serve(host=host, port=port, database=tmp_path / "a.db")


def test_a_foreign_file_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database at all, but long enough to look at")
    with pytest.raises(ConfigurationError, match="cannot be used as a database"):
        serve(port=0, database=tmp_path / "notes.txt")


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_DATA_HOME", "amplitude-ai-integrations/analytics.db"),
        ("win32", "LOCALAPPDATA", "amplitude-ai-integrations/analytics.db"),
    ],
)
def test_the_file_is_in_the_users_own_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, variable: str, expected: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert default_database() == tmp_path / expected


def test_the_folder_is_the_owners_alone(tmp_path: Path) -> None:
    prepare(tmp_path / "data" / "analytics.db")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
