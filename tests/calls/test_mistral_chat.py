"""Mistral's chats: what a request asks, what an answer says, what chunks add up to."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage
from amplitude_ai_integrations.providers.mistral_chat import Chat
from amplitude_ai_integrations.providers.mistral_fim import FillInTheMiddle

from ..providers.contract.mistral_ways import CACHED, MODELS, library

CHAT = Chat("mistral")
UNSET = library("types").UNSET
TOOLS = [{"type": "function", "function": {"name": "get_weather"}}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"a":1}'}}
THOUGHT = {
    "type": "thinking",
    "thinking": [{"type": "text", "text": "Let me "}, {"type": "text", "text": "think."}],
}
COUNTED = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 8},
}


def _dictionary(_model: Any, payload: Any) -> Any:
    return payload


def _object(model: Any, payload: Any) -> Any:
    return model.model_validate(payload)


both_shapes = pytest.mark.parametrize("shape", [_dictionary, _object], ids=["dictionary", "model"])


def usage(shape: Any) -> Usage:
    """Return the counts of these payloads; older models drop what they do not list."""
    return Usage(20, 7, 27, cache_read=8 if shape is _dictionary or CACHED else None)


def answer(message: Any, finish: str = "stop", **more: Any) -> Any:
    """Return a chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    whole = {"id": "cmpl-1", "object": "chat.completion", "created": 1, "model": "m-1", "choices": [choice]}
    return {**whole, "usage": COUNTED, **more}


