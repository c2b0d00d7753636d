"""Azure OpenAI, asynchronous, two questions at once: `python -m example_apps.providers.azure_gpt`."""

from __future__ import annotations

import asyncio
import os

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.providers.openai import AsyncAzureOpenAI

DEPLOYMENT = os.environ.get("AZURE_OPENAI_DEPLOYMENT", "gpt-4o-mini")

ai = AmplitudeAI()


async def answer(client: AsyncAzureOpenAI, question: str) -> None:
    """Answer one question in a session of its own."""
    with ai.agent("azure").session(user_id="user-42"):
        answer = await client.chat.completions.create(
            model=DEPLOYMENT, messages=[{"role": "user", "content": question}]
        )
        print(answer.choices[0].message.content)


async def main() -> None:
    """Answer two questions side by side."""
    # Reads AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and OPENAI_API_VERSION.
    async with AsyncAzureOpenAI(amplitude=ai) as client:
        await asyncio.gather(answer(client, "What is retention?"), answer(client, "What is a funnel?"))
    await ai.aflush()


if __name__ == "__main__":
    asyncio.run(main())
