"""A crew of two on CrewAI, of which one asks the other: `python -m example_apps.crewai_crew`.

CrewAI needs an environment of its own: `pip install 'amplitude-ai-integrations[crewai]'`.
"""

from __future__ import annotations

import sys

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.frameworks.crewai import AmplitudeCrewAIHooks

ai = AmplitudeAI()
model = LLM(model="openai/gpt-4o-mini")  # reads OPENAI_API_KEY


def find_trains(origin: str, destination: str) -> str:
    """Look up today's trains between two cities."""
    return f"EC 171 leaves {origin} at 06:16 and is in {destination} at 10:25."


clerk = Agent(
    role="clerk",
    goal="Tell which trains go.",
    backstory="You know the timetable.",
    llm=model,
    tools=[tool(find_trains)],
)
concierge = Agent(
    role="concierge",
    goal="Plan trips.",
    backstory="You plan trips. The clerk knows all trains.",
    llm=model,
    allow_delegation=True,
)
task = Task(
    name="plan",
    description="{question}",
    expected_output="An answer in one sentence.",
    agent=concierge,
)
crew = Crew(name="trips", agents=[concierge, clerk], tasks=[task])


def main(question: str) -> None:
    """Answer a question: the events name both roles, and which of them works for which."""
    with AmplitudeCrewAIHooks(ai, user_id="user-42"), ai.agent().session(user_id="user-42"):
        print(f"> {question}\n{crew.kickoff(inputs={'question': question})}")
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Which trains go from Berlin to Prague?")
