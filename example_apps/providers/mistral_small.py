"""Mistral: `python -m example_apps.providers.mistral_small "What are cohorts?"`."""

from __future__ import annotations

import os
import sys
from typing import Any

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.providers.mistral import Mistral

ai = AmplitudeAI()


def main(question: str) -> None:
    """Answer a question."""
    place: dict[str, Any] = {"server_url": os.environ.get("MISTRAL_SERVER_URL")}
    with (
        Mistral(amplitude=ai, api_key=os.environ["MISTRAL_API_KEY"], **place) as mistral,
        ai.agent("mistral").session(user_id="user-42"),
    ):
        messages: list[Any] = [{"role": "user", "content": question}]
        answer = mistral.chat.complete(model="mistral-small-latest", messages=messages)
        print(answer.choices[0].message.content)
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "What are cohorts?")
