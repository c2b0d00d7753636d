"""What runs in every Python below the command: it is felt by nobody, and by no import but the vendors'."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..fakes.openai_server import TEXT
from .calling import exchange
from .running import PYTHON, Place

OBSERVED = """
import json, sys
seen = [sorted(name for name in sys.modules if name.startswith("amplitude"))]
for line in {lines!r}:
    exec(line)
    from amplitude_ai_integrations.registry import observed
    seen.append(observed())
print(json.dumps(seen))
"""
IMPORTS = {
    "import openai": "openai",
    "from anthropic import Anthropic": "anthropic",
    "from google import genai": "gemini",
    "try: from mistralai.client import Mistral\nexcept ImportError: from mistralai import Mistral": "mistral",
    "import boto3": "bedrock",
}


def test_a_vendor_is_observed_when_it_is_imported_and_not_before(place: Place) -> None:
    done = place.run(PYTHON, "-c", OBSERVED.format(lines=[*IMPORTS]))
    assert done.stderr == ""
    names = [*IMPORTS.values()]
    assert json.loads(done.stdout) == [[], *(sorted(names[: place_ + 1]) for place_ in range(len(names)))]


def test_a_program_without_a_vendor_imports_nothing_more(place: Place) -> None:
    program = "import json, sys; print(json.dumps([*sys.modules]))"
    observed, bare = place.run(PYTHON, "-c", program), place.run(PYTHON, "-c", program, is_bare=True)
    assert {*json.loads(observed.stdout)} - {*json.loads(bare.stdout)} <= {"sitecustomize", "__future__"}


SEES = """
import importlib.util, json, pkgutil, sys
import sitecustomize
spec = importlib.util.find_spec("boto3")  # which is not imported by this
assert "boto3" not in sys.modules
found = [spec.origin, spec.loader.get_filename("boto3"), spec.submodule_search_locations[0]]
import boto3
loaders = [type(loader).__name__ for loader in (boto3.__loader__, boto3.__spec__.loader)]
data = pkgutil.get_data("boto3", "__init__.py").decode()
print(json.dumps([found, loaders, data, sitecustomize.__file__, sys.path]))
"""


def test_modules_and_paths_are_as_they_would_be(place: Place, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.path.append('/of/the/other')\n")
    done, bare = (
        place.run(PYTHON, "-c", SEES, is_bare=is_bare, PYTHONPATH=str(tmp_path)) for is_bare in (False, True)
    )
    assert (done.stdout, done.stderr, done.returncode) == (bare.stdout, bare.stderr, 0)


@pytest.mark.parametrize("text", ["raise ValueError('mine')", "import no_such_module", "1 +"])
def test_a_sitecustomize_of_others_that_fails_fails_as_it_would(
    place: Place, tmp_path: Path, text: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(text)
    program = "import sys; print(type(sys.meta_path[0]).__name__)"
    done, bare = (
        place.run(PYTHON, "-c", program, is_bare=is_bare, PYTHONPATH=str(tmp_path))
        for is_bare in (False, True)
    )
    assert bare.stderr.startswith("Error in sitecustomize")
    assert done.stderr == bare.stderr * 2  # once in the command's own process
    assert done.stdout == "_Arrivals\n"


ASKING = """
import sys
from importlib.machinery import PathFinder

class Asking:
    def find_spec(self, name, path=None, target=None):
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, path, target)) is not None:
                return spec

sys.meta_path.insert({place}, Asking())
import boto3
from amplitude_ai_integrations.registry import observed
print(observed())
"""


@pytest.mark.parametrize("at", [0, 9])
def test_finders_that_ask_all_others_do_not_go_in_circles(place: Place, at: int) -> None:
    done = place.run(PYTHON, "-c", ASKING.format(place=at))
    assert (done.stdout, done.stderr) == ("['bedrock']\n", "")


def test_what_another_tool_has_imported_already_is_observed(place: Place, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import boto3\n")
    program = "from amplitude_ai_integrations.registry import observed; print(observed())"
    done = place.run(PYTHON, "-c", program, PYTHONPATH=str(tmp_path))
    assert (done.stdout, done.stderr) == ("['bedrock']\n", "")


def test_a_python_in_which_we_cannot_be_imported_goes_on(place: Place, tmp_path: Path) -> None:
    (tmp_path / "amplitude_ai_integrations.py").touch()
    command = ("sh", "-c", f"PYTHONPATH=$PYTHONPATH:{tmp_path} exec {PYTHON} ask.py")
    done = place.run(*command)
    assert (done.stdout, done.stderr) == (f"{TEXT}\n", "")
    done = place.run(*command, AMPLITUDE_AI_DEBUG="true")
    assert done.stdout == f"{TEXT}\n"
    assert done.stderr.startswith(f"amplitude-ai-instrument: openai is not observed by {PYTHON}: No module")
    assert place.arrived == []


OWN = """
from ask import ask
from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, patch_openai, unpatch
from amplitude_ai_integrations.client.default import default_client
sink = MemorySink()
ask("One")
ai = AmplitudeAI(sink=sink)
assert default_client() is ai
with ai.agent("a").session(user_id="user-1"):
    ask("Two")
patch_openai()
ask("Three")
unpatch()
ask("Four")
words = [event["event_properties"].get("$llm_message", {}).get("text") for event in sink]
assert words[0] == "Two" and words[3] == "Three" and len(words) == 5, words
"""


def test_a_program_that_uses_us_itself_is_the_one_to_say(place: Place) -> None:
    done = place.run(PYTHON, "-c", OWN)
    assert (done.returncode, done.stderr) == (0, "")
    assert place.arrived == exchange("One", device_id="<id>")
