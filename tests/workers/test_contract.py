"""One table for all queues: the session goes on in the worker, and its events are the same everywhere."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from tests.conftest import Serve
from tests.web.reading import AGENT, Expected, told

from .lanes import ByHandLane, Lane

FAILED = {"is_error": True, "error_type": "LookupError", "error_message": "job"}


def session_of(lane: Lane, thread: str, **options: Any) -> Any:
    """A session of the sender's, in which a question was asked."""
    return lane.ai.agent(AGENT).session(thread, user_id="ada", track_session_end=False, **options)


def step(expected: Expected, name: str, number: int = 1) -> dict[str, Any]:
    return expected.event("Span", span_id=f"span {number}", span_name=name, latency_ms="ms", **FAILED)


class TestSession:
    def test_it_goes_on_in_the_worker(self, lane: Lane, thread: str) -> None:
        with session_of(lane, thread):
            lane.ai.track_user_message(content="hello")
            lane.send("answer")
            lane.wait()
        assert told(lane.sink) == Expected(thread).of_user("ada").exchange()

    def test_it_is_the_same_trace_and_the_same_agent_with_all_its_facts(
        self, lane: Lane, thread: str
    ) -> None:
        facts = {
            "agent_version": "7",
            "description": "finds rooms",
            "context": {"plan": "pro", "seats": 3},
            "env": "test",
            "locale": "en-GB",
            "customer_org_id": "acme",
            "parent_agent_id": "front-desk",
        }
        bot = lane.ai.agent(AGENT, groups={"team": ["a", "b"]}, agent_name="Concierge", **facts)
        options = {"device_id": "d-1", "browser_session_id": "1234567890123", "tags": ["vip"]}
        with bot.session(thread, user_id="ada", track_session_end=False, idle_timeout_minutes=45, **options):
            lane.send("speak")
            lane.wait()
            here = told(lane.sink)
            lane.sink.events.clear()
            lane.ai.track_user_message(content="hello")
            lane.ai.track_ai_message(
                content="you said hello", model="gpt-4o-mini", provider="openai", latency_ms=5.0
            )
            there = told(lane.sink)
        turns = [[event.pop("[Agent] Turn ID") for event in events] for events in (here, there)]
        assert turns[0] == [1, 2]
        assert here == there

    def test_a_message_in_the_worker_is_a_trace_of_its_own_if_one_was_said_before(
        self, lane: Lane, thread: str
    ) -> None:
        with session_of(lane, thread):
            lane.ai.track_user_message(content="one")
            lane.send("speak", "two")
            lane.wait()
        expected = Expected(thread).of_user("ada")
        expected.trace = 1
        question = expected.question("one")
        assert told(lane.sink) == [question, *expected.exchange("two")]

    def test_an_opinion_given_in_the_worker_belongs_to_the_trace(self, lane: Lane, thread: str) -> None:
        with session_of(lane, thread) as session:
            lane.ai.track_user_message(content="hello")
            lane.send("score")
            lane.wait()
            traces = {event["event_properties"]["[Agent] Trace ID"] for event in lane.sink}
            assert traces == {session.trace_id}

    def test_turns_are_numbered_above_the_senders(self, lane: Lane, thread: str) -> None:
        with session_of(lane, thread):
            for text in ("one", "two", "three"):
                lane.ai.track_user_message(content=text)
            lane.send("answer", "three")
            lane.wait()
        turns = [event["event_properties"]["[Agent] Turn ID"] for event in lane.sink]
        assert turns == [1, 2, 3, 4]

    def test_it_goes_on_from_job_to_job(self, lane: Lane, thread: str) -> None:
        with session_of(lane, thread):
            lane.ai.track_user_message(content="hello")
            lane.send("hand_further")
            lane.wait()
        expected = Expected(thread).of_user("ada")
        expected.trace = 1
        question = expected.question("hello")
        assert told(lane.sink) == [question, expected.answer("you said one"), expected.answer("you said two")]

    def test_a_job_that_opens_its_own_session_is_in_that(self, lane: Lane, thread: str) -> None:
        with session_of(lane, thread):
            lane.send("own_session", f"own-{thread}")
            lane.wait()
        expected = Expected(f"own-{thread}").of_user("ada").saying(agent_id="helper")
        assert told(lane.sink) == [*expected.exchange(), *expected.end()]

    def test_a_job_that_opens_the_very_session_it_came_from_does_not_end_it(
        self, lane: Lane, thread: str
    ) -> None:
        with session_of(lane, thread):
            lane.send("own_session", thread)
            lane.wait()
        assert told(lane.sink) == Expected(thread).of_user("ada").saying(agent_id="helper").exchange()

    def test_a_job_sent_outside_any_session_has_none(self, lane: Lane) -> None:
        lane.send("look_around")
        assert lane.wait() == [None]

    def test_such_a_job_may_open_one(self, lane: Lane, thread: str) -> None:
        lane.send("own_session", thread)
        lane.wait()
        expected = Expected(thread).saying(agent_id="helper")
        assert told(lane.sink) == [*expected.exchange(), *expected.end()]

    def test_nothing_is_left_behind_in_the_worker(self, lane: Lane, thread: str) -> None:
        with session_of(lane, thread):
            for name in ("answer", "fail", "silence") * 4:
                lane.send(name)
            lane.wait()
        noted = []
        for _ in range(8):
            lane.send("look_around")
            noted += lane.wait()
        assert set(noted) == {None}

    def test_nothing_is_carried_where_the_sender_is_switched_off(self, lane: Lane, thread: str) -> None:
        off = AmplitudeAI(sink=MemorySink(), config=AIConfig(enabled=False))
        with off.agent(AGENT).session(thread):
            lane.send("look_around")
            assert lane.wait() == [None]

    @pytest.mark.parametrize(
        "carried", ["", "{", "nonsense", {}, {"v": 2}, {"v": 1, "session_id": "s"}, [1], 7]
    )
    def test_what_is_not_ours_counts_as_nothing(self, lane: Lane, carried: Any) -> None:
        lane.send("look_around", carried=carried)
        assert lane.wait() == [None]

    def test_parallel_jobs_do_not_mix(self, lane: Lane, thread: str) -> None:
        name = "speak" if isinstance(lane, ByHandLane) else "speak_together"
        sessions = [f"{thread}-{number}" for number in range(16)]
        for session in sessions:
            with lane.ai.agent(f"{AGENT} of {session}").session(
                session, user_id=f"user of {session}", track_session_end=False
            ):
                lane.send(name, f"hello from {session}")
        lane.wait()
        for session in sessions:
            events = [one for one in lane.sink if one["event_properties"]["[Agent] Session ID"] == session]
            expected = (
                Expected(session).of_user(f"user of {session}").saying(agent_id=f"{AGENT} of {session}")
            )
            assert told(events) == expected.exchange(f"hello from {session}")
        assert len(lane.sink.events) == 32


