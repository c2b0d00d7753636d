"""The fixtures as a project of its own sees them: in a pytest that is run for each of these tests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]

# Loaded in every run; each further module would make everybody's tests start later.
LIGHT = [
    "amplitude_ai_integrations",
    "amplitude_ai_integrations.testing",
    "amplitude_ai_integrations.testing.plugin",
    "amplitude_ai_integrations.version",
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a file of tests, and return what pytest prints: `run(source, *options)`."""

    def run(source: str, *options: str) -> str:
        (tmp_path / "test_it.py").write_text(source)
        # A project without pytest-asyncio, whose own settings nobody makes here.
        command = [sys.executable, "-m", "pytest", "-W", "error", "-rA", "-p", "no:asyncio", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout

    return run


def _outcomes(text: str) -> dict[str, list[str]]:
    """Return which tests ended how, from pytest's short summary."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        outcome, _, rest = line.partition(" test_it.py::")
        if outcome in ("PASSED", "FAILED", "ERROR") and rest:
            found.setdefault(outcome, []).append(rest.partition(" - ")[0])
    return found


def _lasting(text: str) -> list[str]:
    """Return what pytest prints, without times and the list of plugins, where ours is named by its package."""
    return [re.sub(r"\d+\.\d+s", "", line) for line in text.splitlines() if not line.startswith("plugins: ")]


def test_the_plugin_imports_nothing_and_prints_nothing_until_it_is_used(run: Run, tmp_path: Path) -> None:
    source = """
import json, pathlib, sys
def test_it():
    pathlib.Path("modules").write_text(json.dumps([*sys.modules]))
"""
    modules, printed = [], []
    for options in ([], ["-p", "no:amplitude_ai"]):
        printed.append(_lasting(run(source, *options)))
        modules.append(set(json.loads((tmp_path / "modules").read_text())))
    assert sorted(modules[0] - modules[1]) == LIGHT
    assert printed[0] == printed[1]


def test_a_test_that_tracks_what_it_should_passes(run: Run) -> None:
    text = run(
        """
def test_good(amplitude_ai):
    amplitude_ai.track_user_message("u1", "Hi", "s1")
    amplitude_ai.assert_event_tracked("User Message", user_id="u1", turn_id=1)

def test_again(amplitude_ai):
    test_good(amplitude_ai)
"""
    )
    assert _outcomes(text) == {"PASSED": ["test_good", "test_again"]}, text


def test_a_wrong_event_fails_the_test_that_made_it(run: Run) -> None:
    text = run(
        """
def test_wrong(amplitude_ai):
    amplitude_ai.track_user_message("u1", "Hi", "s1", event_properties={"[Agent] Colour": "red"})

def test_right(amplitude_ai):
    amplitude_ai.track_user_message("u1", "Hi", "s1")
"""
    )
    assert _outcomes(text)["ERROR"] == ["test_wrong"], text
    assert (
        "There is no property '[Agent] Colour' of [Agent] User Message.\n"
        "  #1 [Agent] User Message user_id='u1' session_id='s1'\n"
    ) in text


def test_an_error_that_was_kept_from_the_program_fails_the_test(run: Run) -> None:
    text = run(
        """
import pytest
from amplitude_ai_integrations import AIConfig

def before_send(event):
    return event["no such key"]

@pytest.fixture
def amplitude_ai_config():
    return AIConfig(before_send=before_send)

def test_hook(amplitude_ai):
    amplitude_ai.track_user_message("u1", "Hi", "s1")
    assert len(amplitude_ai.events) == 1
"""
    )
    assert _outcomes(text) == {"PASSED": ["test_hook"], "ERROR": ["test_hook"]}, text
    assert "Swallowed in before_send:" in text
    assert (
        """in before_send
    return event["no such key"]"""
        in text
    )
    assert "KeyError: 'no such key'" in text
    assert "before_send: KeyError; the event may be incomplete" in text  # in the log, as in production


def test_a_failed_assertion_shows_the_line_of_the_test_and_none_of_ours(run: Run) -> None:
    text = run("def test_it(amplitude_ai):\n    amplitude_ai.assert_session_closed('s1')\n")
    assert _outcomes(text) == {"FAILED": ["test_it"]}, text
    assert ">       amplitude_ai.assert_session_closed('s1')" in text
    assert "mock.py" not in text


def test_frozen_events_are_the_same_in_every_run(run: Run, tmp_path: Path) -> None:
    source = """
import json, pathlib
def test_it(amplitude_ai_frozen, amplitude_ai):
    assert amplitude_ai_frozen is amplitude_ai
    with amplitude_ai.agent("bot").session() as session:
        session.track_user_message("Hi")
    with pathlib.Path("events").open("a") as events:
        events.write(json.dumps(amplitude_ai.events) + "\\n")

def test_twice(amplitude_ai_frozen, amplitude_ai):
    test_it(amplitude_ai_frozen, amplitude_ai)
"""
    for _ in range(2):
        assert _outcomes(run(source)) == {"PASSED": ["test_it", "test_twice"]}
    first, *others = (tmp_path / "events").read_text().splitlines()
    assert others == [first] * 3
    assert json.loads(first)[0]["time"] == 1_735_689_600_000
