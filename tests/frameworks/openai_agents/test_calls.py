"""Model calls of the Agents SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from agents import (
    Agent,
    Model,
    ModelResponse,
    ModelSettings,
    RunConfig,
    Runner,
    Usage,
    function_tool,
    generation_span,
    trace,
)
from openai.types.responses import ResponseOutputMessage, ResponseOutputText

from amplitude_ai_integrations import AmplitudeAI, MemorySink, patch, unpatch
from amplitude_ai_integrations.frameworks.openai_agents import AmplitudeTracingProcessor

from ...events import one, told, types
from ...fakes.openai_server import OpenAIServer
from ..contract.graph import graph

pytestmark = pytest.mark.usefixtures("processor")
SETTINGS = ModelSettings(temperature=0.5, max_tokens=9)
BY_HAND = [{"role": "user", "content": "Hi"}]


@function_tool
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"Sunny in {city}."


async def read(run: Any) -> None:
    async for _event in run.stream_events():
        pass


async def test_a_whole_answer(model: Model, api: str, ai: AmplitudeAI, sink: MemorySink) -> None:
    helper = Agent(name="helper", instructions="Be brief.", model=model, model_settings=SETTINGS)
    async with ai.agent().session(f"s-{api}", user_id="u", track_session_end=False):
        await Runner.run(helper, "Hi")
    user, answer, span = told(sink.events)
    common = {
        "user_id": "u", "Session ID": f"s-{api}", "Agent ID": "helper", "Agent Name": "helper", "Trace ID": "id-2",
    }  # fmt: skip
    assert user == {
        **common, "type": "User Message", "Message ID": "id-1", "Component Type": "user_input",
        "$llm_message": {"text": "Hi"}, "Message Source": "user", "Turn ID": 1,
    }  # fmt: skip
    assert answer.pop("Latency Ms") > 0
    # A generation does not say under which id the vendor knows it, nor why the model stopped.
    more = {"Provider Request ID": "resp_1", "Finish Reason": "stop"} if api == "responses" else {}
    assert answer == {
        **common, **more, "type": "AI Response", "Message ID": "id-3", "Component Type": "llm", "Turn ID": 2,
        "$llm_message": {"text": "One two three four."}, "Provider": "openai", "Model Name": "gpt-4o",
        "Is Error": False, "Is Streaming": False, "Input Tokens": 20, "Output Tokens": 7, "Total Tokens": 27,
        "Cache Read Tokens": 8, "Cache Creation Tokens": 0, "Reasoning Tokens": 3, "Has Reasoning": True,
        "Cost USD": 0.00011, "System Prompt": "Be brief.", "System Prompt Length": 9, "Temperature": 0.5,
        "Max Output Tokens": 9, "Model Tier": "standard",
    }  # fmt: skip
    assert span.pop("Latency Ms") > 0
    assert span == {
        **common, "type": "Span", "Span ID": "id-4", "Span Name": "helper", "Span Kind": "agent",
        "Is Error": False,
        "Input State": '{"value":"Hi"}', "Output State": '{"value":"One two three four."}',
    }  # fmt: skip


async def test_tools_on_offer(model: Model, sink: MemorySink) -> None:
    other = Agent(name="other", model=model)
    await Runner.run(Agent(name="helper", model=model, tools=[get_weather], handoffs=[other]), "Hi")
    offered = one(sink.events, "AI Response")["[Agent] Tool Definitions"]
    assert '"name":"get_weather"' in offered
    assert '"city":' in offered
    assert '"name":"transfer_to_other"' in offered


class TestStreams:
    async def test_without_usage_it_is_estimated(self, make: Callable[..., Model], sink: MemorySink) -> None:
        await read(Runner.run_streamed(Agent(name="helper", model=make("chat")), "echo:One two."))
        answer = one(sink.events, "AI Response")
        assert answer["$llm_message"] == {"text": "One two."}
        assert answer["[Agent] Is Streaming"] is True
        assert answer["[Agent] Usage Estimated"] is True
        assert answer["[Agent] Input Tokens"] > 0
        assert answer["[Agent] Output Tokens"] > 0
        assert "[Agent] Provider Request ID" not in answer

    async def test_cancelled(
        self, model: Model, fake: OpenAIServer, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        async with ai.agent().session(track_session_end=False):
            run = Runner.run_streamed(Agent(name="helper", model=model), "stall")
            async for event in run.stream_events():
                if event.type == "raw_response_event" and "delta" in event.data.type:
                    run.cancel()
            fake.release()
        assert graph(sink.events) == [
            "helper",
            "  user: stall",
            "  answer None+None $None streamed:  left CancelledError",
            "span helper by helper CancelledError",
        ]

    async def test_a_reader_that_goes_away_does_not_end_the_run(
        self, model: Model, fake: OpenAIServer, sink: MemorySink
    ) -> None:
        run = Runner.run_streamed(Agent(name="helper", model=model), "stall")
        async for event in run.stream_events():
            if event.type == "raw_response_event" and "delta" in event.data.type:
                break
        assert types(sink.events) == ["User Message"]
        fake.release()
        while "Session End" not in types(sink.events):
            await asyncio.sleep(0.01)
        assert one(sink.events, "AI Response")["$llm_message"] == {"text": "One two three four."}
        assert "[Agent] Stream Abandoned" not in one(sink.events, "AI Response")

    async def test_failing_on_the_way(self, model: Model, ai: AmplitudeAI, sink: MemorySink) -> None:
        async with ai.agent().session(track_session_end=False):
            with pytest.raises(Exception, match="fail"):
                await read(Runner.run_streamed(Agent(name="helper", model=model), "fail"))
        assert graph(sink.events) == [
            "helper",
            "  user: fail",
            "  answer None+None $None streamed:  failed",
            "span helper by helper failed",
        ]
        assert "fail" in one(sink.events, "AI Response")["[Agent] Error Message"]


async def test_a_call_that_fails(model: Model, sink: MemorySink) -> None:
    with pytest.raises(Exception, match="refused"):
        await Runner.run(Agent(name="helper", model=model), "error500")
    answer = one(sink.events, "AI Response")
    assert answer["[Agent] Model Name"] == "gpt-4o"
    assert answer["[Agent] Is Error"] is True
    assert answer["[Agent] Error Type"] == "InternalServerError"
    assert answer["[Agent] Error Source"] == "provider"
    assert one(sink.events, "Span")["[Agent] Error Type"] == "InternalServerError"
    assert one(sink.events, "Session End")["[Agent] Is Error"] is True


class TestSensitiveData:
    CONFIG = RunConfig(trace_include_sensitive_data=False)
    ASKED = 'call:get_weather{"city":"Secretville"} echo:Secret.'

    async def test_no_words_are_told(self, model: Model, sink: MemorySink) -> None:
        helper = Agent(name="helper", instructions="Secret.", model=model, tools=[get_weather])
        await Runner.run(helper, self.ASKED, run_config=self.CONFIG)
        assert types(sink.events) == ["AI Response", "Tool Call", "AI Response", "Span", "Session End"]
        assert "Secret" not in str(sink.events)
        assert [event.get("Input Tokens") for event in told(sink.events)] == [20, None, 20, None, None]

    async def test_nor_those_of_errors(self, model: Model, sink: MemorySink) -> None:
        with pytest.raises(Exception, match="Secret"):
            await Runner.run(Agent(name="helper", model=model), "error500 Secret", run_config=self.CONFIG)
        assert "Secret" not in str(sink.events)
        assert one(sink.events, "AI Response")["[Agent] Error Type"] == "InternalServerError"
        assert one(sink.events, "Span")["[Agent] Error Type"] == "InternalServerError"

    async def test_nor_those_of_a_stream_that_fails(self, model: Model, sink: MemorySink) -> None:
        run = Runner.run_streamed(Agent(name="helper", model=model), "fail Secret", run_config=self.CONFIG)
        with pytest.raises(Exception, match="Secret"):
            await read(run)
        assert "Secret" not in str(sink.events)
        assert one(sink.events, "Span")["[Agent] Is Error"] is True

    async def test_an_observed_client_tells_them_still(
        self, make: Callable[..., Model], api: str, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        patch(amplitude=ai)
        try:
            async with ai.agent().session(track_session_end=False):
                helper = Agent(name="helper", instructions="Brief.", model=make(api), tools=[get_weather])
                await Runner.run(helper, self.ASKED, run_config=self.CONFIG)
        finally:
            unpatch()
        assert graph(sink.events)[:5] == [
            "helper",
            f"  user: {self.ASKED}",
            "  answer 20+7 $0.00011: get_weather",
            "  tool get_weather None -> None",
            "  answer 20+7 $0.00011: Secret.",
        ]
        assert len({event["event_properties"]["[Agent] Trace ID"] for event in sink.events}) == 1


class TestByHand:
    """Spans that a program opens itself, as around a model that the SDK does not know."""

    def test_known_at_the_start(self, ai: AmplitudeAI, sink: MemorySink) -> None:
        with ai.agent("helper").session(track_session_end=False), trace("by hand"):
            span = generation_span(
                input=BY_HAND, model="gpt-4o", model_config={"temperature": 0.5, "max_tokens": 9}
            )
            with span:
                assert types(sink.events) == ["User Message"]
                span.span_data.output = [{"role": "assistant", "content": "Hello."}]
                span.span_data.usage = {"input_tokens": 20, "output_tokens": 7}
        assert graph(sink.events) == ["helper", "  user: Hi", "  answer 20+7 $0.00012: Hello."]
        answer = one(sink.events, "AI Response")
        assert (answer["[Agent] Temperature"], answer["[Agent] Max Output Tokens"]) == (0.5, 9)

    def test_known_at_the_end(self, ai: AmplitudeAI, sink: MemorySink) -> None:
        with ai.agent("helper").session(track_session_end=False), trace("by hand"):
            for words in ("Hi", "And then?"):
                with generation_span(model="gpt-4o") as span:
                    span.span_data.input = [{"role": "user", "content": words}]
                    span.span_data.output = [{"role": "assistant", "content": "Hello."}]
        assert graph(sink.events) == [
            "helper",
            "  user: Hi",
            "  answer estimated: Hello.",
            "  user: And then?",
            "  answer estimated: Hello.",
        ]
        assert one(sink.events[:2], "AI Response")["[Agent] Input Tokens"] > 0
        assert len({event["event_properties"]["[Agent] Trace ID"] for event in sink.events}) == 2

    def test_failed_by_its_own_word(self, sink: MemorySink) -> None:
        with trace("by hand"), generation_span(input=BY_HAND, model="gpt-4o") as span:
            span.set_error({"message": "Overloaded", "data": None})
        answer = one(sink.events, "AI Response")
        assert answer["[Agent] Is Error"] is True
        assert (answer["[Agent] Error Type"], answer["[Agent] Error Message"]) == (
            "ModelBehaviorError",
            "Overloaded",
        )

    def test_failed_with_what_came(self, sink: MemorySink) -> None:
        usage = {"input_tokens": 20, "output_tokens": 7}
        with pytest.raises(TimeoutError), trace("by hand"), generation_span(model="gpt-4o", usage=usage):
            raise TimeoutError
        answer = one(sink.events, "AI Response")
        assert answer["[Agent] Error Type"] == "TimeoutError"
        assert (answer["[Agent] Input Tokens"], answer["[Agent] Output Tokens"]) == (20, 7)


class Own(Model):
    """A model of the program's own, without a span."""

    def __init__(self, model: Model) -> None:
        self._client = model._client  # type: ignore[attr-defined]

    async def get_response(self, *given: Any, **more: Any) -> Any:
        messages = given[1] if given else more["input"]
        answer = await self._client.chat.completions.create(model="gpt-4o", messages=messages)
        text = ResponseOutputText(annotations=[], text=answer.choices[0].message.content, type="output_text")
        message = ResponseOutputMessage(
            id="m", content=[text], role="assistant", status="completed", type="message"
        )
        return ModelResponse(output=[message], usage=Usage(), response_id=None)

    def stream_response(self, *given: Any, **more: Any) -> Any:
        raise NotImplementedError


async def test_a_model_without_a_span_is_seen_by_its_client_alone(
    make: Callable[..., Model], processor: AmplitudeTracingProcessor, ai: AmplitudeAI, sink: MemorySink
) -> None:
    helper = Agent(name="helper", model=Own(make("chat")))
    async with ai.agent().session(track_session_end=False):
        await Runner.run(helper, "echo:One.")
        assert types(sink.events) == ["Span"]
        patch(amplitude=ai)
        try:
            await Runner.run(Agent(name="helper", model=Own(make("chat"))), "echo:Two.")
        finally:
            unpatch()
    assert types(sink.events)[1:] == ["User Message", "AI Response", "Span"]
    assert one(sink.events[1:], "AI Response")["$llm_message"] == {"text": "Two."}
