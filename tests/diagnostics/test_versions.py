"""What is installed is judged by its metadata; nothing of it is imported."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from amplitude_ai_integrations.diagnostics import Finding, examine
from amplitude_ai_integrations.diagnostics.versions import is_below
from amplitude_ai_integrations.registry import INTEGRATIONS

from .conftest import Project

ROOT = Path(__file__).parents[2]
COMBINED = {"all", "analytics"}  # not one package each


def install(folder: Path, name: str, version: str) -> None:
    """Say that a package is installed, as an installer does."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all there is installed."""
    folder = tmp_path / "installed"
    folder.mkdir()
    monkeypatch.setattr("sys.path", [str(folder)])
    return folder


def told(project: Path | None = None) -> list[Finding]:
    return [one for one in examine(project, live=False) if one.topic == "versions"]


def test_the_table_and_the_extras_say_the_same() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    section = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = dict(re.findall(r'^([\w-]+) = \["([^"]+)"\]', section, re.MULTILINE))
    names = set(re.findall(r"^([\w-]+) = \[", section, re.MULTILINE))
    assert {known.extra: known.requirement for known in INTEGRATIONS if known.extra} == extras
    assert names - extras.keys() == COMBINED


def test_what_is_new_enough_is_in_order(installed: Path) -> None:
    install(installed, "openai", "1.68.0")
    install(installed, "flask", "3.0")
    assert [(one.state, one.words) for one in told()] == [("ok", "Supported: flask 3.0, openai 1.68.0.")]


def test_what_is_too_old_is_told_with_the_command(installed: Path, project: Project) -> None:
    install(installed, "openai", "1.60.2")
    (found,) = told()
    assert (found.state, found.words, found.fix) == (
        "warning",
        "openai 1.60.2 is too old; OpenAI is supported from 1.68 on.",
        "pip install 'amplitude-ai-integrations[openai]'",
    )
    used = told(project(app="import openai\n"))
    assert [(one.state, one.words) for one in used] == [("problem", found.words)]


def test_a_framework_that_is_too_old_for_its_door_is_a_problem_where_it_runs(
    installed: Path, project: Project
) -> None:
    install(installed, "langchain-core", "0.2.9")
    words = "langchain-core 0.2.9 is too old; LangChain is supported from 0.3 on."
    run = "from langchain_openai import ChatOpenAI\nmodel = ChatOpenAI()\n"
    for text, state in ((run, "problem"), ("from langchain_openai import ChatOpenAI\n", "warning")):
        (found,) = told(project(app=text))
        assert (found.state, found.words, found.fix) == (
            state, words, "pip install 'amplitude-ai-integrations[langchain]'",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "needed", "extra"),
    [
        ("from amplitude_ai_integrations import AmplitudeCallbackHandler", "langchain_core", "langchain"),
        ("from llama_index.llms.openai import OpenAI\nOpenAI()", "llama_index.core", "llamaindex"),
        ("from agents import Runner", "agents", "openai-agents"),
        ("from analytics import ai\nai.enable_otel()", "opentelemetry.sdk", "otel"),
        (
            "from amplitude_ai_integrations.frameworks.opentelemetry import AmplitudeSpanProcessor",
            "opentelemetry.sdk", "otel",
        ),
        (
            "from amplitude_ai_integrations.frameworks.anthropic_managed import ManagedAgentTracker",
            "anthropic", "anthropic",
        ),
    ],
)  # fmt: skip
def test_what_a_door_stands_on_and_is_not_here_is_told(
    installed: Path, project: Project, line: str, needed: str, extra: str
) -> None:
    assert [(one.state, one.words, one.fix) for one in told(project(app=f"{line}\n"))] == [
        ("warning", f"Your code needs {needed}, which is not installed here.", f"pip install 'amplitude-ai-integrations[{extra}]'")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "files",
    [
        {"agents/__init__.py": "", "app.py": "from agents import build\n"},
        {"agents/weather.py": "", "app.py": "from agents.weather import build\n"},
        {"src/agents.py": "class Agent: ...\n", "src/app.py": "from agents import Agent\n"},
        {"back/agents.py": "class Runner: ...\n", "back/app/main.py": "from agents import Runner\n"},
        {"app.py": "from agents import Agent, planner\n"},
        {"mcp/server.py": "", "app.py": "from mcp.server import run\n"},
        {"app.py": "from .agents import Runner\n"},
    ],
)
def test_a_module_of_the_projects_own_is_nobody_elses(
    installed: Path, project: Project, files: dict[str, str]
) -> None:
    assert told(project(**files)) == []


def test_what_is_installed_for_much_else_counts_where_it_is_used_for_models(
    installed: Path, project: Project
) -> None:
    install(installed, "boto3", "1.20")
    assert told(project(app="import boto3\nboto3.client('s3')\n")) == []
    (found,) = told(project(app="import boto3\nboto3.client('bedrock-runtime')\n"))
    assert (found.state, found.words) == (
        "problem", "boto3 1.20 is too old; Bedrock is supported from 1.34.116 on.",
    )  # fmt: skip
    (found,) = told(project(app="from amplitude_ai_integrations.providers.bedrock import Bedrock\n"))
    assert found.state == "problem"


def test_what_the_project_imports_is_told_by_its_module(installed: Path, project: Project) -> None:
    install(installed, "mcp", "1.1")
    install(installed, "boto3", "1.20")
    (found,) = told()
    assert (found.state, found.words) == ("warning", "mcp 1.1 is too old; MCP is supported from 1.2 on.")
    (found,) = told(project(app="from mcp.server.mcpserver import MCPServer\nfrom . import boto3\n"))
    assert found.state == "problem"


def test_the_other_package_of_the_same_commands_is_told(installed: Path) -> None:
    install(installed, "amplitude-ai", "1.21.0")
    (found,) = told()
    assert found.words.startswith("amplitude-ai 1.21.0 is installed too")
    assert found.fix.endswith("amplitude-ai-integrations, python -m amplitude_ai_integrations")


def test_what_the_project_imports_and_is_not_here_is_told(installed: Path, project: Project) -> None:
    folder = project(app="from flask import Flask\nfrom amplitude_ai_integrations import OpenAI\n")
    found = [(one.state, one.words, one.fix) for one in told(folder)]
    assert found == [
        ("warning", "Your code needs openai, which is not installed here.", "pip install 'amplitude-ai-integrations[openai]'"),
        ("warning", "Your code needs flask, which is not installed here.", "pip install 'amplitude-ai-integrations[flask]'"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "floor", "is_older"),
    [
        ("1.67.9", "1.68", True), ("1.68", "1.68.0", False), ("2", "1.68", False), ("0.115.12", "0.115.12", False),
        ("0.115.2", "0.115.12", True), ("1!0.1", "0.2", True), ("3.0rc1", "3.0", False), ("v4.2.1+local", "4.2", False),
        ("unknown", "4.2", False), ("", "4.2", False), ("4.1", "", False),
    ],
)  # fmt: skip
def test_versions_are_compared_as_numbers(version: str, floor: str, is_older: bool) -> None:
    assert is_below(version, floor) is is_older
