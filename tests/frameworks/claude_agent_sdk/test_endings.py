"""Runs that end before their time, and prompts that come one after the other."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from claude_agent_sdk import ClaudeAgentOptions, HookMatcher, ProcessError, ResultMessage, query

from amplitude_ai_integrations import AmplitudeAI, ConfigurationError, MemorySink
from amplitude_ai_integrations.frameworks.claude_agent_sdk import ClaudeAgentSDKTracker

from ...events import types
from ...fakes.claude_cli import ANSWER_USD
from .conftest import DOORS, by_hooks, by_query, of_kind, read


async def test_a_process_that_crashes(tracker: Any, session: Any, options: Any, sink: MemorySink) -> None:
    async def work() -> None:
        async with session:
            async for _ in tracker.query(session, prompt="crash", options=options()):
                pass

    with pytest.raises(ProcessError):
        await work()
    assert types(sink.events) == ["User Message", "Span", "Session End"]
    (span,) = of_kind(sink, "Span")
    assert (span["[Agent] Is Error"], span["[Agent] Error Type"]) == (True, "ProcessError")


async def test_a_command_that_is_not_there(tracker: Any, session: Any, sink: MemorySink) -> None:
    missing = ClaudeAgentOptions(cli_path="/nowhere/claude")
    await read(tracker.query(session, prompt="hi", options=missing))
    assert [span["[Agent] Error Type"] for span in of_kind(sink, "Span")] == ["CLINotFoundError"]


@pytest.mark.parametrize("ends", ["break", "close", "error"])
async def test_a_reader_who_leaves(
    ends: str, tracker: Any, session: Any, options: Any, sink: MemorySink
) -> None:
    async with session:
        stream = tracker.query(
            session, prompt="call:Bash{} stall", options=options(include_partial_messages=True)
        )
        try:
            async for message in stream:
                if getattr(message, "event", {}).get("delta") == {"type": "text_delta", "text": "Hel"}:
                    if ends == "error":
                        raise KeyError("the reader's own")
                    break
        except KeyError:
            pass
        if ends == "close":
            await stream.aclose()
        del stream
    await asyncio.sleep(0.3)  # the SDK ends its process in a task of its own
    assert types(sink.events) == [
        "User Message",
        "AI Response",
        "Tool Call",
        "AI Response",
        "Span",
        "Session End",
    ]
    answer = of_kind(sink, "AI Response")[1]
    assert (answer["[Agent] Stream Abandoned"], answer["$llm_message"]) == (True, {"text": "Hel"})
    assert [event.get("[Agent] Is Error") for event in of_kind(sink, "Span")] == [False]


async def test_a_task_that_is_cancelled(tracker: Any, session: Any, options: Any, sink: MemorySink) -> None:
    async def work() -> None:
        async with session:
            await read(tracker.query(session, prompt="call:Bash{} stall", options=options()))

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(work(), 1.5)
    (span,) = of_kind(sink, "Span")
    assert (span["[Agent] Is Error"], span["[Agent] Error Type"]) == (False, "CancelledError")
    assert types(sink.events) == ["User Message", "AI Response", "Tool Call", "Span", "Session End"]


async def test_an_interrupt_is_no_failure(tracker: Any, session: Any, options: Any, sink: MemorySink) -> None:
    async with session, tracker.client(session, options(include_partial_messages=True)) as client:
        await client.query("stall")
        async for message in client.receive_response():
            if getattr(message, "event", {}).get("type") == "content_block_delta":
                await client.interrupt()
    (span,), (answer,) = of_kind(sink, "Span"), of_kind(sink, "AI Response")
    assert (span["[Agent] Is Error"], span["[Agent] Error Type"]) == (False, "Interrupted")
    assert (answer["[Agent] Is Error"], answer["[Agent] Stream Abandoned"]) == (False, True)


async def test_what_nobody_ended_is_told_with_the_session(
    ai: AmplitudeAI, tracker: Any, options: Any, sink: MemorySink
) -> None:
    session = ai.agent("coder").session("s-1", user_id="user-1")
    for message in [item async for item in by_query(tracker, session, "call:Bash{} hi", options())][:4]:
        tracker.process(session, message)
    sink.events.clear()
    del session
    gc.collect()
    assert types(sink.events)[-1] == "Span"


async def test_prompts_of_one_client(tracker: Any, session: Any, options: Any, sink: MemorySink) -> None:
    async with session, tracker.client(session, options()) as client:
        for number in range(3):
            await client.query(f"{number} call:Bash{{}}")
            totals = [
                item.total_cost_usd
                async for item in client.receive_response()
                if isinstance(item, ResultMessage)
            ]
    assert totals == [pytest.approx(6 * ANSWER_USD)]  # of the whole process
    assert sum(answer["[Agent] Cost USD"] for answer in of_kind(sink, "AI Response")) == pytest.approx(
        totals[0]
    )
    traces = [event["[Agent] Trace ID"] for event in of_kind(sink, "User Message")]
    assert len({*traces}) == 3
    assert [span["[Agent] Trace ID"] for span in of_kind(sink, "Span")] == traces
    assert [tool["[Agent] Trace ID"] for tool in of_kind(sink, "Tool Call")] == traces


async def test_a_conversation_that_is_resumed_counts_anew(
    tracker: Any, session: Any, options: Any, sink: MemorySink
) -> None:
    async with session:
        first = await read(by_hooks(tracker, session, "titles", options()))
        again = await read(
            by_hooks(tracker, session, "call:Bash{} call:Bash{}", options(resume=first[-1].session_id))
        )
    whole = first[-1].total_cost_usd + again[-1].total_cost_usd
    assert sum(answer["[Agent] Cost USD"] for answer in of_kind(sink, "AI Response")) == pytest.approx(whole)


async def test_prompts_that_are_streamed(tracker: Any, session: Any, options: Any, sink: MemorySink) -> None:
    is_answered = asyncio.Event()

    async def prompts() -> Any:
        for words in ("one", "two"):
            yield {"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": words}]}}
            await is_answered.wait()

    async with session:
        async for message in tracker.query(session, prompt=prompts(), options=options()):
            if isinstance(message, ResultMessage):
                is_answered.set()
    assert len({span["[Agent] Trace ID"] for span in of_kind(sink, "Span")}) == 2
    assert [event["$llm_message"]["text"] for event in of_kind(sink, "User Message")] == ["one", "two"]


async def test_sessions_at_once_do_not_mix(
    ai: AmplitudeAI, tracker: Any, options: Any, sink: MemorySink
) -> None:
    async def work(number: int, ask: Any) -> None:
        async with ai.agent("coder").session(f"s-{number}", user_id=f"user-{number}") as session:
            await read(ask(tracker, session, f"{number} call:Bash{{}} agent:scout", options()))

    await asyncio.gather(*(work(number, ask) for number, ask in enumerate(DOORS)))
    for number in range(len(DOORS)):
        own = [event for event in sink.events if event["user_id"] == f"user-{number}"]
        assert {event["event_properties"]["[Agent] Session ID"] for event in own} == {f"s-{number}"}
        assert len({event["event_properties"]["[Agent] Trace ID"] for event in own}) == 1
        assert sorted(types(own)) == sorted(types([e for e in sink.events if e["user_id"] == "user-0"]))


async def test_prompts_at_once_in_one_session_do_not_mix(
    tracker: Any, session: Any, options: Any, sink: MemorySink
) -> None:
    given = options(hooks=tracker.hooks(session))  # for both

    async def work(number: int) -> None:
        async for message in query(prompt=f"{number} call:Bash{{}} call:Read{{}}", options=given):
            tracker.process(session, message)

    async with session:
        await asyncio.gather(work(1), work(2))
    by_trace: dict[str, list[str]] = {}
    for event in sink.events[:-1]:
        by_trace.setdefault(event["event_properties"]["[Agent] Trace ID"], []).append(event["event_type"])
    assert len(by_trace) == 2
    one, other = map(sorted, by_trace.values())
    assert one == other


async def test_hooks_of_the_program_go_on(tracker: Any, session: Any, options: Any, sink: MemorySink) -> None:
    seen: list[str] = []

    async def own(told: Any, _tool_use_id: Any, _context: Any) -> Any:
        seen.append(told["tool_name"])
        return {}

    given = options(hooks={"PreToolUse": [HookMatcher(hooks=[own])]})
    await read(tracker.query(session, prompt="call:Bash{}", options=given))
    assert seen == ["Bash"]
    assert len(given.hooks["PreToolUse"]) == 1  # the program's options are as they were
    assert len(of_kind(sink, "Tool Call")) == 1


def test_only_sessions_are_taken() -> None:
    wrong: Any = "s-1"
    with pytest.raises(
        ConfigurationError, match=r"hooks\(\) takes the session that agent.session\(\) returns"
    ):
        ClaudeAgentSDKTracker().hooks(wrong)
