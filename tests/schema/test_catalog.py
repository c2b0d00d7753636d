"""The schema says everything the reference tables of the specification say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from amplitude_ai_integrations.schema.catalog import catalog
from amplitude_ai_integrations.schema.names import wire_name

ROOT = Path(__file__).parents[2]
REFERENCE = json.loads((Path(__file__).parent / "reference.json").read_text())
CATALOG = {event["name"]: event for event in catalog()}
# What the reference marks as required and an event may honestly lack.
NOT_ALWAYS_THERE = {
    "[Agent] Session ID": "an event tracked outside any session has none",
    "[Agent] Agent ID": "a session of an unnamed agent can be evaluated too",
    "[Agent] Customer Org ID": "only platforms that serve many customers have one",
}


@pytest.mark.parametrize("event", [name for name in REFERENCE if name != "common"])
def test_every_property_of_the_reference_is_there(event: str) -> None:
    ours = {item["name"]: item for item in CATALOG[event]["properties"]}
    shared = [] if CATALOG[event]["server_side"] else REFERENCE["common"]
    for name, kind, required in [*shared, *REFERENCE[event]]:
        item = ours[name]
        assert (item["type"], item["is_array"]) == (kind.removesuffix("[]"), kind.endswith("[]")), name
        if name not in NOT_ALWAYS_THERE:
            assert item["required"] is required, name


def test_every_event_says_how_much_text_it_may_hold_and_who_made_it() -> None:
    for event in CATALOG.values():
        names = {item["name"] for item in event["properties"] if item["required"]}
        assert {"[Agent] Content Mode", "[Agent] SDK Version", "[Agent] Runtime"} <= names, event["name"]


def test_every_description_is_a_sentence() -> None:
    for event in CATALOG.values():
        for item in event["properties"]:
            assert item["description"].endswith("."), item["name"]
            assert item["description"][0].isupper() or item["description"][0] == "'", item["name"]


@pytest.mark.parametrize(
    ("field", "wire"),
    [
        ("session_id", "[Agent] Session ID"),
        ("cost_usd", "[Agent] Cost USD"),
        ("ttfb_ms", "[Agent] TTFB Ms"),
        ("top_p", "[Agent] Top P"),
        ("sdk_version", "[Agent] SDK Version"),
        ("is_error", "[Agent] Is Error"),
        ("llm_message", "$llm_message"),
        ("session_replay_id", "[Amplitude] Session Replay ID"),
    ],
)
def test_wire_names(field: str, wire: str) -> None:
    assert wire_name(field) == wire


def test_what_is_generated_from_the_schema_is_fresh() -> None:
    command = [sys.executable, "scripts/generate.py", "--check"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stderr == ""
