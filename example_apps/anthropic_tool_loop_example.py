"""Claude with tools, one of which is another Claude: `python -m example_apps.anthropic_tool_loop_example`."""

from __future__ import annotations

import os
import sys
from typing import Any

from anthropic import Anthropic

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.frameworks.anthropic_tools import AmplitudeToolLoop

MODEL = os.environ.get("ANTHROPIC_MODEL", "claude-sonnet-4-20250514")
QUESTIONS = ("Which trains go from Berlin to Prague, and what should I see there?",)

ai = AmplitudeAI()  # reads AMPLITUDE_AI_API_KEY
client = Anthropic()  # reads ANTHROPIC_API_KEY


def offer(name: str, description: str, *texts: str) -> Any:
    """Return a tool as Claude is offered it; all its parameters are texts."""
    properties = {text: {"type": "string"} for text in texts}
    schema = {"type": "object", "properties": properties, "required": [*texts]}
    return {"name": name, "description": description, "input_schema": schema}


def find_trains(origin: str, destination: str) -> str:
    """Look up trains."""
    return f"EC 171 leaves {origin} at 06:16 and is in {destination} at 10:25."


def ask_guide(question: str) -> str:
    """Let another agent answer: a loop inside a loop works for the one around it."""
    return answer(guide, question)


def answer(loop: AmplitudeToolLoop, question: str, *tools: Any) -> str:
    """Let Claude call tools until it has an answer, and return its words."""
    message = loop.run(model=MODEL, messages=[{"role": "user", "content": question}], tools=[*tools])
    return "".join(block.text for block in message.content if block.type == "text")


guide = AmplitudeToolLoop(ai, client, agent_id="guide")
concierge = AmplitudeToolLoop(
    ai, client, agent_id="concierge", tool_handlers={"find_trains": find_trains, "ask_guide": ask_guide}
)
TOOLS = (
    offer("find_trains", "Look up today's trains between two cities.", "origin", "destination"),
    offer("ask_guide", "Ask somebody who knows what is worth seeing.", "question"),
)


def main(*questions: str) -> None:
    """Hold one conversation, and deliver its events."""
    with ai.agent().session(user_id="user-42"):
        for question in questions:
            print(f"> {question}")
            print(answer(concierge, question, *TOOLS))
    client.close()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(*sys.argv[1:] or QUESTIONS)
