"""What ``amplitude-ai spool`` says."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..delivery.outbox.keeping import Destination
from ..delivery.outbox.replaying import Replayed
from ..diagnostics.secrets import without_keys
from ..diagnostics.text import printable


def summed(place: Destination, this: str | None) -> dict[str, Any]:
    """Return a destination in numbers, as JSON; ``this`` is the name of this environment's."""
    found = place.summary()
    oldest = found.oldest_seconds
    dead: Counter[str] = Counter()
    for reason, number in found.dead.items():
        dead[clean(reason)] += number
    return {
        "name": place.name,
        "is_this_environment": place.name == this,
        "waiting": {
            "events": found.events,
            "bytes": found.bytes,
            "oldest_seconds": None if oldest is None else round(oldest, 1),
            "held_events": found.held_events,
        },
        "files": {"held": found.held, "left": found.left, "of_later_version": found.unknown},
        "dead": dict(dead.most_common()),
    }


def listed(one: dict[str, Any]) -> Iterator[str]:
    """Yield the same as lines."""
    waiting, files, dead = one["waiting"], one["files"], one["dead"]
    yield ""
    yield one["name"] + (", of this environment's key and server" if one["is_this_environment"] else "")
    oldest = waiting["oldest_seconds"]
    age = f", the oldest for {_age(oldest)}" if oldest is not None else ""
    size = f", {_size(waiting['bytes'])}" if waiting["events"] else ""
    yield f"  waiting: {count(waiting['events'], 'event')}{size}{age}"
    yield f"  files: {files['held']} held by running processes, {files['left']} left by ended ones"
    if files["of_later_version"]:
        yield f"  files of a later version of this package: {files['of_later_version']}"
    yield f"  dead: {count(sum(dead.values()), 'event')}"
    for reason, number in dead.items():
        yield f"    {number} {reason}"


def replayed(done: Replayed) -> Iterator[str]:
    """Yield what became of events that were sent again."""
    yield f"Delivered {count(done.delivered, 'event')}."
    for reason, number in done.refused.most_common():
        yield f"{count(number, 'event')} refused, dead letters now: {clean(reason)}"
    if done.left:
        yield f"{count(done.left, 'event')} left: {clean(done.trouble) or 'put off by the server'}"
    if done.held:
        yield f"{count(done.held, 'event')} in files of running processes, which send them."
    if done.unknown:
        yield unknown_files(done.unknown)


def unknown_files(files: int) -> str:
    """Return what is said of files that only a later version can read."""
    return f"{count(files, 'file')} of a later version of this package left alone; use that version."


def clean(words: str) -> str:
    """Return words of a server's without keys in them, and without what a terminal would obey."""
    return printable(without_keys(words, os.environ))


def count(number: int, what: str) -> str:
    """Return a number of things."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _size(size: int) -> str:
    for unit, one in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= one:
            return f"{size / one:.1f} {unit}"
    return count(size, "byte")


def _age(seconds: float) -> str:
    for unit, one in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= one:
            return count(int(seconds // one), unit)
    return count(int(seconds), "second")
