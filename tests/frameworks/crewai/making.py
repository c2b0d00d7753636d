"""CrewAI's models, agents and crews before a fake."""

from __future__ import annotations

from typing import Any

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

from .frames import Unframed


@tool
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"Sunny in {city}."


@tool
def book_table(restaurant: str) -> str:
    """Book a table."""
    raise LookupError("No table is free.")


class Making:
    def __init__(self, fake: Unframed) -> None:
        self.fake = fake

    def llm(self, kind: Any = LLM, model: str = "openai/gpt-4o", **options: Any) -> Any:
        return kind(model=model, base_url=self.fake.url, api_key="k", **{"max_retries": 0, **options})

    def agent(self, role: str = "concierge", *, llm: Any = None, **options: Any) -> Agent:
        given = {"goal": "Help.", "backstory": "You help people plan.", "max_retry_limit": 0, **options}
        return Agent(role=role, llm=llm or self.llm(), **given)

    def task(self, words: str, agent: Agent | None = None, name: str = "answer", **options: Any) -> Task:
        return Task(description=words, expected_output="A text.", agent=agent, name=name, **options)

    def crew(self, words: str, *, agent: Agent | None = None, **options: Any) -> Crew:
        """Return a crew of one, with one task."""
        worker = agent or self.agent(**options)
        return Crew(name="desk", agents=[worker], tasks=[self.task(words, worker)])
