"""Real Celery workers, each in a process of its own: what their tasks say arrives, also if they end at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.workers.celery import AmplitudeAICelery
from tests.conftest import running
from tests.fakes.collector import Collector
from tests.web.reading import AGENT, Expected, told

from .celery_app import CLIENT, DIES, FOLDER, celery_on

ROOT = Path(__file__).parents[2]
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "warning")
PREFORK, EACH_ITS_OWN = ("--pool", "prefork"), ("--max-tasks-per-child", "1")


class Kind(NamedTuple):
    """A pool, where its client comes from, and whether its children are killed when they would end."""

    options: tuple[str, ...]
    client: str = "made at once"
    dies: bool = False


KINDS = {
    "prefork": Kind(PREFORK),
    "prefork, client made in the child": Kind(PREFORK, "made in the child"),
    "prefork, client of the customer's": Kind(PREFORK, "of the customer's, made in the child"),
    "prefork, a child for each task": Kind((*PREFORK, *EACH_ITS_OWN)),
    "prefork, a child and a client for each task": Kind((*PREFORK, *EACH_ITS_OWN), "made in the child"),
    "prefork, a child killed for each task": Kind((*PREFORK, *EACH_ITS_OWN), dies=True),
    "prefork, a child and a client killed for each task": Kind(
        (*PREFORK, *EACH_ITS_OWN), "made in the child", dies=True
    ),
    "threads": Kind(("--pool", "threads")),
    "solo": Kind(("--pool", "solo")),
    "gevent": Kind(("--pool", "gevent")),
}
TASKS = 3


class Worker:
    """One worker, its folder, its collector, and what it printed."""

    def __init__(self, folder: Path, url: str, kind: Kind) -> None:
        self.folder = folder
        self.app = celery_on(folder)
        env = {name: it for name, it in os.environ.items() if not name.startswith("AMPLITUDE_")}
        env |= {FOLDER: str(folder), "AMPLITUDE_AI_SERVER_URL": url, "PYTHONPATH": str(ROOT)}
        env |= {CLIENT: kind.client, DIES: "yes" * kind.dies, "AMPLITUDE_AI_SPOOL": str(folder / "spool")}
        command = ["celery", "-A", "tests.workers.celery_app", "worker", "--concurrency", "1"]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command, *QUIET, *kind.options],
                env=env,
                cwd=folder,
                stdout=log,
                stderr=log,
            )

    @property
    def printed(self) -> str:
        return (self.folder / "log").read_text()

    def wait_until_done(self) -> None:
        deadline = time.monotonic() + 30
        while len(list(self.folder.glob("done-*"))) < TASKS:
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(0.01)


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Worker, Collector]]]:
    """All kinds at once, sent the same tasks, and ended in the middle of nothing."""
    found: dict[str, tuple[Worker, Collector]] = {}
    servers: list[Any] = []
    ai = AmplitudeAI(sink=MemorySink())
    try:
        for number, (name, kind) in enumerate(KINDS.items()):
            collector = Collector()
            servers.append(running(collector.app))
            folder = tmp_path_factory.mktemp(f"worker-{number}")
            worker = Worker(folder, servers[-1].__enter__(), kind)
            found[name] = worker, collector
        for worker, _ in found.values():
            door = AmplitudeAICelery(worker.app, amplitude_ai=ai)
            with ai.agent(AGENT).session("thread", user_id="ada", track_session_end=False) as session:
                session.track_user_message("yes?", turn_id=7)
                for _ in range(TASKS):
                    worker.app.send_task("answer", (None,))
            door.disconnect()
        for worker, _ in found.values():
            worker.wait_until_done()
        for worker, _ in found.values():
            worker.process.send_signal(signal.SIGTERM)
        for worker, _ in found.values():
            worker.process.wait(30)
        yield found
    finally:
        for worker, _ in found.values():
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()
        for server in servers:
            server.__exit__(None, None, None)


def as_sent(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events without what the client that delivers them adds."""
    kept = ("event_type", "user_id", "insert_id", "time", "event_properties")
    return [{name: event[name] for name in kept} for event in events]


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_is_ended_loses_nothing(
    workers: dict[str, tuple[Worker, Collector]], kind: str
) -> None:
    worker, collector = workers[kind]
    assert worker.process.returncode == 0, worker.printed
    assert "Signal handler" not in worker.printed
    events = sorted(collector.events, key=lambda event: event["event_properties"]["[Agent] Turn ID"])
    expected = Expected("thread", turn=7).of_user("ada")
    expected.trace = 1
    answers = [expected.answer("yes") for _ in range(TASKS)]
    if "for each task" in kind:  # whose memory begins above the sender's, each
        for answer in answers:
            answer["[Agent] Turn ID"] = 8
    sent = as_sent(events)
    if KINDS[kind].dies:  # also between a request and its answer; it is sent again, all of it the same
        sent = list({repr(event): event for event in sent}.values())
    assert told(sent) == answers
