"""Whatever the server does, nothing is lost, and no event gets a second id."""

from __future__ import annotations

import pytest

from tests.fakes.faults_answers import (
    at_most,
    close,
    cut_answer,
    flaky,
    hang,
    html,
    invalid_key,
    lose_answer,
    ok,
    redirect,
    refusing,
    reset,
    slow,
    status,
    take_then_fail,
    throttling,
)
from tests.fakes.faults_plan import Event, Step

from .running import Run, long
from .waiting import until

EVENTS = 400


def is_bad(event: Event) -> bool:
    return event["user_id"] == "bad"  # type: ignore[no-any-return]


OUTAGES: dict[str, list[Step]] = {
    "500": [Step(status(500), seconds=2)],
    "503 with a page": [Step(html(503), times=3)],
    "408": [Step(status(408), times=2)],
    "429 with Retry-After": [Step(status(429, retry_after=2), times=2)],
    "429 for a while": [Step(status(429), seconds=2)],
    "refused": [Step(None, seconds=3)],
    "closed": [Step(close, times=3)],
    "reset": [Step(reset, times=3)],
    "slow": [Step(slow(1.0), times=2)],
    "a page instead of an answer": [Step(html(200), times=2)],
    "answer lost": [Step(lose_answer, times=2)],
    "answer cut": [Step(cut_answer, times=2)],
    "taken, then 500": [Step(take_then_fail, times=2)],
    "over 100 events too large": [Step(at_most(events=100))],
    "over 40 kB too large": [Step(at_most(size=40_000))],
    "blank 400": [Step(status(400), seconds=4)],
    "forbidden": [Step(status(403), times=2)],
    "redirect": [Step(redirect("/elsewhere"), times=2)],
    "a third fails": [Step(flaky(5, (0.12, status(500)), (0.12, reset), (0.12, lose_answer)))],
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_loses_nothing(run: Run, outage: str) -> None:
    run.server.plan(*OUTAGES[outage], Step(ok))
    process = run.start("plain.live", events=EVENTS, users=["ada"])
    process.until_ready()
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0
    assert len(run.tracked()) == EVENTS
    assert run.missing() == []
    assert run.ids_of_one_event() == 1
    assert run.dead() == []
    assert process.report["status"]["swallowed"] == {}


@long
def test_a_server_that_hangs_loses_nothing(run: Run) -> None:
    run.server.plan(Step(hang, times=1), Step(ok))
    process = run.start("plain.live", events=EVENTS, users=["ada"])
    process.until_ready()
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0
    assert run.missing() == []


def test_steady_traffic_through_an_outage_is_not_hammered_at_the_server(run: Run) -> None:
    run.server.plan(Step(status(500), seconds=4), Step(ok))
    process = run.start("plain.steady", rate=100, seconds=5)
    process.until_ready()
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0
    assert len(run.tracked()) == 500
    assert run.missing() == []
    assert run.duplicates() == 0
    assert run.server.statuses[500] <= 10
    assert run.server.connections <= run.server.requests


def test_the_last_event_of_a_request_is_not_condemned_for_an_outage(run: Run) -> None:
    run.server.plan(Step(status(400), times=2), Step(ok))
    process = run.start("plain.live", events=1, users=["ada"])
    process.until_ready()
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0
    assert run.missing() == []
    assert run.dead() == []
    assert process.report["status"]["events"] == {"delivered": 1, "pending": 0, "dead": 0}


def test_requests_share_a_connection(run: Run) -> None:
    process = run.start("plain.live", events=2_000, users=["ada"])
    process.until_ready()
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0
    assert run.server.requests >= 10
    assert run.server.connections <= 2
    assert run.duplicates() == 0


@pytest.mark.parametrize("kind", ["invalid", "missing", "silenced"])
def test_only_what_the_server_refuses_is_dead_and_with_its_reason(run: Run, kind: str) -> None:
    run.server.plan(Step(refusing(kind, is_bad)))
    process = run.start("plain.live", events=50, users=["ada", "bad", "bob"])
    process.until_ready()
    until(lambda: len(run.missing()) == 50 and len(run.dead()) == 50)
    process.go_on()
    assert process.end() == 0
    assert {name.partition("-")[0] for name in run.missing()} == {"bad"}
    letters = run.dead()
    assert [letter["event"]["user_id"] for letter in letters] == ["bad"] * 50
    assert {letter["status"] for letter in letters} == {400}
    assert all("event" in letter["reason"] for letter in letters)
    assert process.report["status"]["events"] == {"delivered": 100, "pending": 0, "dead": 50}


@long
def test_users_over_their_limit_wait_without_holding_up_others(run: Run) -> None:
    run.server.plan(Step(throttling({"loud"}), times=2), Step(ok))
    process = run.start("plain.live", events=50, users=["loud", "ada"])
    process.until_ready()
    run.until_arrived(50)
    assert {name.partition("-")[0] for name in run.arrived()} == {"ada"}
    run.until_all_arrived(90)
    process.go_on()
    assert process.end() == 0
    assert run.missing() == []
    assert run.dead() == []


def test_users_over_their_quota_for_the_day_are_kept(run: Run) -> None:
    run.server.plan(Step(throttling({"loud"}, quota=True)))
    process = run.start("plain.live", events=50, users=["loud", "ada"])
    process.until_ready()
    run.until_arrived(50)
    process.go_on()
    assert process.end() == 0
    assert {name.partition("-")[0] for name in run.missing()} == {"loud"}
    assert run.dead() == []
    assert process.report["status"]["events"]["dead"] == 0
    run.server.plan(Step(ok))
    run.recover()
    assert run.missing() == []
    assert run.ids_of_one_event() == 1


def test_events_wait_for_a_key_that_is_refused_and_the_callback_has_each_once(run: Run) -> None:
    run.server.plan(Step(invalid_key))
    process = run.start("plain.called_back", events=50, users=["ada"])
    process.until_ready()
    until(lambda: run.server.requests >= 1)
    run.server.plan(Step(invalid_key, times=1), Step(ok))
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0
    assert run.missing() == []
    told = process.report["told"]
    assert sorted(told) == sorted([name, 400] for name in run.tracked())
    assert process.report["status"]["events"] == {"delivered": 50, "pending": 0, "dead": 0}


def test_the_callback_has_each_event_once_through_failures(run: Run) -> None:
    run.server.plan(Step(status(500), times=2), Step(lose_answer, times=1), Step(refusing("invalid", is_bad)))
    process = run.start("plain.called_back", events=300, users=["ada", "bad"])
    process.until_ready()
    until(lambda: run.server.requests > 3 and len(run.arrived()) + len(run.dead()) >= 600)
    process.go_on()
    assert process.end() == 0
    told = process.report["told"]
    assert sorted(name for name, _code in told) == sorted(run.tracked())
    assert {(name.partition("-")[0], code) for name, code in told} == {("ada", 200), ("bad", 400)}


def test_a_flush_tells_the_truth_about_a_server_that_is_away(run: Run) -> None:
    run.server.plan(Step(status(500)))
    process = run.start("plain.flushing", events=100, timeout=1.5)
    process.until_ready()
    assert process.report["said"] == {"delivered": 0, "pending": 100, "dead": 0}
    run.server.plan(Step(ok))
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0
    assert run.missing() == []
    assert process.report["status"]["events"] == {"delivered": 100, "pending": 0, "dead": 0}


def test_a_flush_is_over_when_everything_has_arrived(run: Run) -> None:
    run.server.plan(Step(status(500), times=1), Step(ok))
    process = run.start("plain.flushing", events=100, timeout=30)
    process.until_ready()
    assert process.report["said"] == {"delivered": 100, "pending": 0, "dead": 0}
    assert run.missing() == []
    process.go_on()
    assert process.end() == 0


def test_an_event_loop_that_is_closed_loses_nothing(run: Run) -> None:
    process = run.start("plain.in_a_loop", events=300)
    assert process.end() == 0, process.said
    assert len(run.tracked()) == 300
    assert run.missing() == []
