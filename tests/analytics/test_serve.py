"""Agent Analytics as its own process, from the first line it prints to Ctrl-C."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from amplitude_ai_integrations.analytics.serve import serve
from amplitude_ai_integrations.exceptions import ConfigurationError

_PROGRAM = """
import sys
from pathlib import Path
from amplitude_ai_integrations.analytics.serve import serve
serve(host=sys.argv[1], port=0, database=Path(sys.argv[2]), ready=lambda url: print(url, flush=True))
"""


@contextmanager
def serving(host: str, database: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    words = [sys.executable, "-c", _PROGRAM, host, str(database)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str]:
    process.send_signal(signal.SIGINT)
    _out, problems = process.communicate(timeout=10)
    return process.returncode, problems


def status(url: str, host: str) -> int:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"{url}/healthz", headers={"Host": host})
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("host", ["0.0.0.0", ""])
def test_for_every_address_it_prints_one_that_works_and_warns(database: Path, host: str) -> None:
    with serving(host, database) as (process, url):
        assert url.startswith("http://127.0.0.1:")
        asked = ["127.0.0.1", socket.gethostname(), "evil.example", "0.0.0.0"]
        assert [status(url, name) for name in asked] == [200, 200, 421, 421]
        assert interrupted(process) == (0, "Listening on 0.0.0.0: other machines can read the sessions.\n")


def test_on_loopback_it_warns_of_nothing(database: Path) -> None:
    with serving("127.0.0.1", database) as (process, url):
        assert status(url, "localhost") == 200
        assert interrupted(process) == (0, "")


def test_it_stops_quietly_while_a_body_is_still_coming(database: Path) -> None:
    with (
        serving("127.0.0.1", database) as (process, url),
        socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=10) as sender,
    ):
        sender.sendall(b"POST /batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        time.sleep(0.3)  # until the server waits for the rest
        assert interrupted(process) == (0, "")
        head, _, body = sender.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert json.loads(body) == {"code": 503, "error": "Service unavailable, nothing was accepted"}


def test_a_taken_port_makes_no_file(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"Port {port} is taken\. .*--port"):
            serve(port=port, database=database)
    assert not database.exists()


def test_a_place_for_no_file_frees_the_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(ConfigurationError, match="is a folder"):
        serve(port=port, database=tmp_path)
    with socket.create_server(("127.0.0.1", port)):
        pass
