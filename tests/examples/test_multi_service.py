"""The two services as their demo starts them: one question, and the events of both in one session and one trace."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from example_apps.fastapi_chat.trains import find_trains
from example_apps.multi_service import demo
from example_apps.serving import start
from tests.examples.test_fastapi_chat import (
    DEPARTURES,
    TOOL_CALLS,
    TRAINS,
    Collector,
    ai_response,
    event,
    serving,
    settled,
    started_with,
    user_message,
)

PROMPT = {
    "system_prompt": "You plan trips. Answer briefly, in plain text without Markdown.",
    "system_prompt_length": 63,
}
WHOLE: dict[str, Any] = {**PROMPT, "agent_id": "planner", "is_streaming": False}
FOUND = {
    "tool_input": {"origin": "Berlin", "destination": "Prague"},
    "tool_output": find_trains("Berlin", "Prague"),
}
TOOL = {"component_type": "tool", "tool_success": True, "is_error": False, "latency_ms": "ms", **FOUND}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Collector:
    """What arrives when one question was answered."""
    collector = Collector()
    with pytest.MonkeyPatch.context() as patch, serving(collector) as events_url, ExitStack() as running:
        patch.delenv("OPENAI_MODEL", raising=False)
        folder = tmp_path_factory.mktemp("services")
        settings = started_with(events_url, running)
        front = start(demo.EXAMPLE, running, folder, settings).front
        with httpx2.Client(base_url=front.url, trust_env=False, timeout=20) as browser:
            browser.headers["X-Conversation-Id"] = "chat-1"
            demo.hold(browser, (TRAINS,))
        deadline = time.monotonic() + 10
        while len(collector.events) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
    return collector


def in_order(events: list[dict[str, Any]], agent_id: str) -> list[dict[str, Any]]:
    """One service's events; in which order the two deliver is nobody's concern."""
    return [one for one in events if one["event_properties"]["[Agent] Agent ID"] == agent_id]


def without_ttfb(reply: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in reply.items() if name != "[Agent] TTFB Ms"}


def test_one_question_is_these_events_of_both_services(collector: Collector) -> None:
    planner, searcher = (in_order(collector.events, name) for name in ("planner", "searcher"))
    assert len(collector.events) == len(planner) + len(searcher)
    question = {**user_message(1, trace=1, message=1, text=TRAINS), "[Agent] Agent ID": "planner"}
    asked = ai_response(
        2,
        trace=1,
        message=2,
        request=1,
        tokens=(142, 12),
        finish_reason="tool_calls",
        tool_calls=TOOL_CALLS,
        **WHOLE,
    )
    looked = event(
        "Tool Call", turn_id=1, trace_id="trace 1", invocation_id="invocation 1", tool_name="timetable",
        agent_id="searcher", parent_agent_id="planner", **TOOL,
    )  # fmt: skip
    used = event(
        "Tool Call", turn_id=3, trace_id="trace 1", invocation_id="invocation 2", tool_name="find_trains",
        agent_id="planner", parent_message_id="message 2", **TOOL,
    )  # fmt: skip
    answered = ai_response(
        4, trace=1, message=3, request=2, tokens=(281, 41), llm_message={"text": DEPARTURES}, **WHOLE
    )
    expected = [question, without_ttfb(asked), looked, used, without_ttfb(answered)]
    told = settled([*planner[:2], *searcher, *planner[2:]])
    assert told == expected
