"""The lines that are told for one project work together: they all name one client."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from amplitude_ai_integrations.diagnostics import Finding, examine

from .conftest import Examined, Project

WEB = """from fastapi import FastAPI
import openai
{imported}
client = openai.OpenAI()
app = FastAPI()
"""
TASKS = """from celery import Celery
from openai import OpenAI
model: OpenAI = OpenAI()
queue = Celery("jobs")
"""
ALONE = f"{WEB.format(imported='')}{TASKS}"
OURS = "from amplitude_ai_integrations import AmplitudeAI\n"


def paste(folder: Path, found: list[Finding]) -> None:
    """Do what the doctor says: a client's line in place of the old one, all others below what they mend."""
    for one in sorted(found, key=line_of, reverse=True):
        path, number = folder / one.place.partition(":")[0], line_of(one)
        lines = path.read_text().splitlines() if number else []
        is_replaced = "own class" in one.words
        lines[number - is_replaced : number] = [one.fix]
        path.write_text("\n".join(lines) + "\n")


def line_of(one: Finding) -> int:
    return int(one.place.partition(":")[2] or 0)


@pytest.mark.parametrize(
    ("files", "program", "shared"),
    [
        ({"web.py": WEB.format(imported="import tasks"), "tasks.py": TASKS}, "import web, tasks", "agent_analytics.py"),
        ({"src/shop/__init__.py": "", "src/shop/web.py": WEB.format(imported="from . import tasks"), "src/shop/tasks.py": TASKS}, "import sys; sys.path.insert(0, 'src')\nfrom shop import web, tasks", "src/shop/agent_analytics.py"),
        ({"web.py": ALONE}, "import web; tasks = web", None),
        ({"web.py": WEB.format(imported="import tasks\nimport setup"), "tasks.py": TASKS, "setup.py": f"{OURS}analytics = AmplitudeAI()\n"}, "import web, tasks", None),
    ],
)  # fmt: skip
def test_all_lines_that_are_told_work_together(
    project: Project, files: dict[str, str], program: str, shared: str | None
) -> None:
    folder = project(**files)

    def examined() -> list[Finding]:
        return [one for one in examine(folder, live=False) if one.topic == "project"]

    told = [one for one in examined() if one.state in ("problem", "warning") or "one client" in one.words]
    assert len(told) == 4 + bool(shared)
    assert [one.place for one in told if ":" not in one.place] == ([shared] if shared else [])
    paste(folder, told)
    assert {one.state for one in examined()} == {"ok", "hint"}
    program += """
from amplitude_ai_integrations.client.default import default_client
from amplitude_ai_integrations.registry import observed
web.app.build_middleware_stack()
print(observed(), web.app.user_middleware[0].kwargs["amplitude_ai"] is default_client())
"""
    variables = {**os.environ, "AMPLITUDE_AI_DRY_RUN": "true", "OPENAI_API_KEY": "none"}
    words = [sys.executable, "-c", program]
    run = subprocess.run(
        words, cwd=folder, env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.stderr, run.stdout) == ("", "['openai'] True\n")


AGENTS = """from agents import Agent
from langgraph.graph import StateGraph
from llama_index.core.llms import MockLLM
from pydantic_ai import Agent as Helper
import anthropic, claude_agent_sdk
client = anthropic.Anthropic()
graph = StateGraph(dict)
llm = MockLLM()
agent = Agent(name="Concierge")
helper = Helper("test")
claude = claude_agent_sdk.ClaudeSDKClient()
runner = client.beta.messages.tool_runner(model="m", max_tokens=9, messages=[], tools=[])
def read(session_id): return client.beta.sessions.events.list(session_id)
"""
USED = """
from agents.tracing import get_trace_provider
from langchain_core.callbacks import CallbackManager
from llama_index.core.instrumentation import get_dispatcher
from amplitude_ai_integrations.client.default import default_client
handlers = [*CallbackManager.configure().handlers, *get_dispatcher().span_handlers, *get_dispatcher().event_handlers]
handlers += get_trace_provider()._multi_processor._processors
print([type(one).__module__.rpartition(".")[2] for one in handlers if "amplitude" in type(one).__module__])
print(default_client() is ai, ai.otel_enabled, bool(Helper._instrument_default), loop._client is client)
"""


