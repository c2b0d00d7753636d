"""Every attribute of the GenAI conventions, of today and of yesterday, one span at a time."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from ...events import one, told, types
from .conftest import Provide
from .spans import MILLISECOND, START, Maker

IN = [
    {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
]
CALL = {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Paris"}}
OUT = [
    {
        "role": "assistant",
        "parts": [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "Hello."}, CALL],
        "finish_reason": "tool_call",
    }
]
CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-11-20",
}
USAGE = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10}
TEXTS = {"gen_ai.input.messages": json.dumps(IN), "gen_ai.output.messages": json.dumps(OUT)}


@pytest.fixture
def spans(provide: Provide) -> Maker:
    return Maker(provide(user_id="someone"))


def test_a_chat_whole(spans: Maker, sink: MemorySink) -> None:
    more = {
        "gen_ai.conversation.id": f"conversation-{uuid.uuid4()}",
        "gen_ai.response.id": "resp-1",
        "gen_ai.response.finish_reasons": ["tool_calls", "stop"],
        "gen_ai.response.time_to_first_chunk": 0.125,
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.max_tokens": 64,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 8,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "gen_ai.tool.definitions": json.dumps([{"type": "function", "name": "get_weather"}]),
        "enduser.id": "end-user",
    }
    spans.one({**CHAT, **USAGE, **TEXTS, **more})
    asked, answer = told(sink.events)
    session_id = more["gen_ai.conversation.id"]
    trace_id = asked["Trace ID"]
    assert len(trace_id) == 32
    assert [event["time"] for event in sink.events] == [
        START // MILLISECOND,
        START // MILLISECOND + 250,
    ]
    assert asked == {
        "type": "User Message",
        "user_id": "someone",  # the door's own goes before the span's
        "Message ID": "id-1",
        "Component Type": "user_input",
        "Message Source": "user",
        "$llm_message": {"text": "Hi"},
        "Session ID": session_id,
        "Trace ID": trace_id,
        "Turn ID": 1,
    }
    cost = answer.pop("Cost USD")
    assert cost > 0
    assert answer == {
        "type": "AI Response",
        "user_id": "someone",
        "Message ID": "id-2",
        "Component Type": "llm",
        "$llm_message": {"text": "Hello."},
        "Model Name": "gpt-4o-2024-11-20",
        "Model Tier": "standard",
        "Provider": "openai",
        "Is Error": False,
        "Is Streaming": True,
        "Latency Ms": 250.0,
        "TTFB Ms": 125.0,
        "Input Tokens": 100,
        "Output Tokens": 10,
        "Total Tokens": 110,
        "Reasoning Tokens": 4,
        "Cache Read Tokens": 40,
        "Cache Creation Tokens": 8,
        "Finish Reason": "tool_calls",
        "Has Reasoning": True,
        "Reasoning Content": "Hm.",
        "System Prompt": "Be kind.",
        "System Prompt Length": 8,
        "Temperature": 0.0,
        "Top P": 0.5,
        "Max Output Tokens": 64,
        "Provider Request ID": "resp-1",
        "Tool Calls": '[{"type":"function","id":"c1","function":'
        '{"name":"get_weather","arguments":"{\\"city\\":\\"Paris\\"}"}}]',
        "Tool Definitions": '[{"name":"get_weather"}]',
        "Tool Definitions Count": 1,
        "Tool Definitions Hash": answer["Tool Definitions Hash"],
        "Session ID": session_id,
        "Trace ID": trace_id,
        "Turn ID": 2,
    }


STRUCTURED = {"gen_ai.input.messages": IN, "gen_ai.output.messages": OUT}
INSTRUCTED = {
    "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be kind."}]),
    "gen_ai.input.messages": json.dumps(IN[1:]),
    "gen_ai.output.messages": json.dumps(OUT),
}
NUMBERED = {
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be kind.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Hi",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Hello.",
    "gen_ai.completion.0.finish_reason": "tool_calls",
    "gen_ai.completion.0.tool_calls.0.id": "c1",
    "gen_ai.completion.0.tool_calls.0.name": "get_weather",
    "gen_ai.completion.0.tool_calls.0.arguments": '{"city":"Paris"}',
}
WHOLE = {
    "gen_ai.prompt": json.dumps(
        [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    ),
    "gen_ai.completion": json.dumps(
        [
            {
                "role": "assistant",
                "content": "Hello.",
                "tool_calls": [
                    {"id": "c1", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}
                ],
            }
        ]
    ),
}
CHOICE = {
    "finish_reason": "tool_calls",
    "message": json.dumps(
        {
            "role": "assistant",
            "content": "Hello.",
            "tool_calls": [
                {"id": "c1", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}
            ],
        }
    ),
}
EVENTS = [
    ("gen_ai.system.message", {"content": "Be kind."}),
    ("gen_ai.user.message", {"content": "Hi"}),
    ("gen_ai.choice", CHOICE),
]
LOGGED = {
    "events": json.dumps([{"event.name": name, **about} for name, about in EVENTS]),
}
DETAILS = [("gen_ai.client.inference.operation.details", TEXTS)]
CONTENT = [
    ("gen_ai.content.prompt", {"gen_ai.prompt": WHOLE["gen_ai.prompt"]}),
    ("gen_ai.content.completion", {"gen_ai.completion": WHOLE["gen_ai.completion"]}),
]
OPENINFERENCE = {
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be kind.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Hi",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Hello.",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_weather",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"city":"Paris"}',
}
WRITTEN: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "json": (TEXTS, []),
    "structured": (STRUCTURED, []),
    "instructions": (INSTRUCTED, []),
    "numbered": (NUMBERED, []),
    "whole": (WHOLE, []),
    "events": ({}, EVENTS),
    "logged": (LOGGED, []),
    "details": ({}, DETAILS),
    "content": ({}, CONTENT),
    "openinference": (OPENINFERENCE, []),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_messages_in_whichever_way(way: str, spans: Maker, sink: MemorySink) -> None:
    attributes, events = WRITTEN[way]
    spans.one({**CHAT, **USAGE, **attributes}, events)
    asked, answer = told(sink.events)
    assert asked["$llm_message"] == {"text": "Hi"}
    assert answer["$llm_message"] == {"text": "Hello."}
    assert answer["System Prompt"] == "Be kind."
    (call,) = json.loads(answer["Tool Calls"])
    assert call == {
        "type": "function",
        "id": "c1",
        "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
    }


YESTERDAY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "system": ({"gen_ai.provider.name": "", "gen_ai.system": "az.ai.openai"}, {"Provider": "azure"}),
    "google": ({"gen_ai.provider.name": "gcp.vertex_ai"}, {"Provider": "google"}),
    "no-provider": ({"gen_ai.provider.name": ""}, {"Provider": "openai"}),
    "tokens": (
        {"gen_ai.usage.prompt_tokens": 30, "gen_ai.usage.completion_tokens": 3},
        {"Input Tokens": 30, "Output Tokens": 3, "Total Tokens": 33},
    ),
    "traceloop": (
        {"llm.usage.total_tokens": 33, "gen_ai.usage.prompt_tokens": 30, "gen_ai.usage.reasoning_tokens": 2},
        {"Total Tokens": 33, "Reasoning Tokens": 2},
    ),
    "cache-write": (
        {
            "gen_ai.usage.input_tokens": 50,
            "gen_ai.usage.output_tokens": 1,
            "gen_ai.usage.cache_write.input_tokens": 7,
        },
        {"Cache Creation Tokens": 7, "Input Tokens": 50},
    ),
    "cache-beside-input": (
        {
            "gen_ai.usage.input_tokens": 5,
            "gen_ai.usage.output_tokens": 1,
            "gen_ai.usage.cache_read.input_tokens": 40,
        },
        {"Cache Read Tokens": 40, "Input Tokens": 45, "Total Tokens": 46},
    ),
    "openinference": (
        {
            "llm.token_count.prompt": 30,
            "llm.token_count.completion": 3,
            "llm.token_count.prompt_details.cache_read": 20,
            "llm.token_count.prompt_details.cache_write": 5,
            "llm.token_count.completion_details.reasoning": 1,
            "llm.invocation_parameters": '{"temperature": 0.25, "max_tokens": 12}',
        },
        {
            "Input Tokens": 30,
            "Output Tokens": 3,
            "Cache Read Tokens": 20,
            "Cache Creation Tokens": 5,
            "Reasoning Tokens": 1,
            "Temperature": 0.25,
            "Max Output Tokens": 12,
        },
    ),
    "stop-reason": ({"anthropic.message.stop_reason": "end_turn"}, {"Finish Reason": "end_turn"}),
    "no-limit": ({"gen_ai.request.max_tokens": -1}, {"Max Output Tokens": None}),
    "request-model": ({"gen_ai.response.model": ""}, {"Model Name": "gpt-4o"}),
}


@pytest.mark.parametrize("case", YESTERDAY)
def test_other_names(case: str, spans: Maker, sink: MemorySink) -> None:
    attributes, expected = YESTERDAY[case]
    spans.one({**CHAT, **attributes})
    (answer,) = told(sink.events)
    assert {name: answer.get(name) for name in expected} == expected


def test_an_embedding(spans: Maker, sink: MemorySink) -> None:
    spans.one(
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.usage.input_tokens": 5,
            "gen_ai.embeddings.dimension.count": 256,
            "gen_ai.input.messages": json.dumps(IN),
        }
    )
    (event,) = told(sink.events)
    event.pop("Trace ID")
    assert event == {
        "type": "Embedding",
        "user_id": "someone",
        "Span ID": "id-1",
        "Component Type": "embedding",
        "Model Name": "text-embedding-3-small",
        "Provider": "openai",
        "Input Tokens": 5,
        "Embedding Dimensions": 256,
        "Cost USD": 1e-07,
        "Latency Ms": 250.0,
        "Is Error": False,
    }


def test_a_tool(spans: Maker, sink: MemorySink) -> None:
    spans.one(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": "c1",
            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
            "gen_ai.tool.call.result": "sunny",
        }
    )
    event = one(sink.events, "Tool Call")
    event.pop("[Agent] Trace ID"), event.pop("[Agent] Invocation ID")
    stamps = {"[Agent] SDK Version", "[Agent] Runtime", "[Agent] Content Mode"}
    assert {name: value for name, value in event.items() if name not in stamps} == {
        "[Agent] Tool Name": "get_weather",
        "[Agent] Tool Type": "function",
        "[Agent] Tool Input": '{"city":"Paris"}',
        "[Agent] Tool Output": "sunny",
        "[Agent] Tool Success": True,
        "[Agent] Is Error": False,
        "[Agent] Latency Ms": 250.0,
        "[Agent] Component Type": "tool",
    }


def test_a_tool_that_only_its_span_names(spans: Maker, sink: MemorySink) -> None:
    spans.one({"gen_ai.operation.name": "execute_tool"}, name="execute_tool get_weather", error="no rain")
    event = one(sink.events, "Tool Call")
    assert event["[Agent] Tool Name"] == "get_weather"
    assert event["[Agent] Tool Success"] is False
    assert event["[Agent] Error Message"] == "no rain"


def test_a_tool_is_told_once_whether_by_its_span_or_by_messages(
    spans: Maker, ai: AmplitudeAI, sink: MemorySink
) -> None:
    result = {"type": "tool_call_response", "id": "c1", "response": "sunny"}
    later = [*IN, {"role": "assistant", "parts": [CALL]}, {"role": "tool", "parts": [result]}]
    with ai.agent().session(uuid.uuid4().hex, user_id="u", track_session_end=False):
        spans.one({**CHAT, **USAGE, **TEXTS})
        spans.one(
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "get_weather",
                "gen_ai.tool.call.id": "c1",
            }
        )
        spans.one({**CHAT, **USAGE, "gen_ai.input.messages": json.dumps(later)})
    assert types(sink.events) == ["User Message", "AI Response", "Tool Call", "AI Response"]
    assert told(sink.events)[2]["Parent Message ID"] == told(sink.events)[1]["Message ID"]


def test_results_without_the_answer_that_asked(spans: Maker, sink: MemorySink) -> None:
    """OpenLIT leaves out answers that only ask for tools: the user's words are not said anew."""
    result = {"type": "tool_call_response", "id": "c1", "response": "sunny"}
    later = json.dumps([*IN, {"role": "tool", "parts": [result]}])
    conversation = {"gen_ai.conversation.id": uuid.uuid4().hex}
    spans.one({**CHAT, **USAGE, **TEXTS, **conversation})
    spans.one({**CHAT, **USAGE, **conversation, "gen_ai.input.messages": later})
    assert types(sink.events) == ["User Message", "AI Response", "Tool Call", "AI Response"]


