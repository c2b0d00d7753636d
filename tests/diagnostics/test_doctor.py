"""The whole examination: its order, what a framework adds, and that it runs nothing of the project."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from amplitude_ai_integrations.diagnostics import Finding, examine
from amplitude_ai_integrations.diagnostics.doctor import has_problem

from .conftest import Project

EXAMPLES = sorted(path.parent for path in (Path(__file__).parents[2] / "example_apps").glob("*/__init__.py"))


def topics(found: Iterator[Finding]) -> list[str]:
    return [topic for topic, _ in groupby(finding.topic for finding in found)]


def test_topics_come_in_order_and_a_frameworks_own_after_the_projects(project: Project) -> None:
    more = [Finding("django", "hint", "Something of its own.")]
    whole = ["environment", "versions", "project", "django", "mock event", "mock flush"]
    assert topics(examine(project(), more=more)) == whole
    assert topics(examine(live=False)) == whole[:2]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_our_own_examples_are_in_order(example: Path) -> None:
    found = [one for one in examine(example, live=False) if one.topic == "project"]
    found = [one for one in found if "manage.py" not in one.fix]
    assert {one.state for one in found} == {"ok"}, found


def test_only_a_problem_is_a_problem() -> None:
    others = [Finding("t", state, "") for state in ("ok", "hint", "warning")]  # type: ignore[arg-type]
    assert not has_problem(others)
    assert has_problem([*others, Finding("t", "problem", "")])


def test_nothing_of_the_project_is_run_or_written(project: Project) -> None:
    folder = project(app=f"import fastapi\nopen({str(project())!r} + '/touched', 'w')\n")
    list(examine(folder))
    assert [path.name for path in Path(folder).rglob("*")] == ["app.py"]
