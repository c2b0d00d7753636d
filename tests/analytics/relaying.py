"""The relay as people run it: the command in a process of its own, which tests may kill and start again."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.faults import FaultServer

KEY = "0123456789abcdef0123456789ab1234"
PATIENCE = 30.0  # seconds that a slow machine may take
COMMAND = [sys.executable, "-m", "amplitude_ai_integrations"]


class Relay:
    """A command on a port and a folder of its own, and the Amplitude that it sends to."""

    def __init__(self, folder: Path, amplitude: FaultServer) -> None:
        self.folder = folder
        self.amplitude = amplitude
        self.database = folder / "analytics.db"
        self.spool = folder / "spool"
        self.log = folder / "relay.log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self, *options: str, command: list[str] | None = None, **variables: str
    ) -> subprocess.Popen[bytes]:
        """Start it, and wait until it says that it is there."""
        self.end()
        words = ["analytics", "--port", str(self.port), "--db", str(self.database)]
        forward = options or ("--forward", self.amplitude.url)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*(command or COMMAND), *words, *forward],
                env=environment(**{"AMPLITUDE_AI_SPOOL": str(self.spool), **variables}),
                stdout=log,
                stderr=log,
            )
        until(lambda: "Ctrl-C" in self.said or self._process.poll() is not None)  # type: ignore[union-attr]
        assert self._process.poll() is None, self.said
        return self._process

    def end(self) -> None:
        """Kill it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def said(self) -> str:
        """What it printed and logged since it was started."""
        return self.log.read_text()

    def post(self, *events: Any, **body: Any) -> int:
        """Post events once, and return the status; 0 where there is no answer."""
        return self.post_body(json.dumps({"api_key": "local", "events": events, **body}).encode())

    def post_body(self, body: bytes, path: str = "/2/httpapi") -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with closing(connection):
            try:
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0

    def health(self) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with closing(connection):
            connection.request("GET", "/healthz")
            return json.loads(connection.getresponse().read())

    def until_arrived(self, count: int) -> dict[str, Any]:
        """Wait until Amplitude has that many different events, and return them by insert id."""
        until(lambda: len(self.amplitude.events) >= count)
        return dict(self.amplitude.events)

    def stored(self) -> list[dict[str, Any]]:
        """Return the events in its database."""
        with closing(sqlite3.connect(self.database)) as connection:
            return [json.loads(raw) for (raw,) in connection.execute("SELECT raw FROM event_payload")]


@contextmanager
def relaying(folder: Path) -> Iterator[Relay]:
    with ExitStack() as stack:
        relay = Relay(folder, stack.enter_context(FaultServer().running()))
        stack.callback(relay.end)
        yield relay


def environment(**variables: str) -> dict[str, str]:
    """Return the variables of a process: none of ours but the key and those given."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AMPLITUDE")}
    return {
        **others,
        "AMPLITUDE_AI_API_KEY": KEY,
        "no_proxy": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
        **variables,
    }


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, or long enough; the test then says whether it does."""
    deadline = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
