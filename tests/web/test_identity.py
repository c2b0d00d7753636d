"""What a request's headers may say of who is speaking, and what they may not."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.schema.names import wire_name

from .conftest import OpenSite
from .hosting import Site
from .reading import AGENT, Expected

BROWSER_SESSION = "1763700000000"
TRACE = "0af76519-16cd-43dd-8448-eb211c80319c"
TRACEPARENT = f"00-{TRACE.replace('-', '')}-b7ad6b7169203331-01"


@pytest.fixture
def trusting(sink: MemorySink) -> AmplitudeAI:
    return AmplitudeAI(config=AIConfig(propagate_context=True), sink=sink)


def whole(expected: Expected) -> list[dict[str, Any]]:
    return [*expected.exchange(), *expected.end()]


def in_browser(device: str | None, session: str | None) -> Expected:
    expected = Expected()
    if device:
        expected.around = {"device_id": device}
    if session:
        expected.around["session_id"] = int(session)
    return expected.saying(session_replay_id=f"{device}/{session}" if device and session else None)


class TestBrowser:
    @pytest.mark.parametrize(
        ("headers", "device", "session"),
        [
            ({"X-Amp-Device-Id": "d-1", "X-Amp-Session-Id": BROWSER_SESSION}, "d-1", BROWSER_SESSION),
            ({"X-AMP-DEVICE-ID": "d-1", "x-amp-session-id": BROWSER_SESSION}, "d-1", BROWSER_SESSION),
            ({"x-amplitude-device-id": "d-2"}, "d-2", None),
            ({"X-Amp-Device-Id": "d-1", "x-amplitude-device-id": "d-2"}, "d-1", None),
            ({"X-Amplitude-Session-Id": BROWSER_SESSION}, None, BROWSER_SESSION),
            (
                {"x-amplitude-device-id": "d-2", "x-amplitude-session-id": BROWSER_SESSION},
                "d-2",
                BROWSER_SESSION,
            ),
            ({"X-Amp-Device-Id": "d" * 200}, "d" * 200, None),
        ],
    )
    def test_a_browser_is_recognised_by_its_headers(
        self, site: Site, headers: dict[str, str], device: str | None, session: str | None
    ) -> None:
        site.get("/plain-sync", headers=headers)
        assert site.events == whole(in_browser(device, session))

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-Amp-Session-Id": BROWSER_SESSION[:-1]},
            {"X-Amp-Session-Id": BROWSER_SESSION + "0"},
            {"X-Amp-Session-Id": "17637000000xx"},
            {"x-amplitude-session-id": "my-agent-session"},
            {"x-amplitude-session-id": BROWSER_SESSION, "traceparent": TRACEPARENT},
            {"x-amplitude-session-id": BROWSER_SESSION, "x-amplitude-agent-id": "router"},
            {"X-Amp-Device-Id": "d" * 201},
            {"X-Amp-Device-Id": "d\t1"},
            {"X-Amp-Device-Id": "d\xe9"},
            {"X-Amp-Device-Id": ""},
        ],
    )
    def test_what_is_no_browsers_is_not_taken(self, site: Site, headers: dict[str, str]) -> None:
        encoded = {name: value.encode("latin-1") for name, value in headers.items()}
        assert site.get("/plain-sync", headers=encoded).status_code == 200
        assert site.events == whole(Expected())

    @pytest.mark.parametrize("placeholder", ["undefined", "null", "anonymous", "0"])
    def test_a_placeholder_is_no_device(self, site: Site, placeholder: str) -> None:
        site.get("/plain-sync", headers={"X-Amp-Device-Id": placeholder})
        assert site.events == whole(Expected())

    def test_resolvers_know_better_than_headers(self, open_site: OpenSite) -> None:
        site = open_site(
            device_id_resolver=lambda _: "resolved", browser_session_id_resolver=lambda _: 1763700000001
        )
        site.get("/plain-sync", headers={"X-Amp-Device-Id": "d-1", "X-Amp-Session-Id": BROWSER_SESSION})
        assert site.events == whole(in_browser("resolved", "1763700000001"))

    def test_a_websocket_has_its_browser_too(self, site: Site) -> None:
        from websockets.sync.client import connect

        url = site.url.replace("http", "ws") + "/chat"
        with connect(url, additional_headers={"X-Amp-Device-Id": "d-1"}) as connection:
            connection.send("hello")
            connection.recv()
        assert site.events == whole(in_browser("d-1", None))


class TestUsers:
    @pytest.mark.parametrize(
        "name",
        ["x-amp-user-id", "x-amplitude-user-id", "x-user-id", "user-id", "x-forwarded-user", "baggage"],
    )
    def test_no_header_names_the_user(self, open_site: OpenSite, trusting: AmplitudeAI, name: str) -> None:
        site = open_site(client_of_events=trusting)
        site.get("/plain-sync", headers={name: "mallory"})
        assert site.events == whole(Expected())

    def test_a_user_goes_with_the_browsers_device(self, open_site: OpenSite) -> None:
        site = open_site(user_id_resolver=lambda _: "ada")
        site.get("/plain-sync", headers={"X-Amp-Device-Id": "d-1"})
        expected = Expected()
        expected.around = {"user_id": "ada", "device_id": "d-1"}
        assert site.events == whole(expected)


SERVICE = {
    "traceparent": TRACEPARENT,
    "X-Amplitude-Session-Id": "of-another-service",
    "x-amplitude-agent-id": "router",
}


def delegated(session: str) -> list[dict[str, Any]]:
    """The events of a request from another service's agent; it is that service who ends the session."""
    expected = Expected(session).saying(parent_agent_id="router")
    question, answer = expected.exchange()
    question[wire_name("message_source")] = "agent"
    return [question, answer]


