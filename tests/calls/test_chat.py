"""Chat completions: what a request asks, what an answer says, what chunks add up to."""

from __future__ import annotations

from typing import Any

import pytest
from openai import NOT_GIVEN, Omit

from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage
from amplitude_ai_integrations.providers.openai_chat import ChatCompletions

from .payloads import (
    CALL,
    CHAT_USAGE,
    ChatCompletion,
    ChatCompletionChunk,
    both_shapes,
    chat_answer,
    chat_chunk,
)

CHAT = ChatCompletions("openai")
USAGE = Usage(20, 7, 27, 3, 8)
TOOLS = [{"type": "function", "function": {"name": "get_weather"}}]


def test_a_request_tells_what_it_asks() -> None:
    asked = CHAT.request(
        {
            "model": "gpt-4o",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "developer", "content": [{"type": "text", "text": "No jokes."}]},
                {"role": "user", "content": "An example"},
                {"role": "assistant", "content": "An answer"},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "you"}],
                },
                {"role": "user", "content": "again"},
            ],
            "tools": TOOLS,
            "temperature": 0,
            "top_p": 0.5,
            "max_tokens": 9,
        }
    )
    assert asked == RequestFacts(
        "openai",
        "gpt-4o",
        user_text="Hi\nyou\n\nagain",
        history=(2, "An answer"),
        system_prompt="Be brief.\n\nNo jokes.",
        tools=TOOLS,
        temperature=0,
        top_p=0.5,
        max_output_tokens=9,
    )


@pytest.mark.parametrize(
    "sentinel", [Omit(), NOT_GIVEN, None, True, "warm"], ids=["Omit", "NOT_GIVEN", "None", "True", "warm"]
)
def test_what_was_not_given_is_not_asked(sentinel: Any) -> None:
    options = ("tools", "temperature", "top_p", "max_tokens", "max_completion_tokens")
    asked = CHAT.request({"model": "m", "messages": [], **dict.fromkeys(options, sentinel)})
    assert asked == RequestFacts("openai", "m", history=(0, ""))


def test_an_image_is_no_text() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    said = [{"role": "user", "content": [image, {"type": "text", "text": "What is it?"}]}]
    assert CHAT.request({"model": "m", "messages": said}).user_text == "What is it?"


def test_tool_results_carry_what_was_asked() -> None:
    other = {"id": "call_2", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [CALL, other]},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "noon"}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_3", "content": "lost"},
    ]
    asked = CHAT.request({"model": "m", "messages": messages})
    assert asked.user_text == ""
    assert asked.tool_results == [
        ToolResult("call_2", "get_time", "{}", "noon"),
        ToolResult("call_1", "get_weather", '{"a":1}', "sunny"),
        ToolResult("call_3", None, None, "lost"),
    ]


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        ["text"],
        [{}],
        [{"role": "user"}],
        [{"role": "user", "content": 7}],
        [{"role": "tool"}, None],
    ],
)
def test_a_strange_request_says_nothing(messages: Any) -> None:
    asked = CHAT.request({"messages": messages})
    assert (asked.model, asked.user_text, asked.system_prompt) == ("", "", None)
    assert CHAT.prompt_text({"messages": messages}).strip() == ""


@both_shapes
def test_a_whole_answer(shape: Any) -> None:
    message = {"content": "Hi there.", "reasoning_content": "Let me think."}
    assert CHAT.response(shape(ChatCompletion, chat_answer(message))) == ResponseFacts(
        model="gpt-4o-2024-08-06",
        text="Hi there.",
        reasoning="Let me think.",
        finish_reason="stop",
        usage=USAGE,
        request_id="chatcmpl-1",
    )


@both_shapes
def test_an_answer_that_asks_for_a_tool(shape: Any) -> None:
    answered = CHAT.response(shape(ChatCompletion, chat_answer({"tool_calls": [CALL]}, "tool_calls")))
    assert (answered.text, answered.tool_calls, answered.finish_reason) == ("", [CALL], "tool_calls")


