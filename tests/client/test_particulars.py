"""What is told of an event beyond its words: labels, attachments, tools, whose fault it was."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import openai
import pydantic
import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ContentMode, MemorySink, MessageLabel, OpenAI
from amplitude_ai_integrations.client.failures import failure_of
from tests.client.test_hostile import HOSTILE, LyingMapping
from tests.events import one
from tests.fakes.openai_server import OpenAIServer

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {"name": "search", "description": "Finds", "parameters": {"a": 1, "b": 2}},
    },
    {"name": "search", "input_schema": {"b": 2}},
    {"type": "web_search_preview"},
    {"name": "look"},
]


def _hash(ai: AmplitudeAI, sink: MemorySink, tools: Any) -> Any:
    sink.events.clear()
    ai.track_ai_message("ann", "x", "s", "m", "p", tool_definitions=tools)
    return one(sink, "AI Response").get("[Agent] Tool Definitions Hash")


def test_the_hash_of_tools_knows_no_order(ai: AmplitudeAI, sink: MemorySink) -> None:
    first = _hash(ai, sink, TOOLS)
    turned = [{key: tool[key] for key in reversed(tool)} for tool in TOOLS]
    turned[0]["function"] = {"parameters": {"b": 2, "a": 1}, "description": "Finds", "name": "search"}
    for seed in range(10):
        random.Random(seed).shuffle(turned)
        assert _hash(ai, sink, tuple(turned)) == first
    assert _hash(ai, sink, TOOLS[1:]) != first
    assert _hash(ai, sink, [{**TOOLS[0]["function"], "description": "Seeks"}, *TOOLS[1:]]) != first


def test_the_hash_of_many_tools_knows_no_order_either(ai: AmplitudeAI, sink: MemorySink) -> None:
    many = [{"name": f"tool-{number}", "description": "x" * 2_000} for number in range(200)]
    first = _hash(ai, sink, many)
    assert one(sink, "AI Response")["[Agent] Tool Definitions Count"] == 200
    assert _hash(ai, sink, many[::-1]) == first
    assert _hash(ai, sink, [*many[:-1], {**many[-1], "description": "y"}]) != first


def test_what_is_repeated_can_be_left_out(ai: AmplitudeAI, sink: MemorySink) -> None:
    given: dict[str, Any] = {"system_prompt": "Be kind.", "tool_definitions": TOOLS}
    for omits in (True, False):
        ai.track_ai_message("ann", "x", "s", "m", "p", omit_repeated_content=omits, **given)
    short, whole = (event["event_properties"] for event in sink)
    assert {name for name in whole if name not in short} == {
        "[Agent] System Prompt",
        "[Agent] Tool Definitions",
    }
    for name in ("System Prompt Length", "Tool Definitions Count", "Tool Definitions Hash"):
        assert short[f"[Agent] {name}"] == whole[f"[Agent] {name}"]
    assert short["[Agent] System Prompt Length"] == 8


def test_labels_are_a_list_and_a_map(ai: AmplitudeAI, sink: MemorySink) -> None:
    labels: list[Any] = [
        MessageLabel("intent", "how_to", 0.9),
        {"key": "tone", "value": "kind"},
        {"key": "intent", "value": "billing"},
        {"key": 5, "value": "no"},
        {"key": "no value"},
        "no label",
        None,
        LyingMapping(key="lying", value="x"),
    ]
    ai.track_user_message("ann", "x", "s", labels=labels)
    event = one(sink, "User Message")
    assert json.loads(event["[Agent] Message Label Map"]) == {"intent": "billing", "tone": "kind"}
    assert json.loads(event["[Agent] Message Labels"])[:2] == [
        {"key": "intent", "value": "how_to", "confidence": 0.9},
        {"key": "tone", "value": "kind"},
    ]


def test_labels_are_taken_as_a_mapping_too(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_user_message("ann", "x", "s", labels={"intent": "how_to", "tone": "kind"})  # type: ignore[arg-type]
    event = one(sink, "User Message")
    assert event["[Agent] Message Label Map"] == '{"intent":"how_to","tone":"kind"}'
    assert (
        event["[Agent] Message Labels"] == '[{"key":"intent","value":"how_to"},{"key":"tone","value":"kind"}]'
    )


@pytest.mark.parametrize(
    ("mode", "is_told"),
    [(ContentMode.FULL, True), (ContentMode.CUSTOMER_ENRICHED, True), (ContentMode.METADATA_ONLY, False)],
)
def test_labels_leave_as_judgements_do(mode: ContentMode, is_told: bool) -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=mode))
    ai.track_ai_message("ann", "x", "s", labels=[MessageLabel("intent", "how_to")])
    event = one(sink, "AI Response")
    assert ("[Agent] Message Labels" in event, "[Agent] Message Label Map" in event) == (is_told, is_told)


class File(pydantic.BaseModel):
    type: str = "pdf"
    size_bytes: int = 10


ATTACHMENTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "none": ([], {}),
    "types once, in order": (
        [{"type": "pdf"}, {"type": "csv"}, {"type": "pdf"}],
        {"Attachment Count": 3, "Attachment Types": ["csv", "pdf"]},
    ),
    "sizes that are none": (
        [{"size_bytes": size} for size in (math.nan, math.inf, -1, True, "12", None, [], 10**400)],
        {"Attachment Count": 8, "Attachment Types": []},
    ),
    "sizes": (
        [{"size_bytes": size} for size in (1200, 0, 0.5, math.nan)],
        {"Attachment Count": 4, "Attachment Types": [], "Total Attachment Size Bytes": 1200.5},
    ),
    "nothing in it": ([{"size_bytes": 0}], {"Attachment Count": 1, "Attachment Types": [], "Total Attachment Size Bytes": 0}),
    "sizes beyond counting": ([{"size_bytes": 2**63}] * 3, {"Attachment Count": 3, "Attachment Types": []}),
    "odd types": (
        [{"type": kind} for kind in (5, None, "", ["a"], "image")],
        {"Attachment Count": 5, "Attachment Types": ["5", "[list]", "image"]},
    ),
    "no mappings": (["a.pdf", None, 5, File()], {"Attachment Count": 4, "Attachment Types": ["pdf"], "Total Attachment Size Bytes": 10}),
    "one that lies": ([LyingMapping(type="pdf")], {"Attachment Count": 1, "Attachment Types": []}),
}  # fmt: skip


@pytest.mark.parametrize("case", ATTACHMENTS)
@pytest.mark.parametrize("mode", [ContentMode.FULL, ContentMode.METADATA_ONLY])
def test_what_is_told_of_attachments(case: str, mode: ContentMode) -> None:
    given, expected = ATTACHMENTS[case]
    sink = MemorySink()
    AmplitudeAI(sink=sink, config=AIConfig(content_mode=mode)).track_user_message(
        "ann", "x", "s", attachments=given
    )
    event = one(sink, "User Message")
    names = ("Attachment Count", "Attachment Types", "Total Attachment Size Bytes")
    assert {name: event[f"[Agent] {name}"] for name in names if f"[Agent] {name}" in event} == expected
    assert event.get("[Agent] Has Attachments", False) is bool(expected)
    assert "[Agent] Attachments" not in event or mode is ContentMode.FULL
    json.dumps(event, allow_nan=False)


@pytest.mark.parametrize("value", HOSTILE)
def test_no_part_of_a_list_breaks_an_event(ai: AmplitudeAI, sink: MemorySink, value: str) -> None:
    made = HOSTILE[value]()
    ai.track_user_message(
        "ann", "x", "s", attachments=[made, {"type": made, "size_bytes": made, "name": made}]
    )
    ai.track_user_message(
        "ann", "x", "s", labels=[made, {"key": "k", "value": made}, {"key": made, "value": 1}]
    )
    ai.track_ai_message(
        "ann", "x", "s", tool_definitions=[made, {"name": made, "parameters": made}], tool_calls=[made]
    )
    assert len(sink.events) == 3
    for event in sink:
        json.dumps(event, allow_nan=False)


def test_whose_tool_it_is_and_whose_fault_leave_in_every_mode() -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=ContentMode.METADATA_ONLY))
    ai.track_tool_call("ann", "search", 1.0, False, session_id="s", tool_type="mcp", tool_owner="team-a",
                       error_source="tool", error_type="Timeout", error_message="secret", stack_trace="secret")  # fmt: skip
    event = one(sink, "Tool Call")
    told = {
        name: event.get(f"[Agent] {name}")
        for name in ("Tool Type", "Tool Owner", "Error Source", "Error Type")
    }
    assert told == {
        "Tool Type": "mcp",
        "Tool Owner": "team-a",
        "Error Source": "tool",
        "Error Type": "Timeout",
    }
    assert "secret" not in repr(event)


def _fails(client: OpenAI) -> None:
    """Call a model in vain, from a line that only a stack tells of."""
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "error500"}])


@pytest.mark.parametrize("mode", list(ContentMode))
@pytest.mark.parametrize("captures", [False, True])
def test_a_stack_leaves_only_where_it_is_asked_for_and_words_may(
    vendor: OpenAIServer, mode: ContentMode, captures: bool
) -> None:
    sink, elsewhere = MemorySink(), MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=mode, capture_stack_trace=captures))
    opposite = AmplitudeAI(sink=elsewhere, config=AIConfig(capture_stack_trace=not captures))
    inside = ai.agent("bot").session(user_id="ann", track_session_end=False)  # whose configuration wins
    with OpenAI(amplitude=opposite, api_key="k", base_url=vendor.url, max_retries=0) as client, inside:
        _fails(client)
    event = one(sink, "AI Response")
    told = {name: event[f"[Agent] {name}"] for name in ("Is Error", "Error Source", "Error Type")}
    assert told == {"Is Error": True, "Error Source": "provider", "Error Type": "InternalServerError"}
    assert elsewhere.events == []
    if captures and mode is ContentMode.FULL:
        lines = event["[Agent] Stack Trace"].splitlines()
        assert lines[-1].startswith("InternalServerError: ")
        assert any("in _fails" in line for line in lines)
        assert sum(line.startswith("  File ") for line in lines) <= 50
    else:
        assert "[Agent] Stack Trace" not in event
        assert "_fails" not in repr(sink.events)


@pytest.mark.parametrize("mode", list(ContentMode))
def test_a_stack_given_by_hand_is_words_like_any_other(mode: ContentMode) -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=mode))
    ai.track_span("ann", "x", is_error=True, stack_trace="canary in line 3, mail bob@example.com")
    found = one(sink, "Span").get("[Agent] Stack Trace")
    assert found == ("canary in line 3, mail [email]" if mode is ContentMode.FULL else None)
    assert "canary" not in repr(sink.events) or mode is ContentMode.FULL


def test_the_stack_of_deep_recursion_is_bounded() -> None:
    def deeper(left: int) -> None:
        if not left:
            raise KeyError("at the bottom")
        higher(left - 1)  # two in turn: a stack folds what repeats

    def higher(left: int) -> None:
        deeper(left)

    try:
        deeper(200)
    except KeyError as error:
        told = failure_of(error, AIConfig(capture_stack_trace=True), "tool")
    assert told["stack_trace"].count('raise KeyError("at the bottom")') == 1
    assert told["stack_trace"].count("  File ") == 50
    assert told["stack_trace"].endswith("KeyError: 'at the bottom'")


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_error_that_cannot_be_read_is_told_all_the_same() -> None:
    told = failure_of(UnspeakableError(), AIConfig(capture_stack_trace=True))
    words = "[unreadable UnspeakableError: RuntimeError]"
    assert told == {
        "is_error": True,
        "error_type": "UnspeakableError",
        "error_message": words,
        "error_source": None,
        "stack_trace": f"UnspeakableError: {words}",
    }
