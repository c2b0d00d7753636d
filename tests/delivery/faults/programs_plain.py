"""Programs that go on as long as they are let."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from typing import Any

from .program import Child
from .waiting import until


def nothing(child: Child) -> None:
    """Track nothing: what others have left behind is sent all the same."""
    child.client()
    child.wait()
    child.report()


def live(child: Child) -> None:
    """Track some events and live on, as a server does."""
    child.client()
    for who in child.options["users"]:
        child.track(child.options["events"], who)
    child.wait()
    child.report()


def steady(child: Child) -> None:
    """Track all the time, some events a second, for some seconds."""
    child.client()
    rate, seconds = child.options["rate"], child.options["seconds"]
    began = time.monotonic()
    for number in itertools.takewhile(lambda number: number < rate * seconds, itertools.count()):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        child.track(1)
    child.wait()
    child.report()


def called_back(child: Child) -> None:
    """Keep what the callback is told: each event's name and code."""
    told: list[tuple[str, int]] = []

    def note(event: Any, code: int, _message: str | None) -> None:
        told.append((event.event_properties["[Agent] Span Name"], code))

    child.client(on_event_callback=note)
    for who in child.options["users"]:
        child.track(child.options["events"], who)
    child.wait()
    until(lambda: len(told) >= len(child.ledger.names()), 5)
    child.report(told=told)


def flushing(child: Child) -> None:
    """Track, flush, and keep what the flush said."""
    ai = child.client()
    child.track(child.options["events"])
    result = ai.flush(child.options["timeout"])
    said = {"delivered": result.delivered, "pending": result.pending, "dead": result.dead}
    child.report(said=said, arrived_by_then=True)
    child.wait()
    child.report(said=said)


def in_a_loop(child: Child) -> None:
    """Track in an event loop that is closed afterwards, and wait for nothing."""
    child.client()

    async def work() -> None:
        for _ in range(child.options["events"] // 20):
            child.track(20)
            await asyncio.sleep(0)

    asyncio.run(work())
    child.report()


def without_end(child: Child) -> None:
    """Track all the time, as fast as a busy server does, until killed."""
    os.umask(0)
    child.client()
    who = f"process{os.getpid()}"
    child.track(1, who)
    child.ready()
    while True:
        child.track(child.options["at_once"], who)
        time.sleep(0.01)