def test_all_lines_that_are_told_of_agent_frameworks_work_together(project: Project) -> None:
    folder = project(app=AGENTS)

    def examined() -> list[Finding]:
        return [one for one in examine(folder, live=False) if one.topic == "project"]

    told = [one for one in examined() if one.state in ("problem", "warning")]
    assert [line_of(one) for one in told] == [6, 7, 8, 9, 11, 12, 13, 10]
    paste(folder, told)
    left = [one for one in examined() if one.state not in ("ok", "hint")]
    assert [one.words.partition(" is made, and nothing uses it")[0] for one in left] == [
        "Claude Agent SDK: ClaudeAgentSDKTracker", "Anthropic's tool runner: AmplitudeToolLoop",
        "Managed Agents API: ManagedAgentTracker",
    ]  # fmt: skip
    variables = {
        **os.environ,
        "AMPLITUDE_AI_DRY_RUN": "true",
        "OPENAI_API_KEY": "none",
        "ANTHROPIC_API_KEY": "none",
    }
    words = [sys.executable, "-c", f"from app import *\n{USED}"]
    run = subprocess.run(
        words, cwd=folder, env=variables, capture_output=True, text=True, timeout=100, check=False
    )
    assert (run.stderr, run.stdout.splitlines()) == (
        "", ["['langchain', 'llamaindex', 'llamaindex', 'openai_agents']", "True True True True"],
    )  # fmt: skip


def fixes(found: list[Finding]) -> list[list[str]]:
    return [one.fix.splitlines() for one in found if one.state in ("problem", "warning")]


def test_a_client_that_cannot_be_imported_in_a_circle_moves(said: Examined) -> None:
    web = f"import tasks\n{OURS}ai = AmplitudeAI()\n"
    assert fixes(said(**{"web.py": web, "tasks.py": TASKS}))[0][1] == (
        "from agent_analytics import ai   # move ai there from web.py:3; import it in both files"
    )
    made = f"{OURS}def make():\n    mine = AmplitudeAI()\n"
    assert fixes(said(**{"web.py": made, "tasks.py": TASKS}))[0][1] == (
        "from agent_analytics import mine   # move mine there from web.py:3; import it in both files"
    )


def test_settings_and_extensions_have_a_client_already(said: Examined) -> None:
    flask = "import flask\nfrom amplitude_ai_integrations.flask import AmplitudeAIFlask\nimport openai\n"
    flask += "app = flask.Flask('shop')\ntracking = AmplitudeAIFlask(app)\nclient = openai.OpenAI()\n"
    assert fixes(said(app=flask))[0][1] == "client = OpenAI(amplitude=tracking.client)"
    settings = 'MIDDLEWARE = ["amplitude_ai_integrations.django.AmplitudeAIMiddleware"]\n'
    django = said(app="", settings=settings, guide="import openai\nclient = openai.OpenAI(max_retries=1)\n")
    assert fixes(django)[-1][:3] == [
        "from amplitude_ai_integrations.django import get_client",
        "from amplitude_ai_integrations import OpenAI   # instead of: from openai import OpenAI",
        "client = OpenAI(..., amplitude=get_client())",
    ]


def test_a_client_that_does_not_say_where_it_reports_beside_several_is_a_warning(said: Examined) -> None:
    several = (
        f"{OURS}from amplitude_ai_integrations import OpenAI\nai = AmplitudeAI()\nother = AmplitudeAI()\n"
    )
    found = said(app=f"{several}client = OpenAI()\n")
    assert [(one.state, one.words, one.place) for one in found][1:] == [
        ("warning", "OpenAI is not told where to report: an error where a program makes several of those in app.py:3, app.py:4.", "app.py:5")
    ]  # fmt: skip
    assert found[1].fix == "OpenAI(..., amplitude=ai)   # better still: one AmplitudeAI() for all"
    for line in ("OpenAI(amplitude=ai)", "OpenAI(ai)", "OpenAI(**options)"):
        assert [one.state for one in said(app=f"{several}client = {line}\n")] == ["ok"]
    on_one_line = said(app=f"{several.replace(chr(10) + 'other', '; other')}client = OpenAI()\n")
    assert on_one_line[1].words.endswith("makes several of those in app.py:3.")
    one_of_two = several.replace("\nother", "\nif offline:\n    ai")
    assert [one.state for one in said(app=f"{one_of_two}client = OpenAI()\n")] == ["ok"]
