from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from amplitude_ai_integrations.analytics.app import assemble
from amplitude_ai_integrations.analytics.store.files import prepare

from .running import Running, running
from .samples import conversation, event

SPECIFICATION_EXAMPLE = b"""{
"api_key": "YOUR_API_KEY",
"events": [
{"event_type": "[Agent] User Message", "user_id": "user-42", "insert_id": "evt-unique-id-1",
"event_properties": {"[Agent] Session ID": "sess-abc123", "[Agent] Trace ID": "trace-def456",
"[Agent] Turn ID": 1, "[Agent] Agent ID": "support-bot", "[Agent] Message ID": "msg-001"}},
{"event_type": "[Agent] AI Response", "user_id": "user-42", "insert_id": "evt-unique-id-2",
"event_properties": {"[Agent] Session ID": "sess-abc123", "[Agent] Trace ID": "trace-def456",
"[Agent] Turn ID": 1, "[Agent] Message ID": "msg-002", "[Agent] Agent ID": "support-bot",
"[Agent] Model Name": "gpt-4o", "[Agent] Provider": "openai", "[Agent] Latency Ms": 1203,
"[Agent] Input Tokens": 150, "[Agent] Output Tokens": 420, "[Agent] Cost USD": 0.0042}}
]}"""


def product(**fields: Any) -> dict[str, Any]:
    return {"event_type": "Button Pressed", "user_id": "user-1234", **fields}


