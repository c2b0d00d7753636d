"""Generated content: what a request asks, what an answer says, what chunks add up to."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types

from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage
from amplitude_ai_integrations.providers.gemini_embeddings import EmbedContent
from amplitude_ai_integrations.providers.gemini_generate import GenerateContent

PICTURE = {"type": "image", "mime_type": "image/png", "size_bytes": 5}
CALL = {"name": "get_weather", "args": {"city": "Paris"}}
TOLD = {"name": "get_weather", "arguments": '{"city":"Paris"}'}
COUNTS = {
    "promptTokenCount": 20,
    "cachedContentTokenCount": 8,
    "candidatesTokenCount": 4,
    "totalTokenCount": 24,
}


def _asked(contents: Any, **config: Any) -> RequestFacts:
    return GenerateContent(contents).request({"model": "m", "contents": contents, "config": config or None})


def _model(value: dict[str, Any]) -> Any:
    return types.GenerateContentResponse.model_validate(value)


def _dictionary(value: dict[str, Any]) -> Any:
    return value


both_shapes = pytest.mark.parametrize("shape", [_dictionary, _model], ids=["dictionary", "model"])


def _response(*parts: Any, **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [*parts]}, "finishReason": "STOP"}
    return {"candidates": [candidate], "modelVersion": "models/gemini-2.5-flash", **more}


def _said(shape: Any, *parts: Any, **more: Any) -> ResponseFacts:
    return GenerateContent("Hi").response(shape(_response(*parts, **more)))


def _part(**given: Any) -> Any:
    return types.Part.model_validate(given)


@pytest.mark.parametrize(
    ("contents", "text"),
    [
        ("Hi", "Hi"),
        (["Hi", "you"], "Hi\nyou"),
        (_part(text="Hi"), "Hi"),
        ([_part(text="Hi"), {"text": "you"}], "Hi\nyou"),
        ([["Hi", {"text": "you"}]], "Hi\nyou"),
        (types.Content(role="user", parts=[_part(text="Hi")]), "Hi"),
        ({"parts": [{"text": "Hi"}]}, "Hi"),
        (
            [{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "user", "parts": [{"text": "you"}]}],
            "Hi\nyou",
        ),
        ([{"role": "model", "parts": [{"text": "Hello."}]}], ""),
        ([{"role": "user", "parts": None}], ""),
        (None, ""),
        ([], ""),
    ],
)
def test_words_are_found_in_each_shape_of_contents(contents: Any, text: str) -> None:
    assert _asked(contents).user_text == text


def test_only_what_is_new_since_the_model_spoke_is_said_now() -> None:
    asked = _asked(
        [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Hello."}]},
            {"role": "model", "parts": [{"text": "How are you?"}]},
            {"role": "user", "parts": [{"text": "Fine."}]},
        ]
    )
    assert asked.user_text == "Fine."
    assert asked.history == (2, "Hello.\nHow are you?")


@pytest.mark.parametrize("shape", [dict, types.GenerateContentConfig.model_validate], ids=["dict", "model"])
def test_settings_are_told(shape: Any) -> None:
    settings = {"temperature": 0.5, "top_p": 0.9, "max_output_tokens": 7, "system_instruction": "Be brief."}
    asked = GenerateContent("Hi").request({"model": "m", "contents": "Hi", "config": shape(settings)})
    assert asked == RequestFacts(
        "google",
        "m",
        user_text="Hi",
        history=(0, ""),
        system_prompt="Be brief.",
        temperature=0.5,
        top_p=0.9,
        max_output_tokens=7,
    )


@pytest.mark.parametrize(
    "instruction",
    [
        ["Be brief.", "No jokes."],
        {"parts": [{"text": "Be brief."}, {"text": "No jokes."}]},
        types.Content(parts=[_part(text="Be brief."), _part(text="No jokes.")]),
        [_part(text="Be brief."), _part(text="No jokes.")],
    ],
)
def test_a_system_instruction_is_told_in_each_of_its_shapes(instruction: Any) -> None:
    assert _asked("Hi", system_instruction=instruction).system_prompt == "Be brief.\nNo jokes."


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gemini-2.5-flash", "gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("projects/p/locations/l/publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("tunedModels/123", "tunedModels/123"),
        ("google/gemini-2.5-flash", "google/gemini-2.5-flash"),
    ],
)
def test_a_model_is_told_by_its_name_alone(name: str, told: str) -> None:
    assert GenerateContent("Hi").request({"model": name, "contents": "Hi"}).model == told


class _Picture:
    format = "PNG"


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"inline_data": {"mime_type": "image/png", "data": b"hello"}}, PICTURE),
        ({"inlineData": {"mimeType": "image/png", "data": "aGVsbG8="}}, PICTURE),
        (_part(inline_data={"mime_type": "image/png", "data": b"hello"}), PICTURE),
        (
            _part(file_data={"mime_type": "video/mp4", "file_uri": "https://a.example/v?sig=1"}),
            {"type": "video", "mime_type": "video/mp4", "url": "https://a.example/v"},
        ),
        (
            types.File(
                mime_type="application/pdf", uri="https://a.example/f", display_name="f.pdf", size_bytes=9
            ),
            {
                "type": "file",
                "mime_type": "application/pdf",
                "name": "f.pdf",
                "size_bytes": 9,
                "url": "https://a.example/f",
            },
        ),
        (_Picture(), {"type": "image", "mime_type": "image/png"}),
    ],
)
def test_a_file_is_told_by_its_kind_and_size(part: Any, told: dict[str, Any]) -> None:
    assert _asked(["Look", part]).attachments == [told]


def _weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
DECLARED = {"name": "get_weather", "description": "Tells the weather."}


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        (_weather, {"name": "_weather", "description": "Tells the weather.", "parameters": SCHEMA}),
        ({"function_declarations": [{**DECLARED, "parameters": SCHEMA}]}, {**DECLARED, "parameters": SCHEMA}),
        ({"functionDeclarations": [DECLARED]}, DECLARED),
        (
            types.Tool.model_validate({"function_declarations": [{**DECLARED, "parameters": SCHEMA}]}),
            {**DECLARED, "parameters": SCHEMA},
        ),
        (types.Tool(google_search=types.GoogleSearch()), {"name": "googleSearch", "parameters": {}}),
        ({"google_search": {}}, {"name": "google_search", "parameters": {}}),
    ],
)
def test_a_tool_is_told_in_each_of_its_shapes(tool: Any, told: dict[str, Any]) -> None:
    assert _asked("Hi", tools=[tool]).tools == [told]


def _ran(response: Any, call: Any = CALL, **answer: Any) -> list[ToolResult]:
    asked = _asked(
        [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"function_call": call}]},
            {
                "role": "user",
                "parts": [{"function_response": {"name": "get_weather", "response": response, **answer}}],
            },
        ]
    )
    assert asked.user_text == ""
    return asked.tool_results


@pytest.mark.parametrize(
    ("response", "output", "is_error"),
    [
        ({"output": "sunny"}, "sunny", False),
        ({"result": {"sky": "clear"}}, {"sky": "clear"}, False),
        ({"sky": "clear"}, {"sky": "clear"}, False),
        ({"sky": "clear", "output": 1}, {"sky": "clear", "output": 1}, False),
        ({"error": "no such city"}, "no such city", True),
        (None, None, False),
    ],
)
def test_a_result_is_what_the_tool_said(response: Any, output: Any, is_error: bool) -> None:
    (result,) = _ran(response)
    assert (result.name, result.arguments) == ("get_weather", TOLD["arguments"])
    assert (result.output, result.is_error) == (output, is_error)


def test_a_result_belongs_to_the_call_it_names() -> None:
    (result,) = _ran({"output": 1}, {**CALL, "id": "call_1"}, id="call_1")
    assert result.call_id == "call_1"


def test_a_result_of_a_call_without_a_name_has_the_id_that_the_answer_told() -> None:
    asked = GenerateContent("Hi").response(_response({"functionCall": CALL})).tool_calls
    (result,) = _ran({"output": 1})
    assert asked == [{"type": "function", "id": result.call_id, "function": TOLD}]


def test_a_result_that_nobody_asked_for_has_no_id() -> None:
    part = {"function_response": {"name": "get_weather", "response": {"output": 1}}}
    (result,) = _asked([{"role": "user", "parts": [part]}]).tool_results
    assert result == ToolResult("", "get_weather", None, 1)


def test_two_calls_of_one_tool_are_answered_in_their_order() -> None:
    calls = [{"function_call": {"name": "add", "args": {"n": n}}} for n in (1, 2)]
    results = [{"function_response": {"name": "add", "response": {"output": n}}} for n in (1, 2)]
    asked = _asked(
        [{"parts": [{"text": "Hi"}]}, {"role": "model", "parts": calls}, {"role": "user", "parts": results}]
    )
    told = [(result.arguments, result.output) for result in asked.tool_results]
    assert told == [('{"n":1}', 1), ('{"n":2}', 2)]
    assert len({result.call_id for result in asked.tool_results}) == 2


@both_shapes
def test_an_answer_tells_what_it_says(shape: Any) -> None:
    said = _said(
        shape,
        {"text": "Let me think.", "thought": True},
        {"text": "Hello"},
        {"text": " you."},
        {"inlineData": {"mimeType": "image/png", "data": "aGVsbG8="}},
        {"functionCall": {**CALL, "id": "call_1"}},
        usageMetadata=COUNTS,
    )
    assert said == ResponseFacts(
        model="gemini-2.5-flash",
        text="Hello you.",
        reasoning="Let me think.",
        tool_calls=[{"type": "function", "id": "call_1", "function": TOLD}],
        finish_reason="STOP",
        usage=Usage(20, 4, 24, None, 8),
        attachments=[PICTURE],
    )


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        (COUNTS, Usage(20, 4, 24, None, 8)),
        ({**COUNTS, "thoughtsTokenCount": 3, "totalTokenCount": 27}, Usage(20, 7, 27, 3, 8)),
        ({**COUNTS, "toolUsePromptTokenCount": 5, "totalTokenCount": 29}, Usage(25, 4, 29, None, 8)),
        ({"promptTokenCount": 20, "candidatesTokenCount": 4}, Usage(20, 4, 24)),
        ({"promptTokenCount": 20, "totalTokenCount": 20}, Usage(20, 0, 20)),
        ({}, None),
    ],
)
def test_counts_add_up_to_their_total(counts: Any, usage: Usage | None) -> None:
    assert GenerateContent("Hi").response({"usageMetadata": counts}).usage == usage


@both_shapes
def test_a_blocked_prompt_is_a_refusal(shape: Any) -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "Not that."}}
    said = GenerateContent("Hi").response(shape(blocked))
    assert said == ResponseFacts(finish_reason="SAFETY", error_type="SAFETY", error_message="Not that.")


@both_shapes
def test_chunks_add_up_to_their_answer(shape: Any) -> None:
    gathered = GenerateContent("Hi").accumulator()
    chunks = [
        {"candidates": [{"content": {"parts": [{"text": "Hmm.", "thought": True}]}}], "modelVersion": "m"},
        {"candidates": [{"content": {"parts": [{"text": "Hel"}, {"text": "lo"}]}}]},
        {"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP"}]},
        {"candidates": [], "usageMetadata": COUNTS},
    ]
    assert [gathered.add(shape(chunk)) for chunk in chunks] == [True, True, False, False]
    assert gathered.facts() == ResponseFacts(
        model="m", text="Hello", reasoning="Hmm.", finish_reason="STOP", usage=Usage(20, 4, 24, None, 8)
    )


@both_shapes
def test_calls_in_several_chunks_are_those_that_are_answered(shape: Any) -> None:
    gathered = GenerateContent("Hi").accumulator()
    calls = [{"functionCall": {"name": "add", "args": {"n": n}}} for n in (1, 2)]
    for call in calls:
        gathered.add(shape(_response(call)))
    answers = [{"functionResponse": {"name": "add", "response": {"output": n}}} for n in (1, 2)]
    asked = _asked(
        ["Hi", *({"role": "model", "parts": [call]} for call in calls), {"role": "user", "parts": answers}]
    )
    told = [call["id"] for call in gathered.facts().tool_calls]
    assert [result.call_id for result in asked.tool_results] == told


def test_an_answer_that_broke_off_before_it_was_counted_counts_as_uncounted() -> None:
    gathered = GenerateContent("Hi").accumulator()
    counts = {"promptTokenCount": 20, "totalTokenCount": 20}
    gathered.add({"candidates": [{"content": {"parts": [{"text": "Hel"}]}}], "usageMetadata": counts})
    assert gathered.facts().usage is None


@pytest.mark.parametrize("name", ["contents", "content", "batch_contents"])
def test_an_embedding_estimates_the_words_of_whatever_is_sent(name: str) -> None:
    assert EmbedContent().prompt_text({name: ["Hi", "you"]}) == "Hi\nyou"


@pytest.mark.parametrize(
    ("response", "sent"),
    [
        ({"embeddings": [{"values": [0.5, 0.25]}]}, None),
        ({"embeddings": [{"values": [0.5, 0.25]}], "usageMetadata": {"promptTokenCount": 3}}, 3),
        ({"embeddings": 2 * [{"values": [0.5, 0.25], "statistics": {"tokenCount": 2.0}}]}, 4),
    ],
)
def test_an_embedding_tells_its_size_and_its_tokens(response: Any, sent: int | None) -> None:
    facts = EmbedContent().response(response)
    assert facts == ResponseFacts(dimensions=2, usage=Usage(sent) if sent else None)
