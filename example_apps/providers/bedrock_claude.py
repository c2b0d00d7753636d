"""Claude on Amazon Bedrock, streamed: `python -m example_apps.providers.bedrock_claude`."""

from __future__ import annotations

import sys

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.providers.bedrock import Bedrock

MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"

ai = AmplitudeAI()
bedrock = Bedrock(amplitude=ai)  # boto3 finds the region and the keys


def main(question: str) -> None:
    """Answer a question as the words come."""
    with ai.agent("bedrock").session(user_id="user-42"):
        answer = bedrock.converse_stream(
            modelId=MODEL, messages=[{"role": "user", "content": [{"text": question}]}]
        )
        for event in answer["stream"]:
            print(event.get("contentBlockDelta", {}).get("delta", {}).get("text", ""), end="", flush=True)
        print()
    bedrock.close()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "What is a funnel?")
