"""A LangChain agent that asks another one, on LangGraph: `python -m example_apps.langchain_agent_example`."""

from __future__ import annotations

import sys
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.frameworks.langchain import AmplitudeCallbackHandler

ai = AmplitudeAI()
handler = AmplitudeCallbackHandler(ai)
model = ChatOpenAI(model="gpt-4o-mini")  # reads OPENAI_API_KEY


@tool
def find_trains(origin: str, destination: str) -> str:
    """Look up today's trains between two cities."""
    return f"EC 171 leaves {origin} at 06:16 and is in {destination} at 10:25."


clerk: Any = create_agent(model, [find_trains], name="clerk", system_prompt="You know the timetable.")


@tool
def ask_clerk(question: str) -> str:
    """Ask somebody who knows the timetable."""
    # Called from a tool of the other agent, this one is a part of its run, and the handler is passed on.
    state = clerk.invoke({"messages": [("user", question)]})
    return str(state["messages"][-1].text)


concierge: Any = create_agent(
    model, [ask_clerk], name="concierge", system_prompt="You plan trips. The clerk knows all trains."
)


def main(question: str) -> None:
    """Answer a question: the events name both agents, and which of them works for which."""
    with ai.agent("concierge").session(user_id="user-42"):
        state = concierge.invoke({"messages": [("user", question)]}, {"callbacks": [handler]})
        print(f"> {question}\n{state['messages'][-1].text}")
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Which trains go from Berlin to Prague?")
