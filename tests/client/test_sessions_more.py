"""Sessions at their edges: joined, nested, without a block, with odd ids, in several tasks."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from amplitude import Amplitude, Config

from amplitude_ai_integrations import AmplitudeAI, ConfigurationError, MemorySink, SessionEnrichments
from amplitude_ai_integrations.client.recording import _warn_nobody
from amplitude_ai_integrations.context import get_active_context
from amplitude_ai_integrations.context.identity import _warn, device_for
from amplitude_ai_integrations.delivery.official import _warn_short
from tests.events import one, told, types


@pytest.fixture(autouse=True)
def _said_anew() -> None:
    """Let each test see the warnings that a process gives once."""
    for once in (_warn, _warn_short, _warn_nobody):
        once.cache_clear()


def test_a_joined_session_shares_whose_it_is_and_ends_once(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    outer_options: dict[str, Any] = {
        "user_id": "ann",
        "device_id": "d-1",
        "browser_session_id": 1700000000000,
    }
    with ai.agent("outer").session(session_id, idle_timeout_minutes=60, **outer_options) as outer:
        outer.track_user_message("one")
        with ai.agent("inner").session(session_id, user_id="bob", idle_timeout_minutes=5) as inner:
            inner.track_ai_message("x", "m", "p", 1.0)
            assert (inner.user_id, inner.device_id, inner.browser_session_id) == (
                "ann",
                "d-1",
                "1700000000000",
            )
            assert inner.trace_id == outer.trace_id
        outer.track_user_message("two")
    assert types(sink) == ["User Message", "AI Response", "User Message", "Session End"]
    events = told(sink)
    assert {(event["user_id"], event["device_id"], event["session_id"]) for event in events} == {
        ("ann", "d-1", 1700000000000)
    }
    assert [event.get("Turn ID") for event in events] == [1, 2, 3, None]
    minutes = [event.get("Session Idle Timeout Minutes") for event in events]
    assert minutes == [60, None, 60, 60]


def test_a_joined_session_adds_what_the_outer_one_did_not_know(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    with ai.agent("outer").session(session_id):
        session = ai.agent("inner").session(
            session_id, user_id="ann", device_id="d-1", idle_timeout_minutes=5
        )
        with session:
            session.track_user_message("hi")
            assert session.user_id == "ann"
    message, end = told(sink)
    for event in (message, end):
        assert (event["user_id"], event["device_id"]) == ("ann", "d-1")
        assert event["Session Idle Timeout Minutes"] == 5


def test_a_session_inside_that_of_another_person_does_not_share_a_device(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("a").session(user_id="ann", device_id="of-ann", browser_session_id=1700000000000):
        for user_id in ("bob", "ann"):
            with ai.agent("b").session(user_id=user_id, track_session_end=False) as inner:
                inner.track_span("x")
    of_bob, of_ann = told(sink)[:2]
    assert of_bob["user_id"] == "bob"
    assert not {"device_id", "session_id", "[Amplitude] Session Replay ID"} & set(of_bob)
    assert (of_ann["device_id"], of_ann["session_id"]) == ("of-ann", 1700000000000)


def test_an_event_of_another_person_does_not_share_the_sessions_device(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("a").session(
        user_id="ann", device_id="of-ann", browser_session_id=1700000000000
    ) as session:
        session.score("quality", 1, "m-1", user_id="reviewer")
        session.score("quality", 1, "m-1", user_id="ann")
    by_reviewer, by_ann = told(sink)[:2]
    assert by_reviewer["user_id"] == "reviewer"
    assert not {"device_id", "session_id", "[Amplitude] Session Replay ID"} & set(by_reviewer)
    assert (by_ann["device_id"], by_ann["session_id"]) == ("of-ann", 1700000000000)


def test_a_session_takes_over_what_its_agent_is_bound_to(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    bound: dict[str, Any] = {
        "session_id": session_id,
        "user_id": "ann",
        "device_id": "d-1",
        "trace_id": "trace-1",
    }
    with ai.agent("bot", browser_session_id="1700000000000", **bound).session() as session:
        assert session.session_id == session_id
        session.track_user_message("one")
        session.track_user_message("two")
    first, second, end = told(sink)
    for event in (first, second, end):
        assert (event["Session ID"], event["user_id"], event["device_id"]) == (session_id, "ann", "d-1")
        assert event["[Amplitude] Session Replay ID"] == "d-1/1700000000000"
    assert first["Trace ID"] == "trace-1" != second["Trace ID"]


def test_without_a_block_every_method_works(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    session = ai.agent("bot").session(session_id, user_id="ann", idle_timeout_minutes=-1, tags=("vip",))
    session.set_enrichments(SessionEnrichments(quality_score=0.5))
    session.track_user_message("hi")
    session.track_ai_message("hello", "m", "p", 1.0)
    session.track_embedding("e", "p", 1.0)
    session.track_span("s", 1.0)
    session.track_tool_call("t", 1.0)
    session.score("good", 1, "m-1")
    session.track_session_enrichment(SessionEnrichments(quality_score=0.5))
    session.track_session_end()
    assert get_active_context() is None
    events = told(sink)
    assert {
        (event["Session ID"], event["user_id"], event["Tags"], event["Agent ID"]) for event in events
    } == {(session_id, "ann", '["vip"]', "bot")}
    minutes = {event["type"]: event.get("Session Idle Timeout Minutes") for event in events}
    assert {kind for kind, value in minutes.items() if value == -1} == {"User Message", "Session End"}
    assert '"quality_score":0.5' in one(sink, "Session End")["[Agent] Enrichments"]


@pytest.mark.parametrize("minutes", [-2, -1.5, float("nan"), "30", True, [], 10**400 * -1])
def test_an_idle_timeout_that_means_nothing_is_refused(ai: AmplitudeAI, minutes: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"idle_timeout_minutes is .*-1 for a session that ends only"
    ):
        ai.agent("bot").session(idle_timeout_minutes=minutes)
    with pytest.raises(ValueError, match="idle_timeout_minutes"):
        ai.agent("bot").session(idle_timeout_minutes=minutes)


def test_the_idle_timeout_of_a_call_wins(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="ann", idle_timeout_minutes=-1, track_session_end=False) as session:
        session.track_user_message("hi", idle_timeout_minutes=240)
        session.track_session_end(idle_timeout_minutes=10)
    assert [event["Session Idle Timeout Minutes"] for event in told(sink)] == [240, 10]


def test_enrichments_set_anywhere_in_a_session_travel_with_its_end(
    ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    found = SessionEnrichments(quality_score=0.5)
    with ai.agent("a").session(session_id) as session, session.run_as(ai.agent("b")) as inside:
        inside.set_enrichments(found)
    with ai.agent("a").session(session_id + "j"), ai.agent("a").session(session_id + "j") as joined:
        joined.set_enrichments(found)
    for end in told(sink):
        assert '"quality_score":0.5' in end.get("Enrichments", "")


def test_a_session_ended_by_hand_is_not_ended_again(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="ann") as session:
        session.track_user_message("hi")
        session.track_session_end(abandonment_turn=3)
    with ai.agent("bot").session(user_id="ann") as session:
        session.track_session_end()
        session.track_span("afterthought")
    assert types(sink) == ["User Message", "Session End", "Session End", "Span", "Session End"]
    assert told(sink)[1]["Abandonment Turn"] == 3


@pytest.mark.parametrize("placeholder", ["anonymous", " NULL ", "undefined", ""])
def test_a_placeholder_is_as_good_as_nothing(
    ai: AmplitudeAI, sink: MemorySink, session_id: str, placeholder: str, caplog: pytest.LogCaptureFixture
) -> None:
    agent = ai.agent("bot", user_id="ann", session_id=session_id, device_id=placeholder)
    with caplog.at_level(logging.WARNING, logger="amplitude_ai_integrations"):
        agent.track_span("bound", user_id=placeholder, session_id=placeholder)
        with agent.session(placeholder, user_id=placeholder) as session:
            session.track_span("in a session", user_id=placeholder)
    assert {(event["user_id"], event["Session ID"]) for event in told(sink)} == {("ann", session_id)}
    assert not any("device_id" in event for event in told(sink))
    said = [record.getMessage() for record in caplog.records if "placeholder" in record.getMessage()]
    assert len(said) == len(set(said)) == (3 if placeholder else 0)


def test_a_made_up_device_makes_no_replay(ai: AmplitudeAI, sink: MemorySink, session_id: str) -> None:
    with ai.agent("bot").session(
        session_id, browser_session_id=1700000000000, track_session_end=False
    ) as session:
        session.track_span("x")
    event = told(sink)[0]
    assert event["device_id"] == device_for(session_id)
    assert event["session_id"] == 1700000000000
    assert "[Amplitude] Session Replay ID" not in event


@pytest.mark.parametrize("browser", ["not-a-number", "1" * 30, "-5"])
def test_a_browser_session_that_is_no_time_is_only_a_replay(
    ai: AmplitudeAI, sink: MemorySink, browser: str
) -> None:
    ai.track_span("ann", "x", device_id="d-1", browser_session_id=browser)
    event = told(sink)[0]
    assert "session_id" not in event
    assert event["[Amplitude] Session Replay ID"] == f"d-1/{browser}"


@pytest.mark.parametrize(
    ("least", "user_id", "is_said"),
    [(None, "ann", True), (None, "anna2", False), (3, "ann", False), (3, "a", True), ("junk", "ann", True)],
)
def test_ids_that_the_server_would_refuse_are_said_once(
    caplog: pytest.LogCaptureFixture, least: Any, user_id: str, is_said: bool
) -> None:
    client = Amplitude("key", Config(server_url="http://127.0.0.1:9/", flush_interval_millis=1_000))
    client.configuration.__dict__["min_id_length"] = least
    client.track = lambda event: None
    ai = AmplitudeAI(amplitude=client)
    with caplog.at_level(logging.WARNING, logger="amplitude_ai_integrations"):
        for _ in range(3):
            ai.track_span(user_id, "x")
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == is_said
    assert all("user_id" in text and "min_id_length = 1" in text for text in said)


class BareClient:
    """Something that tracks, and has nothing else of an `Amplitude`."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def track(self, event: Any) -> None:
        self.taken.append(event)


def test_a_client_without_a_configuration_gets_its_events() -> None:
    client = BareClient()
    AmplitudeAI(amplitude=client).track_span("ann", "x")
    assert len(client.taken) == 1


async def test_a_session_in_two_tasks_is_left_in_both(ai: AmplitudeAI, sink: MemorySink) -> None:
    session = ai.agent("bot").session(user_id="ann")

    async def work(seconds: float) -> Any:
        async with session:
            await asyncio.sleep(seconds)
        return get_active_context()

    assert await asyncio.gather(work(0.01), work(0.02), work(0)) == [None, None, None]
    assert types(sink) == ["Session End"]