class TestServices:
    def taken_over(self, site: Site) -> list[dict[str, Any]]:
        """The events without turn ids, which go on where the session's last request left them."""
        trace_ids = {event["event_properties"][wire_name("trace_id")] for event in site.sink.events}
        assert trace_ids == {TRACE}
        return without_turns(site.events)

    @pytest.mark.parametrize("path", ["/plain-sync", "/plain-async", "/streamed-async"])
    def test_a_service_that_is_trusted_lends_session_trace_and_agent(
        self, open_site: OpenSite, trusting: AmplitudeAI, path: str
    ) -> None:
        site = open_site(client_of_events=trusting)
        site.get(path, headers=SERVICE)
        assert self.taken_over(site) == without_turns(delegated("of-another-service"))

    def test_it_lends_them_to_events_that_wait_too(self, open_site: OpenSite, trusting: AmplitudeAI) -> None:
        async def nobody(_: Any) -> None:
            return None

        site = open_site(client_of_events=trusting, user_id_resolver=nobody)
        site.get("/plain-sync", headers=SERVICE)
        assert self.taken_over(site) == without_turns(delegated("of-another-service"))

    def test_a_session_of_thirteen_digits_is_a_services_where_a_trace_comes_along(
        self, open_site: OpenSite, trusting: AmplitudeAI
    ) -> None:
        site = open_site(client_of_events=trusting)
        site.get("/plain-sync", headers={**SERVICE, "x-amplitude-session-id": BROWSER_SESSION})
        assert self.taken_over(site) == without_turns(delegated(BROWSER_SESSION))

    def test_it_is_not_trusted_by_default(self, site: Site) -> None:
        site.get("/plain-sync", headers=SERVICE)
        assert [event["event_properties"][wire_name("trace_id")] == TRACE for event in site.sink.events] == [
            False
        ] * 3
        assert site.events == whole(Expected())

    def test_the_applications_own_session_comes_first(
        self, open_site: OpenSite, trusting: AmplitudeAI, thread: str
    ) -> None:
        site = open_site(client_of_events=trusting, session_id_resolver=lambda _: thread)
        site.get("/plain-sync", headers=SERVICE)
        assert site.events == delegated(thread)

    def test_end_session_ends_no_other_services_session(
        self, open_site: OpenSite, trusting: AmplitudeAI
    ) -> None:
        site = open_site(client_of_events=trusting, end_session=True)
        site.get("/plain-sync", headers=SERVICE)
        assert without_turns(site.events) == without_turns(delegated("of-another-service"))

    @pytest.mark.parametrize("header", ["x-amplitude-session-id", "x-amplitude-agent-id", "traceparent"])
    @pytest.mark.parametrize("value", ["", "x" * 201, "a\tb", "caf\xe9", "\x01"])
    def test_a_hostile_value_is_not_taken(
        self, open_site: OpenSite, trusting: AmplitudeAI, header: str, value: str
    ) -> None:
        site = open_site(client_of_events=trusting)
        send = {header: value.encode("latin-1")}
        if site.get("/plain-sync", headers=send).status_code == 400:  # the server itself refuses it
            assert (value, site.sink.events) == ("\x01", [])
        else:
            assert site.events == whole(Expected())


def without_turns(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in event.items() if name != wire_name("turn_id")} for event in events
    ]


def test_the_agents_name_is_the_middlewares(site: Site) -> None:
    site.get("/plain-sync")
    assert {event[wire_name("agent_id")] for event in site.events} == {AGENT}
