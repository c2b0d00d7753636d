"""Where there is no room, no right, no lock or no clock to rely on, events wait in memory, and all is counted."""

from __future__ import annotations

import pytest

from tests.fakes.faults_answers import ok, status
from tests.fakes.faults_plan import Step

from .running import Process, Run
from .waiting import until

EVENTS = 200
IN_MEMORY = "Events wait in memory"


def let_all_arrive(run: Run, process: Process) -> None:
    """Let the server recover, and the program end once everything has arrived."""
    process.until_ready()
    run.server.plan(Step(ok))
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0, process.said
    assert run.missing() == []
    assert run.ids_of_one_event() == 1
    assert process.report["status"]["swallowed"] == {}


def test_a_full_disk_loses_nothing_that_memory_has_room_for(run: Run) -> None:
    run.server.plan(Step(status(500)))
    process = run.start("bounds.on_a_full_disk", events=EVENTS)
    let_all_arrive(run, process)
    assert process.said.count(IN_MEMORY) == 1
    assert process.report["status"]["delivery"]["unreadable"] == 0
    assert process.report["status"]["delivery"]["dropped"] == {}


def test_a_disk_with_room_again_is_used_again(run: Run) -> None:
    run.server.plan(Step(status(500)))
    process = run.start("bounds.on_a_disk_that_recovers", events=EVENTS)
    assert process.end() == 0, process.said
    run.server.plan(Step(ok))
    run.start("plain.nothing")
    until(lambda: f"afterwards-{EVENTS - 1}" in run.arrived())
    assert not [name for name in run.missing() if name.startswith("afterwards")]


def test_a_folder_that_may_not_be_written_is_left_alone(run: Run) -> None:
    run.spool.mkdir(mode=0o500)
    run.server.plan(Step(status(500)))
    process = run.start("bounds.without_power", events=EVENTS)
    let_all_arrive(run, process)
    assert process.said.count(IN_MEMORY) == 1
    assert process.report["status"]["delivery"]["spool"].startswith("memory")
    assert list(run.spool.iterdir()) == []


def test_a_folder_that_is_removed_meanwhile_costs_no_event(run: Run) -> None:
    run.server.plan(Step(status(500)))
    let_all_arrive(run, run.start("bounds.with_its_folder_removed", events=EVENTS))


def test_a_folder_that_was_removed_is_made_again(run: Run) -> None:
    run.server.plan(Step(None))
    process = run.start("bounds.until_its_folder_is_back", events=EVENTS)
    assert process.end() == 0, process.said
    run.server.plan(Step(ok))
    run.start("plain.nothing")
    until(lambda: f"afterwards-{EVENTS - 1}" in run.arrived())
    assert not [name for name in run.missing() if name.startswith("afterwards")]


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_moved_delays_nothing(run: Run, hours: int) -> None:
    run.server.plan(Step(status(500)))
    process = run.start("bounds.with_another_clock", events=EVENTS, hours=hours)
    let_all_arrive(run, process)
    assert run.duplicates() == 0


def test_a_full_spool_drops_the_oldest_and_counts_them(run: Run) -> None:
    run.server.plan(Step(status(500)))
    process = run.start("bounds.with_a_small_spool", events=2_000, segment=50_000, spool=300_000)
    process.until_ready()
    assert sum(path.stat().st_size for path in run.spool.rglob("*") if path.is_file()) < 400_000
    run.server.plan(Step(ok))
    until(lambda: "main-1999" in run.arrived())
    process.go_on()
    assert process.end() == 0, process.said
    _newest_arrived(run, process, "spool full")


def test_memory_is_bounded_and_what_it_drops_is_counted(run: Run) -> None:
    run.server.plan(Step(status(500)))
    process = run.start("bounds.with_long_texts", {"AMPLITUDE_AI_SPOOL": "off"}, events=60)
    process.until_ready()
    run.server.plan(Step(ok))
    until(lambda: "long-59" in run.arrived())
    process.go_on()
    assert process.end() == 0, process.said
    _newest_arrived(run, process, "memory full")
    assert process.said.count("are dropped") == 1
    assert not run.spool.exists()


def _newest_arrived(run: Run, process: Process, reason: str) -> None:
    """Check that the oldest are missing, whichever were on their way at the time, and that all are counted."""
    told, names, missing = process.report["status"], run.tracked(), run.missing()
    assert missing
    assert len(missing) < len(names)
    assert not set(missing) & set(names[-len(names) // 20 :])
    assert told["delivery"]["dropped"] == {reason: len(missing)}
    assert told["events"] == {"delivered": len(names) - len(missing), "pending": 0, "dead": len(missing)}


def test_without_a_spool_everything_has_arrived_at_the_end(run: Run) -> None:
    process = run.start("ends.normally", {"AMPLITUDE_AI_SPOOL": "off"}, events=EVENTS)
    assert process.end() == 0, process.said
    assert run.missing() == []
    assert IN_MEMORY not in process.said
    assert not run.spool.exists()


def test_a_platform_without_locks_and_forks_keeps_events_in_memory(run: Run) -> None:
    run.server.plan(Step(status(500)))
    process = run.start("bounds.without_locks_and_forks", events=EVENTS)
    let_all_arrive(run, process)
    assert process.said.count(IN_MEMORY) == 1
    assert process.report["status"]["delivery"]["spool"].startswith("memory")
