"""Conversations with Bedrock: what a request asks, what an answer says, what events add up to."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage
from amplitude_ai_integrations.providers.bedrock_converse import Converse
from amplitude_ai_integrations.providers.bedrock_models import is_named, model_of

CONVERSE = Converse()
CALL = {"toolUseId": "call_1", "name": "get_weather", "input": {"city": "Paris"}}
TOLD = {
    "type": "function",
    "id": "call_1",
    "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
}
COUNTS = {"inputTokens": 10, "outputTokens": 7, "cacheReadInputTokens": 8, "cacheWriteInputTokens": 2}
USAGE = Usage(20, 7, 27, None, 8, 2)


def _said(role: str, *blocks: Any) -> dict[str, Any]:
    return {
        "role": role,
        "content": [{"text": block} if isinstance(block, str) else block for block in blocks],
    }


def _asked(*messages: Any, **more: Any) -> RequestFacts:
    return CONVERSE.request({"modelId": "m", "messages": [*messages], **more})


def _adds_up(*events: Any) -> tuple[ResponseFacts, list[bool]]:
    gathered = CONVERSE.accumulator()
    shown = [gathered.add(event) for event in events]
    return gathered.facts(), shown


def test_a_request_tells_what_it_asks() -> None:
    schema = {"type": "object"}
    spec = {"name": "get_weather", "description": "Tells.", "inputSchema": {"json": schema}}
    asked = _asked(
        _said("user", "An example"),
        _said("assistant", "An", "answer"),
        _said("user", "Hi", {"cachePoint": {"type": "default"}}, "you"),
        _said("user", "again"),
        system=[{"text": "Be brief."}, {"cachePoint": {"type": "default"}}, {"text": "No jokes."}],
        toolConfig={"tools": [{"toolSpec": spec}, {"systemTool": {"name": "grounding"}}, {"cachePoint": {}}]},
        inferenceConfig={"temperature": 0, "topP": 0.5, "maxTokens": 9},
        serviceTier={"type": "flex"},
    )
    assert asked == RequestFacts(
        "aws",
        "m",
        user_text="Hi\nyou\n\nagain",
        history=(2, "An\nanswer"),
        system_prompt="Be brief.\n\nNo jokes.",
        tools=[
            {"name": "get_weather", "description": "Tells.", "input_schema": schema},
            {"name": "grounding", "description": None, "input_schema": None},
        ],
        temperature=0,
        top_p=0.5,
        max_output_tokens=9,
        service_tier="flex",
    )


@pytest.mark.parametrize(
    "given", [None, "Hi", 7, [None, "Hi", 7], [{"role": "user", "content": 7}]], ids=repr
)
def test_what_is_no_conversation_asks_nothing(given: Any) -> None:
    nothing = CONVERSE.request(
        {"messages": given, "system": given, "toolConfig": given, "inferenceConfig": given}
    )
    assert (nothing.user_text, nothing.tool_results, nothing.system_prompt) == ("", [], None)
    assert CONVERSE.prompt_text({"messages": given}) == ""


def test_files_are_told_and_are_no_words() -> None:
    asked = _asked(
        _said(
            "user",
            "What is it?",
            {"image": {"format": "png", "source": {"bytes": b"1234"}}},
            {"document": {"format": "pdf", "name": "Report", "source": {"bytes": b"12"}}},
            {"document": {"format": "txt", "name": "Notes", "source": {"text": "a note"}}},
            {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/k"}}}},
            {"audio": {"source": None}},
        )
    )
    assert asked.user_text == "What is it?"
    assert asked.attachments == [
        {"type": "image", "mime_type": "image/png", "size_bytes": 4},
        {"type": "file", "mime_type": "application/pdf", "name": "Report", "size_bytes": 2},
        {"type": "file", "mime_type": "text/plain", "name": "Notes"},
        {"type": "video", "mime_type": "video/mp4"},
        {"type": "audio"},
    ]


def test_words_under_a_guard_and_with_sources_are_words() -> None:
    guarded = {"guardContent": {"text": {"text": "Guarded", "qualifiers": ["query"]}}}
    cited = {"citationsContent": {"content": [{"text": "Ci"}, {"text": "ted"}], "citations": []}}
    assert _asked(_said("assistant", cited), _said("user", guarded)).user_text == "Guarded"
    assert CONVERSE.prompt_text({"messages": [_said("user", cited, guarded)]}) == "Cited\nGuarded"


@pytest.mark.parametrize(
    ("content", "output"),
    [
        ([{"text": "sun"}, {"text": "warm"}], "sun\nwarm"),
        ([{"json": {"sky": "clear"}}], {"sky": "clear"}),
        ([{"json": {"a": 1}}, {"text": "b"}], [{"a": 1}, "b"]),
        ([{"image": {"format": "png", "source": {"bytes": b"1"}}}], ""),
    ],
)
def test_tool_results_carry_what_was_asked(content: Any, output: Any) -> None:
    other = {**CALL, "toolUseId": "call_2", "name": "get_time"}
    result = {"toolResult": {"toolUseId": "call_1", "content": content, "status": "success"}}
    asked = _asked(
        _said("user", {"toolResult": {"toolUseId": "old", "content": [{"text": "old"}]}}),
        _said("assistant", "I look.", {"toolUse": other}, {"toolUse": CALL}),
        _said("user", result, "And?"),
    )
    assert asked.tool_results == [ToolResult("call_1", "get_weather", '{"city":"Paris"}', output)]
    assert asked.user_text == "And?"


def test_a_tool_result_without_its_question_is_told_too() -> None:
    result = {"toolResult": {"toolUseId": "call_1", "content": [{"text": "sun"}]}}
    assert _asked(_said("user", result)).tool_results == [ToolResult("call_1", None, None, "sun")]


def test_a_beginning_of_the_answer_is_no_answer_yet() -> None:
    said = [_said("user", "Hi"), _said("assistant", "Yes."), _said("user", "And?"), _said("assistant", "It")]
    asked = _asked(*said)
    assert (asked.user_text, asked.history) == ("And?", (2, "Yes."))


def test_all_words_of_a_request_count() -> None:
    result = {"toolResult": {"toolUseId": "call_1", "content": [{"text": "sun"}]}}
    messages = [_said("user", "Hi"), _said("assistant", {"toolUse": CALL}), _said("user", result)]
    assert (
        CONVERSE.prompt_text({"system": [{"text": "Be brief."}], "messages": messages})
        == "Be brief.\nHi\nsun"
    )


def test_an_answer_tells_what_it_says() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}}
    hidden = {"reasoningContent": {"redactedContent": b"x"}}
    message = _said("assistant", thought, hidden, "Yes", ".", {"toolUse": CALL})
    said = CONVERSE.response(
        {
            "ResponseMetadata": {"RequestId": "req_1"},
            "output": {"message": message},
            "stopReason": "tool_use",
            "usage": COUNTS,
            "serviceTier": {"type": "priority"},
        }
    )
    assert said == ResponseFacts(
        text="Yes.",
        reasoning="Hm.",
        tool_calls=[TOLD],
        finish_reason="tool_use",
        usage=USAGE,
        request_id="req_1",
        service_tier="priority",
    )


@pytest.mark.parametrize("answer", [{}, {"output": None}, {"output": {"message": {"content": None}}}, None])
def test_an_empty_answer_says_nothing(answer: Any) -> None:
    assert CONVERSE.response(answer) == ResponseFacts()


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        (COUNTS, USAGE),
        ({**COUNTS, "totalTokens": 27}, USAGE),
        ({"inputTokens": 10, "outputTokens": 7, "totalTokens": 27}, Usage(20, 7, 27)),
        ({"inputTokens": 10, "outputTokens": 7, "totalTokens": 17}, Usage(10, 7, 17)),
        ({"inputTokens": 10, "totalTokens": 10}, Usage(10, None, 10)),
        ({}, None),
        (None, None),
    ],
)
def test_cached_tokens_are_sent_tokens(counts: Any, usage: Usage | None) -> None:
    assert CONVERSE.response({"usage": counts}).usage == usage


def test_events_add_up_to_the_answer() -> None:
    def delta(place: int, **piece: Any) -> dict[str, Any]:
        return {"contentBlockDelta": {"contentBlockIndex": place, "delta": piece}}

    start = {"toolUse": {"toolUseId": "call_1", "name": "get_weather"}}
    said, shown = _adds_up(
        {"ResponseMetadata": {"RequestId": "req_1"}},
        {"messageStart": {"role": "assistant"}},
        delta(0, reasoningContent={"text": "H"}),
        delta(0, reasoningContent={"text": "m."}),
        delta(0, reasoningContent={"signature": "s"}),
        delta(1, text="Yes"),
        delta(1, text="."),
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {"contentBlockStart": {"contentBlockIndex": 2, "start": start}},
        delta(2, toolUse={"input": '{"city":'}),
        delta(2, toolUse={"input": '"Paris"}'}),
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": COUNTS, "metrics": {"latencyMs": 1}, "serviceTier": {"type": "flex"}}},
    )
    assert said == ResponseFacts(
        text="Yes.",
        reasoning="Hm.",
        tool_calls=[TOLD],
        finish_reason="tool_use",
        usage=USAGE,
        request_id="req_1",
        service_tier="flex",
    )
    assert shown == [False, False, True, True, False, True, True, False, True, True, True, False, False]


def test_a_tool_without_arguments_has_empty_ones() -> None:
    start = {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "call_1", "name": "now"}}}
    streamed, _shown = _adds_up({"contentBlockStart": start})
    whole = CONVERSE.response({"output": {"message": _said("assistant", {"toolUse": {**CALL, "input": {}}})}})
    for said in (streamed, whole):
        assert [call["function"]["arguments"] for call in said.tool_calls] == ["{}"]


def test_a_router_tells_which_model_answered() -> None:
    invoked = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
    trace = {"trace": {"promptRouter": {"invokedModelId": invoked}}}
    streamed, _shown = _adds_up({"metadata": trace})
    for said in (streamed, CONVERSE.response(trace)):
        assert said.model == "anthropic.claude-3-haiku-20240307-v1:0"


@pytest.mark.parametrize(
    ("model_id", "model", "names_one"),
    [
        ("anthropic.claude-v2:1", "anthropic.claude-v2:1", True),
        ("arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0", True),
        ("arn:aws-us-gov:bedrock:us-gov-west-1:1:inference-profile/us-gov.m", "us-gov.m", True),
        ("arn:aws:bedrock:us-east-1:1:custom-model/m:0:8k/abc", "custom-model/m:0:8k/abc", False),
        ("arn:aws:bedrock:us-east-1:1:prompt/ABC:1", "prompt/ABC:1", False),
        ("arn:aws:sagemaker:us-east-1:1:endpoint/mine", "endpoint/mine", False),
        ("", "", False),
        (None, "", False),
        (7, "", False),
    ],
)
def test_a_model_id_names_its_model(model_id: Any, model: str, names_one: bool) -> None:
    assert model_of(model_id) == model
    assert is_named(model) is names_one
