"""A decorated function is still what it was: to callers, to `inspect`, and to whoever reads it."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache, partial
from typing import Any, get_type_hints

import pytest

from amplitude_ai_integrations import AmplitudeAI, ConfigurationError, MemorySink
from amplitude_ai_integrations.client.decorators import observe, tool
from amplitude_ai_integrations.client.tracker import ToolCallTracker

from ...events import one
from .ways import WAYS

DECORATORS = {"tool": tool, "observe": observe, "tool in time": tool(timeout_ms=5000)}


def function(q: str, *more: int, limit: int = 3, **rest: Any) -> list[str]:
    """Find things."""
    return [q]


async def coroutine(q: str) -> str:
    """Find things later."""
    return q


def generator(q: str) -> Iterator[str]:
    """Find things one by one."""
    yield q


async def async_generator(q: str) -> AsyncIterator[str]:
    """Find things one by one, later."""
    yield q


@observe
def at_the_top(q: str) -> str:
    return q


KINDS = (
    inspect.isfunction,
    inspect.iscoroutinefunction,
    inspect.isgeneratorfunction,
    inspect.isasyncgenfunction,
    asyncio.iscoroutinefunction,
)


@pytest.mark.parametrize("decorate", DECORATORS.values(), ids=DECORATORS)
@pytest.mark.parametrize("plain", [function, coroutine, generator, async_generator])
def test_it_looks_the_same(decorate: Any, plain: Any) -> None:
    if decorate is DECORATORS["tool in time"] and plain in (generator, async_generator):
        with pytest.raises(ConfigurationError, match="timeout_ms= cannot hold for"):
            decorate(plain)
        return
    decorated = decorate(plain)
    assert [kind(decorated) for kind in KINDS] == [kind(plain) for kind in KINDS]
    assert inspect.signature(decorated) == inspect.signature(plain)
    assert get_type_hints(decorated) == get_type_hints(plain)
    for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
        assert getattr(decorated, attribute) == getattr(plain, attribute)
    assert inspect.unwrap(decorated) is plain


def test_it_pickles_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(at_the_top)) is at_the_top


@pytest.mark.parametrize("way", ["object", "async object", "partial"])
def test_what_has_no_name_of_its_own_gets_one(way: str) -> None:
    decorated = WAYS[way](tool)
    assert decorated.__name__ == "search"
    assert [*inspect.signature(decorated).parameters] == ["q", "ending"]


def test_a_cached_function_is_recorded_each_time_and_runs_once(ai: AmplitudeAI, sink: MemorySink) -> None:
    runs = []

    @tool
    @lru_cache
    def search(q: str) -> str:
        runs.append(q)
        return q

    with ai.agent("bot").session(track_session_end=False):
        assert [search("a"), search("a")] == ["a", "a"]
    assert runs == ["a"]
    assert len(sink.events) == 2


def test_errors_pass_with_nothing_of_ours_in_their_trace_but_one_frame(ai: AmplitudeAI) -> None:
    error = LookupError("none")

    @tool
    def search() -> None:
        raise error

    with ai.agent("bot").session(), pytest.raises(LookupError) as caught:
        search()
    assert caught.value is error
    assert error.__context__ is None
    assert [entry.name for entry in caught.traceback][1:] == ["call", "search"]


def test_a_wrong_call_is_the_functions_own_error(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(track_session_end=False), pytest.raises(TypeError, match=r"coroutine\(\)"):
        asyncio.run(tool(coroutine)(colour="red"))
    assert one(sink.events, "Tool Call")["[Agent] Tool Input"] == '{"colour":"red"}'


WRONG: dict[str, tuple[Any, str]] = {
    "a class": (lambda: tool(dict), "@tool is for functions and methods, not for the class dict"),
    "a text": (lambda: observe("search"), "@observe is for functions and methods, not for str"),
    "a property": (lambda: tool(property(str)), "not for property"),
    "no client": (lambda: tool(amplitude="key"), "amplitude= is str"),
    "no client to observe": (lambda: observe(amplitude=3), "amplitude= is int"),
    "no client to track": (lambda: ToolCallTracker.set_amplitude("key"), "amplitude= is str"),
    "a field that is none": (lambda: tool(privacy_config=1), "@tool takes no 'privacy_config'; it takes "),
    "a field to track": (
        lambda: ToolCallTracker.set_amplitude(None, user_properties={}),
        "'user_properties'",
    ),
    "a kind that is none": (lambda: observe(type="dream"), "type is 'dream'; use one of 'span', 'tool', "),
    "no time": (lambda: tool(function, timeout_ms=0), "timeout_ms is 0; give milliseconds above 0"),
    "no callback": (lambda: tool(on_error="log"), "on_error= must be a plain function"),
    "a callback to await": (lambda: tool(on_error=coroutine), "on_error= must be a plain function"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_argument_is_told_where_it_is_written(wrong: str) -> None:
    decorate, words = WRONG[wrong]
    with pytest.raises(ConfigurationError) as caught:
        decorate()
    assert words in str(caught.value)


def test_partials_of_partials_are_unwrapped_for_their_name(ai: AmplitudeAI, sink: MemorySink) -> None:
    inner = partial(partial(function, "secret"), limit=5)
    with ai.agent("bot").session(track_session_end=False):
        tool(inner)(limit=6)
    event = one(sink.events, "Tool Call")
    assert (event["[Agent] Tool Name"], event["[Agent] Tool Input"]) == ("function", '{"limit":6}')
