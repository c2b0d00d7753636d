"""Messages without hooks, hooks without messages, and what the program has told of itself."""

from __future__ import annotations

from typing import Any

import pytest
from claude_agent_sdk import (
    AssistantMessage,
    ConversationResetMessage,
    ResultMessage,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
    query,
)

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, tool
from amplitude_ai_integrations.frameworks.claude_agent_sdk import ClaudeAgentSDKTracker
from amplitude_ai_integrations.frameworks.claude_tools import MOST

from ...events import types
from ...fakes.claude_cli import TOOL_MS
from .conftest import by_hooks, by_query, of_kind, read

MODEL = "claude-sonnet-4-5"
USAGE = {"input_tokens": 10, "output_tokens": 5}


def answer(*blocks: Any, message_id: str | None = "msg_1", **fields: Any) -> AssistantMessage:
    return AssistantMessage(content=[*blocks], model=MODEL, message_id=message_id, usage=USAGE, **fields)


def result(cost: float | None, **fields: Any) -> ResultMessage:
    told: dict[str, Any] = {"subtype": "success", "duration_ms": 5, "duration_api_ms": 4, "is_error": False}
    return ResultMessage(**told, num_turns=1, session_id="c-1", total_cost_usd=cost, **fields)


async def test_messages_alone_tell_of_tools_once(
    tracker: Any, session: Any, options: Any, sink: MemorySink
) -> None:
    async with session:
        async for message in query(prompt="call:Bash{} fail:Read{} agent:scout", options=options()):
            tracker.process(session, message)
    calls = of_kind(sink, "Tool Call")
    assert [call["[Agent] Tool Name"] for call in calls] == ["Bash", "Read", "Grep", "Task"]
    assert [call["[Agent] Tool Success"] for call in calls] == [True, False, True, True]
    assert all(call["[Agent] Latency Ms"] > 0 for call in calls)
    assert calls[0]["[Agent] Tool Output"] == "hi"
    asked = [event["[Agent] Message ID"] for event in of_kind(sink, "AI Response")]
    assert {call["[Agent] Parent Message ID"] for call in calls} <= {*asked}
    assert [span["[Agent] Span Name"] for span in of_kind(sink, "Span")] == ["scout", "claude"]


async def test_hooks_alone_tell_of_tools(tracker: Any, session: Any, options: Any, sink: MemorySink) -> None:
    async with session:
        await read(query(prompt="call:Bash{} fail:Read{}", options=options(hooks=tracker.hooks(session))))
    assert types(sink.events) == ["User Message", "Tool Call", "Tool Call", "Span", "Session End"]
    assert [call["[Agent] Latency Ms"] for call in of_kind(sink, "Tool Call")] == [TOOL_MS, TOOL_MS]


@pytest.mark.parametrize("ask", [by_hooks, by_query])
async def test_a_prompt_told_by_hand_is_not_told_again(
    ask: Any, tracker: Any, session: Any, options: Any, sink: MemorySink
) -> None:
    async with session:
        session.track_user_message("one")
        await read(ask(tracker, session, "one", options()))
        await read(ask(tracker, session, "two", options()))
    assert [event["$llm_message"]["text"] for event in of_kind(sink, "User Message")] == ["one", "two"]
    traces = [event["[Agent] Trace ID"] for event in of_kind(sink, "User Message")]
    assert [span["[Agent] Trace ID"] for span in of_kind(sink, "Span")] == traces


def test_a_tool_of_this_process_that_tells_of_itself(tracker: Any, session: Any, sink: MemorySink) -> None:
    @tool
    def get_weather(city: str) -> str:
        return f"Sunny in {city}."

    with session:
        name = "mcp__weather__get_weather"
        tracker.process(session, answer(ToolUseBlock("t-1", name, {"city": "Paris"})))
        get_weather("Paris")
        tracker.process(session, UserMessage([ToolResultBlock("t-1", "Sunny in Paris.")]))
        tracker.process(session, answer(ToolUseBlock("t-2", name, {"city": "Rome"}), message_id="msg_2"))
        tracker.process(session, UserMessage([ToolResultBlock("t-2", "Sunny in Rome.")]))
        tracker.process(session, result(0.1))
    calls = [
        (call["[Agent] Tool Name"], call.get("[Agent] Tool Type")) for call in of_kind(sink, "Tool Call")
    ]
    assert calls == [("get_weather", None), (name, "mcp")]


