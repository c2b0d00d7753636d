"""Chains, agents, graphs and retrievers of LangChain's and LangGraph's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from operator import add
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.frameworks.langchain import AmplitudeCallbackHandler

from ...events import told
from ..contract.graph import graph

Make = Callable[..., ChatOpenAI]


class State(TypedDict):
    said: Annotated[list[str], add]


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query: str, **_given: Any) -> list[Document]:
        if query == "fail":
            raise OSError("no shelf")
        return [Document("Retention is...", metadata={"page": 3})]


def spans(sink: MemorySink) -> list[dict[str, Any]]:
    return [event for event in told(sink.events) if event["type"] == "Span"]


def test_a_chain_is_one_span(model: Make, handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    chain = ChatPromptTemplate.from_template("echo:{x}") | model() | StrOutputParser()
    assert chain.invoke({"x": "yes"}, {"callbacks": [handler]}) == "yes"
    (span,) = spans(sink)
    assert span["Span Name"] == "RunnableSequence"
    assert (span["Input State"], span["Output State"]) == ('{"x":"yes"}', '{"value":"yes"}')
    assert graph(sink.events)[:3] == ["None", "  user: echo:yes", "  answer 20+7 $0.00011: yes"]


def test_a_retriever_shows_its_documents(handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    Shelf().invoke("retention", {"callbacks": [handler]})
    (span,) = spans(sink)
    assert span["Span Name"] == "Shelf"
    assert span["Input State"] == '{"query":"retention"}'
    assert span["Output State"] == '{"documents":[{"content":"Retention is...","metadata":{"page":3}}]}'


def test_a_retriever_that_fails(handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    with pytest.raises(OSError, match="no shelf"):
        Shelf().invoke("fail", {"callbacks": [handler]})
    (span,) = spans(sink)
    assert (span["Is Error"], span["Error Type"], span["Error Message"]) == (True, "OSError", "no shelf")


def test_the_nodes_of_a_graph_are_steps(
    model: Make, handler: AmplitudeCallbackHandler, sink: MemorySink
) -> None:
    built = StateGraph(State)
    built.add_node("search", lambda _state: {"said": [Shelf().invoke("x")[0].page_content]})
    built.add_node("answer", lambda _state: {"said": [model().invoke("echo:fine").text]})
    built.add_edge(START, "search")
    built.add_edge("search", "answer")
    built.add_edge("answer", END)
    made = built.compile(name="lookup").invoke({"said": []}, {"callbacks": [handler]})
    assert made == {"said": ["Retention is...", "fine"]}
    assert [line for line in graph(sink.events) if line.startswith("span")] == [
        "span Shelf by None in search",
        "span answer by None in lookup",
        "span lookup by None",
        "span search by None in lookup",
    ]


def test_prompts_of_its_own_stay_in_the_exchange(
    model: Make, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    built = StateGraph(State)
    built.add_node("draft", lambda _state: {"said": [model().invoke("echo:Draft").text]})
    built.add_node("polish", lambda _state: {"said": [model().invoke("echo:Polished").text]})
    built.add_edge(START, "draft")
    built.add_edge("draft", "polish")
    with ai.agent().session(track_session_end=False):
        built.compile(name="writer").invoke({"said": []}, {"callbacks": [handler]})
    assert [line for line in graph(sink.events) if "echo:" in line] == [
        "  user: echo:Draft",
        "  agent: echo:Polished",
    ]
    assert len({event["Trace ID"] for event in told(sink.events)}) == 1


def test_a_graph_that_waits_for_a_person_has_not_failed(
    handler: AmplitudeCallbackHandler, sink: MemorySink
) -> None:
    built = StateGraph(State)
    built.add_node("ask", lambda _state: {"said": [interrupt("May I?")]})
    built.add_edge(START, "ask")
    made = built.compile(InMemorySaver(), name="asking")
    config: Any = {"callbacks": [handler], "configurable": {"thread_id": "thread-1"}}
    made.invoke({"said": []}, config)
    assert made.invoke(Command(resume="yes"), config) == {"said": ["yes"]}
    assert [(span["Span Name"], span["Is Error"]) for span in spans(sink)] == [
        ("ask", False),
        ("asking", False),
    ] * 2
    assert {event["Session ID"] for event in told(sink.events)} == {"thread-1"}


def test_two_turns_of_a_thread(model: Make, handler: AmplitudeCallbackHandler, sink: MemorySink) -> None:
    agent = create_agent(model(), [], name="helper", checkpointer=InMemorySaver())
    config: Any = {
        "callbacks": [handler],
        "configurable": {"thread_id": "thread-turns"},
        "metadata": {"user_id": "user-of-metadata"},
    }
    for words in ("echo:One.", "echo:Two."):
        agent.invoke({"messages": [("user", words)]}, config)
    assert graph(sink.events) == [
        "helper",
        "  user: echo:One.",
        "  answer 20+7 $0.00011: One.",
        "  user: echo:Two.",
        "  answer 20+7 $0.00011: Two.",
        "span helper by helper",
        "span helper by helper",
    ]
    assert len({event["Trace ID"] for event in told(sink.events)}) == 2
    assert {event["Session ID"] for event in told(sink.events)} == {"thread-turns"}
    assert {event["user_id"] for event in told(sink.events)} == {"user-1"}  # whom the door names goes before


def test_an_agent_without_a_name(
    model: Make, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("support").session(track_session_end=False):
        create_agent(model(), []).invoke({"messages": [("user", "Hi")]}, {"callbacks": [handler]})
    assert graph(sink.events)[0] == "support"
    assert len(spans(sink)) == 1


def test_tools_in_threads(
    model: Make, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    @tool
    def get_weather(city: str) -> str:
        """Tell the weather."""
        return RunnableParallel(a=RunnableLambda(lambda _: city), b=model() | StrOutputParser()).invoke(
            "echo:Warm"
        )["b"]

    agent = create_agent(model(), [get_weather], name="helper")
    with ai.agent().session(track_session_end=False):
        agent.invoke(
            {"messages": [("user", 'call:get_weather{"city":"Rome"} echo:Done.')]}, {"callbacks": [handler]}
        )
    assert graph(sink.events) == [
        "helper",
        '  user: call:get_weather{"city":"Rome"} echo:Done.',
        "  answer 20+7 $0.00011: get_weather",
        "  agent: echo:Warm",
        "  answer 20+7 $0.00011: Warm",
        '  tool get_weather {"city":"Rome"} -> Warm',
        "  answer 20+7 $0.00011: Done.",
        "span helper by helper",
    ]


def test_a_tool_that_raises_ends_the_agent(
    model: Make, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    @tool
    def get_weather(city: str) -> str:
        """Tell the weather."""
        raise LookupError(city)

    agent = create_agent(model(), [get_weather], name="helper")
    with ai.agent().session(track_session_end=False), pytest.raises(LookupError):
        agent.invoke({"messages": [("user", 'call:get_weather{"city":"Rome"}')]}, {"callbacks": [handler]})
    ran = next(event for event in told(sink.events) if event["type"] == "Tool Call")
    assert (ran["Tool Success"], ran["Error Type"], ran["Error Source"]) == (False, "LookupError", "tool")
    assert [(span["Span Name"], span["Is Error"]) for span in spans(sink)] == [("helper", True)]


async def test_a_cancelled_tool(
    model: Make, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    begun = asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait."""
        begun.set()
        await asyncio.sleep(30)
        return ""

    async with ai.agent().session(track_session_end=False):
        run = asyncio.create_task(wait.ainvoke({}, {"callbacks": [handler]}))
        await begun.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    (event,) = told(sink.events)
    assert (event["Tool Success"], event["Is Error"], event["Error Type"]) == (False, False, "CancelledError")
