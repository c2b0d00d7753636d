"""Processes on one spool, killed at random while requests fail: what is missing once one more has run?

By hand, larger than in the tests: ``python -m tests.delivery.faults.crash --processes 3 --rounds 12``.
"""

from __future__ import annotations

import argparse
import random
import stat
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

from tests.fakes.faults_answers import flaky, lose_answer, ok, reset, status
from tests.fakes.faults_plan import Step

from .program import API_KEY
from .running import Run

_LONGEST_LIFE = 0.8  # seconds, from when a process has tracked its first event


@dataclass
class Figures:
    """What came of it."""

    tracked: int
    arrived_before_recovery: int
    missing: int
    duplicates: int  # events the server took again, and knows by their insert id
    ids_of_one_event: int
    requests: int
    connections: int
    crash_seconds: float
    recovery_seconds: float
    files_left: int
    modes: frozenset[str]  # of the files and folders of the spool, while it was in use
    holds_key: bool  # whether the API key was in any file of the spool


def crash(run: Run, processes: int, rounds: int, at_once: int, seed: int) -> Figures:
    """Kill ``processes`` in each of ``rounds``, then let one process send what is left."""
    dice = random.Random(seed)
    thirds = (0.1, status(500)), (0.1, reset), (0.1, lose_answer)
    run.server.plan(Step(flaky(seed, *thirds)))
    began = time.monotonic()
    for _ in range(rounds):
        _kill_some(run, processes, at_once, dice)
    crash_seconds = time.monotonic() - began
    run.server.plan(Step(ok))
    arrived = len(run.server.events)
    modes, holds_key = frozenset(_modes(run.spool)), _holds_key(run.spool)
    began = time.monotonic()
    run.recover()
    return Figures(
        tracked=len(run.tracked()),
        arrived_before_recovery=arrived,
        missing=len(run.missing()),
        duplicates=run.duplicates(),
        ids_of_one_event=run.ids_of_one_event(),
        requests=run.server.requests,
        connections=run.server.connections,
        crash_seconds=crash_seconds,
        recovery_seconds=time.monotonic() - began,
        files_left=sum(path.is_file() for path in run.spool.rglob("*")),
        modes=modes,
        holds_key=holds_key,
    )


def _kill_some(run: Run, processes: int, at_once: int, dice: random.Random) -> None:
    started = [run.start("plain.without_end", at_once=at_once) for _ in range(processes)]
    for process in started:
        process.until_ready()
    lives = sorted((dice.uniform(0, _LONGEST_LIFE), number) for number in range(processes))
    began = time.monotonic()
    for life, number in lives:
        time.sleep(max(0.0, began + life - time.monotonic()))
        started[number].kill()


def _modes(spool: Path) -> set[str]:
    return {stat.filemode(path.stat().st_mode) for path in (spool, *spool.rglob("*"))}


def _holds_key(spool: Path) -> bool:
    names = any(API_KEY in path.name for path in spool.rglob("*"))
    return names or any(API_KEY.encode() in path.read_bytes() for path in spool.rglob("*") if path.is_file())


def main() -> None:
    """Run it, and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--at-once", type=int, default=50, help="events between two pauses of 10 ms")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, Run(Path(directory)).open() as run:
        figures = crash(run, given.processes, given.rounds, given.at_once, given.seed)
    for field in fields(figures):
        value = getattr(figures, field.name)
        print(f"{field.name:24} {value:.1f}" if isinstance(value, float) else f"{field.name:24} {value}")
    raise SystemExit(1 if figures.missing else 0)


if __name__ == "__main__":
    main()
