"""Findings read well on a terminal, in a log, and where only ASCII can be shown."""

from __future__ import annotations

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.diagnostics import Finding, report, status_text
from amplitude_ai_integrations.diagnostics.text import lines

from .conftest import KEY

FINDINGS = [
    Finding("environment", "ok", "All is well."),
    Finding("environment", "hint", "There is more.", "Take it."),
    Finding("project", "warning", "It may fail.", place="app.py:3"),
    Finding("project", "problem", "It fails.", "if so:\n    do this", "a.py:1"),
]


def test_a_report_is_grouped_and_ends_with_a_summary() -> None:
    assert report(FINDINGS) == (
        "environment\n"
        "  ok All is well.\n"
        "  -  There is more.\n"
        "       Take it.\n"
        "\n"
        "project\n"
        "  !  app.py:3: It may fail.\n"
        "  x  a.py:1: It fails.\n"
        "       if so:\n"
        "           do this\n"
        "\n"
        "1 problem, 1 warning, 1 hint."
    )


def test_a_good_report_says_so() -> None:
    assert report(FINDINGS[:1]).splitlines()[-1] == "Everything is in order."


def test_signs_and_colours_where_they_are_wanted() -> None:
    signed = list(lines(FINDINGS))
    assert signed[1] == "  ✓ All is well."
    assert signed[7] == "  ✗ a.py:1: It fails."
    colored = list(lines(FINDINGS, color=True))
    assert colored[1] == "  \x1b[32m✓\x1b[0m All is well."
    assert "\x1b" not in "".join(signed)


def test_lines_come_while_findings_do() -> None:
    def slowly() -> object:
        yield FINDINGS[0]
        raise AssertionError("asked for more than was read")

    coming = lines(slowly())  # type: ignore[arg-type]
    assert [next(coming), next(coming)] == ["environment", "  ✓ All is well."]


def test_names_of_files_cannot_command_the_terminal() -> None:
    text = report([Finding("project", "hint", "Left out.", place="a\x1b[2Jb\n.py")])
    assert "a?[2Jb?.py: Left out." in text


def test_the_status_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_API_KEY", KEY)
    monkeypatch.setenv("AMPLITUDE_AI_CONTENT_MODE", "metadata_only")
    told = status_text()
    assert "Events go to Amplitude (US), to the project with the key ...1234." in told
    assert "  AMPLITUDE_AI_API_KEY       ...1234\n  AMPLITUDE_AI_CONTENT_MODE  metadata_only" in told
    assert KEY not in told


def test_the_status_of_a_client() -> None:
    ai = AmplitudeAI(sink=MemorySink(), config=AIConfig(before_send=lambda event: None))
    ai.track_user_message("user-42", "Hi", "conversation-1")
    told = status_text(ai)
    assert "Events go to a MemorySink of yours." in told
    assert "  dropped              before_send 1" in told
    assert "  events               delivered 0, pending 0, dead 0" in told
    assert "  redact_pii           on" in told
