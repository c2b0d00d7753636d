"""Sessions, traces and turns: who is speaking, and in which order."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, ContentMode, MemorySink
from amplitude_ai_integrations.context import get_active_context
from tests.events import one, told, types


def test_a_block_lends_its_ids_and_ends(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(
        "conv-1", user_id="user-1", device_id="d-1", browser_session_id="1"
    ) as session:
        ai.track_user_message(content="hi")
        assert session.session_id == "conv-1"
    assert get_active_context() is None
    first, last = told(sink)
    assert first["Session ID"] == last["Session ID"] == "conv-1"
    assert first["user_id"] == last["user_id"] == "user-1"
    assert first["Agent ID"] == "bot"
    assert first["[Amplitude] Session Replay ID"] == "d-1/1"
    assert last["type"] == "Session End"


async def test_async_blocks_do_the_same(ai: AmplitudeAI, sink: MemorySink) -> None:
    async with ai.agent("bot").session(user_id="user-1"):
        await asyncio.create_task(_says(ai, "hi"))
    assert types(sink) == ["User Message", "Session End"]
    assert told(sink)[0]["Agent ID"] == "bot"


async def _says(ai: AmplitudeAI, text: str) -> None:
    ai.track_user_message(content=text)


def test_without_a_block_nothing_ends_by_itself(ai: AmplitudeAI, sink: MemorySink) -> None:
    session = ai.agent("bot").session(user_id="user-1")
    session.track_user_message("hi")
    session.track_ai_message("hello", "m", "p", 1.0)
    first, second = told(sink)
    assert first["Trace ID"] == second["Trace ID"]
    assert uuid.UUID(session.session_id)


def test_each_user_message_begins_a_trace_and_turns_rise(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="user-1") as session:
        for text in ("one", "two"):
            session.track_user_message(text)
            session.track_tool_call("t", 1.0, True)
            session.track_ai_message(text, "m", "p", 1.0)
    events = told(sink)[:6]
    assert [event["Turn ID"] for event in events] == [1, 2, 3, 4, 5, 6]
    traces = [event["Trace ID"] for event in events]
    assert traces[:3] == [traces[0]] * 3
    assert traces[3:] == [traces[3]] * 3
    assert traces[0] != traces[3]


def test_a_new_trace_and_its_first_message_are_one_trace(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="user-1") as session:
        session.track_user_message("one")
        begun = session.new_trace()
        session.track_user_message("two")
        assert session.trace_id == begun
    assert sink.events[1]["event_properties"]["[Agent] Trace ID"] == begun


def test_an_explicit_trace_holds_for_its_call_alone(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="user-1") as session:
        session.track_user_message("one")
        session.track_ai_message("x", "m", "p", 1.0, trace_id="other")
        session.track_ai_message("y", "m", "p", 1.0)
    first, second, third = told(sink)[:3]
    assert second["Trace ID"] == "other"
    assert third["Trace ID"] == first["Trace ID"]


def test_a_delegated_message_stays_in_its_trace(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="user-1") as session:
        session.track_user_message("one")
        session.track_user_message("look it up", agent_id="helper", parent_agent_id="bot")
    first, second = told(sink)[:2]
    assert second["Message Source"] == "agent"
    assert second["Trace ID"] == first["Trace ID"]


def test_a_session_with_the_same_id_joins(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("outer").session("conv-2", user_id="user-1") as outer:
        outer.track_user_message("one")
        with ai.agent("inner", parent_agent_id="outer").session("conv-2") as inner:
            inner.track_ai_message("x", "m", "p", 1.0)
    first, second, third = told(sink)
    assert second["Trace ID"] == first["Trace ID"]
    assert (second["Agent ID"], second["Parent Agent ID"]) == ("inner", "outer")
    assert second["user_id"] == "user-1"
    assert second["Turn ID"] == 2
    assert (third["type"], third["Agent ID"]) == ("Session End", "outer")


def test_a_session_inside_another_is_its_own_and_knows_the_user(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("outer").session("conv-3", user_id="user-1"):
        with ai.agent("inner").session("conv-4") as inner:
            inner.track_user_message("hi")
        ai.track_span(span_name="after")
    assert [(event["type"], event["Session ID"]) for event in told(sink)] == [
        ("User Message", "conv-4"),
        ("Session End", "conv-4"),
        ("Span", "conv-3"),
        ("Session End", "conv-3"),
    ]
    assert {event["user_id"] for event in told(sink)} == {"user-1"}


def test_another_agents_version_is_not_inherited(ai: AmplitudeAI, sink: MemorySink) -> None:
    helper = ai.agent("helper")
    with ai.agent("bot", agent_version="v1", env="prod").session("conv-5", user_id="user-1"):
        helper.track_span("look")
    event = told(sink)[0]
    assert event["Agent ID"] == "helper"
    assert event["Env"] == "prod"
    assert "Agent Version" not in event


async def test_parallel_tasks_keep_their_own_traces(ai: AmplitudeAI, sink: MemorySink) -> None:
    async with ai.agent("bot").session(user_id="user-1") as session:

        async def work(name: str) -> tuple[str, str]:
            begun = session.new_trace()
            await asyncio.sleep(0.01)
            session.track_span(name)
            return begun, session.trace_id

        results = await asyncio.gather(*(work(str(number)) for number in range(5)))
    assert all(begun == kept for begun, kept in results)
    assert len({begun for begun, _ in results}) == 5
    sent = [event["event_properties"]["[Agent] Trace ID"] for event in sink.events[:5]]
    assert sorted(sent) == sorted(begun for begun, _ in results)


def test_parallel_threads_keep_their_own_messages(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="user-1") as session:

        def work(number: int) -> bool:
            session.track_user_message(f"question {number}")
            trace = session.trace_id
            return all(session.trace_id == trace for _ in range(50))

        contexts = [contextvars.copy_context() for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(lambda n: contexts[n].run(work, n), range(8)))
    messages = [event for event in told(sink) if event["type"] == "User Message"]
    assert len({event["Trace ID"] for event in messages}) == 8
    assert sorted(event["Turn ID"] for event in messages) == [1, 2, 3, 4, 5, 6, 7, 8]


def _exchange(ai: AmplitudeAI, text: str, started: threading.Barrier) -> None:
    ai.track_user_message(content=text)
    started.wait(5)
    ai.track_tool_call(tool_name=text, success=True)
    ai.track_ai_message(content=text, model="m", provider="p")


async def test_exchanges_in_parallel_threads_keep_their_traces(ai: AmplitudeAI, sink: MemorySink) -> None:
    started = threading.Barrier(3)
    async with ai.agent("bot").session(user_id="user-1"):
        await asyncio.gather(*(asyncio.to_thread(_exchange, ai, text, started) for text in ("a", "b", "c")))
    by_text: dict[str, set[str]] = {}
    for event in sink.events[:-1]:
        properties = event["event_properties"]
        text = properties.get("[Agent] Tool Name") or properties["$llm_message"]["text"]
        by_text.setdefault(text, set()).add(properties["[Agent] Trace ID"])
    assert all(len(traces) == 1 for traces in by_text.values())
    assert len(set.union(*by_text.values())) == 3


async def test_a_message_in_a_task_of_its_own_begins_the_trace_of_what_follows(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with ai.agent("bot").session(user_id="user-1"):
        for text in ("one", "two"):
            await asyncio.create_task(_says(ai, text))
            ai.track_ai_message(content=text, model="m", provider="p")
    traces = [event["Trace ID"] for event in told(sink)]
    assert traces[0] == traces[1] != traces[2] == traces[3]


def test_a_session_entered_in_two_threads_ends_once(ai: AmplitudeAI, sink: MemorySink) -> None:
    session = ai.agent("bot").session(user_id="user-1")
    inside, leave = threading.Barrier(2), threading.Event()

    def work(is_first: bool) -> bool:
        with session:
            inside.wait(5)
            if not is_first:
                leave.wait(5)
        if is_first:
            leave.set()
        return get_active_context() is None

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(work, [True, False]))
    assert types(sink) == ["Session End"]


def test_a_trace_rolled_in_a_worker_thread_is_seen_by_the_request(ai: AmplitudeAI) -> None:
    with ai.agent("bot").session(user_id="user-1") as session:
        session.track_user_message("one")
        before = session.trace_id
        with ThreadPoolExecutor(1) as pool:
            pool.submit(contextvars.copy_context().run, session.track_user_message, "two").result()
        assert session.trace_id != before


def test_turns_rise_across_the_requests_of_a_conversation(ai: AmplitudeAI, sink: MemorySink) -> None:
    for text in ("one", "two"):
        session = ai.agent("bot").session("conv-6", user_id="user-1")
        session.track_user_message(text)
        session.track_ai_message(text, "m", "p", 1.0)
    assert [event["Turn ID"] for event in told(sink)] == [1, 2, 3, 4]


def test_an_explicit_turn_is_sent_and_raises_the_counter(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("bot", session_id="conv-7", user_id="user-1")
    agent.track_user_message("one", turn_id=10)
    agent.track_user_message("two")
    agent.track_user_message("three", turn_id=3)
    agent.track_session_end()
    agent.track_user_message("four")
    turns = [event.get("Turn ID") for event in told(sink)]
    assert turns == [10, 11, 3, None, 12]


def test_a_failing_block_says_so_and_raises_its_own_error(ai: AmplitudeAI, sink: MemorySink) -> None:
    with pytest.raises(KeyError), ai.agent("bot").session(user_id="user-1"):
        raise KeyError("x")
    end = one(sink, "Session End")
    assert end["[Agent] Is Error"] is True
    assert end["[Agent] Error Type"] == "KeyError"


def test_the_end_can_be_left_out(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="user-1", track_session_end=False) as session:
        session.track_user_message("hi")
    assert types(sink) == ["User Message"]


def test_idle_timeout_is_on_messages_and_end(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="user-1", idle_timeout_minutes=-1) as session:
        session.track_user_message("hi")
        session.track_ai_message("x", "m", "p", 1.0)
    minutes = [event.get("Session Idle Timeout Minutes") for event in told(sink)]
    assert minutes == [-1, None, -1]
    with pytest.raises(ConfigurationError, match="-2"):
        ai.agent("bot").session(idle_timeout_minutes=-2)


def test_inside_a_session_its_privacy_wins(ai: AmplitudeAI, sink: MemorySink) -> None:
    kept = MemorySink()
    quiet = AmplitudeAI(config=AIConfig(content_mode=ContentMode.METADATA_ONLY), sink=kept)
    with quiet.agent("bot").session(user_id="user-1"):
        ai.track_user_message(content="secret")
    assert sink.events == []
    message = one(kept, "User Message")
    assert "$llm_message" not in message
    assert message["[Agent] Content Mode"] == "metadata_only"


def test_without_user_and_device_the_session_gives_a_device(ai: AmplitudeAI, sink: MemorySink) -> None:
    for _ in range(2):
        ai.track_span(span_name="x", session_id="conv-8")
    ai.track_span(span_name="x", session_id="conv-9")
    devices = [event["device_id"] for event in sink]
    assert devices[0] == devices[1] != devices[2]


@pytest.mark.parametrize("placeholder", ["anonymous", "None", "null", "", "0", "undefined"])
def test_placeholder_ids_are_dropped(ai: AmplitudeAI, sink: MemorySink, placeholder: str) -> None:
    ai.track_span(placeholder, "x", session_id="conv-8")
    assert "user_id" not in sink.events[0]
    assert "device_id" in sink.events[0]


def test_numbers_and_uuids_are_ids_too(ai: AmplitudeAI, sink: MemorySink) -> None:
    given = uuid.uuid4()
    ai.track_span(42, "x", session_id=given)  # type: ignore[arg-type]
    event = sink.events[0]
    assert event["user_id"] == "42"
    assert event["event_properties"]["[Agent] Session ID"] == str(given)
