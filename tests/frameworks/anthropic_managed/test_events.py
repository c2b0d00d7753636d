"""What a managed agent's events become."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ContentMode, MemorySink
from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.frameworks.anthropic_managed import ManagedAgentTracker

from ...events import one, told, types
from ...fakes.managed_server import MODEL, SESSION, USAGE, ManagedServer, text
from ..contract.graph import graph, ids
from .conversation import QUESTION, answer, ask, first_turn, rest, second_turn, use

COST = 4.88e-05


def read(fake: ManagedServer, ai: AmplitudeAI, **options: Any) -> list[Any]:
    """Let a new tracker read the session's log."""
    tracker = ManagedAgentTracker(**{"default_model": MODEL, **options})
    with ai.agent("concierge").session(str(uuid4()), user_id="user-1", track_session_end=False) as session:
        return tracker.process(session, fake.log[None])


def of_kind(sink: MemorySink, kind: str) -> list[dict[str, Any]]:
    """Return the properties of the events of a kind."""
    return [event["event_properties"] for event in sink.events if event["event_type"] == f"[Agent] {kind}"]


def test_two_turns_with_a_subagent(
    fake: ManagedServer, client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    first_turn(fake)
    second_turn(fake)
    with ai.agent("concierge").session(str(uuid4()), user_id="user-1") as session:
        new = ManagedAgentTracker().poll(session, client, SESSION)
    assert len(new) == len(fake.log[None]) + len(fake.log["sthr_1"]) - 2  # two are shown in both
    assert graph(sink.events) == [
        "concierge",
        f"  user: {QUESTION}",
        f"  answer 20+7 ${COST}: web_search",
        '  tool web_search {"query":"Paris"} -> Sunny.',
        f"  answer 20+7 ${COST}: book",
        "  tool book {} failed",
        f"  answer 20+7 ${COST}: Sunny, and no table.",
        "  user: And museums?",
        f"  answer 20+7 ${COST}: See the Louvre.",
        "  Session End",
        "researcher of concierge",
        "  agent: Find museums.",
        "  answer 20+7 $0.0001464: The Louvre.",
        "span concierge by concierge",
        "span concierge by concierge",
        "span researcher by researcher of concierge in concierge",
    ]
    traces = ids(sink.events, "Trace ID") - {None}
    assert len(traces) == 2
    work = [
        event for event in sink.events if event["event_properties"].get("[Agent] Agent ID") == "researcher"
    ]
    assert ids(work, "Trace ID") < traces
    turns = [event["event_properties"].get("[Agent] Turn ID") for event in sink.events]
    assert [turn for turn in turns if turn] == [*range(1, 11)]


OF_ALL = {
    "Agent ID": "concierge",
    "Session ID": "id-2",
    "Trace ID": "id-1",
    "user_id": "user-1",
    "Is Error": False,
}


def test_whole_events(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    ask(fake)
    fake.request(answer("Let me look."), use("web_search", query="Paris"))
    fake.say("agent.tool_result", after=3, tool_use_id="sevt_5", content=text("Sunny."))
    rest(fake)
    read(fake, ai)
    asked = {key: value for key, value in OF_ALL.items() if key != "Is Error"}
    assert told(sink.events) == [
        {
            **asked,
            "type": "User Message",
            "Component Type": "user_input",
            "Message ID": "sevt_1",
            "Message Source": "user",
            "Turn ID": 1,
            "$llm_message": {"text": QUESTION},
        },
        {
            **OF_ALL,
            "type": "AI Response",
            "Component Type": "llm",
            "Message ID": "sevt_4",
            "Turn ID": 2,
            "$llm_message": {"text": "Let me look."},
            "Model Name": MODEL,
            "Model Tier": "fast",
            "Provider": "anthropic",
            "Input Tokens": 20,
            "Output Tokens": 7,
            "Total Tokens": 27,
            "Cache Read Tokens": 8,
            "Cache Creation Tokens": 4,
            "Cost USD": COST,
            "Finish Reason": "tool_use",
            "Latency Ms": 2000.0,
            "Tool Calls": '[{"type":"function","id":"sevt_5","function":'
            '{"name":"web_search","arguments":"{\\"query\\":\\"Paris\\"}"}}]',
        },
        {
            **OF_ALL,
            "type": "Tool Call",
            "Component Type": "tool",
            "Invocation ID": "sevt_5",
            "Parent Message ID": "sevt_4",
            "Turn ID": 3,
            "Tool Name": "web_search",
            "Tool Type": "builtin",
            "Tool Input": '{"query":"Paris"}',
            "Tool Output": "Sunny.",
            "Tool Success": True,
            "Latency Ms": 3000.0,
        },
        {
            **OF_ALL,
            "type": "Span",
            "Span ID": "sevt_2",
            "Span Name": "concierge",
            "Span Kind": "agent",
            "Latency Ms": 7000.0,
        },
    ]
    noon = datetime.fromisoformat("2026-04-01T12:00:00+00:00").timestamp()
    assert [event["time"] / 1000 - noon for event in sink.events] == [1.0, 5.0, 8.0, 9.0]


def test_without_events_about_requests(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    fake.say("user.message", content=text("Hi"))
    fake.say("session.status_running")
    fake.say("agent.message", after=2.5, content=text("Hello."))
    read(fake, ai, default_provider="aws")
    (said,) = of_kind(sink, "AI Response")
    assert said["[Agent] Latency Ms"] == 2500
    assert said["[Agent] Provider"] == "aws"
    assert said["[Agent] Model Name"] == MODEL
    assert said["[Agent] Message ID"] == "sevt_3"
    assert "[Agent] Input Tokens" not in said


def test_a_request_ends_before_its_message_is_told(
    fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    ask(fake)
    fake.request()
    fake.say("agent.message", content=text("Late."))
    rest(fake)
    read(fake, ai)
    (said,) = of_kind(sink, "AI Response")
    assert said["$llm_message"]["text"] == "Late."
    assert said["[Agent] Total Tokens"] == 27


def test_a_request_that_shows_nothing(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    ask(fake)
    fake.say("span.model_request_start")
    fake.say("agent.thinking")
    fake.say("span.model_request_end", model_request_start_id="sevt_3", model_usage=USAGE)
    rest(fake)
    read(fake, ai)
    assert types(sink.events) == ["User Message", "AI Response", "Span"]
    assert of_kind(sink, "AI Response")[0]["[Agent] Total Tokens"] == 27


def test_a_request_without_an_end(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    ask(fake)
    fake.say("span.model_request_start")
    fake.say("agent.message", content=text("Half"))
    fake.say("user.interrupt")
    rest(fake)
    read(fake, ai)
    (said,) = of_kind(sink, "AI Response")
    assert said["$llm_message"]["text"] == "Half"
    assert said["[Agent] Latency Ms"] == 1000


ERROR = {"type": "model_overloaded_error", "message": "Overloaded", "retry_status": {"type": "exhausted"}}


def test_errors(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    ask(fake)
    fake.request(is_error=True)
    fake.say("session.error", error=ERROR)
    rest(fake, "retries_exhausted")
    read(fake, ai)
    (said,) = of_kind(sink, "AI Response")
    assert (said["[Agent] Is Error"], said["[Agent] Error Type"]) == (True, "model_request_error")
    error, run = of_kind(sink, "Span")
    for span in (error, run):
        assert span["[Agent] Is Error"] is True
        assert span["[Agent] Error Type"] == "model_overloaded_error"
        assert span["[Agent] Error Message"] == "Overloaded"
        assert span["[Agent] Error Source"] == "provider"
    assert (error["[Agent] Span Name"], run["[Agent] Span Name"]) == ("session.error", "concierge")


def test_an_error_that_a_retry_mended(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    ask(fake)
    fake.say("session.error", error={**ERROR, "retry_status": {"type": "retrying"}})
    fake.say("session.status_rescheduled")
    fake.request(answer("Yes."))
    rest(fake)
    read(fake, ai)
    error, run = of_kind(sink, "Span")
    assert (error["[Agent] Is Error"], run["[Agent] Is Error"]) == (True, False)


def test_a_session_that_is_terminated(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    ask(fake)
    fake.request(use("web_search"))
    fake.say("session.error", error=ERROR)
    fake.say("session.status_terminated")
    read(fake, ai)
    (tool,) = of_kind(sink, "Tool Call")
    assert (tool["[Agent] Tool Success"], tool["[Agent] Error Type"]) == (False, "NoResult")
    assert of_kind(sink, "Span")[-1]["[Agent] Error Type"] == "model_overloaded_error"


@pytest.mark.parametrize("custom_tools", [True, False])
def test_tools_that_the_program_runs(
    custom_tools: bool, fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    ask(fake)
    fake.request({"type": "agent.custom_tool_use", "name": "get_weather", "input": {"city": "Paris"}})
    rest(fake, "requires_action")
    fake.say("user.custom_tool_result", after=4, custom_tool_use_id="sevt_4", content=text("Sunny."))
    fake.say("session.status_running")
    fake.request(answer("Sunny."))
    rest(fake)
    read(fake, ai, custom_tools=custom_tools)
    tools = of_kind(sink, "Tool Call")
    assert len(tools) == custom_tools
    for tool in tools:
        assert (tool["[Agent] Tool Type"], tool["[Agent] Latency Ms"]) == ("function", 6000)
    (span,) = of_kind(sink, "Span")  # the turn is one, with a rest in it
    assert span["[Agent] Latency Ms"] == 13_000


def test_a_result_that_is_more_than_words(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    ask(fake)
    fake.request(use("look"))
    image = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
    fake.say("agent.tool_result", tool_use_id="sevt_4", content=[image])
    read(fake, ai)
    output = of_kind(sink, "Tool Call")[0]["[Agent] Tool Output"]
    assert output == '[{"type":"image","source":{"type":"file","file_id":"file_1"}}]'


def test_a_message_that_waits(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    ask(fake, "One.")
    fake.say("user.message", content=text("Two."), processed_at=None)
    fake.request(answer("One it is."))
    rest(fake)
    fake.say("session.status_running")
    fake.request(answer("Two it is."))
    rest(fake)
    read(fake, ai)
    assert [line.partition(": ")[2] for line in graph(sink.events)[1:5]] == [
        "One.",
        "One it is.",
        "Two.",
        "Two it is.",
    ]
    assert len(ids(sink.events, "Trace ID")) == 2


def test_a_message_that_waited_is_told_once(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    tracker = ManagedAgentTracker()
    waiting = fake.say("user.message", content=text("Two."), processed_at=None)
    with ai.agent("concierge").session(SESSION, track_session_end=False) as session:
        assert tracker.process(session, waiting) == []
        taken = {**waiting, "processed_at": "2026-04-01T12:00:07Z"}
        assert tracker.process(session, [taken]) == [taken]
        assert tracker.process(session, [waiting, taken]) == []
    assert types(sink.events) == ["User Message"]


def test_goals(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    fake.say(
        "user.define_outcome", description="A plan.", outcome_id="o", rubric={"type": "text", "content": "x"}
    )
    begun = fake.say("span.outcome_evaluation_start", iteration=0, outcome_id="o")
    verdict: dict[str, Any] = {"result": "satisfied", "explanation": "Good.", "iteration": 0}
    fake.say(
        "span.outcome_evaluation_end",
        after=3,
        outcome_evaluation_start_id=begun["id"],
        usage=USAGE,
        **verdict,
    )
    read(fake, ai)
    assert one(sink.events, "User Message")["$llm_message"]["text"] == "A plan."
    span = one(sink.events, "Span")
    assert (span["[Agent] Span Name"], span["[Agent] Latency Ms"]) == ("outcome_evaluation", 3000)
    assert span["[Agent] Output State"] == '{"result":"satisfied","explanation":"Good.","iteration":0}'


def test_what_is_shown_in_another_thread_is_told_in_its_own(
    fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    used: dict[str, Any] = {"name": "web_search", "input": {}, "session_thread_id": "sthr_1"}
    shown = fake.say("agent.tool_use", **used)
    own = [
        {**shown, "session_thread_id": None},
        {"type": "agent.tool_result", "id": "sevt_9", "tool_use_id": shown["id"]},
    ]
    tracker = ManagedAgentTracker()
    with ai.agent("concierge").session(SESSION, track_session_end=False) as session:
        assert tracker.process(session, fake.log[None]) == []
        assert tracker.process(session, own, thread_id="sthr_1", agent_name="researcher", model="m") == own
    assert one(sink.events, "Tool Call")["[Agent] Agent ID"] == "researcher"


@pytest.mark.parametrize("fraction", ["", ".5", ".500", ".500000001"])
def test_times_of_dictionaries(fraction: str, ai: AmplitudeAI, sink: MemorySink) -> None:
    at = f"2026-04-01T12:00:00{fraction}Z"
    message = {"type": "user.message", "id": "sevt_1", "content": text("Hi"), "processed_at": at}
    with ai.agent().session(SESSION, track_session_end=False) as session:
        ManagedAgentTracker().process(session, message)
    noon = datetime.fromisoformat("2026-04-01T12:00:00+00:00").timestamp()
    assert sink.events[0]["time"] == noon * 1000 + (500 if fraction else 0)


def test_a_subagents_events_are_of_the_turn_they_were_in(
    fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    ask(fake, "One.")
    work = fake.say("agent.message", thread="sthr_1", content=text("Done."))
    rest(fake)
    ask(fake, "Two.")
    tracker = ManagedAgentTracker()
    with ai.agent("concierge").session(SESSION, track_session_end=False) as session:
        tracker.process(session, fake.log[None])
        tracker.process(session, work, thread_id="sthr_1", agent_name="researcher")
    asked = of_kind(sink, "User Message")[0]
    assert one(sink.events, "AI Response")["[Agent] Trace ID"] == asked["[Agent] Trace ID"]


def test_attachments(fake: ManagedServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    source = {"type": "url", "url": "https://example.com/a.png"}
    fake.say("user.message", content=[*text("Look."), {"type": "image", "source": source}])
    read(fake, ai)
    said = one(sink.events, "User Message")
    assert (said["[Agent] Has Attachments"], said["[Agent] Attachment Count"]) == (True, 1)


def test_no_content_leaves_in_metadata_only(fake: ManagedServer, sink: MemorySink) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=ContentMode.METADATA_ONLY))
    canary = "canary4711"
    ask(fake, canary)
    fake.request(answer(canary), use("web_search", query=canary))
    fake.say("agent.tool_result", tool_use_id="sevt_5", content=text(canary), is_error=True)
    fake.say("session.error", error={**ERROR, "message": canary})
    fake.say("span.outcome_evaluation_end", explanation=canary)
    fake.say("session.status_terminated")
    read(fake, ai)
    assert len(sink.events) == 6
    assert canary not in str(sink.events)


def test_wrong_arguments(ai: AmplitudeAI) -> None:
    with pytest.raises(ConfigurationError, match="The first argument is AmplitudeAI; pass a session"):
        ManagedAgentTracker().process(ai, [])  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="seen_ids= is a text"):
        ManagedAgentTracker(seen_ids="sevt_1")


@pytest.mark.parametrize(
    "event",
    [{}, {"type": "agent.message"}, {"type": "agent.message", "id": 7}, {"id": "a"}, None, "event", 7,
     {"type": "event_start", "event": {"id": "sevt_1", "type": "agent.message"}},
     {"type": "not.known", "id": "sevt_9"}],
)  # fmt: skip
def test_what_is_no_event_is_left_alone(event: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    tracker = ManagedAgentTracker()
    with ai.agent().session(SESSION, track_session_end=False) as session:
        tracker.process(session, [event])
    assert not sink.events


@pytest.mark.parametrize(
    "kind",
    ["user.message", "agent.message", "agent.tool_use", "agent.tool_result", "span.model_request_start",
     "span.model_request_end", "session.error", "session.status_idle", "session.status_running",
     "session.status_terminated", "span.outcome_evaluation_end", "session.updated"],
)  # fmt: skip
def test_events_without_their_fields(kind: str, ai: AmplitudeAI) -> None:
    with ai.agent().session(SESSION, track_session_end=False) as session:
        tracker = ManagedAgentTracker()
        tracker.process(session, [{"type": kind, "id": "sevt_1", "processed_at": "no time"}])
        tracker.process(session, [{"type": "session.status_terminated", "id": "sevt_2"}])
