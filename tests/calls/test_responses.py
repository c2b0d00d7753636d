"""The Responses API: what a request asks, what an answer says, what events add up to."""

from __future__ import annotations

from typing import Any

import pytest
from openai._models import construct_type
from openai.types.responses import ResponseStreamEvent

from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage
from amplitude_ai_integrations.providers.openai_embeddings import Embeddings
from amplitude_ai_integrations.providers.openai_responses import Responses

from .payloads import (
    CALL,
    FUNCTION_CALL,
    REASONING,
    CreateEmbeddingResponse,
    Response,
    both_shapes,
    message_item,
    response_answer,
)

RESPONSES = Responses("openai")
USAGE = Usage(20, 7, 27, 3, 8, 4)
SAID = {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}


class _Events:
    """Lets the union of all events stand where a model stands."""

    @staticmethod
    def construct(**payload: Any) -> Any:
        return construct_type(value=payload, type_=ResponseStreamEvent)


def _asked(given: Any, **more: Any) -> RequestFacts:
    return RESPONSES.request({"model": "gpt-5-mini", "input": given, **more})


def test_a_text_is_what_the_user_says() -> None:
    options = {"temperature": 0.5, "top_p": 1, "max_output_tokens": 9}
    assert _asked("Hi", instructions="Be brief.", **options) == RequestFacts(
        "openai",
        "gpt-5-mini",
        user_text="Hi",
        history=(0, None),
        system_prompt="Be brief.",
        temperature=0.5,
        top_p=1,
        max_output_tokens=9,
    )


def test_of_a_history_only_the_new_counts() -> None:
    history = [
        {"role": "developer", "content": "No jokes."},
        {"role": "user", "content": "Old"},
        message_item("Answer"),
        SAID,
    ]
    asked = _asked(history, instructions="Be brief.")
    assert (asked.user_text, asked.system_prompt) == ("Hi", "Be brief.\n\nNo jokes.")


def test_a_tool_result_carries_what_was_asked() -> None:
    output = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
    asked = _asked([SAID, REASONING, FUNCTION_CALL, output])
    assert asked.user_text == ""
    assert asked.tool_results == [ToolResult("call_1", "get_weather", '{"a":1}', "sunny")]


def test_the_result_of_a_custom_tool_carries_what_was_asked() -> None:
    call = {"type": "custom_tool_call", "call_id": "call_1", "name": "run_sql", "input": "select 1"}
    output = {"type": "custom_tool_call_output", "call_id": "call_1", "output": "1"}
    assert _asked([SAID, call, output]).tool_results == [ToolResult("call_1", "run_sql", "select 1", "1")]


MODEL_ITEMS = [
    "function_call",
    "custom_tool_call",
    "reasoning",
    "computer_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
    "mcp_approval_request",
]


@pytest.mark.parametrize("kind", MODEL_ITEMS)
def test_a_user_message_that_was_answered_with_any_item_is_old(kind: str) -> None:
    output = {"type": f"{kind}_output", "call_id": "call_1", "output": "done"}
    assert _asked([SAID, {"type": kind, "id": "i", "call_id": "call_1"}, output]).user_text == ""


@pytest.mark.parametrize("given", [None, [], 7, ["text"], [{}], [{"role": "user", "content": 7}]])
def test_a_strange_request_says_nothing(given: Any) -> None:
    assert _asked(given) == RequestFacts("openai", "gpt-5-mini", history=(0, None))
    assert RESPONSES.prompt_text({"input": given}).strip() == ""


def test_the_words_of_a_prompt_are_instructions_and_items() -> None:
    words = RESPONSES.prompt_text({"instructions": "Be brief.", "input": [SAID, FUNCTION_CALL]})
    assert words.splitlines()[:2] == ["Be brief.", "Hi"]
    assert RESPONSES.prompt_text({"instructions": "Be brief.", "input": "Hi"}) == "Be brief.\nHi"


@both_shapes
def test_a_whole_answer(shape: Any) -> None:
    output = [REASONING, message_item("Hi ", "you")]
    assert RESPONSES.response(shape(Response, response_answer(output))) == ResponseFacts(
        model="gpt-5-mini",
        text="Hi you",
        reasoning="First\nsecond",
        finish_reason="stop",
        usage=USAGE,
        request_id="resp_1",
    )


