"""Model calls of LlamaIndex's."""

from __future__ import annotations

import base64
import gc
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.llms import ChatMessage, ImageBlock, MockLLM, TextBlock
from llama_index_instrumentation.dispatcher import instrument_tags
from pydantic import PrivateAttr

from amplitude_ai_integrations import AmplitudeAI, MemorySink, patch, unpatch
from amplitude_ai_integrations.frameworks.llamaindex import AmplitudeLlamaIndexHandler

from ...events import one, told, types
from ...fakes.openai_server import OpenAIServer
from .conftest import Make

pytestmark = pytest.mark.usefixtures("handler")


def said(words: str, role: str = "user") -> ChatMessage:
    return ChatMessage(role=role, content=words)


def test_a_whole_answer(model: Make, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("helper").session("s-llama-1", user_id="u", track_session_end=False):
        model(temperature=0.5).chat([said("Be brief.", "system"), said("think")], temperature=0.5)
    user, answer = told(sink.events)
    common = {"user_id": "u", "Session ID": "s-llama-1", "Agent ID": "helper", "Trace ID": "id-2"}
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
        "System Prompt Length": 9, "Temperature": 0.5, "Model Tier": "standard",
        "Reasoning Content": "Let me think.",
    }  # fmt: skip


@pytest.mark.parametrize("observed", [False, True])
def test_a_stream_read_to_its_end(model: Make, ai: AmplitudeAI, sink: MemorySink, observed: bool) -> None:
    if observed:
        patch(amplitude=ai)
    list(model().stream_chat([said("Hi")]))
    unpatch()
    answer = one(sink.events, "AI Response")
    assert answer["$llm_message"] == {"text": "One two three four."}
    assert answer["[Agent] Is Streaming"] is True
    assert answer["[Agent] Output Tokens"] == 7
    assert answer["[Agent] Finish Reason"] == "stop"
    assert answer["[Agent] TTFB Ms"] <= answer["[Agent] Latency Ms"]


def test_a_stream_that_is_left(model: Make, sink: MemorySink) -> None:
    stream = model().stream_chat([said("Hi")])
    next(piece for piece in stream if piece.delta)
    stream.close()
    answer = one(sink.events, "AI Response")
    assert answer["$llm_message"] == {"text": "One "}
    assert answer["[Agent] Stream Abandoned"] is True
    assert "[Agent] Error Type" not in answer


def test_a_stream_that_nobody_reads(model: Make, sink: MemorySink) -> None:
    model().stream_chat([said("Hi")])
    gc.collect()
    answer = one(sink.events, "AI Response")
    assert answer["[Agent] Stream Abandoned"] is True


def test_a_stream_that_breaks(model: Make, sink: MemorySink) -> None:
    with pytest.raises(openai.APIError, match="broken"):
        list(model().stream_chat([said("fail")]))
    answer = one(sink.events, "AI Response")
    assert answer["[Agent] Is Error"] is True
    assert answer["[Agent] Error Type"] == "APIError"
    assert answer["$llm_message"] == {"text": "One two "}


def test_two_streams_at_once_of_the_same_question(model: Make, sink: MemorySink) -> None:
    first, second = (model(model=name).stream_chat([said("echo:Yes.")]) for name in ("gpt-4o", "gpt-4o"))
    list(second)
    list(first)
    assert types(sink.events) == ["User Message", "User Message", "AI Response", "AI Response"]


def calls() -> Iterator[tuple[str, Any]]:
    """Ways to call a model that LlamaIndex makes of one another."""
    yield "complete", lambda mock: mock.complete("one two")
    yield "chat", lambda mock: mock.chat([said("one two")])
    yield "stream_complete", lambda mock: list(mock.stream_complete("one two"))
    yield "stream_chat", lambda mock: list(mock.stream_chat([said("one two")]))


@pytest.mark.parametrize("call", [call for _name, call in calls()], ids=[name for name, _call in calls()])
def test_one_call_is_told_once(call: Any, sink: MemorySink) -> None:
    call(MockLLM(max_tokens=5))
    assert types(sink.events) == ["User Message", "AI Response"]


