"""A model of your own, by Ollama: `python -m example_apps.providers.ollama_llama "What is retention?"`."""

from __future__ import annotations

import os
import sys

from amplitude_ai_integrations import AmplitudeAI, OpenAI

URL = os.environ.get("OLLAMA_URL", "http://localhost:11434/v1")

ai = AmplitudeAI()
client = OpenAI(amplitude=ai, base_url=URL, api_key="ollama", provider_name="ollama")


def main(question: str) -> None:
    """Answer a question as the words come, with tokens that Ollama counts since it is asked to."""
    with ai.agent("ollama").session(user_id="user-42"):
        stream = client.chat.completions.create(
            model=os.environ.get("OLLAMA_MODEL", "llama3.2"),
            messages=[{"role": "user", "content": question}],
            stream=True,
            stream_options={"include_usage": True},
        )
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                print(chunk.choices[0].delta.content, end="", flush=True)
        print()
    client.close()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "What is retention?")
