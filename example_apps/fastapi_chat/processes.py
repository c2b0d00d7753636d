"""Child processes that are waited for, watched and ended, each by the one handle that started it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

START_SECONDS = 30.0
STOP_SECONDS = 5.0
LAST_LINES = 15
ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class DemoError(Exception):
    """What went wrong, in a sentence for the person at the terminal."""


class Child:
    """A Python module running as a server of its own, from ``with`` to the end of its block."""

    def __init__(self, name: str, *command: str, url: str, env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.url = url
        self._log = log
        self._command = [sys.executable, "-m", *command]
        self._env = dict(env)

    def __enter__(self) -> Child:
        # A session of its own: Ctrl-C reaches it through us, so that the last events still find a receiver.
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The process id, to be seen from outside."""
        return self._process.pid

    def wait_until_it_answers(self, path: str = "/") -> None:
        """Return at the first answer over HTTP, whatever it says."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            try:
                httpx2.get(self.url + path, trust_env=False, timeout=2)
            except httpx2.TransportError:
                time.sleep(0.05)
            else:
                return
        raise DemoError(
            f"{self.name} did not answer at {self.url} within {START_SECONDS:.0f} s.{self.last_lines()}"
        )

    def check(self) -> None:
        """Raise when the process is no longer there."""
        code = self._process.poll()
        if code is not None:
            raise DemoError(f"{self.name} ended early, with exit code {code}.{self.last_lines()}")

    def last_lines(self) -> str:
        """What it printed last, indented, ready to follow a sentence."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
        if not lines:
            return " It printed nothing."
        return " Its last lines:\n" + "\n".join(f"    {line}" for line in lines)


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold an end back while a child is started but not yet known, so that none is left behind."""
    arrived: list[int] = []
    handlers = {number: signal.signal(number, lambda n, _: arrived.append(n)) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in arrived:
            signal.raise_signal(number)


def choose_port(preferred: int, name: str) -> int:
    """Return the preferred port, or any free one and say so."""
    if _is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    if preferred:
        print(f"Port {preferred} is taken, so {name} uses {port}.", flush=True)
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if sys.platform != "win32":  # there it would let two servers share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return port != 0