@both_shapes
def test_an_answer_that_asks_for_a_custom_tool_names_it(shape: Any) -> None:
    call = {"id": "call_1", "type": "custom", "custom": {"name": "run_sql", "input": "select 1"}}
    answered = CHAT.response(shape(ChatCompletion, chat_answer({"tool_calls": [call]}, "tool_calls")))
    assert "run_sql" in str(answered.tool_calls)
    assert "select 1" in str(answered.tool_calls)


@both_shapes
def test_a_refusal_is_the_answer(shape: Any) -> None:
    assert CHAT.response(shape(ChatCompletion, chat_answer({"refusal": "I will not."}))).text == "I will not."


@both_shapes
def test_an_answer_without_choices_or_usage(shape: Any) -> None:
    answered = CHAT.response(shape(ChatCompletion, chat_answer({}, choices=[], usage=None)))
    assert answered == ResponseFacts(model="gpt-4o-2024-08-06", request_id="chatcmpl-1")


def _gathered(shape: Any, *chunks: Any) -> tuple[list[bool], ResponseFacts]:
    accumulator = CHAT.accumulator()
    carried = [accumulator.add(shape(ChatCompletionChunk, chunk)) for chunk in chunks]
    return carried, accumulator.facts()


@both_shapes
def test_chunks_add_up_to_the_answer(shape: Any) -> None:
    carried, facts = _gathered(
        shape,
        chat_chunk({}, id="", model="", choices=[], prompt_filter_results=[]),
        chat_chunk({"role": "assistant", "content": ""}),
        chat_chunk({"reasoning_content": "Hm."}),
        chat_chunk({"content": "Hi "}),
        chat_chunk({"content": "you"}),
        chat_chunk({}, "stop"),
        chat_chunk({}, choices=[], usage=CHAT_USAGE),
    )
    assert carried == [False, False, True, True, True, False, False]
    assert facts == ResponseFacts(
        model="gpt-4o-2024-08-06",
        text="Hi you",
        reasoning="Hm.",
        finish_reason="stop",
        usage=USAGE,
        request_id="chatcmpl-1",
    )


@both_shapes
def test_pieces_of_parallel_tool_calls_add_up(shape: Any) -> None:
    def piece(index: int, **call: Any) -> Any:
        return chat_chunk({"tool_calls": [{"index": index, **call}]})

    carried, facts = _gathered(
        shape,
        piece(1, id="call_2", type="function", function={"name": "get_time", "arguments": ""}),
        piece(0, id="call_1", type="function", function={"name": "get_weather", "arguments": ""}),
        piece(0, function={"arguments": '{"a"'}),
        piece(1, function={"arguments": "{}"}),
        piece(0, function={"arguments": ":1}"}),
    )
    assert carried == [True] * 5
    other = {"type": "function", "id": "call_2", "function": {"name": "get_time", "arguments": "{}"}}
    assert facts.tool_calls == [CALL, other]


@both_shapes
def test_of_several_choices_the_first_counts(shape: Any) -> None:
    second = {"index": 1, "delta": {"content": "no"}, "finish_reason": None}
    carried, facts = _gathered(shape, chat_chunk({"content": "yes"}), chat_chunk({}, choices=[second]))
    assert (carried, facts.text) == ([True, False], "yes")


@both_shapes
def test_the_last_usage_of_a_stream_counts(shape: Any) -> None:
    small = {**CHAT_USAGE, "completion_tokens": 1}
    _carried, facts = _gathered(
        shape, chat_chunk({"content": "a"}, usage=small), chat_chunk({"content": "b"}, usage=CHAT_USAGE)
    )
    assert facts.usage == USAGE


def test_the_words_of_a_prompt_are_all_messages() -> None:
    messages = [
        {"role": "system", "content": "a"},
        {"role": "user", "content": [{"type": "text", "text": "b"}]},
    ]
    assert CHAT.prompt_text({"messages": messages}) == "a\nb"
