"""The programs on Anthropic's agents, each as a process of its own against a fake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.collector import Collector
from tests.fakes.managed_server import ManagedServer
from tests.frameworks.contract.graph import graph

ROOT = Path(__file__).parents[2]
TRIP = (
    'call:find_trains{"origin":"Berlin","destination":"Prague"} '
    'call:ask_guide{"question":"echo:See Charles Bridge."} echo:At 06:16.'
)

FOUND = "EC 171 leaves Berlin at 06:16 and is in Prague at 10:25."


def run(serve: Serve, address: str, program: str, *given: str, **settings: str) -> tuple[Any, Collector]:
    collector = Collector()
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANTHROPIC_", "MANAGED_"))
        },
        "ANTHROPIC_API_KEY": "key-of-mine",
        "ANTHROPIC_BASE_URL": address,
        "AMPLITUDE_AI_SERVER_URL": serve(collector.app),
        **settings,
    }
    command = [sys.executable, "-W", "error", "-m", f"example_apps.{program}", *given]
    ran = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return ran, collector


# The model of the programs is called deprecated from a day on that is known to Anthropic's package.
MODEL = {"ANTHROPIC_MODEL": "claude-haiku-4-5"}


def test_a_loop_inside_a_loop(serve: Serve) -> None:
    fake = AnthropicServer()
    ran, collector = run(serve, fake.address, "anthropic_tool_loop_example", TRIP, **MODEL)
    fake.stop()
    assert ran.stderr == ""
    assert ran.stdout == f"> {TRIP}\nAt 06:16.\n"
    counted = "answer 20+7 $4.88e-05"
    assert [line.replace("  ", "", 1) for line in graph(collector.events)] == [
        "None",
        "Session End",
        "concierge",
        f"user: {TRIP}",
        f"{counted}: find_trains",
        f'tool find_trains {{"origin":"Berlin","destination":"Prague"}} -> {FOUND}',
        f"{counted}: ask_guide",
        'tool ask_guide {"question":"echo:See Charles Bridge."} -> See Charles Bridge.',
        f"{counted}: At 06:16.",
        "guide of concierge",
        "agent: echo:See Charles Bridge.",
        f"{counted}: See Charles Bridge.",
        "span concierge by concierge",
        "span guide by guide of concierge in concierge",
    ]


def test_a_managed_agent_is_polled(serve: Serve) -> None:
    fake = ManagedServer()
    fake.answers = "At 06:16."
    settings = {"MANAGED_AGENT": "agent_1", "MANAGED_ENVIRONMENT": "env_1", "MANAGED_POLL_SECONDS": "0.01"}
    ran, collector = run(serve, fake.address, "anthropic_managed_agents_example", "When?", "And?", **settings)
    fake.stop()
    assert ran.stderr == ""
    assert ran.stdout == "> When?\nAt 06:16.\n> And?\nAt 06:16.\n"
    assert graph(collector.events) == [
        "travel-guide",
        "  user: When?",
        "  answer 20+7 $4.88e-05: At 06:16.",
        "  user: And?",
        "  answer 20+7 $4.88e-05: At 06:16.",
        "  Session End",
        "span travel-guide by travel-guide",
        "span travel-guide by travel-guide",
    ]


@pytest.mark.parametrize("missing", ["MANAGED_AGENT", "MANAGED_ENVIRONMENT"])
def test_a_managed_agent_that_is_not_named(serve: Serve, missing: str) -> None:
    settings = {name: "x" for name in ("MANAGED_AGENT", "MANAGED_ENVIRONMENT") if name != missing}
    ran, _collector = run(serve, "http://127.0.0.1:9", "anthropic_managed_agents_example", **settings)
    assert ran.returncode == 1
    assert (
        ran.stderr == "Set MANAGED_AGENT and MANAGED_ENVIRONMENT to the ids that Anthropic's console shows.\n"
    )
