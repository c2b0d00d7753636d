"""Processes that are killed at any moment lose nothing, and leave nothing that others may read."""

from __future__ import annotations

from .crash import crash
from .running import Run, long


@long
def test_no_event_is_missing_after_processes_on_one_spool_were_killed_at_random(run: Run) -> None:
    figures = crash(run, processes=3, rounds=5, at_once=20, seed=11)
    assert figures.tracked > 1_000
    assert figures.arrived_before_recovery < figures.tracked
    assert figures.missing == 0
    assert figures.ids_of_one_event == 1
    assert figures.modes == {"drwx------", "-rw-------"}
    assert not figures.holds_key
