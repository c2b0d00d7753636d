"""What cannot be observed is left out with one sentence, and keeps nothing else from being observed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import (
    AmplitudeAI,
    MemorySink,
    ProviderError,
    patch,
    patch_anthropic,
    patch_openai,
)

from ..providers.expected import kinds
from .calling import say

ROOT = Path(__file__).parents[2]
PROGRAM = """
import logging
from amplitude_ai_integrations import MockAmplitudeAI, ProviderError, patch, patching
logging.basicConfig(format="%(message)s")
ai = MockAmplitudeAI()
print(patch(ai), patch(ai))
for name in ("anthropic", "openai"):
    try:
        getattr(patching, f"patch_{name}")(ai)
    except ProviderError as error:
        print(error)
"""


def told(folder: Path, **packages: str) -> tuple[list[str], list[str]]:
    """Run the program where these packages are all there is of vendors; return its stdout and stderr."""
    for name, text in packages.items():
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(text)
    for name in ("google", "mistralai"):  # not theirs, and without what they have
        (folder / f"{name}.py").touch()
    path = os.pathsep.join((str(folder), str(ROOT)))
    env = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr.splitlines()


def test_packages_that_fail_or_are_too_old_are_left_out_and_said_once(tmp_path: Path) -> None:
    """The first `openai` had no clients; the import of the other fails."""
    out, err = told(tmp_path, anthropic="raise RuntimeError('no such chip')", openai="ChatCompletion = None")
    anthropic = "Anthropic cannot be observed here (RuntimeError: no such chip)."
    old = "OpenAI cannot be observed here (AttributeError: module 'openai' has no attribute '"
    assert out[0] == "['bedrock'] ['bedrock']"
    assert (out[1], out[2].startswith(old)) == (anthropic, True)
    assert err[1] == f"patch(): {anthropic}"
    assert err[0].startswith(f"patch(): {old}")
    assert len(err) == len(set(err))


def test_a_package_that_is_not_there_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, ai: AmplitudeAI
) -> None:
    monkeypatch.setattr("sys.path", [])
    for name in [name for name in sys.modules if name.partition(".")[0] == "anthropic"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        ProviderError, match=r"^Anthropic needs .* pip install 'amplitude-ai-integrations\[anth"
    ):
        patch_anthropic(ai)
    assert "anthropic" not in patch(ai)


def _held(kind: Any) -> Any:
    """Return a class as the other package for these events puts it in the vendor's place."""
    return type(kind.__name__, (kind,), {"__module__": "amplitude_ai.patching"})


def test_what_the_other_package_holds_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch,
    ai: AmplitudeAI,
    sink: MemorySink,
    client: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = "The package amplitude-ai has patched openai.OpenAI already; its calls are left to it."
    theirs = _held(openai.OpenAI)
    monkeypatch.setattr(openai, "OpenAI", theirs)
    assert "openai" in patch(ai)  # its asynchronous clients, and Azure's
    assert patch(ai)
    assert caplog.messages.count(f"patch(): {words}") == 1
    with pytest.raises(ProviderError) as raised:
        patch_openai(ai)
    assert str(raised.value) == words
    say(client)
    assert kinds(sink) == []
    assert "request" not in vars(theirs)


def test_a_method_that_the_other_package_holds_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch, ai: AmplitudeAI, sink: MemorySink, client: Any
) -> None:
    space: dict[str, Any] = {"__name__": "amplitude_ai.patching", "found": openai.OpenAI.post}
    exec("def post(*args, **kwargs):\n    return found(*args, **kwargs)", space)
    monkeypatch.setattr(openai.OpenAI, "post", space["post"], raising=False)
    with pytest.raises(ProviderError, match=r"has patched openai\.OpenAI already"):
        patch_openai(ai)
    say(client)
    assert kinds(sink) == []
