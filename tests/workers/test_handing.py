"""What travels with a job, and what becomes of what arrives."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, OpenAI, current_session, observe
from amplitude_ai_integrations.client.recording import Recorder
from amplitude_ai_integrations.context import get_active_context, memory
from amplitude_ai_integrations.exceptions import ConfigurationError, shield
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from amplitude_ai_integrations.web import carried as form
from amplitude_ai_integrations.web import handing
from amplitude_ai_integrations.workers import JobSession, carry, carry_on, identified
from tests.conftest import Serve
from tests.events import types
from tests.fakes.openai_server import OpenAIServer
from tests.web.reading import AGENT, Expected, told


def through_a_queue(carried: Any) -> Any:
    """Be another process: what travels is JSON, and nothing is remembered."""
    memory.forget()
    return json.loads(json.dumps(carried))


@pytest.fixture(autouse=True)
def _nothing_said_yet() -> None:
    form._say_large.cache_clear()
    handing._say_unknown.cache_clear()


class TestWhatTravels:
    def test_it_is_plain_json_with_ids_and_facts_and_nothing_that_was_said(
        self, ai: AmplitudeAI, thread: str
    ) -> None:
        bot = ai.agent(AGENT, env="test", context={"plan": "pro"})
        with bot.session(
            thread, user_id="ada", device_id="d", browser_session_id="1", tags=["vip"]
        ) as session:
            message = session.track_user_message("a secret")
            carried = carry()
            trace = {"id": session.trace_id, "has_user_message": True, "user_by_hand": True}
        assert json.loads(json.dumps(carried)) == {
            "v": 1,
            "session_id": thread,
            "trace": {**trace, "parent_message_id": message},
            "agent": {"agent_id": AGENT, "env": "test", "context": {"plan": "pro"}, "tags": ["vip"]},
            "turn": 1,
            "user_id": "ada",
            "device_id": "d",
            "browser_session_id": "1",
        }

    def test_outside_any_session_there_is_nothing(self) -> None:
        assert carry() is None

    @pytest.mark.parametrize("name", ["context", "groups"])
    def test_dimensions_too_large_for_a_message_stay_behind(
        self, ai: AmplitudeAI, thread: str, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        options: dict[str, Any] = {name: {"plan": "x" * 50_000}}
        with ai.agent(AGENT, env="test", **options).session(thread):
            carried = [carry(), carry()][0]
        assert carried is not None
        assert carried["agent"] == {"agent_id": AGENT, "env": "test"}
        assert [record.getMessage() for record in caplog.records] == [
            f"A job carries at most 16384 bytes, and leaves the agent's {name} behind; its events go without."
        ]

    def test_hostile_dimensions_travel_as_something_plain(self, ai: AmplitudeAI, thread: str) -> None:
        circular: dict[str, Any] = {"nan": float("nan"), "bytes": b"x", 1: object(), "bad": "\ud800"}
        circular["self"] = circular
        with ai.agent(AGENT, context=circular).session(thread):
            carried = carry()
        with carry_on(through_a_queue(carried), amplitude_ai=ai):
            assert get_active_context() is not None

    def test_a_step_that_is_observed_is_the_parent_of_steps_in_the_job(
        self, ai: AmplitudeAI, sink: MemorySink, thread: str
    ) -> None:
        sent: list[Any] = []

        @observe(amplitude=ai)
        def plan() -> None:
            sent.append(carry())

        with ai.agent(AGENT).session(thread):
            plan()
        with carry_on(through_a_queue(sent[0]), amplitude_ai=ai):
            current_session().track_span("search", 1.0)
        spans = {e["event_properties"].get("[Agent] Span Name"): e["event_properties"] for e in sink}
        assert spans["search"]["[Agent] Parent Span ID"] == spans["plan"]["[Agent] Span ID"]

    @pytest.mark.parametrize("way", ["by hand", "observed"])
    def test_a_model_asked_in_the_job_does_not_tell_the_users_message_again(
        self, ai: AmplitudeAI, sink: MemorySink, thread: str, way: str
    ) -> None:
        server = OpenAIServer()
        client = OpenAI(amplitude=ai, api_key="k", base_url=server.url)
        messages: Any = [{"role": "user", "content": "hello"}]
        with ai.agent(AGENT).session(thread, track_session_end=False):
            if way == "by hand":
                ai.track_user_message(content="hello")
            else:
                client.chat.completions.create(model="gpt-4o-mini", messages=messages)
            carried = carry()
        sink.events.clear()
        with carry_on(through_a_queue(carried), amplitude_ai=ai):
            handed = through_a_queue(carry())
            client.chat.completions.create(model="gpt-4o-mini", messages=messages)
        with carry_on(handed, amplitude_ai=ai):
            client.chat.completions.create(model="gpt-4o-mini", messages=messages)
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[*messages, {"role": "user", "content": "and?"}]
            )
        server.stop()
        expected = ["AI Response", "AI Response", "AI Response"]
        assert types(sink) == (expected if way == "by hand" else [*expected[:2], "User Message", expected[2]])


HOSTILE: list[Any] = [
    *(None, 7, "", "{", b"\xff", "[]", [], {}, object(), "[" * 100_000),
    {"v": 1},
    {"v": 2, "session_id": "s", "trace": {"id": "t"}, "agent": {}},
    {"v": 1, "session_id": "", "trace": {"id": "t"}, "agent": {}},
    {"v": 1, "session_id": "null", "trace": {"id": "t"}, "agent": {}},
    {"v": 1, "session_id": "s" * 5_000, "trace": {"id": "t"}, "agent": {}},
    {"v": 1, "session_id": 7, "trace": {"id": "t"}, "agent": {}},
    {"v": 1, "session_id": "s", "trace": "t", "agent": {}},
    {"v": 1, "session_id": "s", "trace": {"id": "t"}, "agent": []},
    {"v": 1, "session_id": "s", "trace": {"id": "t"}, "agent": {"agent_id": ["a"]}},
    {"v": 1, "session_id": "s", "trace": {"id": "t"}, "agent": {}, "turn": -1},
    {"v": 1, "session_id": "s", "trace": {"id": "t"}, "agent": {}, "turn": 2**60},
    {"v": 1, "session_id": "s", "trace": {"id": "t"}, "agent": {}, "turn": "7"},
    {"v": 1, "session_id": "s", "trace": {"id": "t"}, "agent": {}, "user_id": {"a": 1}},
]


class TestWhatArrives:
    @pytest.mark.parametrize("carried", HOSTILE, ids=range(len(HOSTILE)))
    def test_what_is_not_ours_or_not_whole_counts_as_nothing(self, ai: AmplitudeAI, carried: Any) -> None:
        with carry_on(carried, amplitude_ai=ai):
            assert get_active_context() is None

    def test_it_may_come_as_text_too(self, ai: AmplitudeAI, sink: MemorySink, thread: str) -> None:
        with ai.agent(AGENT).session(thread, track_session_end=False) as session:
            session.track_user_message("hello")
            text = json.dumps(carry())
        with carry_on(text, amplitude_ai=ai, name="answer"):
            current_session().track_ai_message("you said hello", "gpt-4o-mini", "openai", 5.0)
        assert told(sink) == Expected(thread).exchange()

    def test_what_a_later_version_adds_is_left_aside(self, ai: AmplitudeAI, thread: str) -> None:
        with ai.agent(AGENT).session(thread):
            carried = {**(carry() or {}), "mood": "fine"}
        with carry_on(carried, amplitude_ai=ai):
            context = get_active_context()
        assert context is not None
        assert context.session_id == thread

    def test_ids_that_amplitude_refuses_are_left_out(self, ai: AmplitudeAI, thread: str) -> None:
        carried = {"v": 1, "session_id": thread, "trace": {"id": "t"}, "agent": {}, "user_id": "anonymous"}
        with carry_on(carried, amplitude_ai=ai):
            context = get_active_context()
        assert context is not None
        assert (context.user_id, context.trace_id) == (None, "t")

    def test_where_the_worker_is_switched_off_there_is_no_session(self, ai: AmplitudeAI, thread: str) -> None:
        off = AmplitudeAI(sink=MemorySink(), config=AIConfig(enabled=False))
        with ai.agent(AGENT).session(thread):
            carried = carry()
        with carry_on(carried, amplitude_ai=off):
            assert get_active_context() is None

    def test_only_a_client_is_taken(self) -> None:
        with pytest.raises(ConfigurationError, match="amplitude_ai= is str"):
            carry_on(None, amplitude_ai="key")

    def test_a_stream_that_the_job_leaves_unread_ends_with_it(
        self, ai: AmplitudeAI, sink: MemorySink, thread: str
    ) -> None:
        server = OpenAIServer()
        client = OpenAI(amplitude=ai, api_key="k", base_url=server.url)
        with ai.agent(AGENT).session(thread, track_session_end=False) as session:
            session.track_user_message("hello")
            carried = carry()
        with carry_on(carried, amplitude_ai=ai):
            messages: Any = [{"role": "user", "content": "hello"}]
            stream = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
            next(iter(stream))
        assert types(sink) == ["User Message", "AI Response"]
        stream.close()
        server.stop()


class TestFailure:
    def test_a_fault_of_ours_neither_stops_the_job_nor_hides_its_error(
        self, ai: AmplitudeAI, thread: str, swallowing: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: Any, **__: Any) -> Any:
            raise RuntimeError("injected")

        with ai.agent(AGENT).session(thread):
            carried = carry()
        before = shield.swallowed["end of job: RuntimeError"]
        job = carry_on(carried, amplitude_ai=ai)
        with pytest.raises(LookupError), job:  # noqa: PT012 - the job is what raises
            ai.track_user_message(content="hello")
            monkeypatch.setattr(Recorder, "record", broken)
            raise LookupError("job")
        assert shield.swallowed["end of job: RuntimeError"] == before + 1
        assert get_active_context() is None

    @pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
    def test_an_interruption_is_no_failure(
        self, ai: AmplitudeAI, sink: MemorySink, thread: str, end: type[BaseException]
    ) -> None:
        with ai.agent(AGENT).session(thread, track_session_end=False):
            carried = carry()
        with contextlib.suppress(end), carry_on(carried, amplitude_ai=ai):
            ai.track_user_message(content="hello")
            raise end
        assert types(sink) == ["User Message"]


class TestAsynchronousResolvers:
    """A job may be sent before it is known whose request it is."""

    async def later(self, _request: Any) -> str:
        await asyncio.sleep(0)
        return "found-later"

    def carried_in(
        self, serve: Serve, ai: AmplitudeAI, *, waits: bool = False, **options: Any
    ) -> dict[str, Any]:
        async def handler(request: Request) -> JSONResponse:
            if waits:
                await identified()
            return JSONResponse(carry())

        app = Starlette(routes=[Route("/", handler)])
        app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, agent_id=AGENT, **options)
        found: dict[str, Any] = httpx.get(serve(app)).json()
        return found

    def test_a_session_made_for_the_request_is_certain_at_once(
        self, serve: Serve, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        async def handler(request: Request) -> JSONResponse:
            ai.track_user_message(content="hello")
            return JSONResponse(carry())

        app = Starlette(routes=[Route("/", handler)])
        app.add_middleware(
            AmplitudeAIMiddleware, amplitude_ai=ai, agent_id=AGENT, user_id_resolver=self.later
        )
        carried = httpx.get(serve(app)).json()
        assert "user_id" not in carried
        deadline = time.monotonic() + 5
        while not sink.events and time.monotonic() < deadline:  # the resolver is heard beside the response
            time.sleep(0.005)
        with carry_on(carried, amplitude_ai=ai):
            current_session().track_ai_message("you said hello", "gpt-4o-mini", "openai", 5.0)
        question, answer = told(sink)
        expected = Expected().of_user("found-later")
        whole = expected.exchange()
        del whole[1]["user_id"]
        assert [question, answer] == [
            whole[0],
            {**whole[1], "device_id": "of the session", "[Agent] Turn ID": 2},
        ]

    def test_a_conversation_named_at_once_is_certain_too(self, serve: Serve, ai: AmplitudeAI) -> None:
        options = {"user_id_resolver": self.later, "session_id_resolver": lambda _: "thread-1"}
        assert self.carried_in(serve, ai, **options)["session_id"] == "thread-1"

    def test_what_other_resolvers_said_at_once_travels(self, serve: Serve, ai: AmplitudeAI) -> None:
        options = {"device_id_resolver": self.later, "user_id_resolver": lambda _: "ada"}
        carried = self.carried_in(serve, ai, context=lambda _: {"plan": "pro"}, **options)
        assert (carried["user_id"], carried["agent"]["context"]) == ("ada", {"plan": "pro"})

    def test_a_conversation_that_is_not_named_yet_is_another_session(
        self, serve: Serve, ai: AmplitudeAI, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.WARNING, "amplitude_ai_integrations")
        carried = self.carried_in(serve, ai, session_id_resolver=self.later)
        assert carried["session_id"] != "found-later"
        assert "await identified()" in caplog.text

    def test_who_waits_has_it_all(self, serve: Serve, ai: AmplitudeAI) -> None:
        options = {"user_id_resolver": self.later, "session_id_resolver": self.later}
        carried = self.carried_in(serve, ai, waits=True, **options)
        assert (carried["user_id"], carried["session_id"]) == ("found-later", "found-later")

    def test_so_has_a_session_that_the_handler_opened(self, serve: Serve, ai: AmplitudeAI) -> None:
        async def handler(request: Request) -> JSONResponse:
            with ai.agent("helper").session("inner"):
                await identified()
                return JSONResponse(carry())

        app = Starlette(routes=[Route("/", handler)])
        app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, user_id_resolver=self.later)
        carried = httpx.get(serve(app)).json()
        assert (carried["user_id"], carried["session_id"]) == ("found-later", "inner")

    async def test_outside_any_request_there_is_nothing_to_wait_for(self) -> None:
        assert await identified() is None

    def test_a_request_in_which_nothing_is_sent_asks_nobody(self, serve: Serve, ai: AmplitudeAI) -> None:
        asked: list[Any] = []

        async def handler(request: Request) -> PlainTextResponse:
            return PlainTextResponse("done")

        app = Starlette(routes=[Route("/", handler)])
        app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, user_id_resolver=asked.append)
        assert httpx.get(serve(app)).text == "done"
        assert asked == []


def test_a_job_alone_in_a_workers_thread_does_not_see_what_was_left_behind_there(
    ai: AmplitudeAI, thread: str
) -> None:
    with ai.agent(AGENT).session(thread):
        around = get_active_context()
        job = JobSession(ai, None, "job", is_alone=True)
        job.enter()
        assert get_active_context() is None
        job.leave()
        assert get_active_context() is around
