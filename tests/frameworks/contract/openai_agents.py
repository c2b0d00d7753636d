"""The OpenAI Agents SDK, with its models of either API."""

from __future__ import annotations

from typing import Any

from agents import (
    Agent,
    Model,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunContextWrapper,
    Runner,
    function_tool,
    set_trace_processors,
)
from openai import AsyncOpenAI

from amplitude_ai_integrations.frameworks.openai_agents import AmplitudeTracingProcessor

from ...fakes.openai_server import OpenAIServer
from .framework import INSTRUCTIONS, MODEL, REFUSAL, RESEARCH, WEATHER, Framework, Place


class OpenAIAgents(Framework):
    shows_first_token = False

    def __init__(self, api: str, model: type[Any]) -> None:
        self.name = f"openai_agents_{api}"
        self._model = model

    def serve(self) -> OpenAIServer:
        return OpenAIServer()

    def door(self, ai: Any, **options: Any) -> AmplitudeTracingProcessor:
        processor = AmplitudeTracingProcessor(ai, **options)
        set_trace_processors([processor])  # without the exporter of the SDK's own
        return processor

    def close(self, door: AmplitudeTracingProcessor) -> None:
        set_trace_processors([])

    async def ask(self, place: Place, words: str) -> str:
        return str((await Runner.run(self._concierge(place), words)).final_output)

    async def stream(self, place: Place, words: str) -> str:
        run = Runner.run_streamed(self._concierge(place), words)
        deltas = [
            event.data.delta
            async for event in run.stream_events()
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
        ]
        return "".join(deltas)

    def _agent(self, place: Place, name: str, instructions: str, tools: list[Any]) -> Agent[Any]:
        client = AsyncOpenAI(
            api_key="k", base_url=f"{place.fake.address}/v1", http_client=place.http, max_retries=0
        )
        model: Model = self._model(model=MODEL, openai_client=client)
        settings = ModelSettings(include_usage=True)
        return Agent(name=name, instructions=instructions, model=model, model_settings=settings, tools=tools)

    def _concierge(self, place: Place) -> Agent[Any]:
        researcher = self._agent(place, "researcher", RESEARCH, [])

        @function_tool
        def get_weather(city: str = "") -> str:
            """Tell the weather."""
            return WEATHER

        @function_tool(failure_error_function=_said)
        def book_table(restaurant: str) -> str:
            """Book a table."""
            raise LookupError(REFUSAL)

        @function_tool
        async def ask_researcher(question: str) -> str:
            """Ask somebody who looks things up."""
            return str((await Runner.run(researcher, question)).final_output)

        return self._agent(place, "concierge", INSTRUCTIONS, [get_weather, book_table, ask_researcher])


def _said(_context: RunContextWrapper[Any], error: Exception) -> str:
    return str(error)


CHAT = OpenAIAgents("chat", OpenAIChatCompletionsModel)
RESPONSES = OpenAIAgents("responses", OpenAIResponsesModel)
