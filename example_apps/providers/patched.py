"""A program that knows nothing of us but one line: `python -m example_apps.providers.patched`."""

from __future__ import annotations

import openai

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.patching import patch

ai = AmplitudeAI()
patch(ai, user_id="user-42", agent_id="patched")  # the one line


def main() -> None:
    """Call a model as any program does."""
    with openai.OpenAI() as client:
        response = client.responses.create(model="gpt-4o-mini", input="What is retention?")
        print(response.output_text)


if __name__ == "__main__":
    main()
    ai.flush().result(timeout=10)