def test_parts_of_a_message_are_one_answer(tracker: Any, session: Any, sink: MemorySink) -> None:
    with session:
        tracker.process(session, UserMessage("Hi"))
        for message_id in ("msg_1", "msg_2", None):
            tracker.process(session, answer(TextBlock("One "), message_id=message_id))
            tracker.process(session, answer(TextBlock("two."), message_id=message_id))
        tracker.process(session, result(None))
    told = of_kind(sink, "AI Response")
    assert [event["$llm_message"]["text"] for event in told] == ["One two."] * 3
    assert [event["[Agent] Input Tokens"] for event in told] == [10] * 3
    assert types(sink.events) == ["User Message", *["AI Response"] * 3, "Span", "Session End"]


def test_a_part_after_a_subagent_has_begun_counts_nothing_again(
    tracker: Any, session: Any, sink: MemorySink
) -> None:
    with session:
        tracker.process(session, answer(ToolUseBlock("t-1", "Task", {"subagent_type": "scout"})))
        tracker.process(session, answer(TextBlock("I am."), message_id="msg_2", parent_tool_use_id="t-1"))
        tracker.process(session, answer(TextBlock("More.")))
        tracker.process(session, result(None))
    told = of_kind(sink, "AI Response")
    assert [event.get("[Agent] Input Tokens") for event in told] == [10, 10, None]


def test_answers_of_tools_find_their_process(tracker: Any, session: Any, sink: MemorySink) -> None:
    for number in (1, 2):
        tracker.process(session, answer(ToolUseBlock(f"t-{number}", "Bash", {}), session_id=f"c-{number}"))
    tracker.process(session, UserMessage([ToolResultBlock("t-1", "one")]))
    tracker.process(session, result(None))
    (call,) = of_kind(sink, "Tool Call")
    assert (call["[Agent] Tool Success"], call["[Agent] Tool Output"]) == (True, "one")


def test_totals_begin_anew_with_a_conversation(tracker: Any, session: Any, sink: MemorySink) -> None:
    for cost in (0.5, 0.75):
        tracker.process(session, answer(TextBlock("Hi")))
        tracker.process(session, result(cost))
    tracker.process(session, ConversationResetMessage("c-2", "u", "c-1"))
    tracker.process(session, answer(TextBlock("Hi"), message_id="msg_2"))
    tracker.process(session, result(0.8))
    assert sum(event["[Agent] Cost USD"] for event in of_kind(sink, "AI Response")) == pytest.approx(
        0.75 + 0.8
    )


def test_a_total_below_our_prices_is_the_truth(tracker: Any, session: Any, sink: MemorySink) -> None:
    tracker.process(session, answer(ToolUseBlock("t-1", "Bash", {}), message_id="msg_1"))
    tracker.process(session, answer(TextBlock("Hi"), message_id="msg_2"))
    tracker.process(session, result(0.0002))
    assert sum(event["[Agent] Cost USD"] for event in of_kind(sink, "AI Response")) == pytest.approx(0.0002)


def test_tools_that_never_end_are_bounded(tracker: Any, session: Any, sink: MemorySink) -> None:
    for number in range(MOST + 10):
        tracker.process(session, answer(ToolUseBlock(f"t-{number}", "Bash", {}), message_id=f"msg_{number}"))
    assert len(of_kind(sink, "Tool Call")) == 10
    assert {call["[Agent] Error Type"] for call in of_kind(sink, "Tool Call")} == {"NeverEnded"}


async def test_content_stays(options: Any) -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode="metadata_only"))
    tracker = ClaudeAgentSDKTracker()
    session = ai.agent("coder").session("s-1", user_id="user-1")
    prompt = 'call:Bash{"command":"canary"} fail:Read{"path":"canary"} agent:reviewer think canary'
    await read(by_query(tracker, session, prompt, options(include_partial_messages=True)))
    await read(by_query(tracker, session, "exhausted canary", options()))
    words = ("canary", "Review it", "exit 1", "Hello", "Let me think", "stdout", "limit.")
    assert len(sink.events) > 10
    assert not [word for word in words if word in repr(sink.events)]


def test_nothing_is_told_when_tracking_is_off(session: Any) -> None:
    sink = MemorySink()
    off = AmplitudeAI(sink=sink, config=AIConfig(enabled=False)).agent("coder").session("s-1")
    tracker = ClaudeAgentSDKTracker()
    for message in (UserMessage("Hi"), answer(ToolUseBlock("t-1", "Bash", {})), result(0.1)):
        tracker.process(off, message)
    assert sink.events == []


@pytest.mark.usefixtures("swallowing")
def test_strange_messages_do_no_harm(tracker: Any, session: Any) -> None:
    strange: list[Any] = [
        None,
        3,
        {},
        answer(ToolUseBlock(None, None, object())),
        UserMessage(None),
        result("x"),
    ]
    for message in strange:
        tracker.process(session, message)
