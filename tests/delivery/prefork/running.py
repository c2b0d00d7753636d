"""Programs that track events, each a process of its own: what they noted as tracked, and what arrived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.fakes.collector import Collector

from .settings import BEFORE, DONE, KEY, LEDGER, SERVER

ROOT = Path(__file__).parents[3]
PATIENCE = 20.0  # seconds; bounds waiting, and is waited for only where something is wrong
# Python says by itself that a process with threads is forked, which is what these tests are about.
PYTHON = (sys.executable, "-W", "ignore::DeprecationWarning")


class Place:
    """Where one kind of program keeps its events and its notes, and the collector that it sends to."""

    def __init__(self, folder: Path, url: str, collector: Collector) -> None:
        self.folder = folder
        self.spool = folder / "spool"
        self.key = f"key of {folder.name}"
        self.url = url
        self._collector = collector
        self._ledger = folder / "ledger"
        self._started = 0
        self.is_killing = False  # whether a process may end between a request and its answer

    def start(self, *command: str, before: str = "", listener: int | None = None, **env: str) -> Program:
        """Start a program that imports ``app``, and hand it a socket, if it is a server."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AMPLITUDE_")}
        own |= {KEY: self.key, SERVER: self.url, LEDGER: str(self._ledger), BEFORE: before}
        own |= {"AMPLITUDE_AI_SPOOL": str(self.spool), "PYTHONPATH": str(ROOT), **env}
        self._started += 1
        handed = () if listener is None else (listener,)
        return Program(command, own, self.folder / f"log-{self._started}", handed)

    def start_again(self) -> None:
        """Let the application start once more, do nothing until all has arrived, and end."""
        done = self.folder / "done again"
        heir = self.start(*PYTHON, "-m", "tests.delivery.prefork.forks", "pause", **{DONE: str(done)})
        try:
            wait_for(lambda: done.exists() or heir.process.poll() is not None)
            self.wait_until_all_arrived()
            done.unlink()
            assert heir.wait() == 0, heir.printed
        finally:
            heir.kill()

    @property
    def notes(self) -> list[tuple[int, str]]:
        """The process and the id of each event that ``track`` returned for, anywhere."""
        lines = self._ledger.read_text().splitlines() if self._ledger.exists() else []
        return [(int(pid), own) for pid, own in map(str.split, lines)]

    @property
    def tracked(self) -> list[str]:
        """The ids of all these events."""
        return [own for _, own in self.notes]

    @property
    def pids(self) -> set[int]:
        """The processes that tracked something."""
        return {pid for pid, _ in self.notes}

    @property
    def arrived(self) -> list[dict[str, Any]]:
        """The events that the collector took; once, where one that was killed may have sent in vain.

        Amplitude knows an event that comes again by its insert id; here the whole of it must be the same.
        """
        bodies = [body for body in list(self._collector.bodies) if body["api_key"] == self.key]
        events = [_as_tracked(event) for body in bodies for event in body["events"]]
        return list({repr(event): event for event in events}.values()) if self.is_killing else events

    @property
    def lost(self) -> list[str]:
        """The ids of what was tracked and has not arrived, or not as often."""
        return list((Counter(self.tracked) - Counter(map(own_id, self.arrived))).elements())

    @property
    def doubled(self) -> list[str]:
        """What arrived more than once, or under the insert id of another."""
        own, insert = Counter(map(own_id, self.arrived)), Counter(one["insert_id"] for one in self.arrived)
        return [one for counted in (own, insert) for one, times in counted.items() if times > 1]

    @property
    def strange(self) -> list[str]:
        """What arrived and was never noted."""
        noted = set(self.tracked)
        return [own for own in map(own_id, self.arrived) if own not in noted]

    def wait_until_all_arrived(self) -> None:
        """Wait until nothing is missing; whether that came about is for the test to say."""
        wait_for(lambda: not self.lost)


class Program:
    """One process and what it printed."""

    def __init__(
        self, command: Iterable[str], env: dict[str, str], log: Path, handed: tuple[int, ...]
    ) -> None:
        self._log = log
        self.took = 0.0  # seconds to end
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                list(command),
                env=env,
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                pass_fds=handed,
                stdout=output,
                stderr=output,
                start_new_session=True,  # all that it forks can be ended with it
            )

    @property
    def printed(self) -> str:
        return self._log.read_text()

    def end(self, signum: int = signal.SIGTERM) -> int:
        """Ask it to end as its supervisor would, and return its exit code."""
        self.process.send_signal(signum)
        return self.wait()

    def wait(self) -> int:
        """Return the exit code; what is still there of it is killed then."""
        began = time.monotonic()
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.took = time.monotonic() - began
            self.kill()

    def kill(self) -> None:
        """Leave nothing behind."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait()


def _as_tracked(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event without what the client that delivers it adds."""
    kept = ("event_type", "user_id", "insert_id", "time", "event_properties")
    return {name: event[name] for name in kept}


def own_id(event: dict[str, Any]) -> str:
    """Return the id under which an event was noted."""
    return str(event["event_properties"]["[Agent] Message ID"])


def wait_for(holds: Callable[[], Any]) -> bool:
    """Wait until something holds, and tell whether it came to."""
    deadline = time.monotonic() + PATIENCE
    while not (held := bool(holds())) and time.monotonic() < deadline:
        time.sleep(0.02)
    return held
