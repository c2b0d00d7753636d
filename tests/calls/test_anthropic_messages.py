"""Anthropic's messages: what a request asks, what an answer says, what events add up to."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic._models import construct_type
from anthropic.types import Message, RawMessageStreamEvent

from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage
from amplitude_ai_integrations.providers.anthropic_messages import Messages

from .payloads import CALL, Json, both_shapes

MESSAGES = Messages("anthropic")
MODEL = "claude-sonnet-4-5"
SENT = {"input_tokens": 8, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 4}
WRITTEN = {"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 3}}
USAGE = Usage(20, 7, 27, 3, 8, 4)
TEXT: Json = {"type": "text", "text": "Hi you", "citations": None}
THOUGHT: Json = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
HIDDEN: Json = {"type": "redacted_thinking", "data": "c2VjcmV0"}
TOOL_USE: Json = {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"a": 1}}
SEARCH: Json = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}}


class _Events:
    """Lets the union of all events stand where a model stands."""

    @staticmethod
    def construct(**payload: Any) -> Any:
        return construct_type(value=payload, type_=RawMessageStreamEvent)


def _user(content: Any) -> Json:
    return {"role": "user", "content": content}


def _assistant(content: Any) -> Json:
    return {"role": "assistant", "content": content}


def _result(content: Any, **more: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": "call_1", "content": content, **more}


def _asked(*messages: Any, **more: Any) -> RequestFacts:
    return MESSAGES.request({"model": MODEL, "max_tokens": 9, "messages": [*messages], **more})


def _answer(*content: Json, **more: Any) -> Json:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [*content],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {**SENT, **WRITTEN, "service_tier": "standard"},
        **more,
    }


def test_what_is_asked() -> None:
    tools = [{"name": "get_weather", "input_schema": {}}]
    options = {"temperature": 0.5, "top_p": 1, "tools": tools, "system": "Be brief.", "speed": "fast"}
    assert _asked(_user("Hi"), **options) == RequestFacts(
        "anthropic",
        MODEL,
        user_text="Hi",
        history=(0, "", None),
        system_prompt="Be brief.",
        tools=tools,
        temperature=0.5,
        top_p=1,
        max_output_tokens=9,
        service_tier="fast",
    )


def test_the_system_prompt_is_a_text_blocks_or_inserted_later() -> None:
    blocks = [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "No jokes."}]
    inserted = {"role": "system", "content": "The user is new."}
    assert _asked(_user("Hi"), system=blocks).system_prompt == "Be brief.\nNo jokes."
    asked = _asked(_user("Hi"), inserted, system="Be brief.")
    assert (asked.user_text, asked.system_prompt) == ("Hi", "Be brief.\n\nThe user is new.")


def test_of_a_history_only_the_new_counts() -> None:
    asked = _asked(_user("Old"), _assistant("Answer"), _user([{"type": "text", "text": "Hi"}]), _user("you"))
    assert (asked.user_text, asked.history) == ("Hi\n\nyou", (2, "Answer", None))


def test_an_answer_that_the_model_is_to_go_on_with_is_none_yet() -> None:
    assert _asked(_user("Old"), _assistant("Answer"), _user("Hi"), _assistant("{")).user_text == "Hi"
    assert _asked(_user("Hi"), _assistant("{")).user_text == "Hi"


def test_a_thread_that_the_server_holds_tells_its_turns_apart() -> None:
    asked = _asked(_user("Hi"), thread={"type": "continue", "previous_message_id": "msg_0"})
    assert asked.history == (0, "", "msg_0")
    assert _asked(_user("Hi"), thread=False).history == (0, "", None)


@pytest.mark.parametrize("content", ["sunny", [{"type": "text", "text": "sunny"}]])
@both_shapes
def test_a_tool_result_carries_what_was_asked(shape: Any, content: Any) -> None:
    answered = shape(Message, _answer(TEXT, TOOL_USE))
    blocks = answered["content"] if isinstance(answered, dict) else answered.content
    asked = _asked(
        _user("Old"), _assistant(blocks), _user([_result(content), {"type": "text", "text": "Hi"}])
    )
    assert asked.tool_results == [ToolResult("call_1", "get_weather", '{"a":1}', "sunny")]
    assert asked.user_text == "Hi"


def test_a_tool_result_without_its_call_is_told_as_far_as_it_goes() -> None:
    (result,) = _asked(_user([_result("sunny")])).tool_results
    assert (result.name, result.arguments, result.output) == (None, None, "sunny")


def test_results_of_earlier_turns_are_not_told_again() -> None:
    asked = _asked(_user("Old"), _assistant([TOOL_USE]), _user([_result("sunny")]), _assistant("Answer"))
    later = _asked(
        _user("Old"), _assistant([TOOL_USE]), _user([_result("sunny")]), _assistant("Answer"), _user("Hi")
    )
    assert len(asked.tool_results) == 1  # the last message is one to go on with
    assert (later.tool_results, later.user_text) == ([], "Hi")


def test_files_are_told_by_their_kind_and_size() -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}}
    linked = {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png?key=secret"}}
    paper = {"type": "base64", "media_type": "application/pdf", "data": "aGVsbG8="}
    words = {"type": "text", "media_type": "text/plain", "data": "a secret"}
    asked = _asked(
        _user(
            [
                picture,
                linked,
                {"type": "document", "title": "Paper", "source": paper},
                {"type": "document", "source": words},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                {"type": "text", "text": "Look"},
            ]
        )
    )
    assert asked.user_text == "Look"
    assert asked.attachments == [
        {"type": "image", "mime_type": "image/png", "size_bytes": 5},
        {"type": "image", "url": "https://x.test/a.png"},
        {"type": "file", "mime_type": "application/pdf", "name": "Paper", "size_bytes": 5},
        {"type": "file", "mime_type": "text/plain", "size_bytes": 8},
        {"type": "file"},
    ]


@pytest.mark.parametrize("messages", [None, [], 7, ["text"], [{}], [{"role": "user", "content": 7}]])
def test_a_strange_request_says_nothing(messages: Any) -> None:
    asked = MESSAGES.request({"model": MODEL, "messages": messages, "max_tokens": None, "tools": 7})
    assert asked == RequestFacts("anthropic", MODEL, history=(0, "", None))
    assert MESSAGES.prompt_text({"messages": messages}).strip() == ""


def test_what_can_be_read_only_once_is_left_to_the_caller() -> None:
    messages = iter([_user("Hi")])
    assert MESSAGES.request({"model": MODEL, "messages": messages}).user_text == ""
    assert [*messages] == [_user("Hi")]


def test_the_words_of_a_prompt_are_all_that_is_sent() -> None:
    said = [_user("Old"), _assistant([TEXT, TOOL_USE]), _user([_result("sunny")])]
    assert MESSAGES.prompt_text({"system": "Be brief.", "messages": said}) == "Be brief.\nOld\nHi you\nsunny"


@both_shapes
def test_a_whole_answer(shape: Any) -> None:
    answered = MESSAGES.response(shape(Message, _answer(THOUGHT, HIDDEN, THOUGHT, TEXT, TEXT)))
    assert answered == ResponseFacts(
        model=MODEL,
        text="Hi youHi you",
        reasoning="Hm.\nHm.",
        finish_reason="end_turn",
        usage=USAGE,
        request_id="msg_1",
        service_tier="standard",
    )


def test_what_the_vendor_runs_itself_is_no_tool_of_the_program() -> None:
    answered = MESSAGES.response(_answer(SEARCH, TEXT))
    assert (answered.text, answered.tool_calls) == ("Hi you", [])


@both_shapes
def test_an_answer_that_asks_for_a_tool(shape: Any) -> None:
    answered = MESSAGES.response(shape(Message, _answer(TOOL_USE, stop_reason="tool_use")))
    assert (answered.tool_calls, answered.finish_reason) == ([CALL], "tool_use")


def test_the_arguments_of_a_tool_are_json() -> None:
    odd = {**TOOL_USE, "input": {"city": "Zürich", "days": [1, None]}}
    (call,) = MESSAGES.response(_answer(odd)).tool_calls
    assert call["function"]["arguments"] == '{"city":"Zürich","days":[1,null]}'
    (call,) = MESSAGES.response(_answer({**TOOL_USE, "input": {}})).tool_calls
    assert call["function"]["arguments"] == "{}"


@both_shapes
def test_a_fast_answer_has_a_price_of_its_own(shape: Any) -> None:
    usage = {**SENT, **WRITTEN, "service_tier": "standard", "speed": "fast"}
    assert MESSAGES.response(shape(Message, _answer(TEXT, usage=usage))).service_tier == "fast"


def test_an_answer_without_counts_has_no_usage() -> None:
    answered = MESSAGES.response(_answer(TEXT, usage=None))
    assert (answered.usage, answered.service_tier) == (None, None)


def _start(place: int, block: Json) -> Json:
    return {"type": "content_block_start", "index": place, "content_block": block}


def _delta(place: int, kind: str, **delta: Any) -> Json:
    return {"type": "content_block_delta", "index": place, "delta": {"type": kind, **delta}}


BEGIN: Json = {
    "type": "message_start",
    "message": _answer(stop_reason=None, usage={**SENT, "output_tokens": 1, "service_tier": "priority"}),
}
END: Json = {
    "type": "message_delta",
    "delta": {"stop_reason": "tool_use", "stop_sequence": None},
    "usage": WRITTEN,
}
PIECES: tuple[Json, ...] = (
    _start(0, {**THOUGHT, "thinking": "", "signature": ""}),
    _delta(0, "thinking_delta", thinking="Hm."),
    _delta(0, "signature_delta", signature="c2ln"),
    _start(1, {**TEXT, "text": ""}),
    _delta(1, "text_delta", text="Hi "),
    _delta(1, "text_delta", text="you"),
    {"type": "content_block_stop", "index": 1},
    _start(2, {**TOOL_USE, "input": {}}),
    _delta(2, "input_json_delta", partial_json=""),
    _delta(2, "input_json_delta", partial_json='{"a"'),
    _delta(2, "input_json_delta", partial_json=":1}"),
)


def _gathered(shape: Any, *events: Json) -> tuple[list[bool], ResponseFacts]:
    accumulator = MESSAGES.accumulator()
    carried = [accumulator.add(shape(_Events, event)) for event in events]
    return carried, accumulator.facts()


@both_shapes
def test_events_add_up_to_the_whole(shape: Any) -> None:
    carried, facts = _gathered(shape, BEGIN, *PIECES, END, {"type": "message_stop"})
    assert carried == [False] * 2 + [True] + [False] * 2 + [True] * 2 + [False] * 3 + [True] * 2 + [False] * 2
    assert facts == ResponseFacts(
        model=MODEL,
        text="Hi you",
        reasoning="Hm.",
        tool_calls=[CALL],
        finish_reason="tool_use",
        usage=USAGE,
        request_id="msg_1",
        service_tier="priority",
    )


@both_shapes
def test_counts_at_the_end_go_before_those_at_the_start(shape: Any) -> None:
    counts = {
        "input_tokens": 30,
        "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": None,
        "output_tokens": 9,
    }
    _carried, facts = _gathered(shape, BEGIN, {**END, "usage": counts})
    assert facts.usage == Usage(34, 9, 43, None, 0, 4)


@both_shapes
def test_events_that_break_off_keep_what_came(shape: Any) -> None:
    _carried, facts = _gathered(shape, BEGIN, *PIECES[:-1])
    counted = Usage(20, None, None, None, 8, 4)  # what was sent is known at once
    assert (facts.model, facts.text, facts.request_id, facts.usage) == (MODEL, "Hi you", "msg_1", counted)
    assert facts.tool_calls[0]["function"]["arguments"] == '{"a"'


def test_a_block_that_comes_at_once_is_taken_as_it_is() -> None:
    _carried, facts = _gathered(lambda _kind, event: event, _start(0, TEXT), _start(1, TOOL_USE))
    assert (facts.text, facts.tool_calls) == ("Hi you", [CALL])


def test_an_error_among_the_bytes_of_a_stream_is_an_error() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    _carried, facts = _gathered(lambda _kind, event: event, BEGIN, {"type": "ping"}, error)
    assert (facts.error_type, facts.error_message) == ("overloaded_error", "Overloaded")


def test_strange_events_say_nothing() -> None:
    strange: list[Any] = [{}, {"type": "later"}, _delta(7, "text_delta", text="x"), None]
    carried, facts = _gathered(lambda _kind, event: event, *strange)
    assert (carried, facts) == ([False] * 4, ResponseFacts())
