"""Anthropic from end to end: a session, a tool, two turns, feedback, and delivery.

`ANTHROPIC_API_KEY=... AMPLITUDE_AI_API_KEY=... python -m example_apps.real_anthropic_example`
"""

from __future__ import annotations

import os
import sys
from typing import Any
from uuid import uuid4

from amplitude_ai_integrations import AmplitudeAI, Anthropic, Session, tool

MODEL = os.environ.get("ANTHROPIC_MODEL", "claude-sonnet-4-20250514")
QUESTIONS = ("Which trains go from Berlin to Prague?", "And what should I see there in three days?")
TOOL: Any = {
    "name": "find_trains",
    "description": "Look up today's trains between two cities.",
    "input_schema": {
        "type": "object",
        "properties": {"origin": {"type": "string"}, "destination": {"type": "string"}},
        "required": ["origin", "destination"],
    },
}

ai = AmplitudeAI()  # reads AMPLITUDE_AI_API_KEY
client = Anthropic(amplitude=ai)  # reads ANTHROPIC_API_KEY
agent = ai.agent("travel-guide", agent_version="1.0", env="example")


@tool
def find_trains(origin: str, destination: str) -> str:
    """Look up trains; each call is a Tool Call with what went in, what came out, and how long it took."""
    return f"EC 171 leaves {origin} at 06:16 and is in {destination} at 10:25."


def answer(messages: list[Any]) -> str:
    """Let the model use its tool until it has an answer; print that, and return the id of its event."""
    while True:
        own: dict[str, Any] = {"amplitude_message_id": str(uuid4())}  # by which it can be scored
        message = client.messages.create(model=MODEL, max_tokens=1024, tools=[TOOL], messages=messages, **own)
        messages.append({"role": "assistant", "content": message.content})
        uses: list[Any] = [block for block in message.content if block.type == "tool_use"]
        if not uses:
            print("".join(block.text for block in message.content if block.type == "text"))
            return str(own["amplitude_message_id"])
        found = [(use.id, find_trains(**use.input)) for use in uses]
        results = [{"type": "tool_result", "tool_use_id": use, "content": text} for use, text in found]
        messages.append({"role": "user", "content": results})


def converse(session: Session, *questions: str) -> None:
    """Answer one question after the other, and let the reader like the last answer."""
    messages: list[Any] = []
    for question in questions:
        print(f"> {question}")
        messages.append({"role": "user", "content": question})
        answer_id = answer(messages)
    session.score("user-feedback", 1.0, target_id=answer_id)


def main(*questions: str) -> None:
    """Hold one conversation, deliver its events, and say where they are."""
    with agent.session(user_id="user-42") as session:  # its end is an event, too
        converse(session, *questions)
    client.close()
    ai.flush().result(timeout=10)
    print(f"Session {session.session_id}: {ai.status()['events']['delivered']} events delivered.")


if __name__ == "__main__":
    main(*sys.argv[1:] or QUESTIONS)
