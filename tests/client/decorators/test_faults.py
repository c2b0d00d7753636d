"""Whatever of ours fails, and whatever it is given, the function runs once and its caller sees no difference."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import Context
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.decorators import observe, tool
from amplitude_ai_integrations.context.current import get_active_context

from ...faults import functions_passed, raising
from ..test_hostile import HOSTILE
from .ways import ENDINGS, RUNS, WAYS, end, ends

# Where the program enters our code; each hands its inner work to a shield.
DOORS = {
    "Run.__init__",
    "Run.__enter__",
    "Run.__exit__",
    "Run.__aenter__",
    "Run.__aexit__",
    "Run._tell",
    "Run.keep",
    "Inside.__enter__",
    "Inside.__exit__",
    "shielded.__init__",
    "shielded.__enter__",
    "shielded.__exit__",
    "Shield.note",
}
PATHS: dict[str, Callable[[Any], Any]] = {
    "tool": lambda ai: tool(amplitude=ai, input_schema=True, on_error=lambda error, name: None),
    "observe": lambda ai: observe(amplitude=ai, user_id="user-1", type="agent"),
}
CASES = [
    (way, ending)
    for way in ("function", "coroutine", "generator", "async generator")
    for ending in ENDINGS
    if ends(way, ending)
]


@pytest.mark.usefixtures("swallowing")
@pytest.mark.filterwarnings("ignore:Assigning a code object")  # a function's in a coroutine's place
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("way", "ending"), CASES)
def test_a_fault_in_any_function_of_ours_changes_nothing(
    way: str, ending: str, path: str, ai: AmplitudeAI
) -> None:
    decorated = WAYS[way](PATHS[path](ai))

    def call(q: str, ending: str) -> Any:
        return decorated(q, ending=ending, amplitude_trace_id="t-1")

    def both() -> list[object]:
        """Call it in the session that is active, and where none is."""
        return [end(call, ending), Context().run(end, call, ending)]

    expected = end(WAYS[way](lambda function: function), ending)
    harmed = []
    with ai.agent("bot").session(track_session_end=False):
        around = get_active_context()
        assert both() == [expected, expected]
        inner = functions_passed(both, DOORS)
        for functions in inner:
            RUNS.clear()
            with raising(functions):
                results = both()
            if results != [expected, expected] or len(RUNS) != 2 or get_active_context() is not around:
                harmed.append(functions[0].__qualname__)
    assert len(inner) > 40
    assert sorted(harmed) == []


@pytest.mark.parametrize("decorate", [tool, observe])
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_values_pass_untouched_and_the_event_is_bounded(
    kind: str, decorate: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    value = HOSTILE[kind]()

    @decorate
    def give_back(given: Any, **more: Any) -> Any:
        return given

    @decorate
    def yield_back(given: Any) -> Any:
        yield given

    with ai.agent("bot").session(track_session_end=False):
        assert give_back(value, more=value) is value
        assert next(yield_back(value)) is value
    assert len(sink.events) == 2
    text = json.dumps(sink.events, allow_nan=False)
    assert len(text) < 1_000_000


@pytest.mark.parametrize("decorate", [tool, observe])
def test_an_error_that_cannot_be_read_is_named(decorate: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    @decorate
    def fail() -> None:
        raise MuteError

    with ai.agent("bot").session(track_session_end=False), pytest.raises(MuteError):
        fail()
    (event,) = sink.events
    assert event["event_properties"]["[Agent] Error Type"] == "MuteError"
