"""The example runs as a reader runs it, with the fake in place of OpenAI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import Serve
from tests.fakes.collector import Collector
from tests.fakes.openai_server import OpenAIServer

from ..contract.graph import graph

ROOT = Path(__file__).parents[3]
TRAINS = 'call:find_trains{"origin":"Berlin","destination":"Prague"} echo:At 06:16.'
ASKED = f"call:ask_clerk{json.dumps({'question': TRAINS})} echo:It leaves at 06:16."


def test_the_example_tells_of_both_agents(fake: OpenAIServer, serve: Serve) -> None:
    collector = Collector()
    settings = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": fake.url}
    environment = {**os.environ, **settings, "AMPLITUDE_AI_SERVER_URL": serve(collector.app)}
    command = [sys.executable, "-W", "error", "-m", "example_apps.openai_agents_example", ASKED]
    run = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"> {ASKED}\nIt leaves at 06:16.\n"
    shown = graph(collector.events)
    assert [line for line in shown if not line.startswith("  ")] == [
        "clerk of concierge",
        "concierge",
        "span clerk by clerk of concierge in concierge",
        "span concierge by concierge",
        "span is_short by concierge in concierge",
    ]
    assert sum("answer" in line for line in shown) == 4
    assert sum("tool find_trains" in line or "tool ask_clerk" in line for line in shown) == 2
    assert collector.events[-1]["event_type"] == "[Agent] Session End"
