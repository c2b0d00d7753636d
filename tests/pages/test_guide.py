"""The lines of the guide, followed to the letter, bring a session to the list."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from amplitude_ai_integrations.analytics.app import create_app
from amplitude_ai_integrations.analytics.pages.guide import snippets
from tests.analytics.running import Running, running
from tests.fakes.openai_server import OpenAIServer

AROUND = {
    "fastapi": (
        "from fastapi import FastAPI\napp = FastAPI()\n{}\n"
        "from starlette.testclient import TestClient\n"
        "@app.post('/chat')\n"
        "async def chat():\n"
        "    question = {{'role': 'user', 'content': 'What is the capital of France?'}}\n"
        "    await openai.chat.completions.create(model='gpt-4o-mini', messages=[question])\n"
        "TestClient(app).post('/chat').raise_for_status()\n"
        "ai.flush().result(10)\n"
    ),
    "openai": "{}",
}  # fmt: skip


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Running]:
    with running(create_app(tmp_path / "a.db")) as served:
        yield served


@pytest.fixture
def vendor() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()


@pytest.mark.parametrize("key", list(AROUND))
def test_a_snippet_is_a_whole_recipe(collector: Running, vendor: OpenAIServer, key: str) -> None:
    code = next(
        snippet.code for snippet in snippets(collector.url.removeprefix("http://")) if snippet.key == key
    )
    told = re.match(r"# export (AMPLITUDE_AI_SERVER_URL)=(\S+)\n", code)
    assert told
    given = {told[1]: told[2], "OPENAI_BASE_URL": vendor.url, "OPENAI_API_KEY": "sk-test"}
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AMPLITUDE_", "OPENAI_"))
    }
    ran = subprocess.run(  # noqa: PLW1510 - what it printed says more than that it failed
        [sys.executable, "-c", AROUND[key].format(code)],
        env=kept | given,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    [row] = collector.reader.sessions().rows
    assert (row.title, row.agent, row.turns, row.model_calls) == (
        "What is the capital of France?",
        "my-agent",
        1,
        1,
    )
    assert "What is the capital of France?" in collector.request("GET", "/sessions").body.decode()


def test_strings_and_comments_are_marked_wherever_they_stand() -> None:
    html = "\n".join(str(snippet.html) for snippet in snippets("127.0.0.1:8320"))
    assert "<samp>&#34;my-agent&#34;</samp>).session(user_id=<samp>&#34;user-1&#34;</samp>):" in html
    assert "openai = AsyncOpenAI(amplitude=ai)  <em># in place of openai.AsyncOpenAI()</em>" in html