def test_a_tool_without_an_id_is_told_once(spans: Maker, ai: AmplitudeAI, sink: MemorySink) -> None:
    result = {"type": "tool_call_response", "id": "c1", "response": "sunny"}
    later = json.dumps([*IN, {"role": "assistant", "parts": [CALL]}, {"role": "tool", "parts": [result]}])
    with ai.agent().session(uuid.uuid4().hex, user_id="u", track_session_end=False):
        spans.one({**CHAT, **USAGE, **TEXTS})
        spans.one({"openinference.span.kind": "TOOL", "tool.name": "get_weather", "output.value": "sunny"})
        spans.one({**CHAT, **USAGE, "gen_ai.input.messages": later})
    assert types(sink.events) == ["User Message", "AI Response", "Tool Call", "AI Response"]


ERRORS: dict[str, tuple[dict[str, Any], list[Any], str | None, tuple[str, str | None]]] = {
    "attribute": ({"error.type": "timeout"}, [], "too slow", ("timeout", "too slow")),
    "type": ({"error.type": "<class 'openai.RateLimitError'>"}, [], None, ("RateLimitError", None)),
    "exception": (
        {},
        [("exception", {"exception.type": "a.b.RateLimitError", "exception.message": "slow down"})],
        "RateLimitError: slow down",
        ("RateLimitError", "slow down"),
    ),
    "status": ({}, [], "boom", ("Error", "boom")),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: str, spans: Maker, sink: MemorySink) -> None:
    attributes, events, status, expected = ERRORS[case]
    spans.one({**CHAT, **attributes}, events, error=status)
    (answer,) = told(sink.events)
    assert answer["Is Error"] is True
    assert (answer["Error Type"], answer.get("Error Message")) == expected
    assert answer["Error Source"] == "provider"
    assert "Input Tokens" not in answer


