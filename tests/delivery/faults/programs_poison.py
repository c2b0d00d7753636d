"""Programs whose events hold values that no JSON has room for."""

from __future__ import annotations

import select
import sys
from typing import Any

from .program import Child

HUGE = 3_000_000
BEYOND = 21_000_000  # bytes; larger than any request that is taken


class Unreadable:
    """Raises whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("unreadable")

    def __deepcopy__(self, memo: dict[int, Any]) -> Unreadable:
        raise RuntimeError("not to be copied")


def _circular() -> dict[str, Any]:
    made: dict[str, Any] = {}
    made["self"] = made
    return made


def _deep(levels: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(levels):
        made = {"d": made}
    return made


def poisons() -> dict[str, Any]:
    """Return the values by name."""
    return {
        "nan": float("nan"),
        "infinity": float("-inf"),
        "surrogate": "a \ud800 b",
        "bytes": b"\xff\xfe",
        "set": {1, "a"},
        "object": object(),
        "unreadable": Unreadable(),
        "circular": _circular(),
        "deep": _deep(5_000),
        "huge": "y" * HUGE,
        "long list": ["z" * 1_000] * 3_000,
        "number keys": {1: 2, (3, 4): 5},
        "big number": 10**400,
        "nul": "a\0b",
        "separators": "\x1e\n\r\u2028",
    }


def in_properties(child: Child) -> None:
    """Track every poison between two good events."""
    child.client()
    for name, value in poisons().items():
        child.track(5)
        child.track_one(name, "poison", value=value)
        child.track(5)
    child.wait()
    child.report()


def in_a_hook(child: Child) -> None:
    """Have ``before_send`` put the poison in, where everything was made plain already."""
    values = poisons()

    def spoil(event: dict[str, Any]) -> dict[str, Any]:
        properties = event["event_properties"]
        if properties["[Agent] Span Name"] in values:
            properties["value"] = values[properties["[Agent] Span Name"]]
        return event

    child.client(before_send=spoil)
    for name in values:
        child.track(5)
        child.track_one(name, "poison")
    child.track(5)
    child.wait()
    child.report()


def in_texts(child: Child) -> None:
    """Say something longer than one request of the usual kind, and something longer than any."""
    ai = child.client()
    child.track(50)
    for name, size in (("long", HUGE), ("longest", BEYOND)):
        ai.track_user_message("ada", "word " * (size // 5), "conversation", message_id=name)
    child.track(50)
    child.wait()
    child.report()


def one_bad(child: Child) -> None:
    """Track one event that the server will not take, and others before it and for as long as it is let."""
    child.client()
    child.track(60, "ada")
    child.track(1, "bad")
    child.ready()
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        child.track(1, "bob")
    child.report()
