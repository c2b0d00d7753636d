"""One server, one spool, and the processes that a test starts on them, signals and starts anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.fakes.faults import FaultServer
from tests.fakes.faults_plan import Event

from .ledger import Ledger
from .program import LEDGER, READY, REPORT
from .waiting import LONG, until

ROOT = Path(__file__).parents[3]
_NAMES = ("[Agent] Span Name", "[Agent] Message ID")
_WRITING = 0.5  # seconds for a program that is stuck to write where
AT_EXIT = 8.0  # less than the ten seconds of one request, which no exit may wait for
Test = TypeVar("Test", bound=Callable[..., None])


def long(test: Test) -> Test:
    """Mark a test that is to begin before the others, since it takes longest."""
    test.is_long = True  # type: ignore[attr-defined]
    return test


class Process:
    """A program of ours that runs."""

    def __init__(self, folder: Path, command: list[str], environment: dict[str, str]) -> None:
        self._folder = folder
        self._log = folder / "log"
        with self._log.open("wb") as output:  # not a pipe, which a talkative program fills and then waits for
            self._popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                bufsize=0,
            )

    def until_ready(self) -> None:
        """Wait until the program says so."""
        ready = self._folder / READY
        until(lambda: ready.exists() or self._popen.poll() is not None)
        assert ready.exists(), self.said

    def signal(self, number: int) -> None:
        """Send it a signal as soon as it is ready."""
        self.until_ready()
        self._popen.send_signal(number)

    def go_on(self) -> None:
        """Let it go on from where it waits."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()

    def end(self, within: float = LONG) -> int:
        """Wait for its end and return how it ended; one that does not end is killed, and an error."""
        try:
            return self._popen.wait(within)
        except subprocess.TimeoutExpired:
            self._popen.send_signal(signal.SIGUSR1)
            time.sleep(_WRITING)
            self.kill()
            raise AssertionError(f"it did not end within {within} seconds: {self.said}") from None

    def kill(self) -> None:
        """End it at once."""
        self._popen.kill()
        self._popen.wait()

    def close(self) -> None:
        """End it if it still runs."""
        if self._popen.poll() is None:
            self.kill()
        self.go_on()

    @property
    def said(self) -> str:
        """What it printed and logged."""
        return self._log.read_text(errors="replace")

    @property
    def report(self) -> dict[str, Any]:
        """What it left behind; see ``Child.report``."""
        told: dict[str, Any] = json.loads((self._folder / REPORT).read_text())
        return told


class Run:
    """What happens in one test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.spool = directory / "spool"
        self.server = FaultServer()
        self._ledger = Ledger(directory / LEDGER)
        self._stack = ExitStack()
        self._started = 0

    @contextmanager
    def open(self) -> Iterator[Run]:
        """Serve, and leave nothing running behind."""
        with self._stack:
            self._stack.callback(self._ledger.close)
            self._stack.enter_context(self.server.running())
            yield self

    def start(self, program: str, environment: dict[str, str] | None = None, **options: Any) -> Process:
        """Start a program by name, ``module.function``, with the spool of this run."""
        self._started += 1
        settings = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AMPLITUDE")},
            "AMPLITUDE_AI_SPOOL": str(self.spool),
            "XDG_STATE_HOME": str(self.directory / "state"),
            "no_proxy": "127.0.0.1",
            "PYTHONUNBUFFERED": "1",
            **(environment or {}),
        }
        folder = self.directory / f"{self._started}-{program}"
        folder.mkdir()
        command = [sys.executable, "-m", "tests.delivery.faults.program", program]
        command += [str(folder), self.server.url, json.dumps(options)]
        process = Process(folder, command, settings)
        self._stack.callback(process.close)
        return process

    def recover(self) -> Process:
        """Let a new process on the same spool send what is left there, and end it."""
        process = self.start("plain.nothing")
        self.until_all_arrived()
        process.go_on()
        assert process.end() == 0, process.said
        return process

    def tracked(self) -> list[str]:
        """Return the names of the events whose tracking has returned."""
        return self._ledger.names()

    def arrived(self) -> dict[str, Event]:
        """Return the events that the server took, by name."""
        return {_name(event): event for event in list(self.server.events.values())}

    def missing(self) -> list[str]:
        """Return which tracked events the server has not taken."""
        arrived = self.arrived()
        return [name for name in self.tracked() if name not in arrived]

    def until_all_arrived(self, timeout: float = LONG) -> None:
        """Wait until no event is missing; the test then says whether one still is."""
        until(lambda: len(self.server.events) >= len(self.tracked()) and not self.missing(), timeout)

    def until_arrived(self, count: int, timeout: float = LONG) -> None:
        """Wait until the server has taken that many events."""
        until(lambda: len(self.server.events) >= count, timeout)

    def ids_of_one_event(self) -> int:
        """Return how many insert ids the event has that has most of them: one, if none was made anew."""
        return max(Counter(map(_name, list(self.server.events.values()))).values(), default=0)

    def duplicates(self) -> int:
        """Return how many events the server took more than once; it tells them by their insert id."""
        return sum(count - 1 for count in list(self.server.accepted.values()))

    def dead(self) -> list[dict[str, Any]]:
        """Return what is in the dead letters."""
        lines = [line for path in self.spool.rglob("dead.jsonl") for line in path.read_text().splitlines()]
        return [json.loads(line) for line in lines]


def _name(event: Event) -> str:
    properties = event["event_properties"]
    return next(properties[name] for name in _NAMES if name in properties)  # type: ignore[no-any-return]
