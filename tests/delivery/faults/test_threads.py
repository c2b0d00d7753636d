"""Events may be tracked from anywhere, in the middle of tracking too, and nothing is stuck or lost."""

from __future__ import annotations

from tests.fakes.faults_answers import ok, status
from tests.fakes.faults_plan import Step

from .running import Run


def who(run: Run) -> set[str]:
    """Return who has tracked."""
    return {name.rpartition("-")[0] for name in run.tracked()}


def test_a_sender_that_was_killed_is_begun_anew(run: Run) -> None:
    process = run.start("threads.killed")
    process.until_ready()
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0, process.said
    assert process.report["killed"] >= 1
    assert len(run.tracked()) == 121
    assert run.missing() == []
    assert run.duplicates() == 0


def test_a_signal_handler_may_track(run: Run) -> None:
    process = run.start("threads.by_a_signal_handler", events=5_000)
    assert process.end() == 0, process.said
    run.recover()
    assert who(run) == {"main", "handler"}
    assert run.missing() == []
    assert run.duplicates() == 0
    assert run.ids_of_one_event() == 1


def test_a_logging_handler_may_track_also_what_the_client_itself_says(run: Run) -> None:
    run.server.plan(Step(status(500), times=2), Step(ok))
    process = run.start("threads.by_a_logging_handler")
    process.until_ready()
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0, process.said
    assert process.report["records"] > 20  # the client said that the server is away
    assert len(run.tracked()) == 200 + process.report["records"]
    assert run.missing() == []
    assert run.duplicates() == 0


def test_an_object_that_is_collected_may_track(run: Run) -> None:
    process = run.start("threads.by_the_garbage_collector", events=1_000)
    assert process.end() == 0, process.said
    assert len(run.tracked()) == 2_000
    run.recover()
    assert run.missing() == []
    assert run.ids_of_one_event() == 1


def test_the_callback_may_track_and_flush(run: Run) -> None:
    process = run.start("threads.by_the_callback", events=100)
    process.until_ready()
    run.until_arrived(200)
    process.go_on()
    assert process.end() == 0, process.said
    assert len(run.tracked()) == 200
    assert run.missing() == []
    assert sorted(process.report["told"]) == sorted(run.tracked())


def test_before_send_may_track(run: Run) -> None:
    process = run.start("threads.by_a_hook", events=100)
    assert process.end() == 0, process.said
    assert len(run.tracked()) == 200
    assert run.missing() == []
    assert process.report["status"]["swallowed"] == {}


def test_a_plugin_may_track(run: Run) -> None:
    process = run.start("threads.by_a_plugin", events=100)
    assert process.end() == 0, process.said
    assert len(run.tracked()) == 200
    assert run.missing() == []
    versions = {event.get("app_version") for name, event in run.arrived().items() if name.startswith("main")}
    assert versions == {"2.0"}
    assert process.report["status"]["swallowed"] == {}


def test_many_threads_may_track_at_once(run: Run) -> None:
    process = run.start("threads.by_many_threads", events=500)
    assert process.end() == 0, process.said
    run.recover()
    assert len(run.tracked()) == 4_000
    assert run.missing() == []
    assert run.duplicates() == 0
