"""Programs that fork by every means of the standard library, and with gevent: each event arrives once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.web.reading import told

from .conftest import Places
from .expected import said
from .running import PYTHON, Place, wait_for
from .settings import DONE, EARLY, FLUSHED, PENDING

WAYS = (
    *("fork, exit", "fork, exit at once", "fork, flush, exit at once", "fork, killed", "fork of a fork"),
    *("fork in C, exit", "fork in C, exit at once"),
    "fork while threads track",
    *("process, fork", "process, forkserver", "process, spawn"),
    *("executor, fork", "executor, forkserver", "executor, spawn"),
    "pool, fork",
    *("gevent, patched before", "gevent, patched after"),
)
# Ends that nobody is told of; and of those that the forkserver made, which begin late on a busy machine, that may
# be out of time at their end, with a request on its way.
ABRUPT = ("exit at once", "killed", "threads track", "pool", "forkserver")
KINDS = [f"{way}, {before} before" for way in WAYS for before in (PENDING, FLUSHED)]


class Run:
    """One program's life. It is held up at its end until all has arrived, and then ends by itself."""

    def __init__(self, place: Place, kind: str) -> None:
        self.place = place
        place.is_killing = any(way in kind for way in ABRUPT)
        way, before = kind.removesuffix(" before").rsplit(", ", 1)
        module = "greenlets" if way == "gevent, patched before" else "jobs"
        done = place.folder / "done"
        command = [*PYTHON, "-m", f"tests.delivery.prefork.{module}", way]
        self.program = place.start(*command, before=before, **{DONE: str(done)})
        try:
            wait_for(lambda: done.exists() or self.program.process.poll() is not None)
            place.wait_until_all_arrived()
            self.lost_while_it_lived = place.lost
            done.unlink(missing_ok=True)
            self.code = self.program.wait()
        finally:
            self.program.kill()


@pytest.fixture(scope="module")
def runs(places: Places) -> Iterator[dict[str, Future[Run]]]:
    """All kinds of programs, several at a time."""
    with ThreadPoolExecutor(10) as pool:
        yield {kind: pool.submit(Run, places(kind), kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_each_event_arrives_once(runs: dict[str, Future[Run]], kind: str) -> None:
    run = runs[kind].result()
    place = run.place
    assert len(place.pids) > 1
    assert (run.lost_while_it_lived, place.lost, place.doubled, place.strange) == ([], [], [], [])


@pytest.mark.parametrize("kind", KINDS)
def test_the_program_ends_well_and_without_a_word(runs: dict[str, Future[Run]], kind: str) -> None:
    run = runs[kind].result()
    # Of threads that run before it patches them gevent itself complains when they end.
    printed = run.program.printed if "patched after" not in kind else ""
    assert (run.code, printed) == (0, "")


@pytest.mark.parametrize("kind", KINDS)
def test_events_arrive_whole(runs: dict[str, Future[Run]], kind: str) -> None:
    run = runs[kind].result()
    arrived = run.place.arrived
    early = [one for one in arrived if one["event_properties"]["$llm_message"]["text"] != "yes, gladly"]
    late = [one for one in arrived if one not in early]
    assert len(early) % EARLY == 0
    assert told(early) == [said("before the fork", number) for number in range(1, 1 + len(early))]
    assert told(late) == [said("yes, gladly", number) for number in range(1, 1 + len(late))]
