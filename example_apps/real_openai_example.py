"""OpenAI from end to end: a session, two streamed turns, feedback, and delivery.

`OPENAI_API_KEY=... AMPLITUDE_AI_API_KEY=... python -m example_apps.real_openai_example`
"""

from __future__ import annotations

import os
import sys
from typing import Any
from uuid import uuid4

from amplitude_ai_integrations import AmplitudeAI, OpenAI, Session

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
QUESTIONS = ("What should I see in Prague in three days?", "What should I pack for a weekend there in May?")

ai = AmplitudeAI()  # reads AMPLITUDE_AI_API_KEY
client = OpenAI(amplitude=ai)  # reads OPENAI_API_KEY
agent = ai.agent("travel-guide", agent_version="1.0", env="example")


def answer(messages: list[Any], answer_id: str) -> str:
    """Print an answer as the words come, and return them."""
    own: dict[str, Any] = {"amplitude_message_id": answer_id}  # by which it can be scored
    stream = client.chat.completions.create(
        model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}, **own
    )
    words = []
    for chunk in stream:
        for choice in chunk.choices:
            words.append(choice.delta.content or "")
            print(words[-1], end="", flush=True)
    print()
    return "".join(words)


def converse(session: Session, *questions: str) -> None:
    """Answer one question after the other, and let the reader like the last answer."""
    messages: list[Any] = []
    for question in questions:
        print(f"> {question}")
        answer_id = str(uuid4())
        messages.append({"role": "user", "content": question})
        messages.append({"role": "assistant", "content": answer(messages, answer_id)})
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