async def test_one_asynchronous_call_is_told_once(sink: MemorySink) -> None:
    mock = MockLLM(max_tokens=5)
    await mock.acomplete("one two")
    await mock.achat([said("one two")])
    _ = [piece async for piece in await mock.astream_chat([said("one two")])]
    _ = [piece async for piece in await mock.astream_complete("one two")]
    assert types(sink.events) == ["User Message", "AI Response"] * 4


def test_what_is_attached(sink: MemorySink) -> None:
    blocks = [TextBlock(text="What is this?"), ImageBlock(image=b"\x89PNG\r\n\x1a\n" + bytes(8))]
    MockLLM(max_tokens=2).chat([ChatMessage(role="user", blocks=blocks)])
    user = one(sink.events, "User Message")
    assert user["$llm_message"] == {"text": "What is this?"}
    assert '"size_bytes":16' in user["[Agent] Attachments"]
    assert base64.b64encode(b"\x89PNG").decode()[:4] not in user["[Agent] Attachments"]


@pytest.mark.parametrize("words", ["error500", "error429"])
def test_a_call_that_fails(model: Make, sink: MemorySink, words: str) -> None:
    with pytest.raises(openai.APIStatusError):
        model().chat([said(words)])
    answer = one(sink.events, "AI Response")
    assert answer["[Agent] Is Error"] is True
    assert words in answer["[Agent] Error Message"]


def test_tags_say_whose_call_it_is(
    handler: AmplitudeLlamaIndexHandler, ai: AmplitudeAI, sink: MemorySink, model: Make
) -> None:
    handler.close()
    with AmplitudeLlamaIndexHandler(ai), instrument_tags({"user_id": "ann", "session_id": "s-tags"}):
        model().chat([said("Hi")])
    assert {event["user_id"] for event in sink.events} == {"ann"}
    assert {event["event_properties"]["[Agent] Session ID"] for event in sink.events} == {"s-tags"}


def test_two_handlers_tell_of_a_call_once(ai: AmplitudeAI, sink: MemorySink, model: Make) -> None:
    with AmplitudeLlamaIndexHandler(ai):
        model().chat([said("Hi")])
    assert types(sink.events) == ["User Message", "AI Response"]


class Embedder(BaseEmbedding):
    """Embeds with OpenAI's client."""

    _client: openai.OpenAI = PrivateAttr()
    _async_client: openai.AsyncOpenAI = PrivateAttr()

    def __init__(self, url: str, **fields: Any) -> None:
        super().__init__(model_name="text-embedding-3-small", **fields)
        self._client = openai.OpenAI(api_key="k", base_url=url)
        self._async_client = openai.AsyncOpenAI(api_key="k", base_url=url)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embeddings([query])[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        answer = self._client.embeddings.create(model=self.model_name, input=texts)
        return [answer.data[0].embedding for _text in texts]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return (await self._aget_text_embeddings([query]))[0]

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        answer = await self._async_client.embeddings.create(model=self.model_name, input=texts)
        return [answer.data[0].embedding for _text in texts]


@pytest.mark.parametrize("observed", [False, True])
def test_a_query_is_embedded(fake: OpenAIServer, ai: AmplitudeAI, sink: MemorySink, observed: bool) -> None:
    if observed:
        patch(amplitude=ai)
    embedder = Embedder(fake.url)
    embedder.get_query_embedding("What is retention?")
    embedder._client.close()
    unpatch()
    embedding = one(sink.events, "Embedding")
    assert embedding["[Agent] Model Name"] == "text-embedding-3-small"
    assert embedding["[Agent] Provider"] == "openai"
    assert embedding["[Agent] Embedding Dimensions"] == 3
    assert embedding.get("[Agent] Input Tokens") == (5 if observed else None)


async def test_texts_embedded_in_several_requests_are_one_embedding(
    fake: OpenAIServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    fake.release()
    patch(amplitude=ai)
    embedder = Embedder(fake.url, embed_batch_size=1)
    await embedder.aget_text_embedding_batch(["One", "Two", "Three"])
    await embedder._async_client.close()
    unpatch()
    assert len(fake.requests) == 3
    assert one(sink.events, "Embedding")["[Agent] Input Tokens"] == 15
