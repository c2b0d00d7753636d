"""However a program ends, what it has tracked arrives: before the end, or with the next start."""

from __future__ import annotations

import signal

import pytest

from tests.fakes.faults_answers import hang, ok, status
from tests.fakes.faults_plan import Answer, Step

from .running import AT_EXIT, Run

EVENTS = 300

ORDERLY = {
    "normally": 0,
    "by_sys_exit": 3,
    "by_an_exception": 1,
    "with_a_late_thread": 0,
    "with_an_exit_callback": 0,
    "after_a_flush": 0,
    "after_a_shutdown": 0,
}


@pytest.mark.parametrize("program", ORDERLY)
def test_everything_has_arrived_when_a_program_has_ended(run: Run, program: str) -> None:
    process = run.start(f"ends.{program}", events=EVENTS)
    assert process.end() == ORDERLY[program], process.said
    assert len(run.tracked()) >= EVENTS
    assert run.missing() == []
    assert run.duplicates() == 0


@pytest.mark.parametrize(
    ("program", "number"), [("by_a_signal", signal.SIGINT), ("by_a_handled_signal", signal.SIGTERM)]
)
def test_everything_has_arrived_after_a_signal_that_unwinds(run: Run, program: str, number: int) -> None:
    process = run.start(f"ends.{program}", events=EVENTS)
    process.signal(number)
    assert process.end(AT_EXIT) in (0, -number), process.said
    assert len(run.tracked()) == EVENTS
    assert run.missing() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_next_start_sends_what_a_signal_cut_off(run: Run, number: int) -> None:
    process = run.start("ends.by_a_signal", events=EVENTS)
    process.signal(number)
    assert process.end() == -number
    run.recover()
    assert len(run.tracked()) == EVENTS
    assert run.missing() == []
    assert run.ids_of_one_event() == 1


def test_the_next_start_sends_what_an_exit_without_ceremony_left(run: Run) -> None:
    assert run.start("ends.at_once", events=EVENTS).end() == 4
    run.recover()
    assert len(run.tracked()) == EVENTS
    assert run.missing() == []


@pytest.mark.parametrize("answer", [status(500), hang, None], ids=["fails", "hangs", "refuses"])
def test_no_exit_waits_for_a_server_that_is_away_and_the_next_start_sends(
    run: Run, answer: Answer | None
) -> None:
    run.server.plan(Step(answer))
    process = run.start("ends.normally", events=EVENTS)
    process.until_ready()
    assert process.end(AT_EXIT) == 0
    assert run.missing() == run.tracked()
    run.server.plan(Step(ok))
    run.recover()
    assert len(run.tracked()) == EVENTS
    assert run.missing() == []
    assert run.ids_of_one_event() == 1


def test_a_flush_that_met_failures_is_done_when_everything_has_arrived(run: Run) -> None:
    run.server.plan(Step(status(500), times=2), Step(ok))
    assert run.start("ends.after_a_flush", events=EVENTS).end() == 0
    assert run.missing() == []


def test_a_shutdown_that_met_a_failure_leaves_the_rest_to_the_next_start(run: Run) -> None:
    run.server.plan(Step(status(500), times=1), Step(ok))
    assert run.start("ends.after_a_shutdown", events=EVENTS).end() == 0
    run.recover()
    assert run.missing() == []


@pytest.mark.parametrize(
    ("program", "more"), [("tracking_after_a_shutdown", 20), ("with_a_late_exit_callback", 50)]
)
def test_an_event_that_comes_after_the_end_is_not_lost(run: Run, program: str, more: int) -> None:
    process = run.start(f"ends.{program}", events=EVENTS)
    assert process.end() == 0, process.said
    run.recover()
    assert len(run.tracked()) == EVENTS + more
    assert run.missing() == []
