"""Conversations that Mistral keeps: what is added to one, what entries say, what events add up to."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage
from amplitude_ai_integrations.providers.mistral_conversations import Conversations

from ..providers.contract.mistral_ways import MODELS

CONVERSATIONS = Conversations("mistral")
CALL = {"type": "function", "id": "call_1", "function": {"name": "get_weather", "arguments": '{"a":1}'}}
ENTRY = {"type": "function.call", "tool_call_id": "call_1", "name": "get_weather", "arguments": '{"a":1}'}
COUNTED = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}


def _dictionary(_model: str, payload: Any) -> Any:
    return payload


def _object(model: str, payload: Any) -> Any:
    return getattr(MODELS, model).model_validate(payload)


_SHAPES = [_dictionary, _object] if hasattr(MODELS, "ConversationResponse") else [_dictionary]
both_shapes = pytest.mark.parametrize("shape", _SHAPES)


def gathered(*events: Any) -> tuple[list[bool], ResponseFacts]:
    """Return which events carry a piece of the answer, and what they add up to."""
    gatherer = CONVERSATIONS.accumulator()
    return [gatherer.add({"data": event}) for event in events], gatherer.facts()


def test_what_is_added_is_told() -> None:
    asked = CONVERSATIONS.request(
        {
            "model": "m",
            "inputs": "Hi",
            "instructions": "Be brief.",
            "tools": ({"type": "web_search"},),
            "completion_args": {"temperature": 0.5, "top_p": 1, "max_tokens": 9},
        }
    )
    assert asked == RequestFacts(
        "mistral",
        "m",
        user_text="Hi",
        history=(None, 0),
        system_prompt="Be brief.",
        tools=[{"type": "web_search"}],
        temperature=0.5,
        top_p=1,
        max_output_tokens=9,
    )


def test_only_what_follows_the_last_answer_is_new() -> None:
    result = {"type": "function.result", "tool_call_id": "call_1", "result": "sunny"}
    entries = [{"role": "user", "content": "Hi"}, ENTRY, result, {"role": "user", "content": "and?"}]
    asked = CONVERSATIONS.request({"agent_id": "ag-1", "conversation_id": "conv_1", "inputs": entries})
    assert (asked.model, asked.user_text, asked.history) == ("ag-1", "and?", ("conv_1", 2))
    assert asked.tool_results == [ToolResult("call_1", "get_weather", '{"a":1}', "sunny")]


@both_shapes
def test_the_entries_of_an_answer_are_told(shape: Any) -> None:
    said = {
        "type": "message.output",
        "content": [{"type": "text", "text": "Hi"}],
        "model": "m-1",
        "id": "e-1",
    }
    whole = {"conversation_id": "conv_1", "outputs": [said, {**ENTRY, "id": "e-2"}], "usage": COUNTED}
    assert CONVERSATIONS.response(shape("ConversationResponse", whole)) == ResponseFacts(
        model="m-1", text="Hi", tool_calls=[CALL], usage=Usage(20, 7, 27), request_id="e-2"
    )


def test_what_tools_of_the_vendors_found_counts_as_read() -> None:
    usage = {**COUNTED, "total_tokens": 127, "connector_tokens": 100}
    told = CONVERSATIONS.response({"outputs": [], "usage": usage})
    assert told.usage == Usage(120, 7, 127)


def test_events_add_up() -> None:
    said = {"type": "message.output.delta", "id": "e-1", "model": "m-1"}
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    call = {**ENTRY, "type": "function.call.delta", "id": "e-2"}
    pieces, told = gathered(
        {"type": "conversation.response.started", "conversation_id": "conv_1"},
        {**said, "content": thought},
        {**said, "content": "One "},
        {**said, "content": [{"type": "text", "text": "two."}]},
        {**call, "arguments": '{"a"'},
        {**call, "arguments": ":1}"},
        {"type": "conversation.response.done", "usage": COUNTED},
    )
    assert pieces == [False, True, True, True, True, True, False]
    assert told == ResponseFacts(
        model="m-1",
        text="One two.",
        reasoning="Hm.",
        tool_calls=[CALL],
        usage=Usage(20, 7, 27),
        request_id="e-2",
    )


def test_an_error_among_the_events_is_told() -> None:
    _pieces, told = gathered({"type": "conversation.response.error", "message": "broken", "code": 3000})
    assert (told.error_type, told.error_message) == ("3000", "broken")
