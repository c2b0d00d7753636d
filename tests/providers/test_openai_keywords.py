"""The `amplitude_*` keywords of one call: in its events, never on the wire."""

from __future__ import annotations

import asyncio
import contextvars
import json
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink, wrap
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from ..fakes.openai_server import TEXT, OpenAIServer
from .conftest import MakeClient
from .expected import answer, kinds, of_kind, seen, user
from .ways import chat, response

KEYWORDS: dict[str, Any] = {
    "amplitude_user_id": "mary",
    "amplitude_message_id": "m-1",
    "amplitude_conversation_id": "c-1",
    "amplitude_trace_id": "t-1",
    "amplitude_event_properties": {"plan": "pro"},
    "amplitude_groups": {"company": "acme"},
}
SHARED = {
    "user_id": "mary",
    "session_id": "c-1",
    "trace_id": "t-1",
    "plan": "pro",
    "groups": {"company": "acme"},
}
PLAIN = {"system_prompt": None, "system_prompt_length": None}


def _without_turns(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if name != "turn_id"} for event in events]


def test_keywords_are_in_both_events(client: OpenAI, sink: MemorySink) -> None:
    client.chat.completions.create(**chat("Hi", **KEYWORDS))
    said = user("Hi", turn_id=None, **SHARED)
    answered = answer(message_id="m-1", turn_id=None, **SHARED, **PLAIN)
    assert _without_turns(seen(sink)) == [said, answered]


def test_no_keyword_leaves(client: OpenAI, bare: openai.OpenAI, fake: OpenAIServer) -> None:
    mine = {"extra_headers": {"x-mine": "1"}}
    client.chat.completions.create(**chat("Hi", **mine, **KEYWORDS))
    bare.chat.completions.create(**chat("Hi", **mine))
    ours, theirs = fake.requests
    assert ours == theirs


def test_keywords_win_over_the_session(client: OpenAI, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent(user_id="u").session(session_id="s", track_session_end=False):
        client.chat.completions.create(**chat("Hi", **KEYWORDS))
    assert [(event["session_id"], event["trace_id"], event["user_id"]) for event in seen(sink)] == [
        ("c-1", "t-1", "mary"),
        ("c-1", "t-1", "mary"),
    ]


def test_a_call_of_another_conversation_takes_no_trace_of_the_session(
    client: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent(user_id="u").session(session_id="s", track_session_end=False) as session:
        client.chat.completions.create(**chat("Hi", amplitude_conversation_id="other"))
        traces = {event.get("trace_id") for event in of_kind("answer", sink) + of_kind("user", sink)}
        assert session.trace_id not in traces
    assert len(traces) == 1


def test_an_explicit_trace_holds_for_its_call_alone(
    client: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent(user_id="u").session(track_session_end=False) as session:
        before = session.trace_id
        client.chat.completions.create(**chat("a", amplitude_trace_id="t-1"))
        client.chat.completions.create(**chat("b"))
    assert [event["trace_id"] for event in of_kind("answer", sink)] == ["t-1", before]


def test_defaults_of_wrap_hold_outside_sessions_only(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = wrap(connect(openai.OpenAI), ai, user_id="default", session_id="d")
    client.with_options(timeout=9).responses.create(**response("a"))
    client.responses.create(**response("b", amplitude_user_id="call"))
    with ai.agent(user_id="u").session(session_id="s", track_session_end=False):
        client.responses.create(**response("c"))
    assert [(event["user_id"], event["session_id"]) for event in seen(sink) if event["kind"] == "answer"] == [
        ("default", "d"),
        ("call", "d"),
        ("u", "s"),
    ]


async def test_a_coroutine_that_runs_elsewhere_keeps_its_keywords(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with connect(AsyncOpenAI, amplitude=ai) as client:
        calls = [client.responses.create(**response("Hi", amplitude_user_id=name)) for name in ("ann", "bob")]
        tasks = [contextvars.Context().run(asyncio.ensure_future, call) for call in reversed(calls)]
        await asyncio.gather(*tasks)
    users = sorted(event["user_id"] for event in sink if kinds([event]) == ["answer"])
    assert users == ["ann", "bob"]


def test_one_header_mapping_can_serve_many_calls(client: OpenAI, sink: MemorySink) -> None:
    headers = {"x-mine": "1"}
    client.responses.create(**response("a", extra_headers=headers, amplitude_user_id="ann"))
    client.responses.create(**response("b", extra_headers=headers, amplitude_user_id="bob"))
    assert headers == {"x-mine": "1"}
    assert [event["user_id"] for event in sink] == ["ann", "ann", "bob", "bob"]


def test_a_keyword_that_is_none_counts_as_not_given(
    client: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent(user_id="u").session(session_id="s", track_session_end=False):
        client.responses.create(
            **response("Hi", amplitude_user_id=None, amplitude_trace_id=None, amplitude_message_id=None)
        )
    said, answered = seen(sink)
    assert (said["user_id"], answered["user_id"], answered["session_id"]) == ("u", "u", "s")
    assert said["trace_id"] == answered["trace_id"] == "<id>"
    assert answered["message_id"] == "<id>"


class Unreadable:
    """A value whose own code fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


def _circular() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


HOSTILE = [7, b"\xff", "\ud800", float("nan"), ["x"], {"a": {1}}, _circular(), Unreadable(), "x" * 100_000]


@pytest.mark.parametrize("keyword", KEYWORDS)
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
def test_a_hostile_keyword_breaks_nothing(keyword: str, value: Any, client: OpenAI, sink: MemorySink) -> None:
    given = {keyword: {"inner": value} if keyword.endswith("properties") else value}
    result = client.responses.create(**response("Hi", **{"amplitude_user_id": "u", **given}))
    assert result.output_text == TEXT
    assert kinds(sink) == ["user", "answer"]
    assert len(json.dumps(sink.events, allow_nan=False).encode()) < 250_000
