"""Gunicorn with every kind of worker, ended, recycled and killed: each event arrives once."""

from __future__ import annotations

import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import pytest

from tests.web.reading import told

from .conftest import Places
from .expected import said
from .gunicorn_hooks import NOTES
from .running import PYTHON, Place, Program, wait_for
from .settings import EARLY, FLUSHED, PENDING
from .visits import AT_ONCE, Visits

WORKERS = {
    "sync": ("wsgi", "--worker-class", "sync"),
    "gthread": ("wsgi", "--worker-class", "gthread", "--threads", "4"),
    "gevent": ("wsgi", "--worker-class", "gevent"),
    "uvicorn": ("asgi", "--worker-class", "uvicorn_worker.UvicornWorker"),
}
LOADED = {"in each worker": (), "before the fork": ("--preload",)}
# The grace is longer than tests wait, so that no worker that overstays is killed unseen.
QUIET = ("--log-level", "warning", "--graceful-timeout", "60", "--workers", "2", "--no-control-socket")
HOOKS = ("--config", "python:tests.delivery.prefork.gunicorn_hooks")


class Story(NamedTuple):
    """What happens to a server."""

    before: str = ""
    is_recycling: bool = False
    is_one_killed: bool = False
    end: signal.Signals = signal.SIGTERM


STORIES = {
    "events pending at the fork": Story(PENDING),
    "events flushed before the fork": Story(FLUSHED, end=signal.SIGQUIT),
    "workers recycled under load": Story(is_recycling=True),
    "a worker killed": Story(PENDING, is_one_killed=True),
}
KINDS = [
    f"{worker}, loaded {loaded}, {story}" for story in STORIES for loaded in LOADED for worker in WORKERS
]
VISITS = 45
MOST = 15  # requests of a worker that is recycled


class Run:
    """One server's life, from its start to its end."""

    def __init__(self, place: Place, kind: str) -> None:
        worker, loaded, story = kind.split(", ")
        self.place = place
        self.worker, self.story = worker, STORIES[story]
        # Uvicorn's worker does not hear SIGQUIT.
        self.end = signal.SIGTERM if worker == "uvicorn" else self.story.end
        self.workers = place.folder / "workers"
        self.workers.mkdir()
        # Uvicorn's worker has itself killed by the signal that it got, and nothing of Python's runs at its end.
        place.is_killing = self.story.is_one_killed or worker == "uvicorn"
        self.left_behind: list[str] = []
        self.is_preloaded = loaded == "loaded before the fork"
        application, *options = WORKERS[worker]
        options += [*LOADED[loaded.removeprefix("loaded ")], *QUIET, *HOOKS]
        options += ["--max-requests", str(MOST)] if self.story.is_recycling else []
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            command = [*PYTHON, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", *options]
            command.append(f"tests.delivery.prefork.app:{application}")
            given = {"before": self.story.before, NOTES: str(self.workers)}
            self.program = place.start(*command, listener=listener.fileno(), **given)
            port = listener.getsockname()[1]
        self.visits = Visits(self.program, port)
        try:
            self.live(self.program)
        finally:
            self.program.kill()

    def live(self, program: Program) -> None:
        answered = Counter(self.visits.make(VISITS))
        if self.story.is_recycling:
            # Some workers look only now and then whether they have served enough.
            assert wait_for(lambda: len(answered) > 3 or answered.update(self.visits.make(AT_ONCE)))
        if self.story.is_one_killed:
            os.kill(self.visits.visit(), signal.SIGKILL)
            self.visits.make(VISITS)
            # What the killed one left is for its siblings.
            wait_for(lambda: not self.place.lost)
            self.left_behind = self.place.lost
        assert wait_for(lambda: self.settled(answered)), program.printed
        self.code = program.end(self.end)
        if self.worker == "uvicorn":
            self.place.start_again()

    def settled(self, answered: Counter[int]) -> bool:
        """Tell whether all workers are up, and none is about to be recycled."""
        up = [int(note.name) for note in self.workers.iterdir()]
        return len(up) == 2 and (not self.story.is_recycling or all(answered[pid] < MOST for pid in up))


@pytest.fixture(scope="module")
def runs(places: Places) -> Iterator[dict[str, Future[Run]]]:
    """All kinds of servers, several at a time."""
    with ThreadPoolExecutor(8) as pool:
        yield {kind: pool.submit(Run, places(kind), kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_each_event_arrives_once(runs: dict[str, Future[Run]], kind: str) -> None:
    run = runs[kind].result()
    assert len(run.place.tracked) >= VISITS
    assert (run.place.lost, run.place.doubled, run.place.strange) == ([], [], [])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "a worker killed" in kind])
def test_what_a_killed_worker_left_is_sent_by_its_siblings(runs: dict[str, Future[Run]], kind: str) -> None:
    assert runs[kind].result().left_behind == []


@pytest.mark.parametrize("kind", KINDS)
def test_workers_end_by_themselves_and_without_a_word(runs: dict[str, Future[Run]], kind: str) -> None:
    run = runs[kind].result()
    printed = run.program.printed.splitlines()
    if run.story.is_one_killed:
        (killed,) = (line for line in printed if "was sent SIGKILL" in line)
        printed.remove(killed)
    if run.end is signal.SIGQUIT:  # it may cut off what a worker does after its answer, which it then says
        printed = [line for line in printed if "worker" in line.lower() and "File" not in line]
    assert (run.code, printed) == (0, [])


@pytest.mark.parametrize("kind", KINDS)
def test_no_visitor_has_to_try_again(runs: dict[str, Future[Run]], kind: str) -> None:
    run = runs[kind].result()
    # A worker of uvicorn's that is recycled closes connections that it has accepted and not read.
    is_cut_off = run.story.is_one_killed or (run.story.is_recycling and run.worker == "uvicorn")
    assert is_cut_off or run.visits.tried_again == 0


@pytest.mark.parametrize("kind", KINDS)
def test_events_arrive_whole(runs: dict[str, Future[Run]], kind: str) -> None:
    run = runs[kind].result()
    arrived = run.place.arrived
    early = [one for one in arrived if one["event_properties"]["$llm_message"]["text"] != "yes, gladly"]
    asked = [one for one in arrived if one not in early]
    times = 0 if not run.story.before else 1 if run.is_preloaded else len(early) // EARLY
    assert told(early) == [said("before the fork", number) for number in range(1, 1 + EARLY * times)]
    assert told(asked) == [said("yes, gladly", number) for number in range(1, 1 + len(asked))]
