"""The doctor finds out whether the vendors' packages that are here can be observed, and leaves no trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openai
import pytest

from amplitude_ai_integrations.cli.main import main
from amplitude_ai_integrations.patching.trying import unobservable


def test_what_can_be_observed_is_not_mentioned() -> None:
    assert [*unobservable({"openai", "boto3"})] == []
    assert "request" not in vars(openai.OpenAI)


def test_what_cannot_be_observed_is_told_once_where_the_project_needs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    held: Any = type("OpenAI", (openai.OpenAI,), {"__module__": "amplitude_ai.patching"})
    monkeypatch.setattr(openai, "OpenAI", held)
    (tmp_path / "app.py").write_text("import openai\nopenai.OpenAI()\n")
    main(["doctor", "--json", str(tmp_path)])
    found = json.loads(capsys.readouterr().out)["findings"]
    words = "The package amplitude-ai has patched openai.OpenAI already; its calls are left to it."
    assert [one["state"] for one in found if one["words"] == words] == ["problem"]
    (tmp_path / "app.py").write_text("import anthropic\n")
    main(["doctor", "--json", "--no-mock-check", str(tmp_path)])
    assert words not in capsys.readouterr().out
