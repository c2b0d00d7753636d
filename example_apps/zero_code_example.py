"""A chat that knows nothing of us, observed by one line: `python -m example_apps.zero_code_example`."""

from __future__ import annotations

import sys
from typing import Any
from uuid import uuid4

import openai

from amplitude_ai_integrations import AmplitudeAI, patch

QUESTIONS = ("What should I see in Prague in three days?", "What should I pack for a weekend there in May?")


def chat(*questions: str) -> None:
    """Answer one question after the other, as the program did before."""
    messages: list[Any] = []
    with openai.OpenAI() as client:  # reads OPENAI_API_KEY
        for question in questions:
            messages.append({"role": "user", "content": question})
            completion = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
            answer = completion.choices[0].message.content
            messages.append({"role": "assistant", "content": answer})
            print(f"> {question}\n{answer}")


if __name__ == "__main__":
    ai = AmplitudeAI()
    # The one line. Who asks in which conversation can be left out: events then have no user and no session.
    patch(ai, user_id="user-42", session_id=str(uuid4()), agent_id="travel-guide")
    chat(*sys.argv[1:] or QUESTIONS)
    ai.flush().result(timeout=10)
