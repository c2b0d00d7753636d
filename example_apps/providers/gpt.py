"""OpenAI, streamed, and a score for the answer: `python -m example_apps.providers.gpt`."""

from __future__ import annotations

import sys
from typing import Any

from amplitude_ai_integrations import AmplitudeAI, OpenAI

MODEL = "gpt-4o-mini"

ai = AmplitudeAI()
client = OpenAI(amplitude=ai)  # reads OPENAI_API_KEY


def main(question: str) -> None:
    """Answer a question, word by word, and rate the answer."""
    own: dict[str, Any] = {"amplitude_message_id": "answer-1"}
    with ai.agent("gpt").session(user_id="user-42") as session:
        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": question}], stream=True, **own
        )
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                print(chunk.choices[0].delta.content, end="", flush=True)
        print()
        session.score("user-feedback", 1.0, target_id="answer-1")
    client.close()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "What is retention?")
