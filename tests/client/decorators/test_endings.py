"""Every way a function can be written, every way a call of it can end: one event, and the caller's result."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.decorators import observe, tool

from ...events import told
from .ways import ENDINGS, WAYS, end, ends

CASES = [(way, ending) for way in WAYS for ending in ENDINGS if ends(way, ending)]
LIMITED = [
    (*case, limit) for case in CASES for limit in (None, 60_000) if not (limit and "generator" in case[0])
]
IS_ASYNC = {"coroutine", "async generator", "async method", "async object"}


def ended(way: str, ending: str, source: str) -> dict[str, Any]:
    """Return what the event says of how the call ended."""
    if ending == "raises":
        failure = {"Error Type": "ValueError", "Error Message": "no tea", "Error Source": source}
        return {"Is Error": True, **failure}
    if ending == "cancelled":
        kind = "CancelledError" if way in IS_ASYNC else "KeyboardInterrupt"
        return {"Is Error": False, "Error Type": kind}
    return {"Is Error": False, **({"Error Type": "GeneratorExit"} if ending == "closed" else {})}


def made(way: str, ending: str) -> str | None:
    """Return what the call made, as JSON: of a generator whatever it yielded, of others what they returned."""
    if "generator" in way:
        return '["tea",{"found":"tea"}]' if ending == "returns" else '["tea"]'
    return '{"found":"tea"}' if ending == "returns" else None


def expected(common: dict[str, Any], made_as: tuple[str, str | None]) -> dict[str, Any]:
    name, value = made_as
    shared = {"user_id": "user-1", "Agent ID": "bot", "Session ID": "id-3", "Trace ID": "id-2"}
    return {**shared, "Latency Ms": 1000.0, **common, **({name: value} if value else {})}


@pytest.mark.usefixtures("ticking")
@pytest.mark.parametrize(("way", "ending", "limit"), LIMITED)
def test_a_tool_is_one_tool_call(
    way: str, ending: str, limit: float | None, ai: AmplitudeAI, sink: MemorySink
) -> None:
    plain, decorated = WAYS[way](lambda function: function), WAYS[way](tool(timeout_ms=limit))
    with ai.agent("bot").session(user_id="user-1", track_session_end=False):
        assert end(decorated, ending) == end(plain, ending)
    common = {
        "type": "Tool Call",
        "Component Type": "tool",
        "Invocation ID": "id-1",
        "Turn ID": 1,
        "Tool Name": "search",
        "Tool Success": ending == "returns",
        "Tool Input": f'{{"q":"tea","ending":"{ending}"}}',
        **ended(way, ending, "tool"),
    }
    assert told(sink.events) == [expected(common, ("Tool Output", made(way, ending)))]


@pytest.mark.usefixtures("ticking")
@pytest.mark.parametrize(("way", "ending"), CASES)
def test_an_observed_function_is_one_span(way: str, ending: str, ai: AmplitudeAI, sink: MemorySink) -> None:
    plain, decorated = WAYS[way](lambda function: function), WAYS[way](observe(name="find"))
    with ai.agent("bot").session(user_id="user-1", track_session_end=False):
        assert end(decorated, ending) == end(plain, ending)
    common = {
        "type": "Span",
        "Span ID": "id-1",
        "Span Name": "find",
        "Input State": f'{{"q":"tea","ending":"{ending}"}}',
        **ended(way, ending, "application"),
    }
    output = made(way, ending)
    if output is not None and "generator" in way:
        output = f'{{"value":{output}}}'
    assert told(sink.events) == [expected(common, ("Output State", output))]


@pytest.mark.usefixtures("ticking")
@pytest.mark.parametrize(("way", "ending"), CASES)
def test_outside_any_session_an_observed_function_has_one_of_its_own(
    way: str, ending: str, ai: AmplitudeAI, sink: MemorySink
) -> None:
    decorated = WAYS[way](observe(amplitude=ai, user_id="user-1"))
    end(decorated, ending)
    span, session_end = told(sink.events)
    whose = {name: span[name] for name in ("user_id", "Agent ID", "Session ID", "Trace ID")}
    assert whose == {"user_id": "user-1", "Agent ID": "search", "Session ID": "id-3", "Trace ID": "id-2"}
    failure = {"Is Error": True, "Error Type": "ValueError"} if ending == "raises" else {}
    assert session_end == {"type": "Session End", **whose, **failure}
