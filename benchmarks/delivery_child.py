"""One way to hand events over, measured in a process of its own; prints its figures as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.request import urlopen

from benchmarks.delivery_ways import NOTHING, Event, Way, events, way

Make = Callable[[], Event]
Figures = dict[str, float]

SMALL = 300  # bytes of JSON
LARGE = 8_000
THREADS = 8
_CALLS = {SMALL: 8_000, LARGE: 4_000}
_WARM = 400
_TICK = 0.001  # seconds
_LAG_SECONDS = 0.5
_LAG_TURNS = 4
_LAG_RATE = 2_000
_SUSTAINED = 20_000
_BEHIND = 100_000
_AT_EXIT = 300
_NOTHING = way(NOTHING, "")


def caller(it: Way, _url: str) -> Figures:
    """Microseconds that a call takes when the next follows at once, by size and threads."""
    figures: Figures = {}
    for size, count in _CALLS.items():
        make = events(size)
        _timed(it, make, _WARM)
        for threads in (1, THREADS):
            it.settle()
            shape = f"{size} B, {threads} thread{'s' * (threads > 1)} "
            _note(figures, shape, _contending(it, make, count, threads))
    return figures


def lag(it: Way, _url: str) -> Figures:
    """By how much a loop comes late, in milliseconds, and what a call takes in it, in microseconds."""
    late, taken = asyncio.run(_in_a_loop(it, events(SMALL)))
    figures = {}
    for name, share in (("p99", 0.99), ("p99.9", 0.999)):
        without, tracked = (_share(values, share) / 1e6 for values in late)
        figures |= {name: tracked, f"{name} ratio": tracked / without}
    _note(figures, "call ", taken)
    return figures


def rate(it: Way, url: str) -> Figures:
    """Events a second until all have arrived, and CPU milliseconds of this process for a thousand."""
    make = events(SMALL)
    begun, spent = time.monotonic(), time.process_time()
    for _ in range(_SUSTAINED):
        it.take(make())
    it.settle()
    urlopen(f"{url}/until/{_SUSTAINED}", timeout=120).close()
    seconds = time.monotonic() - begun
    return {"rate": _SUSTAINED / seconds, "cpu": (time.process_time() - spent) / _SUSTAINED * 1e6}


def memory(it: Way, _url: str) -> Figures:
    """Mebibytes at the peak, by how much that is more than before the first event, and on disk."""
    make = events(SMALL)
    before = _mebibytes("VmRSS")
    for _ in range(_BEHIND):
        it.take(make())
    time.sleep(1)  # for the sender, which has one request open by then
    peak = _mebibytes("VmHWM")
    spool = os.environ["AMPLITUDE_AI_SPOOL"]
    disk = sum(file.stat().st_size for file in Path(spool).rglob("*") if file.is_file())
    return {"peak": peak, "more": peak - before, "disk": disk / 2**20}


def leave(it: Way, _url: str) -> Figures:
    """Begin when told to, and return the time at which the program has nothing more to do."""
    make = events(SMALL)
    print(flush=True)
    sys.stdin.readline()
    for _ in range(_AT_EXIT):
        it.take(make())
        time.sleep(_TICK)  # at once, it would be chance whether the official client waits for its timer
    return {"at": time.monotonic()}


def _timed(it: Way, make: Make, count: int) -> array[int]:
    take, clock, taken = it.take, time.perf_counter_ns, array("q")
    for _ in range(count):
        event = make()
        begun = clock()
        take(event)
        taken.append(clock() - begun)
    return taken


def _contending(it: Way, make: Make, count: int, threads: int) -> array[int]:
    if threads == 1:
        return _timed(it, make, count)
    taken = array("q")
    together = threading.Barrier(threads)

    def run() -> None:
        together.wait()
        taken.extend(_timed(it, make, count // threads))

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return taken


async def _in_a_loop(it: Way, make: Make) -> tuple[list[array[int]], array[int]]:
    """Track and do nothing by turns, so that both see the same of what else runs on the machine."""
    late, taken, clock = [array("q"), array("q")], array("q"), time.perf_counter_ns
    is_tracking = False

    async def look() -> None:
        while True:
            values, due = late[is_tracking], clock() + int(_TICK * 1e9)
            await asyncio.sleep(_TICK)
            values.append(clock() - due)

    looking = asyncio.create_task(look())
    for _ in range(_LAG_TURNS):
        for is_tracking in (False, True):
            begun, done = time.monotonic(), 0
            while (passed := time.monotonic() - begun) < _LAG_SECONDS:
                due = int(passed * _LAG_RATE) - done
                done += due
                calls = _timed(it if is_tracking else _NOTHING, make, due)
                if is_tracking:
                    taken.extend(calls)
                await asyncio.sleep(_TICK)
    looking.cancel()
    return late, taken


def _note(figures: Figures, name: str, taken: Sequence[int]) -> None:
    figures[name + "p50"] = _share(taken, 0.5) / 1e3
    figures[name + "p99"] = _share(taken, 0.99) / 1e3


def _share(values: Sequence[int], share: float) -> int:
    return sorted(values)[int(len(values) * share)]


def _mebibytes(name: str) -> float:
    # Not of getrusage, whose peak begins with that of the process this one was started by.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


MEASURES: dict[str, Callable[[Way, str], Figures]] = {
    "caller": caller,
    "lag": lag,
    "rate": rate,
    "memory": memory,
    "exit": leave,
}


if __name__ == "__main__":
    part, who, server = sys.argv[1:]
    print(json.dumps(MEASURES[part](way(who, server), server)), flush=True)
    if part != "exit":
        os._exit(0)