def test_the_specifications_example_becomes_a_session(collector: Running) -> None:
    answer = collector.post(SPECIFICATION_EXAMPLE)
    uploaded = answer.json.pop("server_upload_time")
    assert answer.status == 200
    assert answer.json == {
        "code": 200,
        "events_ingested": 2,
        "payload_size_bytes": len(SPECIFICATION_EXAMPLE),
        "server_upload_time": uploaded,
    }
    row = collector.reader.row("sess-abc123")
    assert row is not None
    assert (row.agent, row.user_id, row.turns, row.tokens, row.cost_usd, row.slowest_ms, row.title) == (
        "support-bot", "user-42", 1, 570, 0.0042, 1203.0, None,
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/2/httpapi", "/2/httpapi/", "/batch", "/batch/"])
def test_every_door_takes_events(collector: Running, path: str) -> None:
    assert collector.send(product(), path=path).status == 200
    assert collector.reader.totals().events == 1


def test_a_packed_body_is_read(collector: Running) -> None:
    body = gzip.compress(json.dumps({"api_key": "local", "events": conversation()}).encode())
    assert collector.post(body, headers={"Content-Encoding": "gzip"}).json["events_ingested"] == 8


def test_browsers_may_ask_first(collector: Running) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Headers": "content-type"}
    answer = collector.request("OPTIONS", "/2/httpapi", headers=asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "content-type"


KEY = {"api_key": "local"}
REFUSALS: dict[str, tuple[Any, dict[str, Any]]] = {
    "no body": (b"", {"error": "Missing request body"}),
    "blank body": (b" \n", {"error": "Missing request body"}),
    "no json": (b"{'a': 1}", {"error": "Invalid JSON request body"}),
    "cut json": (b'{"api_key": "local", "events": [', {"error": "Invalid JSON request body"}),
    "not utf-8": (b'{"api_key": "\xff\xfe"}', {"error": "Invalid JSON request body"}),
    "nan": (b'{"api_key": "local", "events": [NaN]}', {"error": "Invalid JSON request body"}),
    "infinity": (b'{"api_key": "local", "events": [1e999]}', {"error": "Invalid JSON request body"}),
    "too nested to parse": (b"[" * 100_000, {"error": "Invalid JSON request body"}),
    "a list": ([], {"error": "Invalid JSON request body"}),
    "no key": ({"events": []}, {"error": "Request missing required field", "missing_field": "api_key"}),
    "empty key": ({"api_key": "", "events": []}, {"error": "Invalid API key: "}),
    "key no text": ({"api_key": 7, "events": []}, {"error": "Invalid API key: 7"}),
    "no events": (KEY, {"error": "Request missing required field", "missing_field": "events"}),
    "events no list": ({**KEY, "events": {}}, {"error": "Invalid event JSON"}),
    "event no object": (
        {**KEY, "events": [product(), "x", 1]},
        {"error": "Invalid event JSON", "events_with_invalid_fields": {"events": [1, 2]}},
    ),
    "no type": (
        {**KEY, "events": [product(), {"user_id": "user-1234"}, product(event_type="")]},
        {"error": "Request missing required field", "events_with_missing_fields": {"event_type": [1, 2]}},
    ),
    "nobody": (
        {**KEY, "events": [{"event_type": "a"}, product(), {"event_type": "b", "user_id": None}]},
        {
            "error": "Request missing required field",
            "events_with_missing_fields": {"user_id": [0, 2], "device_id": [0, 2]},
        },
    ),
    "wrong types": (
        {
            **KEY,
            "events": [
                product(user_id=42, time="2026-01-01"),
                product(event_properties=[1], session_id="s", time=1.5),
                product(groups="a", price="7", user_properties=3, insert_id=9),
                product(event_type=3),
            ],
        },
        {
            "error": "Invalid field values on some events",
            "events_with_invalid_fields": {
                "user_id": [0], "time": [0, 1], "event_properties": [1], "session_id": [1], "groups": [2],
                "price": [2], "user_properties": [2], "insert_id": [2], "event_type": [3],
            },
        },
    ),
    "short ids": (
        {**KEY, "events": [product(user_id="abcd"), product(user_id="abc", device_id="d1")]},
        {
            "error": "Invalid id length for user_id or device_id",
            "events_with_invalid_id_lengths": {"user_id": [0, 1], "device_id": [1]},
        },
    ),
    "refused ids": (
        {
            **KEY,
            "events": [product(user_id="Anonymous"), product(user_id=""), product(device_id="undefined")],
        },
        {
            "error": "Invalid field values on some events",
            "events_with_invalid_fields": {"user_id": [0, 1], "device_id": [2]},
        },
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One collector for all the requests of which nothing may be kept."""
    with running(assemble(tmp_path_factory.mktemp("refusing") / "analytics.db", [])) as server:
        yield server


@pytest.mark.parametrize("case", REFUSALS)
@pytest.mark.parametrize("path", ["/2/httpapi", "/batch"])
def test_a_bad_request_gets_amplitudes_answer_and_stores_nothing(
    refusing: Running, path: str, case: str
) -> None:
    body, expected = REFUSALS[case]
    answer = refusing.post(body, path)
    assert answer.status == 400
    assert answer.json == {"code": 400, **expected}
    assert refusing.reader.totals().events == 0
    assert refusing.app.state.traffic.last_refusal.startswith(f"400 {expected['error']}".strip())


def nested(depth: int) -> dict[str, Any]:
    return {"a": nested(depth - 1)} if depth > 1 else {}


def test_an_object_may_have_forty_layers_and_no_more(collector: Running) -> None:
    assert collector.send(product(event_properties=nested(40))).status == 200
    assert collector.send(product(), product(event_properties=nested(41))).json == {
        "code": 400,
        "error": "Invalid field values on some events",
        "events_with_invalid_fields": {"event_properties": [1]},
    }


@pytest.mark.parametrize("path", ["/2/httpapi", "/batch"])
def test_two_thousand_events_and_no_more(collector: Running, path: str) -> None:
    assert collector.send(*[product()] * 2_001, path=path).json == {"code": 413, "error": "Payload too large"}
    assert collector.send(*[product()] * 2_000, path=path).json["events_ingested"] == 2_000
    assert collector.reader.totals().events == 2_000


def padded(size: int) -> bytes:
    empty = json.dumps({"api_key": "local", "events": [product(event_properties={"pad": ""})]})
    return empty.replace('"pad": ""', f'"pad": "{"x" * (size - len(empty))}"').encode()


@pytest.mark.parametrize(("path", "limit"), [("/2/httpapi", 1 << 20), ("/batch", 20 << 20)])
def test_each_door_has_its_size(collector: Running, path: str, limit: int) -> None:
    assert collector.post(padded(limit), path).status == 200
    assert collector.post(padded(limit + 1), path).json == {"code": 413, "error": "Payload too large"}
    assert collector.reader.totals().events == 1


@pytest.mark.parametrize("path", ["/2/httpapi", "/batch"])
def test_twenty_one_megabytes_are_refused_with_an_answer(refusing: Running, path: str) -> None:
    answer = refusing.post(padded(21_000_000), path)
    assert (answer.status, answer.json) == (413, {"code": 413, "error": "Payload too large"})


def test_a_small_body_that_unpacks_too_large_is_refused(collector: Running) -> None:
    answer = collector.post(gzip.compress(padded(30 << 20)), "/batch", {"Content-Encoding": "gzip"})
    assert (answer.status, answer.json["error"]) == (413, "Payload too large")


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_body_that_cannot_be_unpacked_is_invalid(collector: Running, encoding: str) -> None:
    answer = collector.post(b"no gzip at all", headers={"Content-Encoding": encoding})
    assert (answer.status, answer.json["error"]) == (400, "Invalid JSON request body")


def test_five_characters_are_enough_for_an_id(collector: Running) -> None:
    assert collector.send(product(user_id="abcde")).status == 200


def test_a_shorter_id_is_allowed_when_asked_for(collector: Running) -> None:
    body = {"api_key": "local", "events": [product(user_id="bob")], "options": {"min_id_length": 1}}
    assert collector.post(body).status == 200


def test_a_short_id_beside_a_good_one_is_removed(collector: Running) -> None:
    sent = event("user", user_id=None)
    assert collector.send({**sent, "user_id": "bob", "device_id": "device-1"}).status == 200
    row = collector.reader.row("sess-1")
    assert row is not None
    assert (row.user_id, row.device_id) == (None, "device-1")


def test_a_device_id_of_zeros_is_removed(collector: Running) -> None:
    zeros = "00000000-0000-0000-0000-000000000000"
    assert collector.send({**event("user"), "device_id": zeros}).status == 200
    ([stored], _) = collector.reader.raw_events("sess-1")
    assert stored == event("user")
    nobody = {"event_type": "a", "device_id": zeros}
    assert collector.send(nobody).json["error"] == "Request missing required field"


def test_long_texts_are_cut_except_in_agent_properties(collector: Running) -> None:
    sent = event("ai", text="x" * 200_000, error_message="y" * 5_000)
    sent["event_properties"] |= {"note": "z" * 2_000, "deep": {"list": ["z" * 2_000]}}
    collector.send(sent)
    ([stored], _) = collector.reader.raw_events("sess-1")
    expected = {**sent["event_properties"], "note": "z" * 1_024, "deep": {"list": ["z" * 1_024]}}
    assert stored["event_properties"] == expected


def test_half_a_surrogate_pair_is_replaced_everywhere(collector: Running) -> None:
    sent = event("user", text="a\ud800b", agent_id="\udfff")
    sent["event_properties"]["\ud800"] = 1
    assert collector.send({**sent, "\ud800": 1}).status == 200
    detail = collector.reader.detail("sess-1")
    assert detail is not None
    assert detail.turns[0].user is not None
    assert (detail.turns[0].user.text, detail.row.agent) == ("a?b", "?")


def test_the_same_event_twice_is_acknowledged_and_kept_once(collector: Running) -> None:
    sent = event("user", insert_id="once")
    assert [collector.send(sent, sent).status, collector.send(sent).status] == [200, 200]
    assert collector.send({**sent, "user_id": "user-5678"}).status == 200
    assert collector.reader.totals().events == 2


def test_without_a_device_the_user_stands_for_it(collector: Running) -> None:
    without = event("user", insert_id="once")
    first = {**without, "device_id": "device-1"}
    second = {**without, "device_id": "device-2"}
    collector.send(without, without, first, {**first, "user_id": "user-5678"}, second)
    assert collector.reader.raw_events("sess-1") == ([without, first, second], 3)


def test_an_event_posted_elsewhere_is_told_so(collector: Running) -> None:
    answer = collector.post({}, "/")
    assert (answer.status, answer.json) == (400, {"code": 400, "error": "Invalid request path"})
    assert "events go to /2/httpapi" in collector.app.state.traffic.last_refusal


def test_reading_an_unknown_page_is_no_refusal(collector: Running) -> None:
    assert collector.request("GET", "/nowhere").status == 404
    assert collector.app.state.traffic.last_refusal is None


@pytest.mark.parametrize("path", ["/2/httpapi", "/batch/"])
def test_reading_a_door_for_events_is_told_what_it_takes(collector: Running, path: str) -> None:
    answer = collector.request("GET", path)
    assert answer.status == 405
    assert sorted(answer.headers["allow"].split(", ")) == ["OPTIONS", "POST"]


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
def test_events_for_a_file_that_was_removed_are_refused(collector: Running, database: Path) -> None:
    assert collector.send(*conversation()).status == 200
    for file in database.parent.iterdir():
        file.unlink()
    answer = collector.send(event("user"))
    sentence = "The database file was removed or replaced: restart Agent Analytics."
    assert (answer.status, answer.json) == (
        503, {"code": 503, "error": f"Service unavailable, nothing was accepted. {sentence}"},
    )  # fmt: skip
    assert sentence in collector.app.state.traffic.last_refusal
    assert list(database.parent.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
def test_a_file_that_was_replaced_is_not_read(database: Path) -> None:
    def read(request: Request) -> Response:
        return Response(str(request.app.state.reader.totals().events))

    with running(assemble(database, [Route("/total", read)])) as server:
        assert server.request("GET", "/total").body == b"0"
        database.rename(database.with_suffix(".old"))
        prepare(database)
        answer = server.request("GET", "/total")
    sentence = b"The database file was removed or replaced: restart Agent Analytics.\n"
    assert (answer.status, answer.body) == (503, sentence)


def test_traffic_counts_what_came(collector: Running) -> None:
    collector.send(*conversation())
    collector.post(b"nonsense")
    traffic = collector.app.state.traffic
    assert (traffic.requests, traffic.events, traffic.last_refusal) == (
        2, 8, "400 Invalid JSON request body",
    )  # fmt: skip
    assert traffic.last_refusal_at_ms >= collector.app.state.started_at


def test_two_clients_at_once_lose_nothing(collector: Running) -> None:
    def client(name: int) -> list[int]:
        return [collector.send(*conversation(f"sess-{name}-{round_}", round_)).status for round_ in range(20)]

    with ThreadPoolExecutor(2) as clients:
        answers = list(clients.map(client, range(2)))
    totals = collector.reader.totals()
    assert answers == [[200] * 20] * 2
    assert (totals.events, totals.sessions) == (320, 40)
