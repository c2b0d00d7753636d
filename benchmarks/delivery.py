"""What delivery costs, beside ``amplitude-analytics`` with its defaults, to a server on this machine.

``python -m benchmarks.delivery`` measures all of it in less than four minutes; name parts to measure only
them: caller, lag, rate, memory, exit. The ways take turns, each turn in a process of its own. Linux only.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from benchmarks.delivery_runs import Figures, asked, seconds_to_exit, server
from benchmarks.delivery_ways import DURABLE, MEMORY, NOTHING, OFFICIAL, SHARED, SINK, UNSENT, WHOLE

Rounds = list[dict[str, Figures]]

ROUNDS = 3
SHAPES = ("300 B, 1 thread", "300 B, 8 threads", "8000 B, 1 thread", "8000 B, 8 threads")
_LABEL = 48  # characters
STATES = ("ok", "down", "hanging")


def caller() -> None:
    """Print what a call costs whoever makes it, by size of the event and number of threads."""
    rounds = in_turns("caller", (OFFICIAL, SINK, WHOLE, UNSENT, SHARED, DURABLE))
    for shape in SHAPES:
        columns = {"p50": f"{shape} p50", "p99": f"{shape} p99"}
        report(f"One call, the next at once: {shape}, us", rounds, columns)
    added = [added_by((SHARED, DURABLE), taken) for taken in rounds]
    report("More than amplitude-analytics alone, us", added, {"p50": "p50", "p99": "p99"}, held=False)


def lag() -> None:
    """Print how late an event loop comes in which 2,000 events a second are tracked."""
    rounds = in_turns("lag", (NOTHING, OFFICIAL, SINK, WHOLE, UNSENT, SHARED, DURABLE))
    # "idle" is the same loop in the same process while nothing is tracked.
    columns = {"p99": "p99", "x idle's p99": "p99 ratio", "p99.9": "p99.9", "x idle's p99.9": "p99.9 ratio"}
    report("Lag of an event loop, 2,000 events/s, ms", rounds, columns, held=False)
    columns = {"p50": "call p50", "p99": "call p99"}
    calls = [{way: of for way, of in taken.items() if way != NOTHING} for taken in rounds]
    report("One call in that loop, us", calls, columns)


def rate() -> None:
    """Print how fast 20,000 events arrive, and what CPU that takes."""
    rounds = in_turns("rate", (OFFICIAL, SINK, WHOLE, SHARED, DURABLE))
    columns = {"events/s": "rate", "CPU ms/1,000": "cpu"}
    report("20,000 events of 300 B until all have arrived", rounds, columns)


def memory() -> None:
    """Print what 100,000 events take behind a server that never answers."""
    rounds = in_turns("memory", (OFFICIAL, SINK, MEMORY), state="hanging")
    columns = {"RSS at its peak": "peak", "more than before": "more", "on disk": "disk"}
    report("100,000 events of 300 B behind a server that hangs, MiB", rounds, columns)


def leave() -> None:
    """Print how long a program lives on after its last line, 300 events tracked, one a millisecond."""
    ways = (OFFICIAL, SINK, SHARED, DURABLE)
    rounds: Rounds = []
    for _ in range(ROUNDS):
        with ExitStack() as serving:
            urls = {state: serving.enter_context(server(state)) for state in STATES}
            taken = iter(seconds_to_exit((way, url) for way in ways for url in urls.values()))
            rounds.append({way: {state: next(taken) for state in STATES} for way in ways})
    columns = {state: state for state in STATES}
    report("Exit after 300 events in 0.3 s, by the server's state, s", rounds, columns)


def in_turns(part: str, ways: Sequence[str], *, state: str = "ok") -> Rounds:
    """Measure a part of each way, one after the other, several times; each has a server of its own."""
    rounds: Rounds = []
    for _ in range(ROUNDS):
        taken = {}
        for way in ways:
            with server(state) as url:
                taken[way] = asked(part, way, url)
        rounds.append(taken)
    return rounds


def added_by(ways: Sequence[str], taken: Mapping[str, Figures]) -> dict[str, Figures]:
    """Return by how much calls take longer than those of the official client, one row a way and shape."""
    return {
        f"{way}, {shape}": {
            share: taken[way][f"{shape} {share}"] - taken[OFFICIAL][f"{shape} {share}"]
            for share in ("p50", "p99")
        }
        for way in ways
        for shape in SHAPES
    }


def report(title: str, rounds: Rounds, columns: Mapping[str, str], *, held: bool = True) -> None:
    """Print each figure's median, least and most, and its ratio to that of the first way, round by round."""
    first = next(iter(rounds[0]))
    print(f"\n{title} (median of {len(rounds)} rounds, spread{', ratio' * held})")
    print(" " * _LABEL + "".join(f"{column:>18}{'':21}" for column in columns).rstrip())
    for way in rounds[0]:
        line = f"  {way}".ljust(_LABEL)
        for figure in columns.values():
            values = [taken[way][figure] for taken in rounds]
            spread = f"({_short(min(values))} to {_short(max(values))})"
            line += f"{_short(statistics.median(values)):>9} {spread:<21}"
            is_held = held and way != first and all(taken[first][figure] for taken in rounds)
            ratios = [taken[way][figure] / taken[first][figure] for taken in rounds if is_held]
            line += f"{f'x {statistics.median(ratios):.2f}' if ratios else '':<8}"
        print(line.rstrip(), flush=True)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


PARTS = {"caller": caller, "lag": lag, "rate": rate, "memory": memory, "exit": leave}

if __name__ == "__main__":
    asked_for = sys.argv[1:] or list(PARTS)
    if not set(asked_for) <= set(PARTS):
        sys.exit(f"usage: python -m benchmarks.delivery [{'] ['.join(PARTS)}]")
    for name in asked_for:
        PARTS[name]()
