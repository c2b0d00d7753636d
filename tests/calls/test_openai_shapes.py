"""Shapes that OpenAI's API has beside the common ones, or that other servers give to it."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations.calls.facts import ToolResult
from amplitude_ai_integrations.providers.openai_chat import ChatCompletions
from amplitude_ai_integrations.providers.openai_responses import Compactions, Responses

from .payloads import (
    FUNCTION_CALL,
    ChatCompletion,
    ChatCompletionChunk,
    Response,
    both_shapes,
    chat_answer,
    chat_chunk,
    message_item,
    response_answer,
)

CHAT, RESPONSES = ChatCompletions("openai"), Responses("openai")
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
TOLD = {"type": "image", "mime_type": "image/png", "size_bytes": 3}


def _chunks(shape: Any, *chunks: Any) -> Any:
    gathered = CHAT.accumulator()
    for chunk in chunks:
        gathered.add(shape(ChatCompletionChunk, chunk))
    return gathered.facts()


@both_shapes
@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_is_found_under_either_name(name: str, shape: Any) -> None:
    whole = CHAT.response(shape(ChatCompletion, chat_answer({"content": "Hi", name: "Hm."})))
    streamed = _chunks(shape, chat_chunk({name: "H"}), chat_chunk({name: "m."}))
    assert whole.reasoning == streamed.reasoning == "Hm."


@both_shapes
def test_sound_is_told_by_its_words_and_its_size(shape: Any) -> None:
    audio = {"id": "a", "data": "AAAA", "expires_at": 1, "transcript": "Hello."}
    whole = CHAT.response(shape(ChatCompletion, chat_answer({"audio": audio})))
    assert (whole.text, whole.attachments) == ("Hello.", [{"type": "audio", "size_bytes": 3}])
    streamed = _chunks(
        shape,
        chat_chunk({"audio": {"id": "a", "transcript": "Hel"}}),
        chat_chunk({"audio": {"data": "AAAA"}}),
        chat_chunk({"audio": {"transcript": "lo."}}),
    )
    assert (streamed.text, streamed.attachments) == ("Hello.", [{"type": "audio", "size_bytes": 3}])


@both_shapes
def test_the_first_of_several_choices_counts(shape: Any) -> None:
    answer = chat_answer({"content": "One"})
    other = {**answer["choices"][0], "index": 1, "message": {"role": "assistant", "content": "Two"}}
    whole = CHAT.response(shape(ChatCompletion, {**answer, "choices": [*answer["choices"], other]}))
    second = chat_chunk({"content": "Two"}, "stop")
    second["choices"][0]["index"] = 1
    streamed = _chunks(shape, chat_chunk({"content": "One"}), second)
    assert whole.text == streamed.text == "One"
    assert streamed.finish_reason is None


@both_shapes
def test_calls_that_all_come_at_one_place_stay_apart(shape: Any) -> None:
    def piece(call_id: str | None, name: str | None, arguments: str) -> Any:
        function = {"name": name, "arguments": arguments}
        return chat_chunk({"tool_calls": [{"index": 0, "id": call_id, "function": function}]})

    facts = _chunks(shape, piece("a", "one", "{"), piece(None, None, "}"), piece("b", "two", "[]"))
    assert [(call["id"], call["function"]) for call in facts.tool_calls] == [
        ("a", {"name": "one", "arguments": "{}"}),
        ("b", {"name": "two", "arguments": "[]"}),
    ]


@both_shapes
def test_a_function_call_of_the_older_kind_is_a_tool_call(shape: Any) -> None:
    call = {"name": "get_time", "arguments": "{}"}
    whole = CHAT.response(shape(ChatCompletion, chat_answer({"function_call": call}, "function_call")))
    streamed = _chunks(
        shape,
        chat_chunk({"function_call": {"name": "get_time", "arguments": "{"}}),
        chat_chunk({"function_call": {"arguments": "}"}}, "function_call"),
    )
    assert whole.tool_calls == streamed.tool_calls == [{"type": "function", "id": None, "function": call}]
    asked = CHAT.request(
        {
            "model": "m",
            "functions": [{"name": "get_time"}],
            "messages": [
                {"role": "assistant", "content": None, "function_call": call},
                {"role": "function", "name": "get_time", "content": "noon"},
            ],
        }
    )
    assert asked.tool_results == [ToolResult("", "get_time", "{}", "noon")]
    assert asked.tools == [{"name": "get_time"}]


def test_an_error_in_the_place_of_an_answer_is_one() -> None:
    facts = CHAT.response({"error": {"code": 429, "message": "Slow down."}})
    assert (facts.error_type, facts.error_message) == ("429", "Slow down.")


@both_shapes
def test_the_tier_is_that_of_the_answer(shape: Any) -> None:
    assert CHAT.request({"model": "m", "service_tier": "auto"}).service_tier == "auto"
    assert RESPONSES.request({"model": "m", "service_tier": "flex"}).service_tier == "flex"
    assert CHAT.response(shape(ChatCompletion, chat_answer({}, service_tier="flex"))).service_tier == "flex"
    assert _chunks(shape, chat_chunk({}, service_tier="priority")).service_tier == "priority"
    assert (
        RESPONSES.response(shape(Response, response_answer([], service_tier="flex"))).service_tier == "flex"
    )


def test_files_are_those_of_the_newest_messages() -> None:
    def user(*content: Any) -> Any:
        return {"role": "user", "content": [*content]}

    asked = CHAT.request(
        {
            "messages": [
                user(PICTURE),
                {"role": "assistant", "content": "A cat."},
                user(PICTURE),
                user(PICTURE),
            ]
        }
    )
    assert (asked.user_text, asked.attachments) == ("", [TOLD, TOLD])
    flat = {"type": "input_image", "image_url": PICTURE["image_url"]["url"]}  # type: ignore[index]
    assert RESPONSES.request({"input": [user(flat)]}).attachments == [TOLD]


def test_a_picture_that_was_made_is_told() -> None:
    made = {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "AAAA"}
    facts = RESPONSES.response(response_answer([{**made, "output_format": "webp"}, message_item("Here.")]))
    assert facts.attachments == [{"type": "image", "mime_type": "image/webp", "size_bytes": 3}]
    assert facts.text == "Here."


def test_in_a_compaction_nobody_says_anything_new() -> None:
    adapter = Compactions("openai")
    said = {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    result = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
    asked = adapter.request({"model": "m", "input": [FUNCTION_CALL, result, said]})
    assert (asked.user_text, asked.tool_results, asked.attachments) == ("", [], [])
    kept = {"type": "message", "id": "m", "role": "user", "status": "completed", **said}
    facts = adapter.response(response_answer([kept, {"type": "compaction", "id": "c"}], status=None))
    assert (facts.text, facts.finish_reason) == ("", None)
    assert facts.usage is not None
