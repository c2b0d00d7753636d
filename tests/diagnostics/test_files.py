"""Which files are read: the project's own, and not without end; nothing in them stops the doctor."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amplitude_ai_integrations.diagnostics import examine
from amplitude_ai_integrations.diagnostics.project import Sources, files
from amplitude_ai_integrations.diagnostics.project import sources as sources_module

from .conftest import Examined, Project

FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"


@pytest.mark.parametrize(
    "place",
    [
        ".venv/lib/a.py", "node_modules/p/a.py", "lib/site-packages/a.py", ".hidden.py", ".git/a.py", "a/migrations/a.py",
        "tests/app.py", "test_app.py", "app_test.py", "conftest.py", "__pycache__/a.py", "a.egg-info/a.py", "notes.txt",
    ],
)  # fmt: skip
def test_what_is_not_the_program_is_not_read(said: Examined, place: str) -> None:
    (found,) = said(**{place: FASTAPI})
    assert found.words.endswith("was found: there is no Python file here.")


def test_an_environment_of_any_name_is_not_read(said: Examined) -> None:
    (found,) = said(**{"my-python/pyvenv.cfg": "home = /usr", "my-python/lib/app.py": FASTAPI})
    assert found.words.endswith("was found: there is no Python file here.")


def test_one_file_can_be_named(project: Project) -> None:
    folder = project(app=FASTAPI, other="import flask\napp = flask.Flask('x')\n")
    found = [one for one in examine(folder / "app.py", live=False) if one.topic == "project"]
    assert [one.place for one in found] == [f"{folder.as_posix()}/app.py:2"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (FASTAPI + "def (:\n", "it is no valid Python, line 3"),
        (FASTAPI + "x = " + "(" * 5000 + ")" * 5000, "it is no valid Python"),
        (FASTAPI + "\0", "it is no valid Python"),
        (FASTAPI + "#" * 1_000_001, "it is larger than 1 MB"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_and_passed_over(said: Examined, text: str, why: str) -> None:
    found = said(bad=text, good=FASTAPI)
    assert [(one.state, one.place) for one in found] == [("hint", "bad.py"), ("problem", "good.py:2")]
    assert found[0].words.startswith(f"Left out: {why}")


def test_of_many_files_that_cannot_be_read_a_few_are_named(said: Examined) -> None:
    found = said(**{f"bad{number}": FASTAPI + "def (:\n" for number in range(7)})
    assert [one.words for one in found[4:6]] == [
        "Left out: it is no valid Python, line 3.",
        "Left out: 2 more.",
    ]


def test_deep_expressions_of_valid_python_are_read(said: Examined) -> None:
    assert said(app=FASTAPI + "x = " + "+".join(["1"] * 3000))[-1].state in ("problem", "hint")


def test_warnings_about_the_text_of_others_stay_away(said: Examined) -> None:
    assert [one.state for one in said(app=FASTAPI + "x = '\\d' is 'y'\n")] == ["problem"]


def test_a_file_that_may_not_be_read_is_said(project: Project) -> None:
    folder = project(app=FASTAPI)
    (folder / "gone.py").symlink_to(folder / "nowhere.py")
    found = [one for one in examine(folder, live=False) if one.topic == "project"]
    assert [(one.state, one.place) for one in found] == [("hint", "gone.py"), ("problem", "app.py:2")]
    assert found[0].words == "Left out: no such file or directory."


def test_what_is_no_file_is_not_waited_for(project: Project) -> None:
    folder = project(app=FASTAPI)
    os.mkfifo(folder / "pipe.py")
    os.mkfifo(folder / ".env")
    found = [one for one in examine(folder, live=False) if one.topic == "project"]
    assert found[0].words == "Left out: it is no regular file."


def test_a_project_may_be_its_own_environment(said: Examined) -> None:
    found = said(**{"pyvenv.cfg": "home = /usr", "lib/site-packages/a.py": FASTAPI, "app.py": FASTAPI})
    assert [one.place for one in found] == ["app.py:2"]


def test_links_that_lead_back_do_not_lead_astray(project: Project) -> None:
    folder = project(app=FASTAPI)
    (folder / "again").symlink_to(folder, target_is_directory=True)
    assert Sources.of(folder).count == 1


def test_there_is_an_end_to_reading(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_MOST_FILES", 3)
    folder = project(**dict.fromkeys("abcde", FASTAPI))
    found = [one.words for one in examine(folder, live=False) if one.topic == "project"]
    assert found[0] == "Only the first 3 files were read."
    assert Sources.of(folder).count == 3
    monkeypatch.undo()
    monkeypatch.setattr(files, "_MOST_ENTRIES", 4)
    sources = Sources.of(project(**{"more/z.py": FASTAPI}))
    assert (sources.count, sources.is_cut) == (5, True)
    monkeypatch.undo()
    monkeypatch.setattr(sources_module, "_MOST_KEPT", 2 * len(FASTAPI) - 1)
    sources = Sources.of(project())
    assert (len(sources.modules), sources.is_cut) == (2, True)


def test_of_two_thousand_files_only_those_are_parsed_that_may_matter(tmp_path: Path) -> None:
    for number in range(2000):
        folder = tmp_path / f"part{number % 40}"
        folder.mkdir(exist_ok=True)
        (folder / f"m{number}.py").write_text(
            f"import os\n\n\ndef f{number}(x):\n    return x + {number}\n" * 40
        )
    (tmp_path / "app.py").write_text(FASTAPI)
    sources = Sources.of(tmp_path)
    assert (sources.count, len(sources.modules)) == (2001, 1)


def test_a_byte_order_mark_hides_nothing(project: Project) -> None:
    folder = project(app="\ufeff" + FASTAPI)
    found = [one for one in examine(folder, live=False) if one.topic == "project"]
    assert [one.place for one in found] == ["app.py:2"]
