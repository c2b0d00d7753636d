"""Texts with and without personal data and secrets, in the formats in which they reach an agent.

The mark `<cut>` stands inside what looks like a live secret, so that no scanner takes it for one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """A text and what redaction has to make of it."""

    kind: str
    format: str
    text: str
    expected: str


@dataclass
class Score:
    """How many texts came out right, and which did not."""

    found: int = 0
    positives: int = 0
    kept: int = 0
    negatives: int = 0
    spoilt: int = 0  # changed, but not into what was expected
    misses: list[tuple[Case, str]] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found / self.positives if self.positives else 1.0

    @property
    def precision(self) -> float:
        changed = self.found + self.spoilt
        return self.found / changed if changed else 1.0


def positives() -> list[Case]:
    """Return the texts in which something has to be replaced."""
    return [_case(**row) for row in _rows("positives.jsonl")]


def negatives() -> list[Case]:
    """Return the texts that have to stay; each has the kind that it might be taken for."""
    return [_case(**row, expected=row["text"]) for row in _rows("negatives.jsonl")]


def scores(redacted: Callable[[Case], str], cases: Iterable[Case]) -> dict[str, Score]:
    """Return the score of each kind, and of all together as `all`."""
    result: dict[str, Score] = defaultdict(Score)
    for case in cases:
        outcome = redacted(case)
        for score in (result[case.kind], result["all"]):
            _count(score, case, outcome)
    return dict(result)


def _count(score: Score, case: Case, outcome: str) -> None:
    is_right = outcome == case.expected
    if case.expected != case.text:
        score.positives += 1
        score.found += is_right
    else:
        score.negatives += 1
        score.kept += is_right
    score.spoilt += not is_right and outcome != case.text
    if not is_right:
        score.misses.append((case, outcome))


def _rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (_HERE / name).read_text("utf-8").splitlines()]


def _case(kind: str, format: str, text: str, expected: str) -> Case:  # noqa: A002 - as in the file
    return Case(kind, format, text.replace("<cut>", ""), expected.replace("<cut>", ""))
