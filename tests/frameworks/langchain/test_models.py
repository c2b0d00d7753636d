"""Model calls of LangChain's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import FakeListLLM
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from amplitude_ai_integrations import AmplitudeAI, MemorySink, PrivacyConfig
from amplitude_ai_integrations.frameworks.langchain import AmplitudeCallbackHandler, create_amplitude_callback

from ...events import one, told, types
from ...fakes.anthropic_server import AnthropicServer
from ...fakes.openai_server import OpenAIServer

Make = Callable[..., ChatOpenAI]


def test_a_whole_answer(
    model: Make, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    messages = [SystemMessage("Be brief."), HumanMessage("think")]
    with ai.agent("helper").session("s-models-1", user_id="u", track_session_end=False):
        model(temperature=0.5, max_completion_tokens=9).invoke(messages, {"callbacks": [handler]})
    user, answer = told(sink.events)
    common = {"user_id": "u", "Session ID": "s-models-1", "Agent ID": "helper", "Trace ID": "id-2"}
    assert user == {
        **common, "type": "User Message", "Message ID": "id-1", "Component Type": "user_input",
        "$llm_message": {"text": "think"}, "Message Source": "user", "Turn ID": 1,
    }  # fmt: skip
    assert answer.pop("Latency Ms") > 0
    assert answer == {
        **common, "type": "AI Response", "Message ID": "id-3", "Component Type": "llm", "Turn ID": 2,
        "$llm_message": {"text": "One two three four."}, "Provider": "openai", "Model Name": "gpt-4o",
        "Is Error": False, "Is Streaming": False, "Input Tokens": 20, "Output Tokens": 7, "Total Tokens": 27,
        "Cache Read Tokens": 8, "Reasoning Tokens": 3, "Has Reasoning": True, "Cost USD": 0.00011,
        "Finish Reason": "stop", "Provider Request ID": "chatcmpl-1", "System Prompt": "Be brief.",
        "System Prompt Length": 9, "Temperature": 0.5, "Max Output Tokens": 9, "Model Tier": "standard",
    }  # fmt: skip


def test_a_stream_read_to_its_end(model: Make, handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    list(model(stream_usage=True).stream("Hi", {"callbacks": [handler]}))
    answer = one(sink.events, "AI Response")
    assert answer["$llm_message"] == {"text": "One two three four."}
    assert answer["[Agent] Is Streaming"] is True
    assert answer["[Agent] Output Tokens"] == 7
    assert answer["[Agent] TTFB Ms"] <= answer["[Agent] Latency Ms"]


def test_a_stream_whose_usage_is_not_told_is_estimated(
    model: Make, handler: AmplitudeCallbackHandler, sink: MemorySink
) -> None:
    list(model(stream_usage=False).stream("Hi", {"callbacks": [handler]}))
    answer = one(sink.events, "AI Response")
    assert answer["[Agent] Usage Estimated"] is True
    assert answer["[Agent] Output Tokens"] > 0


def test_a_stream_that_is_left(model: Make, handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    for piece in model().stream("Hi", {"callbacks": [handler]}):
        if piece.text:
            break
    answer = one(sink.events, "AI Response")
    assert answer["[Agent] Stream Abandoned"] is True
    assert answer["$llm_message"]["text"] in "One two three four."
    assert answer["[Agent] Is Error"] is False


def test_a_call_that_fails(model: Make, handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    with pytest.raises(Exception, match="refused: error500"):
        model().invoke("error500", {"callbacks": [handler]})
    answer = one(sink.events, "AI Response")
    assert answer["[Agent] Is Error"] is True
    assert answer["[Agent] Error Type"] == "OpenAIAPIError"
    assert answer["[Agent] Error Source"] == "provider"


def test_a_batch_is_as_many_calls(model: Make, handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    model().batch(["echo:One", "echo:Two"], {"callbacks": [handler]})
    texts = {event["$llm_message"]["text"] for event in told(sink.events) if event["type"] == "AI Response"}
    assert texts == {"One", "Two"}
    assert sorted(types(sink.events)) == ["AI Response", "AI Response", "User Message", "User Message"]


def test_tools_offered_and_asked_for(
    model: Make, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    @tool
    def get_weather(city: str) -> str:
        """Tell the weather."""
        return "Sunny"

    bound = model().bind_tools([get_weather])
    with ai.agent().session(track_session_end=False):
        asked = bound.invoke("tool", {"callbacks": [handler]})
        result = get_weather.invoke(asked.tool_calls[0], {"callbacks": [handler]})
        bound.invoke([HumanMessage("tool"), asked, result], {"callbacks": [handler]})
    user, asking, ran, answer = told(sink.events)
    assert json.loads(asking["Tool Definitions"])[0]["name"] == "get_weather"
    assert json.loads(asking["Tool Calls"]) == [
        {
            "type": "function",
            "id": "call_1",
            "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
        }
    ]
    assert asking["Finish Reason"] == "tool_calls"
    assert (ran["type"], ran["Tool Input"], ran["Tool Output"]) == ("Tool Call", '{"city":"Paris"}', "Sunny")
    assert ran["Parent Message ID"] == asking["Message ID"]
    assert (user["type"], answer["type"]) == ("User Message", "AI Response")


def test_results_that_only_messages_tell_of(
    model: Make, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    call = {"name": "search", "args": {"q": "x"}, "id": "c-1", "type": "tool_call"}
    history = [
        HumanMessage("Find x"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("found", tool_call_id="c-1"),
    ]
    with ai.agent().session(track_session_end=False):
        model().invoke(history, {"callbacks": [handler]})
    ran = one(sink.events, "Tool Call")
    assert (ran["[Agent] Tool Name"], ran["[Agent] Tool Output"]) == ("search", "found")
    assert types(sink.events) == ["Tool Call", "AI Response"]


def test_pictures_are_attachments(model: Make, handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    picture = {"type": "image", "base64": "aGVsbG8=", "mime_type": "image/png"}
    message = HumanMessage([{"type": "text", "text": "What is this?"}, picture])
    model().invoke([message], {"callbacks": [handler]})
    user = one(sink.events, "User Message")
    assert user["$llm_message"] == {"text": "What is this?"}
    assert user["[Agent] Attachment Count"] == 1
    assert "aGVsbG8" not in str(sink.events)


def test_structured_output_is_one_call(
    model: Make, handler: AmplitudeCallbackHandler, sink: MemorySink
) -> None:
    class City(BaseModel):
        city: str

    bound = model().with_structured_output(City)
    assert bound.invoke('echo:{"city":"Paris"}', {"callbacks": [handler]}) == City(city="Paris")
    assert types(sink.events) == ["User Message", "AI Response", "Span", "Session End"]
    assert one(sink.events, "AI Response")["$llm_message"] == {"text": '{"city":"Paris"}'}


def test_a_model_that_completes_texts(handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    FakeListLLM(responses=["Hello."]).invoke("Say hello", {"callbacks": [handler]})
    assert [event["$llm_message"]["text"] for event in told(sink.events)] == ["Say hello", "Hello."]


def test_anthropics_models(handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    fake = AnthropicServer()
    model = ChatAnthropic(model="claude-haiku-4-5", api_key="k", base_url=fake.address, max_retries=0)
    model.invoke("think", {"callbacks": [handler]})
    list(model.stream("Hi", {"callbacks": [handler]}))
    fake.stop()
    whole, streamed = (event for event in told(sink.events) if event["type"] == "AI Response")
    counted = ("Input Tokens", "Output Tokens", "Cache Read Tokens", "Cache Creation Tokens")
    assert [whole[name] for name in counted] == [20, 7, 8, 4]
    assert streamed["Output Tokens"] == 7
    assert whole["Provider"] == "anthropic"
    assert whole["Reasoning Content"] == "Let me think."
    assert whole["Finish Reason"] == "end_turn"


def test_embeddings_have_no_callbacks_but_an_observed_client(
    fake: OpenAIServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    from amplitude_ai_integrations import patch, unpatch

    patch(amplitude=ai)
    try:
        url = f"{fake.address}/v1"
        OpenAIEmbeddings(model="text-embedding-3-small", api_key="k", base_url=url,
                         check_embedding_ctx_length=False).embed_query("words")  # fmt: skip
    finally:
        unpatch()
    assert types(sink.events) == ["Embedding"]


class TestMaking:
    def test_by_the_function(self, ai: AmplitudeAI, sink: MemorySink, model: Make) -> None:
        handler = create_amplitude_callback(amplitude=ai, user_id="user-2", conversation_id="talk-1")
        model().invoke("Hi", {"callbacks": [handler]})
        assert {(event["user_id"], event["Session ID"]) for event in told(sink.events)} == {
            ("user-2", "talk-1")
        }

    def test_privacy(self, ai: AmplitudeAI, sink: MemorySink, model: Make) -> None:
        for option in (
            {"privacy_config": PrivacyConfig(privacy_mode=True)},
            {"content_mode": "metadata_only"},
        ):
            handler = create_amplitude_callback(amplitude=ai, **option)
            model().invoke("echo:canary", {"callbacks": [handler]})
        assert len(sink.events) == 4
        assert "canary" not in str(sink.events)


@pytest.mark.parametrize("messages", [[], ["not a message"], [None]])
def test_what_is_no_message_harms_nobody(
    handler: AmplitudeCallbackHandler, sink: MemorySink, messages: Any, swallowing: None
) -> None:
    from uuid import uuid4

    run = uuid4()
    handler.on_chat_model_start(None, [messages], run_id=run)
    handler.on_llm_end(None, run_id=run)
