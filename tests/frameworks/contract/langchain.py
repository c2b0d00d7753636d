"""LangChain's agents, and its cache of answers."""

from __future__ import annotations

from typing import Any

from langchain_core.caches import InMemoryCache
from langchain_core.tools import ToolException, tool
from langchain_openai import ChatOpenAI

from amplitude_ai_integrations.frameworks.langchain import AmplitudeCallbackHandler

try:
    from langchain.agents import create_agent
except ImportError:  # before LangChain 1
    from langgraph.prebuilt import create_react_agent

    def create_agent(model: Any, tools: Any, *, name: str, system_prompt: str) -> Any:
        return create_react_agent(model, tools, name=name, prompt=system_prompt)


from ...fakes.openai_server import OpenAIServer
from .framework import INSTRUCTIONS, MODEL, REFUSAL, RESEARCH, WEATHER, Framework, Place


class LangChain(Framework):
    name = "langchain"
    has_cache = True

    def serve(self) -> OpenAIServer:
        return OpenAIServer()

    def door(self, ai: Any, **options: Any) -> AmplitudeCallbackHandler:
        return AmplitudeCallbackHandler(ai, **options)

    async def ask(self, place: Place, words: str) -> str:
        state = await _concierge(place).ainvoke({"messages": [("user", words)]}, _config(place))
        return str(state["messages"][-1].content)

    async def stream(self, place: Place, words: str) -> str:
        asked = {"messages": [("user", words)]}
        pieces = _concierge(place).astream(asked, _config(place), stream_mode="messages")
        return "".join([str(piece.content) async for piece, _about in pieces])

    async def ask_cached(self, place: Place, words: str) -> str:
        model = _model(place, cache=_cache_of(place))
        return str((await model.ainvoke(words, _config(place))).content)


def _config(place: Place) -> Any:
    return {"callbacks": [place.door]}


def _cache_of(place: Place) -> InMemoryCache:
    cache: InMemoryCache = vars(place).setdefault("cache", InMemoryCache())
    return cache


def _model(place: Place, **options: Any) -> ChatOpenAI:
    url = f"{place.fake.address}/v1"
    options |= {"http_async_client": place.http, "stream_usage": True, "max_retries": 0}
    return ChatOpenAI(model=MODEL, api_key="k", base_url=url, **options)


def _concierge(place: Place) -> Any:
    researcher = create_agent(_model(place), [], name="researcher", system_prompt=RESEARCH)

    @tool
    def get_weather(city: str) -> str:
        """Tell the weather."""
        return WEATHER

    @tool
    def book_table(restaurant: str) -> str:
        """Book a table."""
        raise ToolException(REFUSAL)

    @tool
    async def ask_researcher(question: str) -> str:
        """Ask somebody who looks things up."""
        state = await researcher.ainvoke({"messages": [("user", question)]})
        return str(state["messages"][-1].content)

    book_table.handle_tool_error = True
    tools = [get_weather, book_table, ask_researcher]
    return create_agent(_model(place), tools, name="concierge", system_prompt=INSTRUCTIONS)
