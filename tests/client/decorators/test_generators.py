"""Generators under a decorator answer their reader as they would without it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.decorators import observe, tool
from amplitude_ai_integrations.context.current import get_active_context

from ...events import one, told, types

DECORATORS = {"tool": tool, "observe": observe}


class OddError(Exception):
    """What a reader throws in."""


def talk() -> Generator[Any, Any, str]:
    """Answer whatever is sent or thrown in, and end on 'bye'."""
    heard: Any = yield "hello"
    while heard != "bye":
        try:
            heard = yield ("heard", heard)
        except OddError as odd:  # noqa: PERF203 - what a conversation is
            heard = yield ("caught", str(odd))
    return "the end"


async def talk_later() -> AsyncGenerator[Any, Any]:
    heard: Any = yield "hello"
    while heard != "bye":
        try:
            heard = yield ("heard", heard)
        except OddError as odd:  # noqa: PERF203 - what a conversation is
            heard = yield ("caught", str(odd))


def stubborn() -> Generator[int, None, None]:
    try:
        yield 1
    except GeneratorExit:
        yield 2


def polite() -> Generator[int, None, str]:
    try:
        yield 1
    except GeneratorExit:
        return "left"
    return "read"


@pytest.mark.parametrize("decorate", DECORATORS.values(), ids=DECORATORS)
class TestGenerator:
    def test_what_is_sent_thrown_and_returned_passes(self, decorate: Any, ai: AmplitudeAI) -> None:
        def conversation(items: Generator[Any, Any, str]) -> list[Any]:
            said = [next(items), items.send("a"), items.throw(OddError("b")), items.send(None)]
            with pytest.raises(StopIteration) as ended:
                items.send("bye")
            return [*said, ended.value.value, list(items)]

        with ai.agent("bot").session():
            assert conversation(decorate(talk)()) == conversation(talk())

    def test_what_it_does_not_catch_is_the_very_error_thrown(self, decorate: Any, ai: AmplitudeAI) -> None:
        with ai.agent("bot").session():
            items = decorate(talk)()
            next(items)
            error = KeyError("k")
            with pytest.raises(KeyError) as caught:
                items.throw(error)
        assert caught.value is error
        assert error.__context__ is None

    def test_yield_from_sees_no_difference(self, decorate: Any, ai: AmplitudeAI) -> None:
        def outer() -> Generator[Any, Any, Any]:
            return (yield from decorate(talk)())

        with ai.agent("bot").session():
            items = outer()
            assert [next(items), items.send(1)] == ["hello", ("heard", 1)]
            with pytest.raises(StopIteration, match="the end"):
                items.send("bye")

    def test_one_that_will_not_close_says_so(self, decorate: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
        with ai.agent("bot").session(track_session_end=False):
            items = decorate(stubborn)()
            next(items)
            with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
                items.close()
        assert sink.events == []

    def test_one_that_answers_its_closing_has_ended_well(
        self, decorate: Any, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        with ai.agent("bot").session(track_session_end=False):
            items = decorate(polite)()
            next(items)
            items.close()
        assert [event.get("Error Type") for event in told(sink.events)] == [None]

    def test_one_that_is_never_read_is_never_recorded(
        self, decorate: Any, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        with ai.agent("bot").session(track_session_end=False):
            decorate(talk)()
            decorate(talk)().close()
        assert sink.events == []

    def test_one_that_is_dropped_is_recorded_at_once(
        self, decorate: Any, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        with ai.agent("bot").session(track_session_end=False):
            for _ in decorate(talk)():
                break
            assert [event["Error Type"] for event in told(sink.events)] == ["GeneratorExit"]

    def test_an_error_thrown_in_keeps_nothing_alive(self, decorate: Any, ai: AmplitudeAI) -> None:
        class Large:
            """What a frame may hold."""

        def reader() -> weakref.ref[Large]:
            large = Large()
            items = decorate(talk)()
            next(items)
            with pytest.raises(KeyError):
                items.throw(KeyError(id(large)))
            return weakref.ref(large)

        gc.disable()
        try:
            with ai.agent("bot").session():
                assert reader()() is None
        finally:
            gc.enable()

    def test_of_many_items_the_first_hundred_are_told(
        self, decorate: Any, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        @decorate
        def count() -> Generator[int, None, None]:
            yield from range(100_000)

        with ai.agent("bot").session(track_session_end=False):
            assert sum(count()) == sum(range(100_000))
        (event,) = told(sink.events)
        assert (event.get("Tool Output") or event["Output State"]).count(",") == 100
        assert '99,"...[truncated]"]' in (event.get("Tool Output") or event["Output State"])

    def test_an_item_is_told_as_it_was_when_it_was_yielded(
        self, decorate: Any, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        @decorate
        def grow() -> Generator[list[int], None, None]:
            items: list[int] = []
            for item in range(3):
                items.append(item)
                yield items

        with ai.agent("bot").session(track_session_end=False):
            for _ in grow():
                pass
        (event,) = told(sink.events)
        assert "[[0],[0,1],[0,1,2]]" in (event.get("Tool Output") or event["Output State"])

    async def test_an_async_one_answers_its_reader(self, decorate: Any, ai: AmplitudeAI) -> None:
        async def conversation(items: AsyncGenerator[Any, Any]) -> list[Any]:
            said = [await anext(items), await items.asend("a"), await items.athrow(OddError("b"))]
            said.append(await items.asend(None))
            with pytest.raises(StopAsyncIteration):
                await items.asend("bye")
            return said

        async with ai.agent("bot").session():
            assert await conversation(decorate(talk_later)()) == await conversation(talk_later())

    async def test_an_async_one_left_to_the_loop_is_recorded_when_the_loop_closes_it(
        self, decorate: Any, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        async with ai.agent("bot").session(track_session_end=False):
            async for _ in decorate(talk_later)():
                break
        gc.collect()
        await asyncio.sleep(0.01)
        assert [event["Error Type"] for event in told(sink.events)] == ["GeneratorExit"]


def test_between_its_items_a_generators_step_and_session_are_not_its_readers(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    @observe(amplitude=ai)
    def steps() -> Generator[str, None, None]:
        for _ in range(2):
            inner()
            yield get_active_context().session_id  # type: ignore[union-attr]

    @tool
    def inner() -> None:
        return None

    seen = []
    for session_id in steps():
        assert get_active_context() is None
        seen.append(session_id)
    assert types(sink.events) == ["Tool Call", "Tool Call", "Span", "Session End"]
    assert {event["event_properties"]["[Agent] Session ID"] for event in sink.events} == set(seen)


async def test_between_its_items_an_async_generators_step_is_not_its_readers(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    @observe(amplitude=ai)
    async def steps() -> AsyncGenerator[str, None]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield get_active_context().session_id  # type: ignore[union-attr]

    seen = [(session_id, get_active_context()) async for session_id in steps()]
    (own,) = {event["event_properties"]["[Agent] Session ID"] for event in sink.events}
    assert seen == [(own, None)] * 2


def test_a_session_opened_inside_a_generator_is_there_again_at_its_next_item(ai: AmplitudeAI) -> None:
    @observe
    def steps() -> Generator[str, None, None]:
        with ai.agent("inner").session("s-inner"):
            yield get_active_context().session_id  # type: ignore[union-attr]
            yield get_active_context().session_id  # type: ignore[union-attr]
        yield get_active_context().session_id  # type: ignore[union-attr]

    with ai.agent("outer").session("s-outer"):
        seen = [(session_id, get_active_context().session_id) for session_id in steps()]  # type: ignore[union-attr]
    assert seen == [("s-inner", "s-outer"), ("s-inner", "s-outer"), ("s-outer", "s-outer")]


async def test_an_async_generator_closed_by_another_task_ends_its_session(
    ai: AmplitudeAI, sink: MemorySink
) -> None:
    @observe(amplitude=ai, user_id="user-1")
    async def steps() -> AsyncGenerator[int, None]:
        yield 1
        yield 2

    items = steps()
    await asyncio.create_task(anext(items))  # type: ignore[arg-type]
    await asyncio.create_task(items.aclose())  # type: ignore[arg-type]
    assert types(sink.events) == ["Span", "Session End"]
    assert get_active_context() is None


def test_a_generator_read_after_its_session_stays_in_it(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    def count() -> Generator[int, None, None]:
        yield from range(3)

    with ai.agent("bot").session("s-of-its-start", track_session_end=False):
        items = count()
        next(items)
    with ai.agent("other").session("s-of-another", track_session_end=False):
        list(items)
    assert one(sink.events, "Tool Call")["[Agent] Session ID"] == "s-of-its-start"


def test_the_time_it_takes_goes_to_the_last_item(ai: AmplitudeAI, sink: MemorySink) -> None:
    @tool
    def slow() -> Generator[int, None, None]:
        yield 1
        yield 2

    with ai.agent("bot").session(track_session_end=False):
        items = slow()
        next(items)
        asyncio.run(asyncio.sleep(0.03))
        list(items)
    assert one(sink.events, "Tool Call")["[Agent] Latency Ms"] >= 30