class TestFailure:
    def test_a_job_that_fails_is_a_failed_step(self, lane: Lane, thread: str) -> None:
        with session_of(lane, thread):
            lane.ai.track_user_message(content="hello")
            lane.send("fail")
            lane.wait()
        expected = Expected(thread).of_user("ada")
        assert told(lane.sink) == [*expected.exchange(), step(expected, "fail")]

    def test_a_job_that_fails_in_silence_is_none_of_ours(self, lane: Lane, thread: str) -> None:
        with session_of(lane, thread):
            lane.send("fail_in_silence")
            lane.wait()
        assert lane.sink.events == []

    def test_a_job_that_is_tried_again_is_in_the_session_again(self, lane: Lane, thread: str) -> None:
        with session_of(lane, thread):
            lane.ai.track_user_message(content="hello")
            lane.send("again", thread)
            lane.wait()
        expected = Expected(thread).of_user("ada")
        first, failed = expected.exchange(), step(expected, "again")
        events = told(lane.sink)
        # The second attempt may be done by another thread before the first one has been put away.
        events.sort(key=lambda event: event.get("[Agent] Turn ID", 2.5))
        assert events == [*first, failed, expected.answer("you said hello")]

    def test_a_session_of_its_own_does_not_follow_a_job_that_is_tried_again(
        self, lane: Lane, thread: str
    ) -> None:
        with session_of(lane, thread):
            lane.send("own_session_again", thread)
            lane.wait()
        ends = [event for event in told(lane.sink) if event["event_type"] == "[Agent] Session End"]
        expected = Expected(f"own-{thread}").of_user("ada").saying(agent_id="helper")
        failed, fine = expected.event("Session End"), expected.event("Session End")
        failed.update(
            {"[Agent] Is Error": True, "[Agent] Error Type": "LookupError", "[Agent] Trace ID": "trace 1"}
        )
        fine["[Agent] Trace ID"] = "trace 2"
        assert ends == [failed, fine]


class TestWebRequest:
    """A request in which a job is sent, and which says nothing itself but the question."""

    def visit(self, lane: Lane, serve: Serve, **options: Any) -> None:
        def ask(_request: Request) -> PlainTextResponse:
            lane.ai.track_user_message(content="hello")
            lane.send("answer")
            return PlainTextResponse("queued")

        app = Starlette(routes=[Route("/", ask)])
        app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=lane.ai, agent_id=AGENT, **options)
        assert httpx.get(serve(app)).text == "queued"
        lane.wait()

    def test_its_own_session_is_left_to_the_job(self, lane: Lane, serve: Serve) -> None:
        self.visit(lane, serve, user_id_resolver=lambda _: "ada")
        assert told(lane.sink) == Expected().of_user("ada").exchange()

    def test_a_conversation_stays_as_it_was(self, lane: Lane, serve: Serve, thread: str) -> None:
        self.visit(lane, serve, session_id_resolver=lambda _: thread)
        assert told(lane.sink) == Expected(thread).exchange()

    def test_it_ends_where_that_was_asked_for(self, lane: Lane, serve: Serve) -> None:
        self.visit(lane, serve, end_session=True)
        deadline = time.monotonic() + 5
        while len(lane.sink.events) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)  # the end comes after the response
        kinds = sorted(event["event_type"] for event in lane.sink)
        assert kinds == ["[Agent] AI Response", "[Agent] Session End", "[Agent] User Message"]
