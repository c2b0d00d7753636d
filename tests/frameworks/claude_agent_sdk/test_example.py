"""The example runs as a reader runs it, with the fake in place of the real command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import Serve
from tests.fakes.claude_cli import TEXT
from tests.fakes.collector import Collector

ROOT = Path(__file__).parents[3]


def test_the_example_tells_of_both_turns(cli: str, serve: Serve) -> None:
    collector = Collector()
    environment = {**os.environ, "CLAUDE_CLI": cli, "AMPLITUDE_AI_SERVER_URL": serve(collector.app)}
    words = ["call:mcp__trains__find_trains{}", "agent:critic"]
    command = [sys.executable, "-W", "error", "-m", "example_apps.claude_agent_sdk_example", *words]
    run = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.count(TEXT) == 2
    kinds = [event["event_type"].removeprefix("[Agent] ") for event in collector.events]
    turn = ["User Message", "AI Response", "Tool Call", "AI Response", "Span"]
    assert kinds == [*turn, "User Message", "AI Response", *turn, *turn[2:], "Session End"]
    agents = {event["event_properties"]["[Agent] Agent ID"] for event in collector.events}
    assert agents == {"concierge", "critic"}
