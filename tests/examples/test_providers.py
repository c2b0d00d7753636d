"""The programs of example_apps/providers, each run as a reader runs it, against the fake of its vendor."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.azure_server import AzureServer
from tests.fakes.bedrock_server import BedrockServer
from tests.fakes.collector import Collector
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.mistral_server import MistralServer
from tests.fakes.model_server import TEXT, ModelServer
from tests.fakes.openai_server import OpenAIServer

FOLDER = Path(__file__).parents[2] / "example_apps/providers"
CALL = ["User Message", "AI Response"]
# The events of each, and who is said to have answered.
PROGRAMS: dict[str, tuple[list[str], str]] = {
    "gpt": ([*CALL, "Score", "Session End"], "openai"),
    "azure_gpt": (["AI Response"] * 2 + ["Session End"] * 2 + ["User Message"] * 2, "azure"),
    "claude": ([*CALL, "Tool Call", "AI Response", "Session End"], "anthropic"),
    "gemini_flash": ([*CALL, "Session End"], "google"),
    "mistral_small": ([*CALL, "Session End"], "mistral"),
    "bedrock_claude": ([*CALL, "Session End"], "aws"),
    "ollama_llama": ([*CALL, "Session End"], "ollama"),
    "patched": (CALL, "openai"),
}
FAKES: dict[str, type[ModelServer]] = {
    "openai": OpenAIServer,
    "azure": AzureServer,
    "anthropic": AnthropicServer,
    "gemini": GeminiServer,
    "mistral": MistralServer,
    "bedrock": BedrockServer,
}


@pytest.fixture(scope="module")
def settings() -> Iterator[Mapping[str, str]]:
    """What the programs read."""
    with ExitStack() as stack:
        at = {}
        for name, kind in FAKES.items():
            server = kind()
            stack.callback(server.stop)
            at[name] = server.address
        keys = ("OPENAI", "AZURE_OPENAI", "ANTHROPIC", "GEMINI", "MISTRAL")
        yield {
            **{f"{name}_API_KEY": "k" for name in keys},
            **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "k"),
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "OPENAI_BASE_URL": at["openai"] + "/v1",
            "OLLAMA_URL": at["openai"] + "/v1",
            "AZURE_OPENAI_ENDPOINT": at["azure"],
            "OPENAI_API_VERSION": "2024-10-21",
            "ANTHROPIC_BASE_URL": at["anthropic"],
            "GOOGLE_GEMINI_BASE_URL": at["gemini"],
            "MISTRAL_SERVER_URL": at["mistral"],
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": at["bedrock"],
        }


def test_every_program_is_run_and_told_of() -> None:
    there = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert there == {*PROGRAMS}
    told = (FOLDER / "README.md").read_text()
    assert all(f"[{name}.py]({name}.py)" in told for name in there)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_sends_its_events(name: str, settings: Mapping[str, str], serve: Serve) -> None:
    collector = Collector()
    environment = {**os.environ, **settings, "AMPLITUDE_AI_SERVER_URL": serve(collector.app)}
    command = [sys.executable, "-W", "error", "-m", f"example_apps.providers.{name}"]
    run = subprocess.run(
        command,
        env=environment,
        cwd=FOLDER.parents[1],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    expected, provider = PROGRAMS[name]
    assert run.stdout == f"{TEXT}\n" * (2 if name == "azure_gpt" else 1)
    events = collector.events
    kinds = [event["event_type"].removeprefix("[Agent] ") for event in events]
    assert (sorted(kinds) if name == "azure_gpt" else kinds) == expected
    assert {event["user_id"] for event in events} == {"user-42"}
    answers = [event["event_properties"] for event in events if "AI Response" in event["event_type"]]
    assert {answer["[Agent] Provider"] for answer in answers} == {provider}
    assert all("[Agent] Usage Estimated" not in answer or name == "gpt" for answer in answers)
