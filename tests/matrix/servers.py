"""The servers, each started as its users start it, in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EVENTS = "MATRIX_EVENTS"  # names the file that the doors write to
ROOT = Path(__file__).parents[2]
GUNICORN = ["gunicorn", "--log-level", "critical", "--graceful-timeout", "2", "--bind", "127.0.0.1:{port}"]
ASGI_APP, WSGI_APP = "tests.matrix.asgi:app", "tests.matrix.wsgi:app"

ASGI = {
    "uvicorn": ["uvicorn", "--log-level", "critical", "--port", "{port}", ASGI_APP],
    "hypercorn": ["hypercorn", "--log-level", "critical", "--bind", "127.0.0.1:{port}", ASGI_APP],
    "daphne": ["daphne", "--verbosity", "0", "--port", "{port}", ASGI_APP],
    "gunicorn-uvicorn": [*GUNICORN, "--worker-class", "uvicorn_worker.UvicornWorker", ASGI_APP],
}
WSGI = {
    "gunicorn-sync": [*GUNICORN, "--workers", "1", WSGI_APP],
    "gunicorn-preload": [*GUNICORN, "--preload", "--workers", "1", WSGI_APP],
    "gunicorn-gthread": [*GUNICORN, "--worker-class", "gthread", "--threads", "16", WSGI_APP],
    "gunicorn-gevent": [*GUNICORN, "--worker-class", "gevent", WSGI_APP],
    "waitress": ["waitress", "--listen", "127.0.0.1:{port}", "--threads", "16", WSGI_APP],
    "wsgiref": ["tests.matrix.wsgiref_server", "{port}"],
}
DOORS = {
    **dict.fromkeys(ASGI, ("plain_asgi", "starlette", "fastapi", "litestar", "quart", "django")),
    **dict.fromkeys(WSGI, ("plain_wsgi", "flask", "django")),
}


@contextmanager
def serving(server: str, events: Path) -> Iterator[str]:
    """Run one server, and yield its address; it gets the signal that ends it in production."""
    port = _free_port()
    command = [part.format(port=port) for part in {**ASGI, **WSGI}[server]]
    log = events.with_suffix(".log")  # not a pipe, which a talkative server fills and then waits for
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, EVENTS: str(events)},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server does not listen")
