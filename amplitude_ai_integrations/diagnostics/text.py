"""Findings as text for a terminal, a log or a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from .finding import Finding, State

_MARKS: Final[dict[State, str]] = {
    "ok": "\N{CHECK MARK}",
    "hint": "-",
    "warning": "!",
    "problem": "\N{BALLOT X}",
}
_PLAIN_MARKS: Final[dict[State, str]] = {"ok": "ok", "hint": "-", "warning": "!", "problem": "x"}
_COLORS: Final[dict[State, str]] = {"ok": "32", "hint": "36", "warning": "33", "problem": "31"}


def report(findings: Iterable[Finding]) -> str:
    """Return findings as plain text: a line each under its topic, and a summary."""
    return "\n".join(lines(findings, ascii_only=True))


def lines(findings: Iterable[Finding], *, ascii_only: bool = False, color: bool = False) -> Iterator[str]:
    """Yield the lines of a report while the findings come in."""
    marks = _PLAIN_MARKS if ascii_only else _MARKS
    width = max(map(len, marks.values()))
    states: Counter[State] = Counter()
    topic = None
    for finding in findings:
        if finding.topic != topic:
            if topic is not None:
                yield ""
            yield _painted(printable(finding.topic), "1", color=color)
            topic = finding.topic
        states[finding.state] += 1
        mark = _painted(marks[finding.state].ljust(width), _COLORS[finding.state], color=color)
        place = f"{finding.place}: " if finding.place else ""
        yield f"  {mark} {printable(place + finding.words)}"
        for line in finding.fix.splitlines():
            yield f"  {'':{width}}   {printable(line)}".rstrip()
    yield ""
    yield _summary(states)


def printable(text: str) -> str:
    """Return a text without what a terminal would obey: a file may be called anything."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _summary(states: Counter[State]) -> str:
    kinds: tuple[State, ...] = ("problem", "warning", "hint")
    said = [f"{states[kind]} {kind}{'s' if states[kind] > 1 else ''}" for kind in kinds if states[kind]]
    return f"{', '.join(said)}." if said else "Everything is in order."


def _painted(text: str, code: str, *, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
