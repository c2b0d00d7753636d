"""Each name that the page on compatibility claims exists, with the keywords it is said to take."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any

import pytest

import amplitude_ai_integrations
from amplitude_ai_integrations.schema.catalog import catalog

from .blocks import ROOT

PAGE = (ROOT / "docs/compatibility.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| feature |"))
]
CLAIMS = sorted({claim for row in ROWS for claim in re.findall(r"`([^`]+)`", row[1])})
ON_THE_WIRE = {event["name"] for event in catalog()} | {
    item["name"] for event in catalog() for item in event["properties"]
}
HOMES = (
    "client.keywords",
    "client.options",
    "client.decorators.tool",
    "client.decorators.observe",
    "frameworks.langchain",
    "frameworks.options",
    "web.options",
)


def _named(path: str) -> Any:
    found: Any = amplitude_ai_integrations
    for name in path.split("."):
        if not hasattr(found, name) and inspect.ismodule(found):
            import_module(f"{found.__name__}.{name}")
        found = (
            found.__annotations__[name]
            if name in getattr(found, "__annotations__", ())
            else getattr(found, name)
        )
    return found


def _keywords(function: Any) -> set[str]:
    """Return the keywords of a function; those behind ``**`` are those of its typed dictionary."""
    names = set()
    for one in inspect.signature(function).parameters.values():
        typed = re.fullmatch(r"Unpack\[(?:\w+\.)?(\w+)\]", str(one.annotation))
        if typed is None:
            names.add(one.name)
            continue
        modules = [import_module(f"amplitude_ai_integrations.{home}") for home in HOMES]
        names |= next(getattr(it, typed[1]).__annotations__.keys() for it in modules if hasattr(it, typed[1]))
    return names


def test_each_row_says_where_the_feature_is_or_that_it_is_not_yet() -> None:
    assert [row for row in ROWS if len(row) not in (2, 3)] == []
    assert [row for row in ROWS if ("`" in row[1]) == (row[1] == "not yet")] == []


ELSEWHERE = {"frameworks.crewai.AmplitudeCrewAIHooks"}  # its package is of another group


def test_a_name_of_another_group_is_defined() -> None:
    for claim in ELSEWHERE:
        module, _, name = claim.rpartition(".")
        source = ROOT / "amplitude_ai_integrations" / f"{module.replace('.', '/')}.py"
        assert f"class {name}" in source.read_text()


@pytest.mark.parametrize("claim", sorted({*CLAIMS} - ELSEWHERE))
def test_each_name_exists_and_takes_its_keywords(claim: str) -> None:
    if claim.startswith("[Agent]"):
        assert claim in ON_THE_WIRE
        return
    path, _, keywords = claim.rstrip(")").partition("(")
    found = _named(path)
    assert (
        {word.strip().rstrip("=") for word in keywords.split(",") if word} <= _keywords(found)
        if keywords
        else True
    )
