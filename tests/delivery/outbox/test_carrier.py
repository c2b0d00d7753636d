"""What each kind of answer does to the events of a request."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amplitude_ai_integrations.delivery.outbox.records import encode_again
from amplitude_ai_integrations.delivery.outbox.segments import Segment
from amplitude_ai_integrations.delivery.outbox.spool import Spool
from tests.fakes import faults_answers as answers
from tests.fakes.faults import FaultServer
from tests.fakes.faults_plan import Event, Reply, Request, Step

from .conftest import Carried, id_of, id_range, left_behind, payload

Make = Callable[..., tuple[Carried, FaultServer]]
WEEK_MS = 7 * 24 * 3600 * 1000
SENT = 200


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def numbered(event: Event) -> int:
    return int(event["insert_id"].removeprefix("id-"))


def unexplained(*poison: int) -> Callable[[Request], Reply]:
    """Refuse requests in which one of these events is, and say nothing of which."""

    def answer(request: Request) -> Reply:
        if any(numbered(event) in poison for event in request.events):
            return Reply(400, {"code": 400, "error": "Bad request"})
        return answers.ok(request)

    return answer


def test_a_request_is_what_amplitude_asks_for(carried: Make) -> None:
    seen: list[Request] = []

    def keep(request: Request) -> Reply:
        seen.append(request)
        return answers.ok(request)

    it, _ = carried(Step(keep))
    it.put(payload(0), payload(1))
    it.carry()
    assert [(request.path, request.payload) for request in seen] == [
        (
            "/2/httpapi",
            {
                "api_key": "key-1",
                "events": [json.loads(payload(0)), json.loads(payload(1))],
                "options": {"min_id_length": 1},
            },
        )
    ]


@pytest.mark.parametrize("is_on_disk", [True, False])
def test_all_arrive_once_and_are_told_once(carried: Make, spool: Spool, is_on_disk: bool) -> None:
    it, server = carried(on=spool if is_on_disk else None)
    it.put(*(payload(number) for number in range(1_000)))
    assert it.carry_all() == 5
    assert list(server.accepted) == id_range(1_000)
    assert set(server.accepted.values()) == {1}
    assert it.told == [(name, SENT) for name in id_range(1_000)]
    assert it.outbox.is_empty
    assert it.outbox.counters.counts() == (1_000, 0, 0)
    assert server.connections == 1


def test_nothing_is_sent_where_nothing_waits(carried: Make) -> None:
    it, server = carried()
    assert it.carrier.carry() is False
    assert server.requests == 0


@pytest.mark.parametrize(("count", "goes_on"), [(1, False), (199, False), (200, True)])
def test_a_full_request_is_reason_for_another(carried: Make, count: int, goes_on: bool) -> None:
    it, _ = carried()
    it.put(*(payload(number) for number in range(count)))
    assert it.carrier.carry() is goes_on


def test_requests_stay_below_a_megabyte(carried: Make) -> None:
    sizes: list[int] = []

    def keep(request: Request) -> Reply:
        sizes.append(request.size)
        return answers.ok(request)

    it, server = carried(Step(keep))
    it.put(*(payload(number, size=90_000) for number in range(40)))
    it.carry_all()
    assert len(server.accepted) == 40
    assert max(sizes) <= 901_000
    assert len(sizes) == 5


def test_one_that_is_larger_goes_alone_to_where_it_is_taken(carried: Make) -> None:
    it, server = carried()
    it.put(payload(0), payload(1, size=1_500_000), payload(2))
    it.carry_all()
    assert sorted(server.accepted) == id_range(3)
    assert server.paths == {"/2/httpapi": 2, "/batch": 1}
    assert server.statuses == {200: 3}


FAILING = [
    answers.status(500),
    answers.status(503),
    answers.status(408),
    answers.status(429),
    answers.html(200),
    answers.html(502),
    answers.close,
    answers.reset,
]


@pytest.mark.parametrize("answer", FAILING)
def test_a_server_that_is_not_well_gets_the_same_again_later(carried: Make, answer: Any) -> None:
    it, server = carried(Step(answer, times=3), Step(answers.ok))
    it.put(*(payload(number) for number in range(10)))
    waits: list[float] = []
    while not server.accepted:
        it.carry()
        waits.append(it.carrier.not_before - time.monotonic())
    assert set(server.accepted.values()) == {1}
    assert len(server.accepted) == 10
    assert it.told == [(name, SENT) for name in id_range(10)]
    assert it.carrier.failures == 0
    assert it.carrier.trouble == ""
    assert waits[-1] < 0 < waits[0] < waits[-2] < 2
    assert it.outbox.counters.retried == 10 * (len(waits) - 1)


def test_waiting_doubles_up_to_half_a_minute(carried: Make) -> None:
    it, _ = carried(Step(answers.status(500)))
    it.put(payload(0))
    waits = []
    for _ in range(14):
        it.carry()
        waits.append(it.carrier.not_before - time.monotonic())
    for number, wait in enumerate(waits):
        longest = min(30.0, 0.25 * 2**number)
        assert max(waits[:number], default=0) - 0.5 <= wait <= longest, waits
        assert wait >= longest * 0.75 - 0.1 or (number and wait >= waits[number - 1] - 0.1), waits
    assert it.outbox.counters.counts() == (0, 1, 0)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 6.5, 7.0),
        ("0", 0.1, 0.3),
        ("-5", 0.1, 0.3),
        ("nan", 0.1, 0.3),
        ("soon", 0.1, 0.3),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.1, 0.3),
        ("1e99", 3_590, 3_600),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_server_s_own_word_on_when_to_come_again_is_heeded(
    carried: Make, status: int, value: str, least: float, most: float
) -> None:
    it, _ = carried(Step(lambda _request: Reply(status, {"code": status}, {"Retry-After": value})))
    it.put(payload(0))
    it.carry()
    assert least <= it.carrier.not_before - time.monotonic() <= most


@pytest.mark.parametrize("kind", ["invalid", "missing", "silenced"])
def test_only_the_events_at_fault_die(carried: Make, kind: str) -> None:
    it, server = carried(Step(answers.refusing(kind, lambda event: numbered(event) in (3, 7, 199))))
    it.put(*(payload(number) for number in range(200)))
    it.carry_all()
    assert sorted(it.dead()) == ["id-199", "id-3", "id-7"]
    assert len(server.accepted) == 197
    assert {name: code for name, code in it.told if code != SENT} == dict.fromkeys(
        ("id-3", "id-7", "id-199"), 400
    )
    assert len(it.told) == 200
    assert it.outbox.counters.counts() == (197, 0, 3)
    assert server.requests == 2


def test_indexes_outside_of_the_request_condemn_nobody(carried: Make) -> None:
    refusal = Reply(
        400, {"error": "no", "silenced_events": [5, 10**30, True], "events_with_invalid_fields": {"a": [-1]}}
    )
    it, server = carried(Step(lambda _request: refusal, times=3), Step(answers.ok))
    it.put(*(payload(number) for number in range(4)))
    it.carry_all()
    assert len(server.accepted) == 4
    assert it.dead() == []


@pytest.mark.parametrize("most", [1, 3, 100])
def test_too_large_a_request_is_halved_and_the_next_is_whole_again(carried: Make, most: int) -> None:
    it, server = carried(Step(answers.at_most(events=most)))
    it.put(*(payload(number) for number in range(200)))
    it.carry_all(500)
    assert list(server.accepted) == id_range(200)
    assert it.dead() == []
    server.plan(Step(answers.ok))
    before = server.requests
    it.put(*(payload(number) for number in range(200, 400)))
    it.carry_all()
    assert server.requests == before + 1


def test_an_event_that_is_too_large_everywhere_dies_alone(carried: Make) -> None:
    it, server = carried(Step(answers.at_most(size=150_000)))
    it.put(*(payload(number, size=200_000 if number == 2 else 0) for number in range(5)))
    it.carry_all()
    assert it.dead() == ["id-2"]
    assert sorted(server.accepted) == ["id-0", "id-1", "id-3", "id-4"]
    assert server.paths["/batch"] == 1


def test_small_events_outlive_a_door_that_is_too_narrow_for_any(carried: Make) -> None:
    it, server = carried(Step(answers.at_most(size=10)))
    it.put(*(payload(number) for number in range(5)))
    it.carry_all()
    assert it.dead() == []
    server.plan(Step(answers.ok))
    it.outbox.bring_forward()
    it.carry_all()
    assert sorted(server.accepted) == id_range(5)


@pytest.mark.parametrize("poison", [(0,), (1,), (99,), (100,), (199,), (0, 199), (99, 100), (7, 8, 150)])
def test_one_that_spoils_its_request_is_found_and_its_neighbours_arrive(
    carried: Make, poison: tuple[int, ...]
) -> None:
    it, server = carried(Step(unexplained(*poison)))
    it.put(*(payload(number) for number in range(200)))
    failed_first = 0
    while not server.accepted:
        it.carry()
        failed_first += not server.accepted
    assert failed_first <= 1 + 2 * len(poison)  # each makes the neighbours wait for longer
    it.carry_all(500)
    names = {f"id-{number}" for number in poison}
    assert set(server.accepted) == set(id_range(200)) - names
    assert set(server.accepted.values()) == {1}
    assert it.dead() == []  # each was refused alone only once
    it.outbox.bring_forward()
    it.put(*(payload(number) for number in range(200, 220)))
    it.carry_all(500)
    assert set(it.dead()) == names
    assert set(server.accepted) == set(id_range(220)) - names
    assert len(it.told) == len(set(it.told)) == 220


def test_a_lone_one_that_is_refused_is_kept_while_nothing_else_is_taken(carried: Make) -> None:
    it, server = carried(Step(unexplained(0)))
    it.put(payload(0))
    for attempt in range(12):
        it.carry()
        assert it.dead() == []
        assert server.requests == attempt + 1
        it.outbox.bring_forward()
    assert it.told == []
    it.put(payload(1))
    it.carry_all()
    it.outbox.bring_forward()
    it.put(payload(2))
    it.carry_all()
    assert it.dead() == ["id-0"]
    assert sorted(server.accepted) == ["id-1", "id-2"]


def test_a_server_that_refuses_everything_without_a_word_kills_nothing(carried: Make) -> None:
    it, server = carried(Step(unexplained(*range(40))))
    it.put(*(payload(number) for number in range(40)))
    for _ in range(6):
        it.carry_all(500)
        it.outbox.bring_forward()
    assert it.dead() == []
    assert it.told == []
    server.plan(Step(answers.ok))
    it.carry_all()
    assert len(server.accepted) == 40
    assert it.outbox.counters.counts() == (40, 0, 0)


def test_a_server_that_refuses_after_it_took_some_kills_nothing(carried: Make) -> None:
    it, server = carried(Step(answers.ok, times=1), Step(unexplained(*range(1_000))))
    it.put(payload(0))
    it.carry()
    it.put(*(payload(number) for number in range(1, 20)))
    for _ in range(4):
        it.carry_all(500)
        it.outbox.bring_forward()
    assert it.dead() == []
    server.plan(Step(answers.ok))
    it.carry_all()
    assert len(server.accepted) == 20


def test_throttled_people_wait_and_others_do_not(carried: Make) -> None:
    it, server = carried(Step(answers.throttling(["slow"])))
    it.put(*(payload(number, user="slow" if number % 3 == 0 else "fast") for number in range(30)))
    it.carry_all()
    fast = [f"id-{number}" for number in range(30) if number % 3]
    assert list(server.accepted) == fast
    due = it.outbox.next_due()
    assert due is not None
    assert 29 < due - time.monotonic() <= 30
    assert it.carrier.not_before <= time.monotonic()
    it.put(payload(30, user="fast"))
    it.carry_all()
    assert "id-30" in server.accepted
    server.plan(Step(answers.ok))
    it.outbox.bring_forward()
    it.carry_all()
    assert len(server.accepted) == 31
    assert it.outbox.counters.counts() == (31, 0, 0)
    assert len(it.told) == 31


def test_throttled_people_without_indexes_are_known_by_their_ids(carried: Make) -> None:
    def answer(request: Request) -> Reply:
        slow = [event for event in request.events if "slow" in (event.get("user_id"), event.get("device_id"))]
        return Reply(429, {"throttled_users": {"slow": 31}}) if slow else answers.ok(request)

    it, server = carried(Step(answer))
    device = json.dumps(
        {"event_type": "e", "insert_id": "id-2", "device_id": "slow", "user_id": "u"}
    ).encode()
    deep = json.dumps({"event_type": "e", "insert_id": "id-3", "user_id": "u"}).encode()[:-1]
    deep += b', "event_properties": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}"
    it.put(payload(0), payload(1, user="slow"), device, deep)
    it.carry_all()
    assert sorted(server.accepted) == ["id-0", "id-3"]
    assert it.outbox.counters.retried == 2


def test_only_the_throttled_events_wait_where_they_are_named(carried: Make) -> None:
    body = {"throttled_events": [1], "throttled_users": {"slow": 31}}
    it, server = carried(Step(lambda _request: Reply(429, body), times=1), Step(answers.ok))
    it.put(*(payload(number, user="slow") for number in range(3)))
    it.carry_all()
    assert list(server.accepted) == ["id-0", "id-2"]


def test_a_quota_s_end_is_awaited_ever_longer(carried: Make) -> None:
    it, _ = carried(Step(answers.throttling(["much"], quota=True)))
    it.put(payload(0, user="much"))
    waits = []
    for _ in range(12):
        it.carry()
        due = it.outbox.next_due()
        assert due is not None
        waits.append(round(due - time.monotonic()))
        it.outbox.bring_forward()
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]
    assert it.dead() == []


def test_throttled_events_that_are_not_in_the_request_have_it_wait_whole(carried: Make) -> None:
    it, server = carried(
        Step(lambda _request: Reply(429, {"throttled_events": [7]}, {"Retry-After": "9"}), times=1),
        Step(answers.ok),
    )
    it.put(payload(0))
    it.carry()
    assert 8 < it.carrier.not_before - time.monotonic() <= 9
    it.carry()
    assert list(server.accepted) == ["id-0"]


CLOSED = [401, 402, 403, 404, 405, 407, 410, 451, 301, 302, 307, 308]


@pytest.mark.parametrize("status", CLOSED)
def test_what_only_a_person_can_mend_keeps_everything_and_is_said_once(
    carried: Make, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    it, server = carried(Step(answers.status(status)))
    it.put(*(payload(number) for number in range(5)))
    with caplog.at_level(logging.ERROR):
        it.carry(6)
    assert len(caplog.records) == 1
    assert f"HTTP {status}" in caplog.text
    assert it.told == []
    assert it.carrier.trouble.startswith(f"HTTP {status}")
    assert server.requests == 6
    server.plan(Step(answers.ok))
    it.carry_all()
    assert list(server.accepted) == id_range(5)
    assert it.told == [(name, SENT) for name in id_range(5)]


def test_a_parked_server_is_asked_ever_more_seldom(carried: Make) -> None:
    it, _ = carried(Step(answers.invalid_key))
    it.put(payload(0))
    it.carry(14)
    assert 400 < it.carrier.not_before - time.monotonic() <= 600


@pytest.mark.parametrize("is_on_disk", [True, False])
def test_a_refused_key_tells_each_event_once_and_not_again_when_it_is_sent(
    carried: Make, spool: Spool, is_on_disk: bool
) -> None:
    it, server = carried(Step(answers.invalid_key), on=spool if is_on_disk else None)
    it.put(*(payload(number) for number in range(250)))
    it.carry(3)
    it.put(payload(250))
    it.carry(3)
    assert sorted(it.told) == sorted((name, 400) for name in id_range(251))
    server.plan(Step(answers.ok))
    it.put(payload(251))
    it.carry_all()
    assert sorted(server.accepted) == sorted(id_range(252))
    assert it.told[251:] == [("id-251", SENT)]
    assert it.outbox.counters.counts() == (252, 0, 0)


def test_a_key_that_is_refused_in_the_middle_of_a_search_tells_once(carried: Make) -> None:
    it, server = carried(Step(unexplained(0), times=3), Step(answers.invalid_key, times=2), Step(answers.ok))
    it.put(*(payload(number) for number in range(16)))
    it.carry_all()
    it.outbox.bring_forward()
    it.carry_all()
    assert len(server.accepted) == 16
    assert sorted(name for name, _ in it.told) == sorted(id_range(16))


def test_a_key_that_is_refused_again_after_some_were_put_off_tells_once(carried: Make) -> None:
    it, server = carried(Step(answers.invalid_key, times=1), Step(answers.throttling(["slow"])))
    it.put(*(payload(number, user="slow" if number < 3 else "fast") for number in range(6)))
    it.carry_all()
    server.plan(Step(answers.invalid_key, times=2), Step(answers.ok))
    it.outbox.bring_forward()
    it.put(payload(6))
    it.carry_all()
    assert len(server.accepted) == 7
    assert sorted(it.told) == sorted((name, 400) for name in id_range(7))


def test_whoever_takes_over_does_not_tell_what_was_told(carried: Make, spool: Spool) -> None:
    it, _ = carried(Step(answers.invalid_key))
    it.put(payload(0), payload(1))
    it.carry()
    it.outbox.save()
    it.outbox.close()
    other, server = carried(on=Spool(spool.folder))
    assert other.outbox.adopt() == 2
    other.carry_all()
    assert len(server.accepted) == 2
    assert other.told == []
    assert other.outbox.counters.adopted_sent == 2
    assert other.outbox.counters.sent == 0


def test_an_event_whose_id_amplitude_may_have_forgotten_is_not_sent_again(
    carried: Make, spool: Spool
) -> None:
    segment = spool.create()
    ages = [0, now_ms() - WEEK_MS - 60_000, now_ms() - WEEK_MS + 60_000, now_ms() + WEEK_MS]
    for number, first_ms in enumerate(ages):
        segment.append(encode_again(payload(number), 9, first_ms, False))
    segment.let_go()
    it, server = carried()
    it.outbox.adopt()
    it.carry_all()
    assert list(server.accepted) == ["id-0", "id-2", "id-3"]
    assert it.dead() == ["id-1"]
    assert dict(it.told)["id-1"] == 0
    assert it.outbox.counters.adopted_dead == {"sent seven days ago without an answer": 1}


@pytest.mark.parametrize(
    ("answer", "is_noted"),
    [
        (answers.status(500), True),
        (answers.close, True),
        (answers.html(200), True),
        (answers.status(429), False),
        (answers.status(408), False),
        (answers.invalid_key, False),
    ],
)
def test_when_an_event_may_first_have_arrived_outlives_the_process(
    carried: Make, spool: Spool, answer: Any, is_noted: bool
) -> None:
    it, _ = carried(Step(answer))
    it.put(payload(0))
    before = now_ms()
    it.carry()
    it.put(payload(1))
    it.outbox.close()
    segments = list(spool.orphans())
    records = [record for segment in segments for record in segment.take_next(9, 1 << 20, at_least_one=True)]
    first, second = (record.first_ms for record in records)
    assert (before <= first <= now_ms()) if is_noted else first == 0
    assert second == 0


def test_one_request_carries_what_was_left_and_one_s_own(carried: Make, folder: Path) -> None:
    for number in range(3):
        left_behind(folder, payload(number))
    it, server = carried()
    it.outbox.adopt()
    it.put(payload(3))
    it.carry_all()
    assert list(server.accepted) == id_range(4)
    assert server.requests == 1
    counters = it.outbox.counters
    assert (counters.sent, counters.adopted_sent) == (1, 3)


def test_a_carrier_that_was_killed_in_the_middle_begins_anew(
    carried: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    it, server = carried()
    it.put(*(payload(number) for number in range(10)))

    def killed(*_about: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(it.carrier, "_send", killed)
        with pytest.raises(SystemExit):
            it.carry()
    assert it.carrier.carry() is False
    it.carrier.give_back()
    it.carry_all()
    assert list(server.accepted) == id_range(10)


def test_a_callback_that_fails_harms_nothing(carried: Make, swallowing: None) -> None:
    it, server = carried(Step(answers.refusing("invalid", lambda event: numbered(event) == 2)))
    seen: list[str] = []

    def fail(event: bytes, _code: int, _words: str | None) -> None:
        seen.append(id_of(event))
        raise ValueError

    it.outbox.tell = fail
    it.put(*(payload(number) for number in range(5)))
    it.carry_all()
    assert sorted(seen) == id_range(5)
    assert len(server.accepted) == 4
    assert it.outbox.is_empty


def test_a_callback_may_track(carried: Make) -> None:
    it, server = carried()
    tracked = iter(range(100, 110))

    def again(_event: bytes, _code: int, _words: str | None) -> None:
        number = next(tracked, None)
        if number is not None:
            it.put(payload(number))

    it.outbox.tell = again
    it.put(payload(0))
    it.carry_all()
    assert sorted(server.accepted) == sorted(["id-0", *id_range(100, 110)])


def test_hurry_forgets_what_an_outage_has_taught(carried: Make) -> None:
    it, _ = carried(Step(answers.status(500, retry_after=600)))
    it.put(payload(0))
    it.carry(5)
    assert it.carrier.failures == 5
    it.carrier.hurry()
    assert it.carrier.failures == 0
    assert it.carrier.not_before <= time.monotonic()


def test_a_dead_disk_for_dead_letters_costs_only_the_letter(carried: Make, folder: Path) -> None:
    (folder / "dead.jsonl").mkdir()
    it, server = carried(Step(answers.refusing("invalid", lambda event: numbered(event) == 0)))
    it.put(payload(0), payload(1))
    it.carry_all()
    assert list(server.accepted) == ["id-1"]
    assert it.outbox.counters.dead.total() == 1
    assert it.told == [("id-0", 400), ("id-1", SENT)]


def test_an_outage_s_record_of_what_is_settled_survives_a_crash_in_the_middle(
    carried: Make, spool: Spool
) -> None:
    it, server = carried(Step(answers.ok, times=2), Step(answers.status(500)))
    it.put(*(payload(number) for number in range(1_000)))
    it.carry(4)
    assert len(server.accepted) == 400
    segments = [segment for segment in it.outbox.segments if isinstance(segment, Segment)]
    for segment in segments:
        segment.let_go()  # as the kernel does
    other, again = carried(on=Spool(spool.folder))
    assert other.outbox.adopt() == 600
    other.carry_all()
    assert list(again.accepted) == id_range(400, 1_000)


def test_a_minute_has_one_line_of_each_kind(carried: Make, caplog: pytest.LogCaptureFixture) -> None:
    it, _ = carried(Step(answers.status(500)))
    it.put(payload(0))
    with caplog.at_level(logging.WARNING):
        it.carry(8)
    (record,) = caplog.records
    assert "1 wait" in record.getMessage()
