"""The programs of the guides run as they stand, and print what they say they print."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from unittest.mock import patch
from weakref import WeakSet

import pytest

from amplitude_ai_integrations.client import default
from amplitude_ai_integrations.client.tracker import ToolCallTracker
from amplitude_ai_integrations.context import unfollow_threads
from amplitude_ai_integrations.exceptions import shield
from amplitude_ai_integrations.testing.checking import errors_kept_away
from tests.fakes.openai_server import OpenAIServer

from .blocks import PAGES, Block, blocks_of

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
MARKS = {
    None,
    "swallows",  # shows an error that is kept from the program
    "not run",  # needs what is not installed here
    "app",  # is run as a reader runs it, with its quick start
    "models",  # speaks to vendors, and is run where there are some: test_model_pages.py
}


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.stop()


@pytest.fixture
def _newcomer(model: OpenAIServer, monkeypatch: pytest.MonkeyPatch, swallowing: None) -> Iterator[None]:
    """A process like a reader's: no setting, no client yet, a model to talk to, errors swallowed."""
    monkeypatch.setattr(shield, "swallowed", Counter())
    monkeypatch.setattr(default, "_clients", WeakSet())
    settings = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": model.url}
    ours = ("AMPLITUDE_", "GIT_", "GITHUB_", "COMMIT_SHA")
    others = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with patch.dict(os.environ, {**others, **settings}, clear=True):
        yield
    ToolCallTracker.clear()
    unfollow_threads()


def _run_as_tests(block: Block, folder: Path) -> str:
    """Run a file of tests as a project of its own; return what pytest says."""
    (folder / "test_it.py").write_text(block.code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_every_mark_is_known() -> None:
    assert {block.mark for block in BLOCKS} == MARKS


@pytest.mark.usefixtures("_newcomer")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_the_programs_of_the_guides(
    block: Block, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if block.mark in ("not run", "app", "models"):
        compile(block.code, block.name, "exec")
        return
    if block.is_test:
        said = _run_as_tests(block, tmp_path)
        assert " passed" in said, said
        assert " failed" not in said, said
        return
    program = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", program)
    with errors_kept_away() as errors:
        block.run(program.__dict__)
    assert "".join(capsys.readouterr()) == block.printed
    assert bool(errors) == (block.mark == "swallows"), errors
