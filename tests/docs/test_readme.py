"""The README's programs run as they stand, against real servers on this machine."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import Serve
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.bedrock_server import BedrockServer
from tests.fakes.collector import Collector
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.openai_server import OpenAIServer

from .blocks import ROOT, blocks_of

PROGRAMS = [block.code for block in blocks_of(ROOT / "README.md")]

DRIVE_THE_APP = """
from starlette.testclient import TestClient

with TestClient(app) as client:
    headers = {"x-demo-user": "user-42", "x-conversation-id": "conversation-1"}
    assert client.post("/chat", json={"question": "Hi?"}, headers=headers).json()["answer"]
"""
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
EXPECTED = [
    ["User Message", "AI Response"],
    ["User Message", "AI Response", "Score", "Session End"],
    ["User Message", "Tool Call", "AI Response", "Score", "Session End"],
    [*["User Message", "AI Response"] * 3, "Session End"],
    ["User Message", "AI Response"] * 2,
    ["User Message", "AI Response", "Span", "Session End"],
    ["User Message"],
]


def test_every_program_of_the_readme_is_expected() -> None:
    assert len(PROGRAMS) == len(EXPECTED)


@pytest.mark.parametrize("number", range(len(EXPECTED)))
def test_the_readmes_programs(number: int, serve: Serve) -> None:
    collector = Collector()
    model, claude, gemini, bedrock = OpenAIServer(), AnthropicServer(), GeminiServer(), BedrockServer()
    environment = {
        **os.environ,
        "AMPLITUDE_AI_SERVER_URL": serve(collector.app),
        "OPENAI_BASE_URL": model.url,
        "ANTHROPIC_BASE_URL": claude.address,
        "GOOGLE_GEMINI_BASE_URL": gemini.address,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.address,
        **dict.fromkeys(KEYS, "k"),
    }
    program = PROGRAMS[number] + (DRIVE_THE_APP if "FastAPI()" in PROGRAMS[number] else "")
    try:
        run = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        for fake in (model, claude, gemini, bedrock):
            fake.stop()
    assert run.returncode == 0, run.stderr
    kinds = [event["event_type"].removeprefix("[Agent] ") for event in collector.events]
    assert kinds == EXPECTED[number]
    assert {event["user_id"] for event in collector.events} == {"user-42"}
