"""In ``metadata_only`` a decorated call tells names, durations and whether it failed, and no content."""

from __future__ import annotations

import json
from itertools import product
from typing import Annotated, Any, Literal

import msgspec
import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.decorators import observe, tool

from ...events import told
from .ways import ENDINGS, WAYS, end, ends

CANARY = "canary-7c1f"
DECORATORS = {
    "tool": tool(input_schema=True, context={"key": CANARY}, event_properties={"note": CANARY}),
    "tool in time": tool(timeout_ms=5000),
    "observe": observe,
    "observed tool": observe(type="tool"),
    "observed agent": observe(type="agent"),
}
CASES = [
    (way, ending, decorator)
    for way, ending, decorator in product(WAYS, ENDINGS, DECORATORS)
    if ends(way, ending) and not ("generator" in way and decorator == "tool in time")
]


@pytest.fixture
def closed(sink: MemorySink) -> AmplitudeAI:
    """A client that lets no content out, told to record all it can."""
    return AmplitudeAI(sink=sink, config=AIConfig(content_mode="metadata_only", capture_stack_trace=True))


@pytest.mark.parametrize(("way", "ending", "decorator"), CASES)
def test_no_content_leaves_on_any_path(
    way: str, ending: str, decorator: str, closed: AmplitudeAI, sink: MemorySink
) -> None:
    decorated = WAYS[way](DECORATORS[decorator])

    def call(_q: str, ending: str) -> Any:
        return decorated(CANARY, ending=ending)

    end(call, ending)
    with closed.agent("bot").session():
        end(call, ending)
    assert len(sink.events) == (3 if decorator.startswith("tool") else 4)
    assert CANARY not in json.dumps(sink.events)
    assert {event.get("Tool Name") or event.get("Span Name") or "End" for event in told(sink.events)} == {
        "search",
        "End",
    }


def test_what_a_schema_says_is_content(closed: AmplitudeAI, sink: MemorySink) -> None:
    class Choice(msgspec.Struct):
        """canary-7c1f"""

        colour: Literal["canary-7c1f"]
        size: Annotated[int, msgspec.Meta(description=CANARY)] = 3

    @tool(input_schema=True, user_id="user-1")
    def choose(choice: Choice, q: str = CANARY) -> None:
        raise LookupError(CANARY)

    with pytest.raises(LookupError):
        choose(Choice("canary-7c1f"))
    assert len(sink.events) == 1
    assert CANARY not in json.dumps(sink.events)


def test_the_sessions_privacy_wins_over_the_decorators_client(
    ai: AmplitudeAI, closed: AmplitudeAI, sink: MemorySink
) -> None:
    @tool(amplitude=ai)
    def search(q: str) -> str:
        return q

    with closed.agent("bot").session():
        search(CANARY)
    assert CANARY not in json.dumps(sink.events)


def test_in_full_mode_content_is_redacted(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool(amplitude=ai, user_id="user-1")
    def write(to: str) -> dict[str, str]:
        return {"sent": to}

    write("ada@example.com")
    (call,) = told(sink.events)
    assert (call["Tool Input"], call["Tool Output"]) == ('{"to":"[email]"}', '{"sent":"[email]"}')
