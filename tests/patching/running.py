"""Programs below `amplitude-ai-instrument`, each a process of its own, and the events that arrive of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from ..delivery.prefork.running import Program, wait_for
from ..fakes.collector import Collector
from ..providers.expected import Event, seen

PROGRAMS = Path(__file__).parent / "programs"
INSTRUMENT = (sys.executable, "-m", "amplitude_ai_integrations", "instrument")
PYTHON = sys.executable


class Place:
    """The surroundings of one program: its folder, its environment, and what arrived of it."""

    def __init__(self, folder: Path, url: str, collector: Collector, openai_url: str) -> None:
        self.folder = folder
        self._collector = collector
        self.key = f"key of {folder.name}"
        kept = {name: it for name, it in os.environ.items() if not name.startswith(("AMPLITUDE_", "PYTHON"))}
        self.environment = {
            **kept,
            "AMPLITUDE_AI_API_KEY": self.key,
            "AMPLITUDE_AI_AUTO_PATCH": "true",
            "AMPLITUDE_AI_SERVER_URL": url,
            "AMPLITUDE_AI_SPOOL": str(folder / "spool"),
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": openai_url,
        }

    def run(self, *command: str, is_bare: bool = False, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        whole = command if is_bare else (*INSTRUMENT, *command)
        env = {**self.environment, **more}
        return subprocess.run(
            whole, env=env, cwd=PROGRAMS, capture_output=True, text=True, timeout=30, check=False
        )

    @contextmanager
    def server(self, *command: str, listener: int | None = None) -> Iterator[Program]:
        """Run a server, end it as its supervisor would, and let nothing of it stay."""
        handed = () if listener is None else (listener,)
        env = {**self.environment, "PYTHONPATH": str(PROGRAMS), "PYTHONUNBUFFERED": "1"}
        program = Program((*INSTRUMENT, *command), env, self.folder / "log", handed)
        try:
            yield program
        finally:
            program.kill()

    @property
    def arrived(self) -> list[Event]:
        """The whole events, in the order in which they were tracked, with words for what varies."""
        bodies = [body for body in [*self._collector.bodies] if body["api_key"] == self.key]
        events = seen([{**event} for body in bodies for event in body["events"]])
        for event in events:
            assert event.pop("library").startswith("amplitude-ai-integrations/")
            event["device_id"] = "<id>"
        return events

    def wait_for_events(self, count: int) -> None:
        """Wait for so many events, and no longer than it takes to see that they do not come."""
        assert wait_for(lambda: len(self.arrived) >= count), self.arrived


@contextmanager
def listening() -> Iterator[tuple[int, str]]:
    """Yield a socket that listens, for servers that take one, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        yield listener.fileno(), f"http://127.0.0.1:{listener.getsockname()[1]}/"


def free_port() -> int:
    """Return a port that nobody listens to, for servers that take no socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def visit(url: str) -> str:
    """Return what a server answers, as soon as it does."""
    answers: list[str] = []

    def is_answered() -> bool:
        try:
            response = httpx.get(url, timeout=20)
        except httpx.TransportError:
            return False
        assert response.status_code == 200, response.text
        answers.append(response.text)
        return True

    assert wait_for(is_answered), f"nobody answers at {url}"
    return answers[0]


def only(value: Any) -> Any:
    """Return the only one of some values."""
    (one,) = value
    return one
