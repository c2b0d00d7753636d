"""LlamaIndex's workflow agents."""

from __future__ import annotations

from typing import Any

from llama_index.core.agent.workflow import AgentStream, FunctionAgent

from amplitude_ai_integrations.frameworks.llamaindex import AmplitudeLlamaIndexHandler

from ...fakes.openai_server import OpenAIServer
from ..llamaindex.chat_model import ChatModel
from ..llamaindex.making import made
from .framework import INSTRUCTIONS, MODEL, REFUSAL, RESEARCH, WEATHER, Framework, Place


class LlamaIndex(Framework):
    name = "llamaindex"

    def serve(self) -> OpenAIServer:
        return OpenAIServer()

    def door(self, ai: Any, **options: Any) -> AmplitudeLlamaIndexHandler:
        return AmplitudeLlamaIndexHandler(ai, **options).register()

    async def ask(self, place: Place, words: str) -> str:
        return str(await _concierge(place, streaming=False).run(user_msg=words))

    async def stream(self, place: Place, words: str) -> str:
        run = _concierge(place, streaming=True).run(user_msg=words)
        text = "".join([event.delta async for event in run.stream_events() if isinstance(event, AgentStream)])
        await run
        return text

    def close(self, door: Any) -> None:
        door.close()


def _concierge(place: Place, *, streaming: bool) -> Any:
    options: dict[str, Any] = {
        "llm": ChatModel(place.fake.url, place.http, model=MODEL),
        "streaming": streaming,
    }
    researcher = made(FunctionAgent, name="researcher", system_prompt=RESEARCH, **options)

    def get_weather(city: str) -> str:
        """Tell the weather."""
        return WEATHER

    def book_table(restaurant: str) -> str:
        """Book a table."""
        raise ValueError(REFUSAL)

    async def ask_researcher(question: str) -> str:
        """Ask somebody who looks things up."""
        return str(await researcher.run(user_msg=question))

    tools: list[Any] = [get_weather, book_table, ask_researcher]
    return made(FunctionAgent, name="concierge", system_prompt=INSTRUCTIONS, tools=tools, **options)
