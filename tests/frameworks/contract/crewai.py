"""CrewAI's agents by themselves; what crews add to them has tests of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..crewai import offline  # noqa: F401 isort: skip - before CrewAI is imported

from crewai import LLM, Agent
from crewai.events import crewai_event_bus
from crewai.tools import tool

from amplitude_ai_integrations.frameworks.crewai import AmplitudeCrewAIHooks

from ...fakes.openai_server import OpenAIServer
from ..crewai.frames import Unframed
from .framework import INSTRUCTIONS, MODEL, REFUSAL, RESEARCH, WEATHER, Framework, Place


class CrewAI(Framework):
    name = "crewai"
    doors = frozenset(f"AmplitudeCrewAIHooks.{name}" for name in ("_hears", "_kicked_off", "flush"))

    def serve(self) -> OpenAIServer:
        return Unframed()

    def door(self, ai: Any, **options: Any) -> AmplitudeCrewAIHooks:
        return AmplitudeCrewAIHooks(ai, **options).register()

    def close(self, door: AmplitudeCrewAIHooks) -> None:
        door.close()

    async def ask(self, place: Place, words: str) -> str:
        return await _asked(place, words)

    async def stream(self, place: Place, words: str) -> str:
        return await _asked(place, words, stream=True)

    def everywhere(self, call: Callable[[], object]) -> None:
        call()
        told = threading.Event()
        crewai_event_bus._loop.call_soon_threadsafe(lambda: (call(), told.set()))
        assert told.wait(5)


async def _asked(place: Place, words: str, *, stream: bool = False) -> str:
    try:
        return str((await _concierge(_model(place, stream=stream)).akickoff(words)).raw)
    finally:
        place.door.flush()  # CrewAI tells of the last things a moment after they happened


def _model(place: Place, *, stream: bool) -> LLM:
    """Return a model, the same for all agents: to make one takes longer than to run it."""
    models: dict[bool, LLM] = vars(place).setdefault("models", {})
    if stream not in models:
        url = f"{place.fake.address}/v1"
        models[stream] = LLM(model=f"openai/{MODEL}", base_url=url, api_key="k", max_retries=0, stream=stream)
    return models[stream]


def _agent(llm: LLM, role: str, backstory: str, tools: list[Any]) -> Agent:
    return Agent(role=role, goal="Help.", backstory=backstory, llm=llm, tools=tools, max_retry_limit=0)


def _concierge(llm: LLM) -> Agent:
    researcher = _agent(llm, "researcher", RESEARCH, [])

    @tool
    def get_weather(city: str = "") -> str:
        """Tell the weather."""
        return WEATHER

    @tool
    def book_table(restaurant: str) -> str:
        """Book a table."""
        raise LookupError(REFUSAL)

    @tool
    def ask_researcher(question: str) -> str:
        """Ask somebody who looks things up."""
        return str(researcher.kickoff(question).raw)

    return _agent(llm, "concierge", INSTRUCTIONS, [get_weather, book_table, ask_researcher])
