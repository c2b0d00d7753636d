"""The page on what leaves says what the gate does: each property is put through it in each mode."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, ContentMode
from amplitude_ai_integrations.privacy.gate import Gate
from amplitude_ai_integrations.schema.catalog import fields_of
from amplitude_ai_integrations.schema.enrichments import (
    Enrichment,
    EvidenceQuote,
    MessageLabel,
    RubricScore,
    SessionEnrichments,
    TopicClassification,
)
from amplitude_ai_integrations.schema.events import SDK_EVENTS, SessionEnd

from .blocks import ROOT

PAGE = (ROOT / "docs/what-leaves.md").read_text()
MODES = [mode.value for mode in ContentMode]
PERSONAL = "ada@example.com"
CHOSEN = "keys in `context_keys`, redacted"
NESTED = {
    "rubrics": lambda: [_filled(RubricScore)],
    "evidence": lambda: [_filled(EvidenceQuote)],
    "topic_classifications": lambda: {"a model": _filled(TopicClassification)},
    "message_labels": lambda: {"a message": [_filled(MessageLabel)]},
}


def _section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _rows(text: str) -> list[list[str]]:
    lines = (line for line in text.splitlines() if line.startswith("| "))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _names(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def _said() -> dict[str, list[str]]:
    """Return what the page says of each property: what becomes of it in each mode."""
    said = {}
    for what, *became in _rows(PAGE.partition("\n## ")[0]):
        link = re.search(r"\(#([a-z-]+)\)", what)
        if link:
            section = _section(link[1].replace("-", " ").capitalize())
            said.update(dict.fromkeys(_names(section), became))
    return said


def _what_became(result: Any) -> str:
    text = json.dumps(result)
    if PERSONAL in text:
        return "whole"
    return "redacted" if "[email]" in text else "no"


def _filled(kind: type[Enrichment]) -> Enrichment:
    """Return an enrichment all of whose fields are set, to others where those nest."""
    return kind(
        **{
            name: NESTED[name]() if name in NESTED else _value(annotation)
            for name, annotation in kind.__annotations__.items()
        }
    )


def _value(annotation: str) -> Any:
    if annotation.startswith("dict"):
        return {"a key": "word"}
    if annotation.startswith("list"):
        return ["word"]
    return "word" if annotation.startswith("str") else 1


def _keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_keys, value))
    return {*value, *_keys([*value.values()])} if isinstance(value, dict) else set()


def test_the_page_tells_what_becomes_of_each_property_in_each_mode() -> None:
    gates = [Gate(AIConfig(content_mode=mode)) for mode in MODES]
    found = {}
    for kind in SDK_EVENTS:
        for field in fields_of(kind):
            value = {"task_failure_reason": PERSONAL} if field.name == "enrichments" else PERSONAL
            left = [gate.properties(kind, {field.name: value}).get(field.wire) for gate in gates]
            found[field.wire] = [_what_became(value) for value in left]
    said = {name: ["no" if cell == CHOSEN else cell for cell in cells] for name, cells in _said().items()}
    assert said == found


@pytest.mark.parametrize("mode", MODES)
def test_chosen_keys_of_context_leave_redacted(mode: str) -> None:
    gate = Gate(AIConfig(content_mode=mode, context_keys=["contact"]))
    left = gate.properties(SessionEnd, {"context": {"contact": PERSONAL}})
    assert left["[Agent] Context"] == '{"contact":"[email]"}'


@pytest.mark.parametrize("mode", MODES)
def test_the_page_tells_which_fields_of_an_enrichment_leave(mode: str) -> None:
    head, *rows = _rows(_section("Enrichments"))
    columns = [at for at, modes in enumerate(head) if modes == "every mode" or mode in _names(modes)]
    expected = {name for row in rows for at in columns for name in _names(row[at])} - NESTED.keys()
    if mode == "metadata_only":
        expected.remove("confidence")  # it is part of labels, which do not leave
    gate = Gate(AIConfig(content_mode=mode))
    left = gate.properties(SessionEnd, {"enrichments": _filled(SessionEnrichments)})
    ours = {"a key", "a model", "a message", *NESTED}
    assert _keys(json.loads(left["[Agent] Enrichments"])) - ours == expected


def test_each_setting_on_the_page_exists() -> None:
    settings = {_names(row[0])[0] for row in _rows(_section("What changes it"))[1:]}
    assert settings <= AIConfig.__annotations__.keys()
    assert "context_keys" in settings
