"""Query engines, chat engines, retrievers, rerankers, and workflows of the user's own."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.response.schema import StreamingResponse
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.postprocessor import LLMRerank
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from ...events import types
from ..contract.graph import graph
from .chat_model import ChatModel
from .conftest import Make
from .making import made

pytestmark = pytest.mark.usefixtures("handler")

ASKED = "echo:Coming back."
ANSWER = "  answer 20+7 $0.00011"
SPANS = [
    "span CompactAndRefine by None in RetrieverQueryEngine",
    "span RetrieverQueryEngine by None",
    "span VectorIndexRetriever by None in RetrieverQueryEngine",
]


@pytest.fixture
def index(sink: MemorySink) -> VectorStoreIndex:
    documents = [Document(text="Retention is coming back.", metadata={"page": 1})]
    index = VectorStoreIndex.from_documents(documents, embed_model=MockEmbedding(embed_dim=4))
    sink.events.clear()
    return index


def state(sink: MemorySink, span: str, which: str) -> Any:
    """Return what a span was given, or came to."""
    (found,) = [
        event["event_properties"]
        for event in sink.events
        if event["event_properties"].get("[Agent] Span Name") == span
    ]
    return json.loads(found[f"[Agent] {which} State"])


def chat_engine(llm: ChatModel) -> SimpleChatEngine:
    """Make a chat engine that keeps its messages in no database."""
    return SimpleChatEngine.from_defaults(llm=llm, memory=ChatMemoryBuffer.from_defaults(llm=llm))


def test_a_query(index: VectorStoreIndex, model: Make, sink: MemorySink) -> None:
    answer = str(index.as_query_engine(llm=model()).query(ASKED))
    assert types(sink.events) == [
        "Embedding", "Span", "User Message", "AI Response", "Span", "Span", "Session End"
    ]  # fmt: skip
    assert [line for line in graph(sink.events) if line.startswith("span")] == SPANS
    assert state(sink, "RetrieverQueryEngine", "Input") == {"value": ASKED}
    assert state(sink, "RetrieverQueryEngine", "Output") == {"value": answer}
    assert state(sink, "VectorIndexRetriever", "Output") == {
        "documents": [{"content": "Retention is coming back.", "metadata": {"page": 1}, "score": 1.0}]
    }


async def test_a_query_that_is_streamed_lasts_until_it_is_read(
    index: VectorStoreIndex, llm: ChatModel, sink: MemorySink
) -> None:
    response: Any = await index.as_query_engine(llm=llm, streaming=True).aquery(ASKED)
    assert types(sink.events) == ["Embedding", "Span"]
    text = "".join([token async for token in response.async_response_gen()])
    assert text.startswith("Coming back.")
    assert [line for line in graph(sink.events) if line.startswith("span")] == SPANS
    assert types(sink.events)[-1] == "Session End"
    assert state(sink, "RetrieverQueryEngine", "Output") == {"value": text}


def test_streams_read_at_once_do_not_mix(
    index: VectorStoreIndex, model: Make, ai: AmplitudeAI, sink: MemorySink
) -> None:
    engine = index.as_query_engine(llm=model(), streaming=True)
    responses: list[Any] = []
    for name in ("One", "Two"):
        with ai.agent().session(f"s-{name}", user_id="u", track_session_end=False):
            responses.append(engine.query(f"echo:{name}."))
    for tokens in zip(*(response.response_gen for response in responses), strict=False):
        assert len(tokens) == 2
    for response in responses:
        list(response.response_gen)
    for name in ("One", "Two"):
        own = [
            event["event_properties"]
            for event in sink.events
            if event["event_properties"]["[Agent] Session ID"] == f"s-{name}"
        ]
        assert len(own) == 6
        assert [name in event["$llm_message"]["text"] for event in own if "$llm_message" in event] == [
            True
        ] * 2


def test_a_query_whose_answer_nobody_reads(index: VectorStoreIndex, model: Make, sink: MemorySink) -> None:
    index.as_query_engine(llm=model(), streaming=True).query(ASKED)
    assert [line for line in graph(sink.events) if line.startswith("span")] == SPANS
    assert types(sink.events)[-1] == "Session End"


class Hasty(CustomQueryEngine):
    """Reads its answer before it returns it."""

    llm: Any = None

    def custom_query(self, query_str: str) -> Any:
        stream = self.llm.stream_chat([ChatMessage(role="user", content=query_str)])
        list(stream)
        return StreamingResponse(response_gen=stream)


def test_a_query_whose_answer_was_read_before_it_returns(model: Make, sink: MemorySink) -> None:
    response = Hasty(llm=model()).query("echo:Hi.")
    assert types(sink.events) == ["User Message", "AI Response", "Span", "Session End"]
    del response


def test_a_query_that_fails(index: VectorStoreIndex, model: Make, sink: MemorySink) -> None:
    with pytest.raises(openai.InternalServerError):
        index.as_query_engine(llm=model()).query("error500")
    assert [line for line in graph(sink.events) if "failed" in line] == [
        "  answer None+None $None:  failed",
        "span CompactAndRefine by None in RetrieverQueryEngine failed",
        "span RetrieverQueryEngine by None failed",
    ]


def test_a_chat(model: Make, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("guide").session(user_id="u", track_session_end=False):
        chat_engine(model()).chat("echo:Hello.")
    assert graph(sink.events) == [
        "guide", "  user: echo:Hello.", f"{ANSWER}: Hello.", "span SimpleChatEngine by guide"
    ]  # fmt: skip


def test_a_chat_that_is_streamed(model: Make, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("guide").session(user_id="u", track_session_end=False):
        response = chat_engine(model()).stream_chat("echo:Hello.")
        assert "".join(response.response_gen) == "Hello."
    assert graph(sink.events) == [
        "guide",
        "  user: echo:Hello.",
        f"{ANSWER} streamed first token: Hello.",
        "span SimpleChatEngine by guide",
    ]
    assert state(sink, "SimpleChatEngine", "Output") == {"value": "Hello."}


async def test_a_chat_that_is_streamed_asynchronously(
    llm: ChatModel, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async with ai.agent("guide").session(user_id="u", track_session_end=False):
        response = await chat_engine(llm).astream_chat("echo:Hello.")
        assert "".join([token async for token in response.async_response_gen()]) == "Hello."
    assert graph(sink.events)[-2:] == [
        f"{ANSWER} streamed first token: Hello.", "span SimpleChatEngine by guide"
    ]  # fmt: skip


def test_a_reranker(model: Make, sink: MemorySink) -> None:
    nodes = [NodeWithScore(node=TextNode(text=text), score=0.1) for text in ("One", "Two")]
    rerank = LLMRerank(llm=model(), top_n=1, parse_choice_select_answer_fn=lambda *_given: ([2], [9.0]))
    rerank.postprocess_nodes(nodes, query_str="Which?")
    assert types(sink.events) == ["User Message", "AI Response", "Span", "Session End"]
    assert state(sink, "LLMRerank", "Input") == {"value": "Which?"}
    assert state(sink, "LLMRerank", "Output") == {
        "documents": [{"content": "Two", "metadata": {}, "score": 9.0}]
    }


class Greeting(Event):
    """What the first step of a flow makes."""

    words: str


class Flow(Workflow):
    """A workflow of a program's own."""

    llm: Any = None

    @step
    async def greet(self, event: StartEvent) -> Greeting:
        answer = await self.llm.achat([ChatMessage(role="user", content=f"echo:Hello {event.name}")])
        return Greeting(words=answer.message.content)

    @step
    def shout(self, event: Greeting) -> StopEvent:
        return StopEvent(result=event.words.upper())


async def test_a_workflow(llm: ChatModel, ai: AmplitudeAI, sink: MemorySink) -> None:
    flow = made(Flow)
    flow.llm = llm
    async with ai.agent("guide").session(user_id="u", track_session_end=False):
        assert await flow.run(name="Ann") == "HELLO ANN"
    assert graph(sink.events) == [
        "guide",
        "  user: echo:Hello Ann",
        f"{ANSWER}: Hello Ann",
        "span Flow by guide",
        "span greet by guide in Flow",
        "span shout by guide in Flow",
    ]
    assert state(sink, "Flow", "Input") == {"name": "Ann"}
    assert state(sink, "Flow", "Output") == {"value": "HELLO ANN"}
