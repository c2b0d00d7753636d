"""The example and the page's programs, as a reader runs them, with a fake for the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.docs.blocks import blocks_of
from tests.fakes.collector import Collector

from ..contract.graph import graph
from .frames import Unframed

ROOT = Path(__file__).parents[3]


def test_the_example_tells_of_both_roles(fake: Unframed, serve: Serve) -> None:
    collector = Collector()
    settings = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": fake.url}
    environment = {**os.environ, **settings, "AMPLITUDE_AI_SERVER_URL": serve(collector.app)}
    trains = 'call:find_trains{"origin":"Berlin","destination":"Prague"} echo:At 06:16.'
    asked = json.dumps({"question": trains, "context": "Berlin", "coworker": "clerk"})
    words = f"call:ask_question_to_coworker{asked} echo:It leaves at 06:16."
    command = [sys.executable, "-m", "example_apps.crewai_crew", words]
    run = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "\nIt leaves at 06:16." in run.stdout
    lines = graph(collector.events)
    assert [line for line in lines if not line.startswith("  ")] == [
        "None",
        "clerk of concierge",
        "concierge",
        "span clerk by clerk of concierge in concierge",
        "span concierge by concierge in plan",
        "span plan by None in trips",
        "span trips by None",
    ]
    assert '  tool find_trains {"origin":"Berlin","destination":"Prague"} -> EC 171' in str(lines)


def test_the_page(
    fake: Unframed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", fake.url)
    namespace = {"__name__": "__main__"}
    for block in blocks_of(ROOT / "docs/crewai.md"):
        capsys.readouterr()
        block.run(namespace)
        shown = [
            line for line in capsys.readouterr().out.splitlines() if line.startswith(("[Agent]", "None"))
        ]
        assert shown == block.printed.splitlines()
