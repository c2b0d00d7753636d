from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations.analytics.feedback import feedback, is_negative, latest, negative
from amplitude_ai_integrations.analytics.model import Score

from .reading import narrow
from .samples import event


def score(value: float, at_ms: int = 0, name: str = "s", target: str | None = "m", by: str = "user") -> Score:
    return Score(name=name, value=value, source=by, comment=None, target_id=target, at_ms=at_ms)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-1, True), (0, True), (0.3, True), (0.49, True), (0.5, False), (1, False), (5, False)],
)
def test_the_lower_half_is_negative(value: float, expected: bool) -> None:
    assert is_negative(score(value)) is expected


def test_only_a_person_complains() -> None:
    assert [is_negative(score(0, by=source)) for source in ("user", "ai", "reviewer")] == [True, False, False]


def test_the_later_mark_on_the_same_thing_stands() -> None:
    first, second = score(0, 1), score(1, 2)
    assert latest([second, first]) == (second,)


def test_marks_of_other_names_things_and_judges_stand_beside_it() -> None:
    marks = (score(0, 1), score(0, 2, name="t"), score(0, 3, target="n"), score(1, 4, by="ai"))
    assert latest(marks) == marks


def mark(at: int, value: float, **target: Any) -> dict[str, Any]:
    return event("score", at, score_name="s", score_value=value, evaluation_source="user", **target)


def test_a_mark_by_request_id_replaces_one_by_message_id() -> None:
    answer = event("ai", message_id="m", provider_request_id="r")
    sent = narrow([answer, mark(1, 0, target_id="m"), mark(2, 1, provider_request_id="r")])
    assert negative(sent) == 0
    assert [mark.value for mark in latest(feedback(sent).on_events["m"])] == [1]


def test_marks_by_unknown_request_ids_stay_apart() -> None:
    assert negative(narrow([mark(1, 0, provider_request_id="r"), mark(2, 0, provider_request_id="q")])) == 2
