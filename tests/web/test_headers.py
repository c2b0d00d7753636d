"""Ids on their way between services: what is injected can be extracted, and nothing else can."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.context.current import (
    SessionContext,
    get_active_context,
    push_context,
    reset_context,
)
from amplitude_ai_integrations.context.trace import Place, Trace
from amplitude_ai_integrations.propagation import extract_context, inject_context

TRACE = "0af76519-16cd-43dd-8448-eb211c80319c"
HEX = TRACE.replace("-", "")
GOOD = f"00-{HEX}-b7ad6b7169203331-01"


def injected(ai: AmplitudeAI, trace_id: str | None = None, headers: Any = None, **agent: Any) -> Any:
    """Headers as a service sends them from inside a session, in the given trace."""
    with ai.agent(**{"agent_id": "router", **agent}).session("s-1", user_id="ada", track_session_end=False):
        active = get_active_context()
        assert active is not None
        token = push_context(SessionContext(active.conversation, active.agent, Place(Trace(trace_id))))
        try:
            return inject_context(headers)
        finally:
            reset_context(token)


class TestRoundTrip:
    @pytest.mark.parametrize(
        "trace_id",
        [TRACE, "02ee39d8-4ecf-4029-b422-04886091d007", "order-4711", "a b=c,d;e%20", "x" * 200, HEX],
    )
    def test_what_one_service_injects_the_next_extracts(self, ai: AmplitudeAI, trace_id: str) -> None:
        headers = injected(ai, trace_id, parent_agent_id="planner")
        same = str(uuid.UUID(trace_id)) if trace_id == HEX else trace_id
        assert extract_context(headers) == {
            "session_id": "s-1",
            "trace_id": same,
            "agent_id": "router",
            "parent_agent_id": "planner",
        }

    def test_a_uuid_is_the_trace_itself(self, ai: AmplitudeAI) -> None:
        headers = injected(ai, TRACE)
        assert re.fullmatch(rf"00-{HEX}-[0-9a-f]{{16}}-01", headers.pop("traceparent"))
        assert headers == {"x-amplitude-session-id": "s-1", "x-amplitude-agent-id": "router"}

    def test_another_id_is_hashed_and_travels_beside_it(self, ai: AmplitudeAI) -> None:
        headers = injected(ai, "order 4711")
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", headers["traceparent"])
        assert headers["tracestate"] == "amplitude=order%204711"

    def test_a_user_never_travels(self, ai: AmplitudeAI) -> None:
        assert "ada" not in str(injected(ai))

    def test_a_traceparent_that_is_there_stays(self, ai: AmplitudeAI) -> None:
        headers = injected(ai, headers={"Traceparent": GOOD, "X-Amplitude-Agent-Id": "mine"})
        assert headers == {
            "Traceparent": GOOD,
            "X-Amplitude-Agent-Id": "mine",
            "x-amplitude-session-id": "s-1",
        }

    def test_headers_of_a_client_are_filled_in_place(self, ai: AmplitudeAI) -> None:
        headers = httpx.Headers({"accept": "*/*"})
        assert injected(ai, TRACE, headers) is headers
        assert extract_context(headers) == {"session_id": "s-1", "trace_id": TRACE, "agent_id": "router"}

    def test_outside_a_session_nothing_is_added(self) -> None:
        assert inject_context({"accept": "*/*"}) == {"accept": "*/*"}
        assert inject_context() == {}

    @pytest.mark.parametrize("hostile", ["a\r\nset-cookie: x", "caf\u00e9", "x" * 201, "a\x00b"])
    def test_an_id_that_is_no_header_does_not_travel(self, ai: AmplitudeAI, hostile: str) -> None:
        headers = injected(ai, TRACE, agent_id=hostile, parent_agent_id=hostile)
        assert sorted(headers) == ["traceparent", "x-amplitude-session-id"]

    @pytest.mark.parametrize("hostile", ["a\r\nset-cookie: x", "李"])
    def test_a_trace_id_travels_encoded_or_not_at_all(self, ai: AmplitudeAI, hostile: str) -> None:
        headers = injected(ai, hostile)
        assert all(value.isascii() and value.isprintable() for value in headers.values())

    def test_an_agent_id_that_is_no_text_does_no_harm(self, ai: AmplitudeAI) -> None:
        assert "traceparent" in injected(ai, agent_id=7)


class TestExtraction:
    @pytest.mark.parametrize(
        "headers",
        [
            {"TRACEPARENT": GOOD, "X-Amplitude-Session-ID": "s-1"},
            [("Traceparent", GOOD), ("x-amplitude-session-id", "s-1")],
            [(b"traceparent", GOOD.encode()), (b"X-Amplitude-Session-Id", b"s-1")],
            httpx.Headers({"traceparent": GOOD, "x-amplitude-session-id": "s-1"}),
        ],
        ids=["mapping", "pairs", "bytes", "client"],
    )
    def test_headers_may_have_any_shape(self, headers: Any) -> None:
        assert extract_context(headers) == {"trace_id": TRACE, "session_id": "s-1"}

    @pytest.mark.parametrize(
        "traceparent",
        [
            "",
            "00",
            HEX,
            f"00-{'0' * 32}-b7ad6b7169203331-01",
            f"00-{HEX}-{'0' * 16}-01",
            f"00-{HEX[:-1]}-b7ad6b7169203331-01",
            f"00-{HEX[:-1]}g-b7ad6b7169203331-01",
            f"00-{HEX.upper()}-b7ad6b7169203331-01",
            f"ff-{HEX}-b7ad6b7169203331-01",
            f"{GOOD}-more",
            f"{GOOD}\nset-cookie: x",
        ],
    )
    def test_a_malformed_traceparent_is_none(self, traceparent: str) -> None:
        assert extract_context({"traceparent": traceparent}) == {}

    def test_a_later_version_may_say_more(self) -> None:
        assert extract_context({"traceparent": f"01{GOOD[2:]}-more"}) == {"trace_id": TRACE}

    @pytest.mark.parametrize(
        "tracestate",
        [
            "amplitude=other",
            "amplitude=",
            "amplitude=%00",
            "amplitude",
            "=",
            ",,,",
            "amplitude=%",
            "a=b",
            "\x00" * 9,
        ],
    )
    def test_a_tracestate_that_does_not_match_is_not_believed(self, tracestate: str) -> None:
        assert extract_context({"traceparent": GOOD, "tracestate": tracestate}) == {"trace_id": TRACE}

    def test_a_tracestate_is_found_among_those_of_others(self, ai: AmplitudeAI) -> None:
        headers = injected(ai, "order-4711")
        headers["tracestate"] = f"vendor=1, {headers['tracestate']},other=2"
        assert extract_context(headers)["trace_id"] == "order-4711"

    @pytest.mark.parametrize(
        "value", ["", " ", " s", "s ", "x" * 201, "a\tb", "a\x7f", "caf\u00e9", "a\nb", "a\n"]
    )
    @pytest.mark.parametrize(
        "name", ["x-amplitude-session-id", "x-amplitude-agent-id", "x-amplitude-parent-agent-id"]
    )
    def test_an_id_is_printable_and_bounded(self, name: str, value: str) -> None:
        assert extract_context({name: value}) == {}

    @pytest.mark.parametrize("headers", [None, {}, [], (), {1: 2}, {"traceparent": None}, {"x": object()}])
    def test_nothing_is_found_in_nothing(self, headers: Any) -> None:
        assert extract_context(headers) == {}

    def test_a_browsers_session_is_no_services(self) -> None:
        alone = {"x-amplitude-session-id": "1763700000000"}
        assert extract_context(alone) == {}
        assert extract_context({**alone, "traceparent": GOOD})["session_id"] == "1763700000000"
