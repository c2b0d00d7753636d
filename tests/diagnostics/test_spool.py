"""The doctor says where events would not outlive their process, and leaves no trace of having looked."""

from __future__ import annotations

from pathlib import Path

import pytest

from amplitude_ai_integrations import AIConfig
from amplitude_ai_integrations.diagnostics import examine
from amplitude_ai_integrations.diagnostics.spool import spool_there_is


def test_a_folder_that_can_be_written_is_not_worth_a_word(tmp_path: Path) -> None:
    assert list(spool_there_is(AIConfig(spool=str(tmp_path / "spool")))) == []
    assert [path.name for path in tmp_path.rglob("*")] == ["spool"]


def test_what_is_no_folder_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (finding,) = spool_there_is(AIConfig(spool=str(tmp_path / "file" / "spool")))
    assert (finding.topic, finding.state) == ("spool", "warning")
    assert finding.words == (
        f"Events wait in memory, and end with the process: {tmp_path}/file/spool: Not a directory."
    )
    assert finding.fix.startswith("export AMPLITUDE_AI_SPOOL=")


def test_a_spool_that_is_switched_off_is_a_hint() -> None:
    (finding,) = spool_there_is(AIConfig(spool="off"))
    assert finding[:3] == ("spool", "hint", "Events wait in memory, and end with the process: switched off.")


def test_the_whole_check_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AMPLITUDE_AI_SPOOL", str(tmp_path / "file"))
    assert [it.state for it in examine() if it.topic == "spool"] == ["warning"]
    assert [it.state for it in examine(live=False) if it.topic == "spool"] == []