def event(delta: Any, finish: str | None = None, **more: Any) -> Any:
    """Return an event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "data": {"id": "cmpl-1", "object": "x", "created": 1, "model": "m-1", "choices": [choice], **more}
    }


def gathered(shape: Any, *events: Any) -> tuple[list[bool], ResponseFacts]:
    """Return which events carry a piece of the answer, and what they add up to."""
    chunks = CHAT.accumulator()
    return [chunks.add(shape(MODELS.CompletionEvent, one)) for one in events], chunks.facts()


def test_a_request_tells_what_it_asks() -> None:
    asked = CHAT.request(
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "system", "content": [{"type": "text", "text": "No jokes."}]},
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
            "service_tier": "priority",
        }
    )
    assert asked == RequestFacts(
        "mistral",
        "m",
        user_text="Hi\nyou\n\nagain",
        history=(2, "An answer"),
        system_prompt="Be brief.\n\nNo jokes.",
        tools=TOOLS,
        temperature=0,
        top_p=0.5,
        max_output_tokens=9,
        service_tier="priority",
    )


@pytest.mark.parametrize("sentinel", [UNSET, None, True, "warm"], ids=repr)
def test_what_was_not_given_is_not_asked(sentinel: Any) -> None:
    options = ("tools", "temperature", "top_p", "max_tokens")
    asked = CHAT.request({"model": "m", "messages": [], **dict.fromkeys(options, sentinel)})
    assert asked == RequestFacts("mistral", "m", history=(0, ""))


def test_files_are_told_by_their_kind_and_size() -> None:
    picture = {"type": "image_url", "image_url": "data:image/png;base64,QUJD"}
    another = {"type": "image_url", "image_url": {"url": "https://example.com/a.png?key=1"}}
    document = {"type": "document_url", "document_url": "https://example.com/a.pdf", "document_name": "a.pdf"}
    sound = {"type": "input_audio", "input_audio": "QUJD"}
    content = [picture, another, document, sound, {"type": "file", "file_id": "f-1"}]
    asked = CHAT.request({"model": "m", "messages": [{"role": "user", "content": content}]})
    assert asked.user_text == ""
    assert asked.attachments == [
        {"type": "image", "mime_type": "image/png", "size_bytes": 3},
        {"type": "image", "url": "https://example.com/a.png"},
        {"type": "file", "name": "a.pdf", "url": "https://example.com/a.pdf"},
        {"type": "audio", "size_bytes": 3},
        {"type": "file"},
    ]


def test_a_tool_result_carries_what_was_asked() -> None:
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "sunny"}]},
        {"role": "tool", "tool_call_id": "call_2", "name": "get_time", "content": "noon"},
    ]
    asked = CHAT.request({"model": "m", "messages": messages})
    assert asked.user_text == ""
    assert asked.tool_results == [
        ToolResult("call_1", "get_weather", '{"a":1}', "sunny"),
        ToolResult("call_2", "get_time", None, "noon"),
    ]


def test_the_begin_of_an_answer_is_not_one() -> None:
    begun = {"role": "assistant", "content": "Dear", "prefix": True}
    asked = CHAT.request({"model": "m", "messages": [{"role": "user", "content": "Hi"}, begun]})
    assert (asked.user_text, asked.history) == ("Hi", (0, ""))


def test_code_before_a_gap_is_what_is_said() -> None:
    asked = FillInTheMiddle("mistral").request({"model": "m", "prompt": "def f():", "suffix": "return 1"})
    assert asked == RequestFacts("mistral", "m", user_text="def f():", history="return 1")


@both_shapes
def test_an_answer_is_told(shape: Any) -> None:
    told = CHAT.response(shape(MODELS.ChatCompletionResponse, answer({"content": "Hi"})))
    assert told == ResponseFacts(
        model="m-1", text="Hi", finish_reason="stop", usage=usage(shape), request_id="cmpl-1"
    )


@both_shapes
@pytest.mark.parametrize("arguments", ['{"a":1}', {"a": 1}], ids=["text", "parsed"])
def test_a_tool_call_is_told_in_json(arguments: Any, shape: Any) -> None:
    call = {"id": "call_1", "function": {"name": "get_weather", "arguments": arguments}}
    told = CHAT.response(
        shape(MODELS.ChatCompletionResponse, answer({"content": "", "tool_calls": [call]}, "tool_calls"))
    )
    assert (told.text, told.tool_calls, told.finish_reason) == ("", [CALL], "tool_calls")


def test_an_answer_without_counts_is_not_counted() -> None:
    nothing = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)
    assert CHAT.response(answer({"content": "Hi"}, usage=nothing)).usage is None
    assert CHAT.response(None) == ResponseFacts()


def test_the_tier_that_served_a_request_is_told() -> None:
    told = CHAT.response(answer({"content": "Hi"}, usage={**COUNTED, "service_tier": "priority"}))
    assert told.service_tier == "priority"


_SHAPES = [_dictionary, _object] if hasattr(MODELS, "ThinkChunk") else [_dictionary]


@pytest.mark.parametrize("shape", _SHAPES)
def test_thoughts_are_no_part_of_the_words(shape: Any) -> None:
    content = [THOUGHT, {"type": "text", "text": "It is "}, {"type": "text", "text": "so."}]
    told = CHAT.response(shape(MODELS.ChatCompletionResponse, answer({"content": content})))
    assert (told.reasoning, told.text) == ("Let me think.", "It is so.")
    _pieces, streamed = gathered(shape, event({"content": [THOUGHT]}), event({"content": content[1:]}))
    assert (streamed.reasoning, streamed.text) == ("Let me think.", "It is so.")


def test_thoughts_may_stand_beside_the_words() -> None:
    told = CHAT.response(answer({"content": "So.", "reasoning_content": "Hm."}))
    _pieces, streamed = gathered(_dictionary, event({"content": "So.", "reasoning_content": "Hm."}))
    assert (told.reasoning, streamed.reasoning) == ("Hm.", "Hm.")


@both_shapes
def test_chunks_add_up(shape: Any) -> None:
    pieces, told = gathered(
        shape,
        event({"role": "assistant", "content": ""}),
        event({"content": "One "}),
        event({"content": "two."}),
        event({"content": ""}, "stop", usage=COUNTED),
    )
    assert pieces == [False, True, True, False]
    assert told == ResponseFacts(
        model="m-1", text="One two.", finish_reason="stop", usage=usage(shape), request_id="cmpl-1"
    )


@both_shapes
def test_tool_calls_of_one_chunk_are_kept_apart(shape: Any) -> None:
    another = {"id": "call_2", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
    _pieces, told = gathered(shape, event({"content": "", "tool_calls": [CALL, another]}, "tool_calls"))
    assert told.tool_calls == [CALL, another]


def test_a_tool_call_may_come_in_pieces() -> None:
    def piece(arguments: str, **more: Any) -> Any:
        return event({"tool_calls": [{"index": 1, "function": {"name": "", "arguments": arguments}, **more}]})

    named = {"name": "get_weather", "arguments": '{"a"'}
    _pieces, told = gathered(
        _dictionary, piece("", id="call_1", function=named), piece(":1"), piece("}", id="null")
    )
    assert told.tool_calls == [CALL]
