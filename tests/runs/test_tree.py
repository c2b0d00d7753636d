"""Runs that start and end: whose part they are, which agent works in them, and what they become."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from contextvars import copy_context
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, MemorySink, observe, tool
from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage
from amplitude_ai_integrations.client.failures import ToldFailure
from amplitude_ai_integrations.frameworks.watching import Watching
from amplitude_ai_integrations.runs.run import Kind
from amplitude_ai_integrations.runs.tree import RunTree

from ..events import one, told, types

ASKED = RequestFacts("openai", "gpt-4o", user_text="Hi", history=(0, ""))
ANSWER = ResponseFacts(text="Hello.", usage=Usage(20, 7, 27))
CALL = {"type": "function", "id": "call-1", "function": {"name": "search", "arguments": "{}"}}


@pytest.fixture
def watching(ai: AmplitudeAI) -> Watching:
    return Watching("Door()", ai, {"user_id": "user-1"})


def short(sink: MemorySink, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(event.get(name) for name in ("type", *names)) for event in told(sink.events)]


def test_an_agent_with_a_call_and_a_tool(watching: Watching, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent().session("s", user_id="u", track_session_end=False):
        watching.agent("run", None, "helper", asked="Hi")
        watching.call("call", "run", ASKED)
        watching.answered("call", ResponseFacts(text="", tool_calls=[CALL], usage=Usage(20, 7, 27)))
        watching.tool("tool", "run", "search", arguments={"q": 1}, call_id="call-1")
        watching.ended("tool", [1, 2])
        watching.ended("run", "Hello.")
    common = {
        "user_id": "u",
        "Session ID": "s",
        "Agent ID": "helper",
        "Agent Name": "helper",
        "Trace ID": "id-2",
    }
    user, answer, ran, span = told(sink.events)
    assert user == {
        **common, "type": "User Message", "Message ID": "id-1", "Component Type": "user_input",
        "$llm_message": {"text": "Hi"}, "Message Source": "user", "Turn ID": user["Turn ID"],
    }  # fmt: skip
    assert (
        answer["Tool Calls"]
        == '[{"type":"function","id":"call-1","function":{"name":"search","arguments":"{}"}}]'
    )
    assert ran.pop("Latency Ms") >= 0
    assert ran == {
        **common, "type": "Tool Call", "Invocation ID": "id-4", "Component Type": "tool", "Tool Name": "search",
        "Tool Input": '{"q":1}', "Tool Output": "[1,2]", "Tool Success": True, "Is Error": False,
        "Parent Message ID": answer["Message ID"], "Turn ID": user["Turn ID"] + 2,
    }  # fmt: skip
    assert span.pop("Latency Ms") >= 0
    assert span == {
        **common, "type": "Span", "Span ID": "id-5", "Span Name": "helper",
        "Span Kind": "agent", "Is Error": False,
        "Input State": '{"value":"Hi"}', "Output State": '{"value":"Hello."}',
    }  # fmt: skip


class TestAgents:
    def test_one_inside_another_has_it_as_its_parent(self, watching: Watching, sink: MemorySink) -> None:
        watching.agent("outer", None, "outer")
        watching.step("step", "outer", "step")
        watching.agent("inner", "step", "inner")
        watching.agent("innermost", "inner", "innermost")
        for run in ("innermost", "inner", "step", "outer"):
            watching.ended(run)
        assert short(sink, "Span Name", "Agent ID", "Parent Agent ID")[:4] == [
            ("Span", "innermost", "innermost", "inner"),
            ("Span", "inner", "inner", "outer"),
            ("Span", "step", "outer", None),
            ("Span", "outer", "outer", None),
        ]
        names = {event.get("Span ID"): event.get("Span Name") for event in told(sink.events)}
        parents = [names.get(event.get("Parent Span ID")) for event in told(sink.events)[:4]]
        assert parents == ["inner", "step", "outer", None]

    def test_the_outermost_is_the_one_that_the_door_names(self, ai: AmplitudeAI, sink: MemorySink) -> None:
        watching = Watching("Door()", ai, {"agent_id": "mine", "env": "test"})
        watching.agent("run", None, "theirs")
        watching.ended("run")
        assert short(sink, "Agent ID", "Agent Name", "Env")[0] == ("Span", "mine", "theirs", "test")

    def test_the_doors_agent_works_for_that_of_the_session(self, ai: AmplitudeAI, sink: MemorySink) -> None:
        watching = Watching("Door()", ai, {"agent_id": "mine"})
        with ai.agent("boss", env="test").session(track_session_end=False):
            watching.agent("run", None, "theirs")
            watching.ended("run")
        assert short(sink, "Agent ID", "Parent Agent ID", "Env") == [("Span", "mine", "boss", "test")]

    def test_one_that_takes_over_has_the_one_before_as_its_parent(
        self, watching: Watching, sink: MemorySink
    ) -> None:
        watching.hidden("run", None)
        watching.agent("first", "run", "first")
        watching.agent("second", "run", "second", delegated_by="first")
        watching.ended("second")
        watching.ended("first")
        assert short(sink, "Agent ID", "Parent Agent ID") == [
            ("Span", "second", "first"),
            ("Span", "first", None),
        ]


class TestEnds:
    def test_a_parent_that_fails_ends_its_parts(self, watching: Watching, sink: MemorySink) -> None:
        watching.agent("run", None, "helper")
        watching.step("step", "run", "step")
        watching.call("call", "step", ASKED)
        watching.tool("tool", "step", "search")
        watching.failed("run", ValueError("broken"))
        assert short(sink, "Is Error", "Error Type", "Tool Success") == [
            ("User Message", None, None, None),
            ("AI Response", False, "ValueError", None),
            ("Tool Call", False, "ValueError", False),
            ("Span", False, "ValueError", None),
            ("Span", True, "ValueError", None),
            ("Session End", True, "ValueError", None),
        ]
        assert len(watching.tree) == 0

    def test_to_be_told_to_stop_is_no_failure(self, watching: Watching, sink: MemorySink) -> None:
        watching.agent("run", None, "helper")
        watching.call("call", "run", ASKED)
        watching.failed("call", asyncio.CancelledError())
        watching.failed("run", asyncio.CancelledError())
        assert short(sink, "Is Error", "Error Type")[1:] == [
            ("AI Response", False, "CancelledError"),
            ("Span", False, "CancelledError"),
            ("Session End", False, "CancelledError"),
        ]

    def test_a_failure_that_is_only_told(self, watching: Watching, ai: AmplitudeAI, sink: MemorySink) -> None:
        with ai.agent().session(track_session_end=False):
            watching.tool("tool", None, "search")
            watching.failed("tool", ToldFailure("NoRoute", "no way there"))
            watching.call("call", None, ASKED)
            watching.failed("call", ToldFailure("Refused"))
        assert short(sink, "Is Error", "Error Type", "Error Message", "Error Source") == [
            ("Tool Call", True, "NoRoute", "no way there", "tool"),
            ("User Message", None, None, None, None),
            ("AI Response", True, "Refused", None, "provider"),
        ]

    def test_a_stream_that_is_left(self, watching: Watching, sink: MemorySink) -> None:
        watching.call("call", None, ASKED, is_streaming=True)
        watching.piece("call", "Hel")
        watching.piece("call", "lo")
        watching.failed("call", GeneratorExit())
        answer = one(sink.events, "AI Response")
        assert answer["$llm_message"] == {"text": "Hello"}
        assert answer["[Agent] Stream Abandoned"] is True
        assert "[Agent] Error Type" not in answer

    def test_of_what_is_not_under_way_is_no_news(self, watching: Watching, sink: MemorySink) -> None:
        watching.ended("nothing")
        watching.failed("nothing", ValueError())
        watching.answered("nothing", ANSWER)
        watching.left("nothing")
        watching.piece("nothing", "word")
        watching.agent("run", None, "helper")
        watching.ended("run")
        watching.ended("run")
        assert types(sink.events) == ["Span", "Session End"]

    def test_a_stream_may_outlast_what_it_is_part_of(self, watching: Watching, sink: MemorySink) -> None:
        watching.step("query", None, "query")
        watching.call("call", "query", ASKED, is_streaming=True)
        watching.ended("query")
        watching.answered("call", ANSWER)
        assert types(sink.events) == ["User Message", "Span", "AI Response", "Session End"]


class TestPlaces:
    def test_the_session_around(self, watching: Watching, ai: AmplitudeAI, sink: MemorySink) -> None:
        with ai.agent("a").session("s-12345", user_id="u-12345", track_session_end=False):
            watching.agent("run", None, "helper", identity={"session_id": "other", "user_id": "other"})
            watching.ended("run")
        assert short(sink, "Session ID", "user_id") == [("Span", "s-12345", "u-12345")]

    def test_what_the_framework_says_where_nobody_else_does(
        self, watching: Watching, sink: MemorySink
    ) -> None:
        watching.agent("run", None, "helper", identity={"session_id": "thread-1", "user_id": "other"})
        watching.ended("run")
        assert short(sink, "Session ID", "user_id") == [("Span", "thread-1", "user-1")]

    def test_a_model_call_alone_opens_no_session(self, watching: Watching, sink: MemorySink) -> None:
        watching.call("call", None, ASKED)
        watching.answered("call", ANSWER)
        assert short(sink, "Session ID", "user_id") == [
            ("User Message", None, "user-1"),
            ("AI Response", None, "user-1"),
        ]

    def test_fields_of_the_door_hold_outside_sessions(self, ai: AmplitudeAI, sink: MemorySink) -> None:
        watching = Watching("Door()", ai, {"event_properties": {"plan": "pro"}, "groups": {"org": "acme"}})
        for parent in (None, "run"):
            watching.step(parent or "run", None, "step") if parent is None else None
        watching.call("call", "run", ASKED)
        watching.answered("call", ANSWER)
        watching.ended("run")
        assert short(sink, "plan", "groups") == [
            (kind, "pro", {"org": "acme"}) for kind in ("User Message", "AI Response", "Span", "Session End")
        ]

    def test_parts_carried_out_elsewhere_belong_to_the_run(
        self, watching: Watching, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        with ai.agent("a").session("s-12345", track_session_end=False):
            watching.agent("run", None, "helper")
            worker = threading.Thread(
                target=lambda: (watching.tool("t", "run", "search"), watching.ended("t"))
            )
            worker.start()
            worker.join()
            watching.ended("run")
        assert short(sink, "Session ID", "Trace ID") == [
            ("Tool Call", "s-12345", "id-2"),
            ("Span", "s-12345", "id-2"),
        ]

    def test_a_session_opened_in_a_tool_is_its_own(
        self, watching: Watching, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        watching.agent("run", None, "helper")
        with ai.agent("inner").session("s-inner", track_session_end=False):
            watching.call("call", "run", ASKED)
            watching.answered("call", ANSWER)
        watching.ended("run")
        sessions = [event.get("Session ID") for event in told(sink.events)]
        assert sessions[:2] == ["s-inner", "s-inner"]
        assert sessions[2] == sessions[3] != "s-inner"

    def test_steps_are_part_of_the_observed_function_around(
        self, watching: Watching, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        @observe(name="outer")
        def outer() -> None:
            watching.step("run", None, "inner")
            watching.ended("run")

        with ai.agent("a").session(track_session_end=False):
            outer()
        inner, around = told(sink.events)
        assert inner["Parent Span ID"] == around["Span ID"]


class TestTools:
    def test_a_result_in_the_next_messages_is_known(
        self, watching: Watching, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        result = [ToolResult("call-1", "search", "{}", "found")]
        with ai.agent().session(track_session_end=False):
            watching.tool("tool", None, "search", call_id="call-1")
            watching.ended("tool")
            watching.tool("other", None, "find")
            watching.ended("other")
            found = ToolResult("call-2", "find", "{}", "found")
            watching.call("call", None, RequestFacts("openai", "gpt-4o", tool_results=[*result, found]))
            watching.answered("call", ANSWER)
        assert short(sink, "Tool Name") == [
            ("Tool Call", "search"),
            ("Tool Call", "find"),
            ("AI Response", None),
        ]

    @pytest.mark.parametrize("call_id", ["call-1", None])
    def test_a_decorated_function_tells_of_itself(
        self, watching: Watching, ai: AmplitudeAI, sink: MemorySink, call_id: str | None
    ) -> None:
        @tool(name="search")
        def search() -> str:
            return "found"

        with ai.agent().session(track_session_end=False):
            watching.tool("tool", None, "search", call_id=call_id)
            watching.ended("tool", search())
            request = RequestFacts(
                "openai", "gpt-4o", tool_results=[ToolResult("call-1", "search", "{}", "found")]
            )
            watching.call("call", None, request)
            watching.answered("call", ANSWER)
        assert types(sink.events) == ["Tool Call", "AI Response"]
        assert one(sink.events, "Tool Call")["[Agent] Tool Output"] == "found"


class TestBounds:
    def test_runs_that_never_end(self, ai: AmplitudeAI, sink: MemorySink) -> None:
        tree = RunTree(lambda: ai, limit=10)
        for number in range(30):
            tree.start(number, None, Kind.STEP, f"step {number}")
        assert len(tree) == 10
        assert types(sink.events) == ["Span", "Session End"] * 20
        assert {event.get("Error Type") for event in told(sink.events)} == {"NeverEnded"}

    def test_memory_stays_within_the_bound(self) -> None:
        ai = AmplitudeAI(sink=_Nowhere())
        watching = Watching("Door()", ai, {})

        def begin(count: int) -> None:
            for number in range(count):
                watching.agent(("run", number, count), None, "helper", asked="x" * 100)
                watching.call(("call", number, count), ("run", number, count), ASKED)

        place = copy_context()
        place.run(begin, 10_000)
        gc.collect()
        tracemalloc.start()
        place.run(begin, 10_001)
        gc.collect()
        grown, _peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(watching.tree) == 10_000
        # As much is held as before, of which this counts only what is new: about 4 KB a run.
        assert grown < 10_000 * 8_000

    def test_the_oldest_goes_with_its_parts(self, ai: AmplitudeAI, sink: MemorySink) -> None:
        tree = RunTree(lambda: ai, limit=2)
        tree.start("old", None, Kind.STEP, "old")
        tree.start("part", "old", Kind.STEP, "part")
        tree.start("new", None, Kind.STEP, "new")
        assert [event.get("Span Name") for event in told(sink.events)] == ["part", "old", None]
        assert len(tree) == 1


class _Nowhere:
    def send(self, event: Any) -> None:
        """Take it."""


class TestSettings:
    def test_an_unknown_option(self, ai: AmplitudeAI) -> None:
        with pytest.raises(ConfigurationError, match=r"Door\(\) takes no 'sesion_id'; it takes agent_id, "):
            Watching("Door()", ai, {"sesion_id": "s"})

    def test_nowhere_to_report(self, ai: AmplitudeAI) -> None:
        other = AmplitudeAI(sink=MemorySink())
        with pytest.raises(ConfigurationError, match="pass amplitude="):
            Watching("Door()", None, {})
        assert other is not ai

    def test_switched_off(self, sink: MemorySink) -> None:
        watching = Watching("Door()", AmplitudeAI(sink=sink, config=AIConfig(enabled=False)), {})
        assert watching.agent("run", None, "helper") is None
        assert watching.call("call", "run", ASKED) is None
        assert watching.tool("tool", "run", "search") is None
        assert len(watching.tree) == 0
        assert sink.events == []

    def test_privacy_of_the_door(self, ai: AmplitudeAI, sink: MemorySink) -> None:
        watching = Watching("Door()", ai, {"content_mode": "metadata_only"})
        watching.agent("run", None, "helper", asked="canary")
        watching.call("call", "run", RequestFacts("openai", "gpt-4o", user_text="canary"))
        watching.answered("call", ResponseFacts(text="canary", usage=Usage(20, 7, 27)))
        watching.tool("tool", "run", "search", arguments="canary")
        watching.failed("tool", ValueError("canary"))
        watching.ended("run", "canary")
        assert len(sink.events) == 5
        assert "canary" not in str(sink.events)
