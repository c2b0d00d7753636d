"""How the SDK gets to know the processor, and whose runs it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import agents
import pytest
from agents import (
    Agent,
    Model,
    RunConfig,
    Runner,
    add_trace_processor,
    set_trace_processors,
    trace,
)
from agents.tracing import Span, Trace, TracingProcessor, get_trace_provider, set_trace_provider
from agents.tracing.provider import DefaultTraceProvider

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, MemorySink
from amplitude_ai_integrations.frameworks.openai_agents import AmplitudeTracingProcessor

from ...events import told, types

ONE_RUN = ["User Message", "AI Response", "Span", "Session End"]


@pytest.fixture(autouse=True)
def _nobody_else() -> Iterator[None]:
    set_trace_processors([])
    yield
    set_trace_processors([])


@pytest.fixture
def helper(make: Callable[..., Model]) -> Agent[Any]:
    return Agent(name="helper", model=make())


class Counting(TracingProcessor):
    """Another processor, as the SDK's exporter is one."""

    def __init__(self) -> None:
        self.ended = 0

    def on_trace_start(self, trace: Trace) -> None:
        """A trace begins."""

    def on_trace_end(self, trace: Trace) -> None:
        self.ended += 1

    def on_span_start(self, span: Span[Any]) -> None:
        """A span begins."""

    def on_span_end(self, span: Span[Any]) -> None:
        self.ended += 1

    def shutdown(self) -> None:
        """It ends."""

    def force_flush(self) -> None:
        """It delivers."""


async def test_beside_others(helper: Agent[Any], ai: AmplitudeAI, sink: MemorySink) -> None:
    other = Counting()
    set_trace_processors([other])
    processor = AmplitudeTracingProcessor(ai)
    processor.register()
    processor.register()
    await Runner.run(helper, "echo:One.")
    assert types(sink.events) == ONE_RUN
    assert other.ended > 0
    processor.unregister()
    await Runner.run(helper, "echo:Two.")
    assert types(sink.events) == ONE_RUN
    processor.register()
    await Runner.run(helper, "echo:Three.")
    assert types(sink.events) == ONE_RUN * 2


async def test_by_the_sdks_own_functions_and_twice(
    helper: Agent[Any], ai: AmplitudeAI, sink: MemorySink
) -> None:
    processor = AmplitudeTracingProcessor(ai)
    set_trace_processors([processor])
    add_trace_processor(processor)
    processor.register()
    await Runner.run(helper, "echo:One.")
    assert types(sink.events) == ONE_RUN


async def test_one_that_is_taken_away_ends_what_is_under_way(
    helper: Agent[Any], ai: AmplitudeAI, sink: MemorySink
) -> None:
    processor = AmplitudeTracingProcessor(ai)
    processor.register()
    with trace("workflow"):
        await Runner.run(helper, "echo:One.")
        processor.unregister()
        await Runner.run(helper, "echo:Two.")
    assert types(sink.events) == ONE_RUN


async def test_with_a_provider_of_ones_own(helper: Agent[Any], ai: AmplitudeAI, sink: MemorySink) -> None:
    before, provider = get_trace_provider(), DefaultTraceProvider()
    set_trace_provider(provider)
    try:
        AmplitudeTracingProcessor(ai).register()
        await Runner.run(helper, "echo:One.")
    finally:
        set_trace_provider(before)
    assert types(sink.events) == ONE_RUN


async def test_without_tracing_nothing_is_told(helper: Agent[Any], ai: AmplitudeAI, sink: MemorySink) -> None:
    AmplitudeTracingProcessor(ai).register()
    await Runner.run(helper, "Hi", run_config=RunConfig(tracing_disabled=True))
    assert sink.events == []


async def test_nor_where_tracking_is_switched_off(helper: Agent[Any], sink: MemorySink) -> None:
    processor = AmplitudeTracingProcessor(AmplitudeAI(sink=sink, config=AIConfig(enabled=False)))
    processor.register()
    await Runner.run(helper, "Hi")
    assert sink.events == []


async def test_group_and_metadata_say_whose_run_it_is(
    helper: Agent[Any], ai: AmplitudeAI, sink: MemorySink
) -> None:
    AmplitudeTracingProcessor(ai, env="test").register()
    config = RunConfig(
        group_id="conversation-7", trace_metadata={"user_id": "user-7", "device_id": "device-7"}
    )
    for words in ("echo:One.", "echo:Two."):
        await Runner.run(helper, words, run_config=config)
    assert types(sink.events) == ONE_RUN[:3] * 2  # the conversation goes on
    events = told(sink.events)
    assert {event["Session ID"] for event in events} == {"conversation-7"}
    assert {(event["user_id"], event["device_id"]) for event in events} == {("user-7", "device-7")}
    assert {event["Env"] for event in events} == {"test"}
    assert len({event["Trace ID"] for event in events}) == 2


async def test_a_session_goes_before_a_group(helper: Agent[Any], ai: AmplitudeAI, sink: MemorySink) -> None:
    AmplitudeTracingProcessor(ai, user_id="door").register()
    async with ai.agent().session("session-8", user_id="user-8", track_session_end=False):
        await Runner.run(helper, "Hi", run_config=RunConfig(group_id="conversation-8"))
    assert {(event["user_id"], event["Session ID"]) for event in told(sink.events)} == {
        ("user-8", "session-8")
    }


async def test_two_runs_in_one_workflow(helper: Agent[Any], ai: AmplitudeAI, sink: MemorySink) -> None:
    AmplitudeTracingProcessor(ai).register()
    with trace("workflow"):
        await Runner.run(helper, "echo:One.")
        await Runner.run(helper, "echo:Two.")
    assert types(sink.events) == [*ONE_RUN[:3] * 2, "Session End"]
    assert len({event["Session ID"] for event in told(sink.events)}) == 1


async def test_the_agent_of_the_program(helper: Agent[Any], ai: AmplitudeAI, sink: MemorySink) -> None:
    AmplitudeTracingProcessor(ai, agent_id="my-agent").register()
    await Runner.run(helper, "Hi")
    events = told(sink.events)
    assert {event["Agent ID"] for event in events} == {"my-agent"}
    assert {event["Agent Name"] for event in events[:3]} == {"helper"}


async def test_flushing_traces_delivers_events(ai: AmplitudeAI, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = []
    monkeypatch.setattr(ai, "flush", lambda: flushed.append(True))
    processor = AmplitudeTracingProcessor(ai)
    processor.register()
    getattr(agents, "flush_traces", processor.force_flush)()  # which older versions lack
    assert flushed == [True]


def test_a_wrong_option_is_refused(ai: AmplitudeAI) -> None:
    with pytest.raises(ConfigurationError, match="sesion_id"):
        AmplitudeTracingProcessor(ai, sesion_id="x")  # type: ignore[call-arg]
