"""Small projects on disk, and what the doctor says of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from amplitude_ai_integrations.diagnostics import Finding, examine

KEY = "0123456789abcdef0123456789ab1234"

Project = Callable[..., Path]
Examined = Callable[..., list[Finding]]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of the machine in that the doctor would judge."""
    for name in os.environ:
        if (
            name.upper().startswith("AMPL")
            or name.upper().endswith("_PROXY")
            or name == "DJANGO_SETTINGS_MODULE"
        ):
            monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Write a project: `project(app="...")` makes app.py; a path is given as `**{"a/b.py": "..."}`."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / (name if "." in name else f"{name}.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


@pytest.fixture
def said(project: Project) -> Examined:
    """Write a project, and return what is said about its code, but for what is said of versions."""

    def examined(**files: str) -> list[Finding]:
        found = examine(project(**files), live=False)
        return [finding for finding in found if finding.topic == "project"]

    return examined
