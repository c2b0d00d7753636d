"""CPU time of several ways to do the same thing, taken in turns so that a busy machine is fair to all."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping

ROUNDS = 15


def compare(title: str, ways: Mapping[str, Callable[[int], object]], count: int) -> None:
    """Run each way ``count`` times a round and print its cost; the first way is what it is held against."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(max(1, count // 10))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            gc.collect()
            begun = time.process_time_ns()
            way(count)
            taken[name].append((time.process_time_ns() - begun) / count / 1_000)
    report(title, taken)


def compare_async(title: str, ways: Mapping[str, Callable[[int], Awaitable[object]]], count: int) -> None:
    """The same for coroutines, all on one event loop."""
    loop = asyncio.new_event_loop()
    run = loop.run_until_complete
    compare(title, {name: lambda n, way=way: run(way(n)) for name, way in ways.items()}, count)
    loop.close()


def report(title: str, taken: Mapping[str, list[float]]) -> None:
    """Print medians in microseconds of CPU, and each way's ratio to the first, round by round."""
    (first, bare), *_ = taken.items()
    print(f"{title} (CPU, median of {len(bare)} rounds)")
    for name, values in taken.items():
        ratio = statistics.median(value / base for value, base in zip(values, bare, strict=True))
        above = statistics.median(value - base for value, base in zip(values, bare, strict=True))
        line = f"  {name:<44}{statistics.median(values):>9.1f} us"
        print(line if name == first else f"{line}   x {ratio:.2f}   {above:+.1f} us")