def test_one_that_was_told_to_stop_did_not_fail(spans: Maker, sink: MemorySink) -> None:
    spans.one({**CHAT, "error.type": "asyncio.exceptions.CancelledError"}, error="")
    (answer,) = told(sink.events)
    assert (answer["Is Error"], answer["Error Type"]) == (False, "CancelledError")


def test_usage_that_is_not_counted_is_estimated_and_said_so(spans: Maker, sink: MemorySink) -> None:
    spans.one({**CHAT, **TEXTS})
    _asked, answer = told(sink.events)
    assert answer["Usage Estimated"] is True
    assert answer["Input Tokens"] > 0
    sink.events.clear()
    spans.one(CHAT)
    (answer,) = told(sink.events)
    assert "Input Tokens" not in answer
    assert "Usage Estimated" not in answer


def test_pictures_are_told_by_kind_and_size(spans: Maker, sink: MemorySink) -> None:
    parts = [
        {"type": "text", "content": "Look"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"},
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png?secret=1"},
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "AAAA"},
    ]
    spans.one({**CHAT, "gen_ai.input.messages": json.dumps([{"role": "user", "parts": parts}])})
    asked = one(sink.events, "User Message")
    assert asked["$llm_message"] == {"text": "Look"}
    assert asked["[Agent] Attachment Types"] == ["audio", "image"]
    assert json.loads(asked["[Agent] Attachments"])[:2] == [
        {"type": "image", "mime_type": "image/png", "size_bytes": 3},
        {"type": "image", "url": "https://example.com/a.png"},
    ]


