"""The command itself: it becomes the program, and says in one sentence why it cannot."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from amplitude_ai_integrations.cli import instrument
from amplitude_ai_integrations.cli.main import main

from ..fakes.openai_server import TEXT
from .calling import exchange
from .running import PYTHON, Place

FOLDER = str(Path(instrument.__file__).parent / "bootstrap")
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


def test_the_exit_status_and_signals_are_the_programs_own(place: Place) -> None:
    assert place.run(PYTHON, "-c", "raise SystemExit(7)").returncode == 7
    assert place.run("sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM
    assert place.run("sh", "-c", "kill -PIPE $$; echo unheard").returncode == -signal.SIGPIPE


def test_arguments_are_handed_on_as_they_are(place: Place) -> None:
    words = ["-h", "--json", "--", "a b", ""]
    done = place.run("--", PYTHON, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *words)
    assert (json.loads(done.stdout), done.stderr) == (words, "")


@pytest.mark.parametrize("value", ["false", "", "no"])
def test_it_does_nothing_unless_it_is_switched_on(place: Place, value: str) -> None:
    place.environment["AMPLITUDE_AI_AUTO_PATCH"] = value
    del place.environment["AMPLITUDE_AI_API_KEY"]
    done = place.run(PYTHON, "-c", SHOW, PYTHONPATH="mine")
    assert done.stderr == ""
    shown = json.loads(done.stdout)
    assert {name: shown[name] for name in place.environment} == place.environment
    assert shown["PYTHONPATH"] == "mine"


@pytest.mark.parametrize(("given", "passed"), [(None, FOLDER), ("", FOLDER), ("a:b", f"{FOLDER}:a:b")])
def test_a_path_that_was_there_is_kept(
    monkeypatch: pytest.MonkeyPatch, given: str | None, passed: str
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    before = {} if given is None else {"PYTHONPATH": given}
    assert instrument._observing({"A": "b", **before}) == {"A": "b", "PYTHONPATH": passed}


def test_the_settings_of_the_environment_hold(place: Place) -> None:
    done = place.run(PYTHON, "ask.py", AMPLITUDE_AI_CONTENT_MODE="metadata_only", AMPLITUDE_AI_DEBUG="true")
    assert done.stdout == f"{TEXT}\n"
    nobody, *lines = done.stderr.splitlines()
    assert nobody.startswith("An event was tracked outside any session and without a user")
    assert [line.partition(" | ")[0] for line in lines] == [
        "[amplitude-ai] [Agent] User Message", "[amplitude-ai] [Agent] AI Response",
    ]  # fmt: skip
    more = {"content_mode": "metadata_only", "llm_message": None}
    assert place.arrived == exchange(device_id="<id>", **more)


def test_a_switch_that_turns_tracking_off_turns_this_off(place: Place) -> None:
    done = place.run(PYTHON, "-c", SHOW, AMPLITUDE_TRACKING_DISABLED="true")
    assert "PYTHONPATH" not in json.loads(done.stdout)


ON = {"AMPLITUDE_AI_AUTO_PATCH": "true"}
KEYED = {**ON, "AMPLITUDE_AI_API_KEY": "k"}


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        ([], KEYED, "Say what to run, as in: amplitude-ai-instrument python app.py"),
        (["no-such-program", "x"], KEYED, "no-such-program is no program that can be run here."),
        (["app.py", "x"], KEYED, "app.py is no program that can be run here; did you mean: python app.py x?"),
        (["env"], ON, "AMPLITUDE_AI_API_KEY is not set, so there is nowhere to send events; set it, or AMPLITUDE_AI_SERVER_URL to a local `amplitude-ai analytics`."),
        (["env"], {"AMPLITUDE_AI_AUTO_PATCH": "maybe"}, "AMPLITUDE_AI_AUTO_PATCH is 'maybe'; use 'true' or 'false'."),
        (["env"], {**KEYED, "AMPLITUDE_AI_CONTENT_MODE": "all"}, "content_mode is 'all'; use one of 'full', 'metadata_only', 'customer_enriched'."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    environment: dict[str, str],
    said: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["instrument", *words]) == 2
    assert capsys.readouterr() == ("", f"amplitude-ai: {said}\n")


def test_a_file_that_is_no_program_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF of another machine")
    broken.chmod(0o700)
    was = {number: signal.getsignal(number) for number in (signal.SIGPIPE, signal.SIGXFSZ)}
    assert main(["instrument", str(broken)]) == 2
    assert capsys.readouterr().err == f"amplitude-ai: {broken} cannot be run: Exec format error.\n"
    for number, handler in was.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_is_its_own(capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert main(["instrument", word]) == 0
    assert capsys.readouterr().out.startswith("usage: amplitude-ai-instrument COMMAND [ARGUMENT ...]\n")


def test_the_hyphenated_command_is_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from amplitude_ai_integrations.cli.main import instrument_main

    monkeypatch.setattr(sys, "argv", ["amplitude-ai-instrument"])
    assert instrument_main() == 2
    assert capsys.readouterr().err.startswith("amplitude-ai: Say what to run")