@both_shapes
def test_an_answer_that_asks_for_a_tool(shape: Any) -> None:
    answered = RESPONSES.response(shape(Response, response_answer([FUNCTION_CALL])))
    assert (answered.text, answered.tool_calls) == ("", [CALL])


@both_shapes
def test_an_answer_that_asks_for_a_custom_tool_names_it(shape: Any) -> None:
    call = {"type": "custom_tool_call", "call_id": "call_1", "name": "run_sql", "input": "select 1"}
    answered = RESPONSES.response(shape(Response, response_answer([call])))
    assert "run_sql" in str(answered.tool_calls)
    assert "select 1" in str(answered.tool_calls)


@both_shapes
def test_an_incomplete_answer_says_why(shape: Any) -> None:
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    answered = RESPONSES.response(shape(Response, response_answer([message_item("Hi")], **cut)))
    assert (answered.text, answered.finish_reason) == ("Hi", "max_output_tokens")


@both_shapes
def test_a_failed_answer_says_why(shape: Any) -> None:
    failure = {"status": "failed", "error": {"code": "server_error", "message": "broken"}, "usage": None}
    answered = RESPONSES.response(shape(Response, response_answer([], **failure)))
    assert answered == ResponseFacts(
        model="gpt-5-mini",
        finish_reason="failed",
        request_id="resp_1",
        error_type="server_error",
        error_message="broken",
    )


def _event(kind: str, **more: Any) -> Any:
    where = {"item_id": "i", "output_index": 0, "sequence_number": 1}
    return {"type": f"response.{kind}", **where, **more}


def _gathered(shape: Any, *events: Any) -> tuple[list[bool], ResponseFacts]:
    accumulator = RESPONSES.accumulator()
    carried = [accumulator.add(shape(_Events, event)) for event in events]
    return carried, accumulator.facts()


_CREATED = _event("created", response=response_answer([], status="in_progress", usage=None))
_PIECES = (
    _event("reasoning_summary_text.delta", summary_index=0, delta="Hm."),
    _event("output_text.delta", content_index=0, delta="Hi ", logprobs=[]),
    _event("output_text.delta", content_index=0, delta="you", logprobs=[]),
)


@both_shapes
def test_the_last_event_holds_the_whole(shape: Any) -> None:
    whole = response_answer([message_item("Hi you")])
    carried, facts = _gathered(shape, _CREATED, *_PIECES, _event("completed", response=whole))
    assert carried == [False, True, True, True, False]
    expected = RESPONSES.response(whole)
    expected.reasoning = "Hm."  # what was heard on the way and is not in the whole
    assert facts == expected


@both_shapes
def test_events_that_break_off_keep_what_came(shape: Any) -> None:
    _carried, facts = _gathered(shape, _CREATED, *_PIECES)
    assert facts == ResponseFacts(model="gpt-5-mini", text="Hi you", reasoning="Hm.", request_id="resp_1")


@both_shapes
def test_a_failure_keeps_what_came(shape: Any) -> None:
    failure = {"status": "failed", "error": {"code": "server_error", "message": "broken"}, "usage": None}
    _carried, facts = _gathered(
        shape, _CREATED, *_PIECES, _event("failed", response=response_answer([], **failure))
    )
    assert (facts.text, facts.error_type) == ("Hi you", "server_error")


@both_shapes
def test_a_tool_call_that_was_finished_before_a_break_is_kept(shape: Any) -> None:
    done = _event("output_item.done", item=FUNCTION_CALL)
    _carried, facts = _gathered(shape, _CREATED, done)
    assert facts.tool_calls == [CALL]


@both_shapes
def test_an_error_event_is_an_error(shape: Any) -> None:
    failed = {
        "type": "error",
        "code": "server_error",
        "message": "broken",
        "param": None,
        "sequence_number": 2,
    }
    _carried, facts = _gathered(shape, _CREATED, failed)
    assert (facts.error_type, facts.error_message) == ("server_error", "broken")


@both_shapes
def test_an_embedding(shape: Any) -> None:
    payload = {
        "object": "list",
        "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }
    adapter = Embeddings("openai")
    asked = adapter.request({"model": "text-embedding-3-small", "input": "a secret"})
    assert asked == RequestFacts("openai", "text-embedding-3-small", is_embedding=True)
    answered = adapter.response(shape(CreateEmbeddingResponse, payload))
    assert answered == ResponseFacts(model="text-embedding-3-small", usage=Usage(5), dimensions=2)