def test_evaluations_become_scores(spans: Maker, sink: MemorySink) -> None:
    judged = {
        "gen_ai.evaluation.name": "relevance",
        "gen_ai.evaluation.score.value": 0.75,
        "gen_ai.evaluation.explanation": "On topic.",
    }
    spans.one({**CHAT, **USAGE}, [("gen_ai.evaluation.result", judged)])
    answer, score = told(sink.events)
    assert score["Target ID"] == answer["Message ID"]
    assert (score["Score Name"], score["Score Value"], score["Comment"]) == ("relevance", 0.75, "On topic.")
    assert score["Evaluation Source"] == "ai"


BROKEN: list[dict[str, Any]] = [
    {"gen_ai.input.messages": '[{"role": "user", "par', "gen_ai.output.messages": "[1, null]"},
    {"gen_ai.input.messages": '{"role": 5}', "gen_ai.usage.input_tokens": "many"},
    {"gen_ai.prompt.x.role": "user", "gen_ai.prompt.1": "a", "gen_ai.response.finish_reasons": [1]},
    {"gen_ai.output.messages": '[{"parts": [{"type": "tool_call"}, 5, null, {"type": 3}]}]'},
    {"gen_ai.usage.input_tokens": -5, "gen_ai.request.temperature": "hot", "error.type": ""},
    {"gen_ai.tool.definitions": "{", "gen_ai.system_instructions": '[{"type": "text"}]'},
]


@pytest.mark.parametrize("attributes", BROKEN)
def test_whatever_attributes_hold_there_is_an_answer(
    attributes: dict[str, Any], spans: Maker, sink: MemorySink
) -> None:
    spans.one({**CHAT, **attributes})
    assert types(sink.events)[-1] == "AI Response"


OTHERS: list[dict[str, Any]] = [
    {"http.request.method": "GET"},
    {"db.system": "sqlite", "db.operation": "select"},
    {"gen_ai.provider.name": "anthropic", "anthropic.message.count_tokens.input_tokens": 5},
    {"openinference.span.kind": "UNKNOWN"},
    {},
]


@pytest.mark.parametrize("attributes", OTHERS)
def test_other_spans_are_nothing(attributes: dict[str, Any], spans: Maker, sink: MemorySink) -> None:
    spans.one(attributes)
    assert sink.events == []
