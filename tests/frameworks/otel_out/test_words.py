"""What spans say: today's GenAI conventions, whole, and nothing that the event does not hold."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, observe
from amplitude_ai_integrations.frameworks.otel_sink import AmplitudeSpanSink
from amplitude_ai_integrations.schema.names import wire_name

from ...fakes.otlp_server import OTLPServer, ReceivedSpan

_AROUND = {
    "gen_ai.conversation.id": "s-1",
    "session.id": "s-1",
    "user.id": "user-1",
    "gen_ai.agent.id": "bot",
    "gen_ai.agent.name": "Bot",
    "gen_ai.agent.description": "Helps.",
    "gen_ai.agent.version": "2.0",
    "amplitude.content_mode": "full",
    "amplitude.trace_id": "t-1",
}


def _track(ai: AmplitudeAI) -> str:
    agent = ai.agent("bot", agent_name="Bot", description="Helps.", agent_version="2.0", trace_id="t-1")
    with agent.session("s-1", user_id="user-1") as session:
        session.track_user_message("Weather?", message_id="m-0")
        answer = session.track_ai_message(
            "I look.",
            "gpt-4o",
            "google",
            1_500.0,
            message_id="m-1",
            input_tokens=100,
            output_tokens=20,
            reasoning_tokens=5,
            cache_read_tokens=40,
            cache_creation_tokens=10,
            total_cost_usd=0.25,
            finish_reason="tool_calls",
            ttfb_ms=250.0,
            temperature=0.5,
            top_p=0.9,
            max_output_tokens=64,
            is_streaming=True,
            provider_request_id="resp-1",
            system_prompt="Be brief.",
            reasoning_content="Where?",
            tool_calls=[
                {"type": "function", "id": "c-1", "function": {"name": "w", "arguments": '{"city":"Paris"}'}}
            ],
            tool_definitions=[{"name": "w", "description": "Weather."}],
            event_properties={"plan": "pro"},
        )
        session.track_tool_call(
            "w",
            20.0,
            False,
            invocation_id="i-1",
            tool_type="function",
            input={"city": "Paris"},
            output={"sky": "blue"},
            error_message="No sky.",
            error_type="SkyError",
            stack_trace="line 1",
        )
        session.track_embedding("e-3", "mistral", 3.0, span_id="e-1", input_tokens=7, dimensions=3)
        session.track_span("search", 2.0, span_id="p-1", input_state={"q": 1}, output_state={"n": 2})
    ai.flush(5)
    return answer


def test_a_model_call(ai: AmplitudeAI, collector: OTLPServer) -> None:
    _track(ai)
    span = collector.named("chat gpt-4o")
    assert (span.kind, span.status, span.scope) == ("CLIENT", "UNSET", "amplitude_ai_integrations")
    assert span.ended - span.started == 1_500_000_000
    assert span.resource["telemetry.sdk.language"] == "python"
    said = {name: span.json(name) for name in ("gen_ai.input.messages", "gen_ai.output.messages")}
    assert said == {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}],
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Where?"},
                    {"type": "text", "content": "I look."},
                    {"type": "tool_call", "id": "c-1", "name": "w", "arguments": {"city": "Paris"}},
                ],
                "finish_reason": "tool_calls",
            }
        ],
    }
    rest = _without(span, *said, "amplitude.tool_definitions_hash", "amplitude.turn_id")
    assert rest == {
        **_AROUND,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.stream": True,
        "gen_ai.response.id": "resp-1",
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.response.finish_reasons": ["tool_calls"],
        "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]',
        "gen_ai.tool.definitions": '[{"type":"function","name":"w","description":"Weather."}]',
        "amplitude.cost_usd": 0.25,
        "amplitude.event_properties.plan": "pro",
        "amplitude.has_reasoning": True,
        "amplitude.message_id": "m-1",
        "amplitude.model_tier": "standard",
        "amplitude.system_prompt_length": 9,
        "amplitude.tool_definitions_count": 1,
        "amplitude.total_tokens": 120,
    }


def test_a_tool_that_fails(ai: AmplitudeAI, collector: OTLPServer) -> None:
    _track(ai)
    span = collector.named("execute_tool w")
    assert (span.kind, span.status, span.message) == ("INTERNAL", "ERROR", "No sky.")
    assert span.events == [
        (
            "exception",
            {
                "exception.type": "SkyError",
                "exception.message": "No sky.",
                "exception.stacktrace": "line 1",
            },
        )
    ]
    assert _without(span, "amplitude.turn_id") == {
        **_AROUND,
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "w",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "i-1",
        "gen_ai.tool.call.arguments": '{"city":"Paris"}',
        "gen_ai.tool.call.result": '{"sky":"blue"}',
        "error.type": "SkyError",
        "amplitude.parent_message_id": "m-1",
        "amplitude.tool_success": False,
    }


def test_an_embedding_a_step_and_the_exchange(ai: AmplitudeAI, collector: OTLPServer) -> None:
    _track(ai)
    assert collector.named("embeddings e-3").attributes == {
        **_AROUND,
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "e-3",
        "gen_ai.response.model": "e-3",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.embeddings.dimension.count": 3,
        "amplitude.span_id": "e-1",
    }
    assert collector.named("search").attributes == {
        **_AROUND,
        "openinference.span.kind": "CHAIN",
        "input.value": '{"q":1}',
        "output.value": '{"n":2}',
        "amplitude.span_id": "p-1",
        "amplitude.span_name": "search",
    }
    derived = {**_AROUND, "amplitude.derived": True}
    del derived["amplitude.content_mode"]
    assert collector.named("exchange").attributes == derived
    operation = {"gen_ai.operation.name": "invoke_agent"}
    assert collector.named("invoke_agent Bot").attributes == {**derived, **operation}


def test_an_agents_run_says_what_was_asked_and_answered(ai: AmplitudeAI, collector: OTLPServer) -> None:
    @observe(type="agent", name="helper")
    def helper(question: str) -> str:
        return "It is blue."

    with ai.agent("bot").session("s-1", user_id="user-1"):
        helper("Which?")
    ai.flush(5)
    span = collector.named("invoke_agent helper")
    assert span.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert span.attributes["gen_ai.agent.id"] == "helper"
    assert span.json("gen_ai.output.messages")[0]["parts"] == [{"type": "text", "content": "It is blue."}]
    assert span.json("gen_ai.input.messages")[0]["parts"][0]["content"] == '{"question":"Which?"}'


def test_a_question_nobody_answered_is_the_exchanges(ai: AmplitudeAI, collector: OTLPServer) -> None:
    with ai.agent("bot").session("s-1", user_id="user-1") as session:
        session.track_user_message("Anybody?")
    ai.flush(5)
    (said,) = collector.named("exchange").json("gen_ai.input.messages")
    assert said == {"role": "user", "parts": [{"type": "text", "content": "Anybody?"}]}


def test_what_only_was_stopped_did_not_fail(ai: AmplitudeAI, collector: OTLPServer) -> None:
    ai.track_tool_call("user-1", "w", 1.0, False, session_id="s", is_error=False, error_type="CancelledError")
    ai.flush(5)
    span = collector.named("execute_tool w")
    assert span.status == "UNSET"
    assert "error.type" not in span.attributes
    assert span.attributes["amplitude.error_type"] == "CancelledError"


def test_long_text_is_whole_and_large_numbers_pass(ai: AmplitudeAI, collector: OTLPServer) -> None:
    text = "word " * 60_000
    ai.track_ai_message(
        "user-1",
        text,
        "s-1",
        "gpt-4o",
        "openai",
        event_properties={"big": 2**63, "list": [1, "a"], "words": ["a"]},
    )
    ai.flush(5)
    span = collector.named("chat gpt-4o")
    assert span.json("gen_ai.output.messages")[0]["parts"][0]["content"] == text
    assert span.attributes["amplitude.event_properties.big"] == float(2**63)
    assert span.attributes["amplitude.event_properties.list"] == '[1,"a"]'
    assert span.attributes["amplitude.event_properties.words"] == ["a"]


def test_without_text_none_leaves(sink: MemorySink, spans: AmplitudeSpanSink, collector: OTLPServer) -> None:
    ai = AmplitudeAI(config=AIConfig(content_mode="metadata_only"), sink=sink, also=spans)
    canary = "canary-7f3a"
    with ai.agent("bot", context={"a": canary}).session("s-1", user_id="user-1", tags=[canary]) as session:
        session.track_user_message(canary)
        answer = session.track_ai_message(
            canary,
            "gpt-4o",
            "openai",
            system_prompt=canary,
            reasoning_content=canary,
            tool_calls=[
                {"type": "function", "id": "1", "function": {"name": "w", "arguments": f'"{canary}"'}}
            ],
            tool_definitions=[{"name": "w", "description": canary}],
            error_message=canary,
            is_error=True,
            stack_trace=canary,
            event_properties={"mine": canary},
        )
        session.track_tool_call("w", 1.0, False, input=canary, output=canary, error_message=canary)
        session.track_span("step", 1.0, input_state={"a": canary}, output_state={"b": canary})
        session.score("good", 1.0, answer, comment=canary)
    ai.flush(5)
    assert len(collector.spans) == 6
    assert canary not in repr(collector.spans)


@pytest.mark.parametrize("value", [None, 3, "x", [1], {"text": None}, {}])
def test_whatever_a_hook_makes_of_an_event_passes(
    value: Any, sink: MemorySink, spans: AmplitudeSpanSink, collector: OTLPServer
) -> None:
    def spoil(event: dict[str, Any]) -> dict[str, Any]:
        names = (
            "llm_message",
            "latency_ms",
            "finish_reason",
            "tool_calls",
            "provider",
            "is_error",
            "agent_id",
        )
        event["event_properties"].update({wire_name(name): value for name in names})
        return event

    ai = AmplitudeAI(config=AIConfig(before_send=spoil), sink=sink, also=spans)
    with ai.agent("bot").session("s-1", user_id="user-1") as session:
        session.track_user_message("Hi")
        session.track_ai_message("Hi", "gpt-4o", "openai")
    ai.flush(5)
    assert "chat gpt-4o" in [span.name for span in collector.spans]


def _without(span: ReceivedSpan, *names: str) -> dict[str, Any]:
    return {name: value for name, value in span.attributes.items() if name not in names}
