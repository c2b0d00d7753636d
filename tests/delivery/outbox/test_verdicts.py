"""What each answer means, however odd it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplitude_ai_integrations.delivery.outbox.verdicts import Answer, Kind, judge, unreachable

OK = {"code": 200, "events_ingested": 1, "payload_size_bytes": 10, "server_upload_time": 1}
SILENT = {"code": 400, "error": "Request has invalid events"}


def body(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def kind(status: int, value: Any = b"", **headers: str) -> Kind:
    return judge(Answer(status, headers, body(value))).kind


@pytest.mark.parametrize("first", [0, *range(100, 601, 100), 999])
def test_only_what_amplitude_has_signed_for_has_arrived(first: int) -> None:
    for status in range(first, first + 100):
        check_status(status)


def check_status(status: int) -> None:
    for value in (b"", b"<html>busy</html>", SILENT, b"[1]"):
        assert kind(status, value) is not Kind.TAKEN
    expected = {
        200: Kind.TAKEN, 413: Kind.TOO_LARGE, 400: Kind.UNEXPLAINED, 401: Kind.CLOSED, 402: Kind.CLOSED,
        403: Kind.CLOSED, 404: Kind.CLOSED, 405: Kind.CLOSED, 407: Kind.CLOSED, 410: Kind.CLOSED,
        421: Kind.CLOSED, 451: Kind.CLOSED,
    }  # fmt: skip
    if 300 <= status < 400:
        expected[status] = Kind.CLOSED
    if 200 <= status < 300:
        expected[status] = Kind.TAKEN
    verdict = judge(Answer(status, {}, body(OK)))
    assert verdict.kind is expected.get(status, Kind.LATER)
    assert verdict.status == status


@pytest.mark.parametrize(
    ("value", "is_taken"),
    [
        (OK, True),
        ({"code": 200}, True),
        ({}, True),
        ({"code": 200, "error": ""}, True),
        ({"code": 200, "error": None}, True),
        ({"code": 400}, False),
        ({"code": "200"}, False),
        ({"code": True}, False),
        ({"code": None}, False),
        ({"code": [200]}, False),
        ({"code": 200, "error": "no"}, False),
        ({"error": {"a": 1}}, False),
        ([], False),
        ("success", False),
        (200, False),
        (None, False),
        (b"", False),
        (b"success", False),
        (b"{", False),
        (b"\xff\xfe{}", False),
        (b"[" * 100_000, False),
        (b'{"a":' * 100_000, False),
        (b'{"code": ' + b"1" * 10_000 + b"}", False),
    ],
)
def test_a_receipt_is_amplitude_s_own(value: Any, is_taken: bool) -> None:
    verdict = judge(Answer(200, {}, body(value)))
    assert verdict.kind is (Kind.TAKEN if is_taken else Kind.LATER)
    assert verdict.is_uncertain is not is_taken


@pytest.mark.parametrize(
    ("value", "indexes"),
    [
        ({"events_with_invalid_fields": {"time": [0, 3]}}, {0, 3}),
        (
            {
                "events_with_missing_fields": {"user_id": [1]},
                "events_with_invalid_fields": {"a": [2], "b": [2, 5]},
            },
            {1, 2, 5},
        ),
        ({"events_with_invalid_id_lengths": {"user_id": [7]}}, {7}),
        ({"silenced_events": [4, 4]}, {4}),
        ({"silenced_events": [4], "events_with_invalid_fields": {"a": [1]}}, {1, 4}),
        ({"silenced_events": [True, False, None, 1.0, float("nan"), "1", [1], {}, -1, 2]}, {2}),
        ({"silenced_events": [10**30]}, {10**30}),
        ({"events_with_invalid_fields": {"time": {"0": 1}, "b": [1]}}, {1}),
    ],
)
def test_the_events_at_fault_are_those_that_are_named(value: Any, indexes: set[int]) -> None:
    verdict = judge(Answer(400, {}, body({**SILENT, **value})))
    assert verdict.kind is Kind.REFUSED
    assert verdict.indexes == indexes
    assert "Request has invalid events" in verdict.reason


@pytest.mark.parametrize(
    "value",
    [
        b"", b"Bad Request", {}, [], SILENT, {"error": None}, {"error": 5}, {"error": ["Invalid API key"]},
        {"missing_field": "events"}, {"silenced_events": []}, {"silenced_events": 3}, {"silenced_events": {"0": 1}},
        {"silenced_events": None}, {"silenced_events": [True]}, {"silenced_events": [-1]}, {"silenced_events": "12"},
        {"events_with_invalid_fields": [1, 2]}, {"events_with_invalid_fields": {}}, {"events_with_invalid_fields": {"a": []}},
        {"events_with_invalid_fields": {"a": None}}, {"events_with_invalid_fields": None}, {"events_with_invalid_fields": "x"},
        b"[" * 100_000, b'{"error":' + b"[" * 300 + b"]" * 300 + b"}",
    ],
)  # fmt: skip
def test_a_refusal_that_names_none_is_unexplained(value: Any) -> None:
    assert kind(400, value) is Kind.UNEXPLAINED


def test_a_reason_says_which_field_is_at_fault_and_is_short() -> None:
    fields = {f"field {number}" * 9: [number] for number in range(90)}
    verdict = judge(Answer(400, {}, body({"error": "e" * 9_000, "events_with_invalid_fields": fields})))
    assert len(verdict.reason) <= 100_000  # the carrier takes the key out before it is cut
    assert len(unreachable(OSError("x" * 9_000)).reason) <= 200
    named = judge(Answer(400, {}, body({"error": "no", "events_with_missing_fields": {"user_id": [0]}})))
    assert named.reason == "HTTP 400: no (events_with_missing_fields: user_id)"


@pytest.mark.parametrize("error", ["Invalid API key: 0000", "Invalid API key"])
def test_a_key_that_is_refused_is_for_a_person_to_mend(error: str) -> None:
    verdict = judge(Answer(400, {}, body({"error": error, "silenced_events": [1]})))
    assert verdict.kind is Kind.CLOSED
    assert verdict.is_key


PEOPLE = {"throttled_users": {"u": 31}, "throttled_devices": {"d": 31}}
QUOTA = {"exceeded_daily_quota_users": {"q": 1}, "exceeded_daily_quota_devices": {"e": 1}}


@pytest.mark.parametrize(
    ("value", "indexes", "people", "is_quota"),
    [
        ({"throttled_events": [1, 2], **PEOPLE}, {1, 2}, {"u", "d"}, False),
        (PEOPLE, set(), {"u", "d"}, False),
        ({"throttled_events": [3]}, {3}, set(), False),
        ({"throttled_events": [3], **QUOTA}, {3}, {"q", "e"}, True),
        ({**PEOPLE, **QUOTA}, set(), {"u", "d", "q", "e"}, True),
        ({"throttled_events": [True, 1, "2"], "throttled_users": ["u"]}, {1}, set(), False),
    ],
)
def test_those_who_send_too_much_are_named(
    value: Any, indexes: set[int], people: set[str], is_quota: bool
) -> None:
    verdict = judge(Answer(429, {}, body({"code": 429, "error": "Too many requests", **value})))
    assert (verdict.kind, verdict.indexes, verdict.people) == (Kind.THROTTLED, indexes, people)
    assert verdict.is_quota is is_quota


@pytest.mark.parametrize(
    "value",
    [
        b"",
        {},
        [],
        {"throttled_events": []},
        {"throttled_events": {"1": 1}},
        {"throttled_users": ["u"]},
        {"throttled_users": 1},
    ],
)
def test_too_many_requests_of_nobody_in_particular_wait_all(value: Any) -> None:
    assert kind(429, value) is Kind.LATER


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0), (" 5 ", 5.0), ("0", 0.0), ("1.5", 1.5), ("-3", 0.0), ("-inf", 0.0), ("86400", 3_600.0), ("inf", 3_600.0),
        ("1e400", 3_600.0), ("9" * 9_000, 3_600.0), ("nan", None), ("", None), ("soon", None), ("5, 5", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 503, 500, 408, 404])
def test_the_server_says_when_to_come_again(status: int, value: str, seconds: float | None) -> None:
    assert judge(Answer(status, {"retry-after": value}, b"")).after == seconds
    if status == 429:
        throttled = body({"throttled_events": [0]})
        assert judge(Answer(429, {"retry-after": value}, throttled)).after == seconds


@pytest.mark.parametrize(
    ("status", "is_uncertain"),
    [(500, True), (502, True), (504, True), (599, True), (408, False), (425, False), (429, False)],
)
def test_events_may_have_arrived_where_the_server_broke_down(status: int, is_uncertain: bool) -> None:
    assert judge(Answer(status, {}, b"")).is_uncertain is is_uncertain
    assert unreachable(TimeoutError()).is_uncertain
