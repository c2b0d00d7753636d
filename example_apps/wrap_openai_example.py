"""A client that you have, wrapped, and an agent with a tool: `python -m example_apps.wrap_openai_example`."""

from __future__ import annotations

import json
import sys
from typing import Any

import openai

from amplitude_ai_integrations import AmplitudeAI, tool, wrap

MODEL = "gpt-4o-mini"
FIND_TRAINS: Any = {
    "type": "function",
    "function": {
        "name": "find_trains",
        "description": "Look up today's trains between two cities.",
        "parameters": {
            "type": "object",
            "properties": {"origin": {"type": "string"}, "destination": {"type": "string"}},
            "required": ["origin", "destination"],
        },
    },
}

ai = AmplitudeAI()
client = wrap(openai.OpenAI(max_retries=5), ai)  # the same object; it reads OPENAI_API_KEY


@tool
def find_trains(origin: str, destination: str) -> str:
    """Look up trains; each call is a Tool Call with what went in, what came out, and how long it took."""
    return f"EC 171 leaves {origin} at 06:16 and is in {destination} at 10:25."


def answer(question: str) -> str:
    """Let the model use its tool until it has an answer."""
    messages: list[Any] = [{"role": "user", "content": question}]
    while True:
        completion = client.chat.completions.create(model=MODEL, messages=messages, tools=[FIND_TRAINS])
        message: Any = completion.choices[0].message
        if not message.tool_calls:
            return str(message.content)
        messages.append(message)
        for call in message.tool_calls:
            found = find_trains(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": found})


def main(question: str) -> None:
    """Answer one question in a session, and let its reader like the answer."""
    with ai.agent("travel-guide").session(user_id="user-42") as session:
        print(f"> {question}\n{answer(question)}")
        session.score("user-feedback", 1.0, target_id=session.session_id, target_type="session")
    client.close()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Which trains go from Berlin to Prague?")
