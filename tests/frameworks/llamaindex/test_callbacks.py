"""The handler as one of LlamaIndex's older callback handlers, alone and beside the dispatcher."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms import ChatMessage, MockLLM
from llama_index.core.tools import ToolMetadata

from amplitude_ai_integrations import AmplitudeAI, MemorySink, patch, unpatch
from amplitude_ai_integrations.frameworks.llamaindex import AmplitudeLlamaIndexHandler

from ...events import one, types
from ..contract.graph import graph
from .conftest import Make

ANSWER = "  answer 20+7 $0.00011"


@pytest.fixture
def called(ai: AmplitudeAI, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A handler that all components are given."""
    handler = AmplitudeLlamaIndexHandler(ai, user_id="user-1")
    monkeypatch.setattr(Settings, "_callback_manager", CallbackManager([handler]))
    yield handler
    assert len(handler._spans._told._watching.tree) == 0
    assert not handler._callbacks._runs._entries


def said(words: str) -> list[ChatMessage]:
    return [ChatMessage(role="user", content=words)]


def engine(model: Make, **options: Any) -> Any:
    manager = Settings.callback_manager
    embedder = MockEmbedding(embed_dim=4, callback_manager=manager)
    index = VectorStoreIndex.from_documents([Document(text="Retention.")], embed_model=embedder)
    return index.as_query_engine(llm=model(callback_manager=manager), **options)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_query(called: Any, model: Make, sink: MemorySink, streaming: bool) -> None:
    response = engine(model, streaming=streaming).query("echo:Coming back.")
    assert str(response).startswith("Coming back.")
    assert types(sink.events[1:]) == [
        "Embedding", "Span", "User Message", "AI Response", "Span", "Span", "Session End"
    ]  # fmt: skip
    assert [line for line in graph(sink.events) if line.startswith("span")] == [
        "span query by None", "span retrieve by None in query", "span synthesize by None in query"
    ]  # fmt: skip
    answer = one(sink.events, "AI Response")
    assert answer["[Agent] Output Tokens"] == 7
    assert answer["[Agent] Is Streaming"] is streaming


def test_a_query_that_fails(called: Any, model: Make, sink: MemorySink) -> None:
    with pytest.raises(openai.InternalServerError):
        engine(model).query("error500")
    assert [line for line in graph(sink.events) if "failed" in line] == [
        "  answer None+None $None:  failed",
        "span query by None failed",
        "span synthesize by None in query failed",
    ]


def test_told_both_ways_it_is_one_event(called: Any, model: Make, sink: MemorySink) -> None:
    with called:
        engine(model).query("echo:Coming back.")
    assert types(sink.events[1:]) == [
        "Embedding", "Span", "User Message", "AI Response", "Span", "Span", "Session End"
    ]  # fmt: skip
    assert "span RetrieverQueryEngine by None" in graph(sink.events)


def test_a_call_that_is_observed_too_is_one_event(
    called: Any, model: Make, ai: AmplitudeAI, sink: MemorySink
) -> None:
    patch(amplitude=ai)
    model(callback_manager=Settings.callback_manager).chat(said("echo:Hi."))
    unpatch()
    assert types(sink.events) == ["User Message", "AI Response"]


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside the dispatcher"])
async def test_one_call_is_told_once(called: Any, sink: MemorySink, beside: bool) -> None:
    if beside:
        called.register()
    mock = MockLLM(max_tokens=5, callback_manager=Settings.callback_manager)
    mock.chat(said("one two"))
    await mock.achat(said("one two"))
    list(mock.stream_chat(said("one two")))
    _ = [piece async for piece in await mock.astream_chat(said("one two"))]
    called.close()
    assert types(sink.events) == ["User Message", "AI Response"] * 4


def test_a_stream_that_is_left(called: Any, sink: MemorySink) -> None:
    stream = MockLLM(max_tokens=5, callback_manager=Settings.callback_manager).stream_chat(said("one two"))
    next(stream)
    stream.close()
    answer = one(sink.events, "AI Response")
    assert answer["[Agent] Stream Abandoned"] is True


def test_what_only_the_callback_manager_tells(called: Any, sink: MemorySink) -> None:
    """A model of the program's own may tell of its calls itself, and not the dispatcher."""
    manager = Settings.callback_manager
    with called:
        asked = {EventPayload.MESSAGES: said("Hi"), EventPayload.SERIALIZED: {"model": "gpt-4o"}}
        with manager.event(CBEventType.LLM, payload=asked) as event:
            event.on_end(payload={EventPayload.RESPONSE: "Hello."})
    assert one(sink.events, "AI Response")["[Agent] Model Name"] == "gpt-4o"


def test_a_function_call(called: Any, sink: MemorySink) -> None:
    tool = ToolMetadata(name="get_weather", description="Tells the weather.")
    asked = {EventPayload.FUNCTION_CALL: '{"city":"Rome"}', EventPayload.TOOL: tool}
    with Settings.callback_manager.event(CBEventType.FUNCTION_CALL, payload=asked) as event:
        event.on_end(payload={EventPayload.FUNCTION_OUTPUT: "Sunny."})
    told = one(sink.events, "Tool Call")
    assert told["[Agent] Tool Name"] == "get_weather"
    assert told["[Agent] Tool Input"] == '{"city":"Rome"}'
    assert told["[Agent] Tool Output"] == "Sunny."
