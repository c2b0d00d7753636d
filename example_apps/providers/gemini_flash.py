"""Gemini, streamed: `python -m example_apps.providers.gemini_flash "What are cohorts?"`."""

from __future__ import annotations

import sys

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.providers.gemini import Gemini

ai = AmplitudeAI()
gemini = Gemini(amplitude=ai, model_name="gemini-2.5-flash")  # reads GEMINI_API_KEY


def main(question: str) -> None:
    """Answer a question as the words come."""
    with ai.agent("gemini").session(user_id="user-42"):
        for chunk in gemini.generate_content(question, stream=True):
            print(chunk.text or "", end="", flush=True)
        print()
    gemini.close()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "What are cohorts?")
