"""A fork neither loses what was tracked nor sends it twice, and the child goes on as the parent does."""

from __future__ import annotations

import signal

import pytest

from tests.fakes.faults_answers import ok
from tests.fakes.faults_plan import Step

from .running import Run

CHILDREN = 200


@pytest.mark.parametrize("end", ["flush", "linger", "exit"])
@pytest.mark.parametrize(
    ("before", "flushes"), [(0, False), (20, True), (50, False)], ids=["unused", "used", "with-pending"]
)
def test_what_forked_children_track_arrives_once(run: Run, before: int, flushes: bool, end: str) -> None:
    process = run.start("forks.forked", before=before, flushes=flushes, end=end)
    assert process.end() == 0, process.said
    assert len(run.tracked()) == before + flushes + CHILDREN + 10
    assert run.missing() == []
    assert run.duplicates() == 0
    assert run.ids_of_one_event() == 1


@pytest.mark.parametrize("before", [0, 50], ids=["unused", "with-pending"])
def test_what_a_child_leaves_behind_is_sent_by_others(run: Run, before: int) -> None:
    process = run.start("forks.forked", before=before, flushes=False, end="at once")
    assert process.end() == 0, process.said
    run.recover()
    assert len(run.tracked()) == before + CHILDREN + 10
    assert run.missing() == []
    assert run.ids_of_one_event() == 1


@pytest.mark.parametrize("by_child", [0, 10], ids=["idle", "busy"])
def test_a_child_that_lives_on_does_not_hold_what_its_parent_left(run: Run, by_child: int) -> None:
    run.server.plan(Step(None))
    process = run.start("forks.outlived", by_child=by_child)
    assert process.end() == -signal.SIGKILL, process.said
    process.until_ready()  # the child is, and waits
    run.server.plan(Step(ok))
    run.recover()
    assert len(run.tracked()) == 50 + by_child
    assert run.missing() == []
    assert run.ids_of_one_event() == 1


def test_the_child_of_a_child_is_a_child(run: Run) -> None:
    process = run.start("forks.forked", before=20, flushes=True, end="grandchild")
    assert process.end() == 0, process.said
    assert len(run.tracked()) == 21 + 2 * CHILDREN + 10
    assert run.missing() == []
    assert run.duplicates() == 0


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_what_a_process_of_multiprocessing_tracks_arrives(run: Run, method: str) -> None:
    process = run.start("forks.multiprocessed", method=method)
    assert process.end() == 0, process.said
    run.recover()
    assert len(run.tracked()) == 121
    assert run.missing() == []
    assert run.ids_of_one_event() == 1


def test_no_child_is_stuck_that_was_forked_while_threads_track(run: Run) -> None:
    process = run.start("forks.under_load", children=30)
    assert process.end() == 0, process.said
    assert process.report["stuck"] == 0
    run.recover()
    assert len(run.tracked()) > 30 * 5
    assert run.missing() == []
    assert run.ids_of_one_event() == 1
