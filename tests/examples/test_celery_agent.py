"""The web app and its Celery worker as their demo starts them: the worker's events are of the request's session."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from example_apps.celery_agent import demo
from example_apps.fastapi_chat.trains import find_trains
from example_apps.serving import start
from tests.examples.test_fastapi_chat import (
    DEPARTURES,
    PACK,
    PACKING,
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

COUNT = 6


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What arrives when two questions of one conversation were answered in the worker."""
    collector = Collector()
    with pytest.MonkeyPatch.context() as patch, serving(collector) as events_url, ExitStack() as running:
        patch.delenv("OPENAI_MODEL", raising=False)
        folder = tmp_path_factory.mktemp("queue")
        settings = started_with(events_url, running)
        front = start(demo.EXAMPLE, running, folder, settings).front
        with httpx2.Client(base_url=front.url, trust_env=False) as browser:
            browser.headers["X-Conversation-Id"] = "chat-1"
            demo.hold(browser, (TRAINS, PACK))
        deadline = time.monotonic() + 10
        while len(collector.events) < COUNT and time.monotonic() < deadline:
            time.sleep(0.02)
    return collector.events


def answered(*given: Any, **fields: Any) -> dict[str, Any]:
    reply = ai_response(*given, is_streaming=False, **fields)
    return {name: value for name, value in reply.items() if name != "[Agent] TTFB Ms"}


def test_what_the_worker_says_is_of_the_session_in_which_was_asked(events: list[dict[str, Any]]) -> None:
    tool = event(
        "Tool Call",
        turn_id=3,
        trace_id="trace 1",
        invocation_id="invocation 1",
        parent_message_id="message 2",
        component_type="tool",
        tool_name="find_trains",
        tool_success=True,
        is_error=False,
        latency_ms="ms",
        tool_input={"origin": "Berlin", "destination": "Prague"},
        tool_output=find_trains("Berlin", "Prague"),
    )
    assert settled(events) == [
        user_message(1, trace=1, message=1, text=TRAINS),
        answered(2, 1, 2, 1, (144, 12), finish_reason="tool_calls", tool_calls=TOOL_CALLS),
        tool,
        answered(4, 1, 3, 2, (283, 41), llm_message={"text": DEPARTURES}),
        user_message(5, trace=2, message=4, text=PACK),
        answered(6, 2, 5, 3, (146, 47), llm_message={"text": PACKING}),
    ]
