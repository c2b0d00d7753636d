"""Claude with a tool: `python -m example_apps.providers.claude`."""

from __future__ import annotations

from typing import Any

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.providers.anthropic import Anthropic

MODEL = "claude-sonnet-4-20250514"
TOOL: Any = {
    "name": "get_weather",
    "description": "Tells the weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}

ai = AmplitudeAI()
client = Anthropic(amplitude=ai)  # reads ANTHROPIC_API_KEY


def main(question: str) -> None:
    """Answer a question; the tool's result in the second call becomes a Tool Call by itself."""
    messages: list[Any] = [{"role": "user", "content": question}]
    with ai.agent("claude").session(user_id="user-42"):
        while True:
            answer = client.messages.create(model=MODEL, max_tokens=1024, tools=[TOOL], messages=messages)
            calls = [block for block in answer.content if block.type == "tool_use"]
            if not calls:
                break
            results = [{"type": "tool_result", "tool_use_id": call.id, "content": "Sunny."} for call in calls]
            messages += [
                {"role": "assistant", "content": answer.content},
                {"role": "user", "content": results},
            ]
        print("".join(block.text for block in answer.content if block.type == "text"))
    client.close()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main("Use your tool: what is the weather in Paris?")
